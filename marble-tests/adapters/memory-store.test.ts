import { asyncScheduler, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MemoryDisk, memoryStore } from '../../adapters/memory-store.js';
import { StoreError } from '../../adapters/storage.js';
import { storageAcceptance } from '../../adapters/testing/storage-acceptance.js';
import type { StorageAction } from '../../lib/action.js';
import { clusterOf } from '../../lib/cluster-config.js';
import { emptyEntries } from '../../lib/entries.js';
import type { StorageInput } from '../../lib/input.js';
import { marbles } from '../marbles.js';

/** The suite throws where something is wrong; vitest wants to see an assertion. */
const test = (name: string, body: () => void | Promise<void>) =>
  it(name, async () => expect(await body()).toBeUndefined());

describe('memoryStore, answering at once', () => {
  storageAcceptance(test, () => {
    const disk = new MemoryDisk<Uint8Array, Uint8Array>();
    return { open: () => memoryStore(disk) };
  });
});

describe('memoryStore, with writes that take time', () => {
  storageAcceptance(test, () => {
    const disk = new MemoryDisk<Uint8Array, Uint8Array>();
    let calls = 0;
    const survivors = (unacknowledged: number) => (calls += 7) % (unacknowledged + 1);
    return { open: () => memoryStore(disk, { writeMs: () => 0, survivors }) };
  });
});

/** The write with this number raises the term to it. */
function persist(sequence: number): StorageAction<never, never> {
  const hardState = { currentTerm: sequence, votedFor: null };
  return { type: 'persist', sequence, hardState, entries: null, snapshot: null };
}

const actions = Object.fromEntries([1, 2, 3, 4].map((each) => [each, persist(each)]));
const answers = Object.fromEntries(
  [1, 2, 3, 4].map((sequence) => [sequence, { type: 'persisted', sequence } as const]),
);

describe('memoryStore', () => {
  it(
    'answers at once by default',
    marbles((m) => {
      const { storage } = memoryStore<never, never>();
      m.expect(m.hot('-1(23)-4|', actions).pipe(storage)).toBeObservable('-1(23)-4|', answers);
    }),
  );

  it(
    'takes its time by its scheduler, and gathers meanwhile',
    marbles((m) => {
      const options = { writeMs: () => 3, scheduler: asyncScheduler };
      const { storage } = memoryStore<never, never>(new MemoryDisk(), options);
      const expected = '---1--3-----4|';
      m.expect(m.hot('123------4---|', actions).pipe(storage)).toBeObservable(expected, answers);
    }),
  );

  it('held up it acknowledges nothing, and a crash loses what was not acknowledged', () => {
    const disk = new MemoryDisk<never, never>();
    const first = started(disk);
    first.action$.next(persist(1));
    disk.hold();
    first.action$.next(persist(2));
    first.action$.next(persist(3));
    expect(first.seen).toEqual([answers[1]]);
    first.subscription.unsubscribe();
    disk.release();
    expect(first.seen).toEqual([answers[1]]);

    const second = started(disk);
    expect(second.store.recovered).toMatchObject({ currentTerm: 1, generation: 2 });
    disk.hold();
    for (const sequence of [1, 2, 3]) second.action$.next(persist(sequence + 10));
    disk.release();
    expect(second.seen).toEqual([
      { type: 'persisted', sequence: 11 },
      { type: 'persisted', sequence: 13 },
    ]);
    expect(disk.recovered.currentTerm).toBe(13);
  });

  it('a crash may leave a first part of what was not acknowledged', () => {
    const disk = new MemoryDisk<never, never>();
    const asked: number[] = [];
    const survivors = (unacknowledged: number) => {
      asked.push(unacknowledged);
      return 2;
    };
    const run = started(disk, { survivors });
    run.action$.next(persist(1));
    disk.hold();
    for (const sequence of [2, 3, 4]) run.action$.next(persist(sequence));
    run.subscription.unsubscribe();
    expect(asked).toEqual([3]);
    expect(disk.recovered.currentTerm).toBe(3);
  });

  it('one writes at a time: another is refused as locked, until the first has crashed (G10)', () => {
    const disk = new MemoryDisk<never, never>();
    const early = memoryStore(disk);
    const run = started(disk);
    expect(() => memoryStore(disk)).toThrow(StoreError);
    expect(started(disk, {}, early).error).toMatchObject({ reason: 'locked' });
    run.action$.next(persist(1));
    expect(run.seen).toEqual([answers[1]]);
    run.subscription.unsubscribe();
    expect(started(disk).error).toBeUndefined();
  });

  it('an action that does not fit the log ends the stream, and is not acknowledged', () => {
    const snapshotAt = (index: number) => ({
      snapshot: { position: { term: 1, index }, config: clusterOf(['a']), data: 'data' as never },
    });
    for (const wrong of [
      { entries: emptyEntries({ term: 1, index: 5 }) },
      { entries: emptyEntries({ term: 2, index: 4 }) },
      snapshotAt(3),
    ]) {
      const run = started(new MemoryDisk<never, never>());
      run.action$.next({ ...persist(1), ...snapshotAt(4) });
      run.action$.next({ ...persist(2), ...wrong });
      expect(run.error).toMatchObject({ name: 'StoreError', reason: 'failed' });
      expect(run.seen).toEqual([answers[1]]);
    }
  });
});

function started(
  disk: MemoryDisk<never, never>,
  options: Parameters<typeof memoryStore>[1] = {},
  store = memoryStore(disk, options),
) {
  const action$ = new Subject<StorageAction<never, never>>();
  const seen: StorageInput[] = [];
  const run: { error?: unknown } = {};
  const subscription = action$.pipe(store.storage).subscribe({
    next: (input) => seen.push(input),
    error: (error: unknown) => (run.error = error),
  });
  return Object.assign(run, { action$, seen, store, subscription });
}
