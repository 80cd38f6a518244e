/** Live configuration: a value for all, versions for its editors. */
import { distinctUntilChanged, map } from 'rxjs';
import type { Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OutcomeUnknown } from '../../../adapters/machine.js';
import type { SettingChange, SettingResult, Settings } from '../../../adapters/recipes/settings.js';
import { liveSettings, SettingChanged, settings } from '../../../adapters/recipes/settings.js';
import type { Part } from '../../../adapters/recipes/part.js';
import { ReplicaCluster, settled } from '../replica-cluster.js';

interface Limits {
  readonly limit: number;
  readonly color: string;
  readonly toString: string;
}
const defaults: Limits = { limit: 10, color: 'blue', toString: 'inherited by all objects' };

const faultOf = (name: keyof Limits, value: unknown): string | null => {
  if (name !== 'limit') return null;
  return Number.isInteger(value) && (value as number) > 0 ? null : 'a whole number from 1 on';
};

const at = { term: 1, index: 1, offset: 0 };

describe('the reducer', () => {
  const set = (state: Settings, change: Partial<SettingChange>) =>
    settings.reducer(state, { name: 'limit', value: 1, version: null, ...change }, at);

  it('counts versions, and sets nothing where another version is in the way', () => {
    const first = set({}, { value: 11, version: 0 });
    expect(first).toEqual({
      state: { limit: { value: 11, version: 1 } },
      result: { isDone: true, version: 1 },
    });
    const late = set(first.state, { value: 12, version: 0 });
    expect(late).toEqual({ state: first.state, result: { isDone: false, version: 1 } });
    expect(late.state).toBe(first.state);
    expect(set(first.state, { value: 13 }).state).toEqual({ limit: { value: 13, version: 2 } });
  });

  it('knows names that all objects have as any other', () => {
    for (const name of ['toString', 'constructor']) {
      const { state, result } = set({}, { name, version: 0 });
      expect(result).toEqual({ isDone: true, version: 1 });
      expect(Object.entries(state)).toEqual([[name, { value: 1, version: 1 }]]);
    }
  });
});

describe('a setting as a stream', () => {
  it('is its default first, and then what it is set to, and not told of others', () => {
    const test = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    test.run(({ cold, expectObservable }) => {
      const state$ = cold<Settings>('a-b-c-d-e-f-|', {
        a: {},
        b: { color: { value: 'red', version: 1 } },
        c: { limit: { value: 11, version: 1 } },
        // Restored from a snapshot: all is new, and the same.
        d: { limit: { value: 11, version: 1 }, color: { value: 'red', version: 1 } },
        // By a program with other rules: the default stands.
        e: { limit: { value: 'many', version: 2 } },
        f: { limit: { value: 12, version: 3 } },
      });
      const live = liveSettings(watching(state$), defaults, faultOf);
      expectObservable(live.value$('limit')).toBe('a---c---e-f-|', { a: 10, c: 11, e: 10, f: 12 });
      const inherited = defaults.toString;
      expectObservable(live.value$('toString')).toBe('a-----------|', { a: inherited });
    });
  });

  /** A replica with these states. */
  function watching(state$: Observable<Settings>): Part<Settings, SettingChange, SettingResult> {
    const select: Part<Settings, SettingChange, SettingResult>['select'] = (selector, isEqual) =>
      state$.pipe(map(selector), distinctUntilChanged(isEqual));
    return { select } as Part<Settings, SettingChange, SettingResult>;
  }
});

describe('on three nodes', () => {
  let cluster: ReplicaCluster<Settings, SettingChange, SettingResult>;
  const liveAt = (id: string) => liveSettings(cluster.node(id), defaults, faultOf);

  beforeEach(() => {
    vi.useFakeTimers();
    cluster = new ReplicaCluster({ ...settings });
  });
  afterEach(async () => {
    await cluster.stop();
    vi.useRealTimers();
  });

  it('what one sets all have, and two editors do not overwrite each other unseen', async () => {
    await cluster.leader();
    const [one, two] = [liveAt('a'), liveAt('b')];
    const seen: number[] = [];
    liveAt('c')
      .value$('limit')
      .subscribe((limit) => seen.push(limit));
    const [mine, yours] = [await settled(one.read('limit')), await settled(two.read('limit'))];
    expect([mine, yours]).toEqual(Array(2).fill({ value: 10, version: 0 }));
    expect(await settled(one.set('limit', 11, 0))).toBe(1);
    const refused = await settled(two.set('limit', 12, 0));
    expect(refused).toBeInstanceOf(SettingChanged);
    expect(refused).toMatchObject({ setting: 'limit', version: 1 });
    expect(await settled(two.read('limit'))).toEqual({ value: 11, version: 1 });
    expect(await settled(two.set('limit', 12, 1))).toBe(2);
    expect(await settled(two.set('limit', 13))).toBe(3);
    await vi.advanceTimersByTimeAsync(500);
    expect([one.value('limit'), seen.at(-1)]).toEqual([13, 13]);
  });

  it('a value with a fault is not set, and says which', async () => {
    await cluster.leader();
    const refused = await settled(liveAt('a').set('limit', 0));
    expect(refused).toBeInstanceOf(RangeError);
    expect((refused as Error).message).toBe('limit: a whole number from 1 on');
    expect(await settled(liveAt('a').read('limit'))).toEqual({ value: 10, version: 0 });
  });

  it('an outcome that nobody knows is one here as well', async () => {
    const leader = await cluster.leader();
    cluster.cut$.next([leader.id]);
    const outcome = settled(liveAt(leader.id).set('limit', 11));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await outcome).toBeInstanceOf(OutcomeUnknown);
  });
});
