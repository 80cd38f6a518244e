/** Who asks for a snapshot is told of one that is on the disk, with all that was applied before. */
import { NEVER, Observable, Subject } from 'rxjs';
import { beforeEach, expect, it } from 'vitest';
import type { ClockInput, StorageInput } from '../../../lib/input.js';
import { emptyEntries, loop, origin, raft } from '../../../lib/index.js';
import { machine, OutcomeUnknown } from '../../../adapters/machine.js';
import type { Store } from '../../../adapters/storage.js';
import { Snapshots } from '../../../adapters/key-value/snapshots.js';

type Block = readonly number[];

const sums = () =>
  machine({
    reducer: (sum: number, by: number) => ({ state: sum + by, result: sum + by }),
    initialState: 0,
  });

/** A disk that answers by itself until it is held, and then by hand. */
class Disk {
  isHeld = false;
  sequence = 0;
  snapshots = 0;
  readonly answer$ = new Subject<number>();

  readonly storage: Store<Block, number>['storage'] = (action$) =>
    new Observable<StorageInput>((subscriber) => {
      subscriber.add(
        this.answer$.subscribe((sequence) => subscriber.next({ type: 'persisted', sequence })),
      );
      subscriber.add(
        action$.subscribe(({ sequence, snapshot }) => {
          this.sequence = sequence;
          if (snapshot !== null) this.snapshots += 1;
          if (!this.isHeld) subscriber.next({ type: 'persisted', sequence });
        }),
      );
    });
}

let disk: Disk;
let sum: ReturnType<typeof sums>;
let snapshots: Snapshots<Block, number>;
let crash: () => void;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  disk = new Disk();
  sum = sums();
  const recovered = {
    ...{ generation: 1, currentTerm: 0, votedFor: null, snapshot: null },
    entries: emptyEntries(origin),
  };
  snapshots = new Snapshots({ machine: sum, store: { recovered, storage: disk.storage } });
  const clock$ = new Subject<ClockInput>();
  const node = loop(raft<Block, number>({ ...recovered, id: 'a', initialVoters: ['a'] }), {
    clock: () => clock$,
    storage: snapshots.storage,
    network: () => NEVER,
    machine: sum.adapter,
  }).subscribe();
  crash = () => node.unsubscribe();
  clock$.next({ type: 'timedOut' });
});

it('is answered when it is on the disk, and the next one at once if nothing is new', async () => {
  await sum.dispatch(1);
  disk.isHeld = true;
  const index = sum.appliedIndex;
  const answers: number[] = [];
  const both = [1, 2].map(() => snapshots.take().then((each) => answers.push(each)));
  await turn();
  expect([answers, disk.snapshots]).toEqual([[], 1]);
  disk.answer$.next(disk.sequence);
  await Promise.all(both);
  expect([answers, disk.snapshots]).toEqual([[index, index], 1]);
});

it('is taken again behind another one that is being written: that has not all of it', async () => {
  await sum.dispatch(1);
  disk.isHeld = true;
  const added = sum.dispatch(2);
  const entry = disk.sequence;
  const older = sum.takeSnapshot();
  disk.answer$.next(entry);
  await added;
  const wanted = sum.appliedIndex;
  expect(wanted).toBeGreaterThan(older);
  let taken = 0;
  const taking = snapshots.take().then((index) => (taken = index));
  await turn();
  expect([taken, disk.snapshots]).toEqual([0, 1]);
  disk.answer$.next(disk.sequence);
  await turn();
  expect([taken, disk.snapshots]).toEqual([0, 2]);
  disk.answer$.next(disk.sequence);
  await taking;
  expect(taken).toBe(wanted);
});

it('is unknown when the node ends before', async () => {
  await sum.dispatch(1);
  disk.isHeld = true;
  const taking = snapshots.take();
  await turn();
  crash();
  await expect(taking).rejects.toThrow(OutcomeUnknown);
  await expect(snapshots.take()).rejects.toThrow(OutcomeUnknown);
});
