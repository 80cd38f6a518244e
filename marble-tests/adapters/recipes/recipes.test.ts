/** The recipes on three nodes in memory, through the loss of a leader. */
import type { Observable } from 'rxjs';
import { map, mergeMap, of, Subject, tap, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommandFailed, Overloaded } from '../../../adapters/machine.js';
import type { Committed } from '../../../adapters/recipes/effects.js';
import { effects, maxDue, withEffects } from '../../../adapters/recipes/effects.js';
import { jobs, runOnce } from '../../../adapters/recipes/jobs.js';
import { lock, locks } from '../../../adapters/recipes/locks.js';
import { rateLease, rates } from '../../../adapters/recipes/rate-lease.js';
import { settings } from '../../../adapters/recipes/settings.js';
import { slice, slices } from '../../../adapters/recipes/slices.js';
import { whileLeader } from '../../../adapters/recipes/while-leader.js';
import type { ReplicaStatus } from '../../../adapters/replica/facts.js';
import { ReplicaCluster, settled } from '../replica-cluster.js';

const words = {
  initialState: [] as readonly string[],
  reducer: (state: readonly string[], word: string) => ({
    state: [...state, word],
    result: state.length + 1,
  }),
};
const shop = withEffects(words, (word) => word.startsWith('ship'));
const parts = { words, locks, jobs, rates, settings, shop };
const whole = slices(parts);
type Name = keyof typeof parts;

const start = () =>
  new ReplicaCluster<
    typeof whole.initialState,
    { readonly slice: Name; readonly command: unknown },
    unknown
  >({ ...whole });

let cluster: ReturnType<typeof start>;

beforeEach(() => {
  vi.useFakeTimers();
  cluster = start();
});
afterEach(async () => {
  await cluster.stop();
  vi.useRealTimers();
});

const sliceAt = <N extends Name>(id: string, name: N) => slice(cluster.node(id), parts, name);
const aMoment = async (ms = 500): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('slices', () => {
  it('have a state, commands and results of their own', async () => {
    await cluster.leader();
    const some = sliceAt('b', 'words');
    const seen: (readonly string[])[] = [];
    some.state$.subscribe((state) => seen.push(state));
    expect(await settled(some.dispatch('x'))).toBe(1);
    expect(await settled(sliceAt('a', 'jobs').dispatch({ job: 'j', firing: 1 }))).toBe(true);
    expect(await settled(some.read((state) => state.length))).toBe(1);
    expect(some.state).toEqual(['x']);
    // Not told of what happens in others.
    expect(seen).toEqual([[], ['x']]);
  });

  it('that are not there refuse', async () => {
    const leader = await cluster.leader();
    for (const name of ['none', 'constructor']) {
      const error = await settled(leader.dispatch({ slice: name as 'words', command: 1 }));
      expect(error).toBeInstanceOf(CommandFailed);
      expect((error as Error).message).toContain(`there is no slice ${name}`);
    }
  });
});

it('whileLeader works from leadership to leadership, with its term', () => {
  const test = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  test.run(({ hot, cold, expectObservable }) => {
    const said = (role: string, term: number) => ({ role, term }) as ReplicaStatus;
    // The same leadership, told of twice, goes on.
    const status$ = hot('f-l--l-f--m----', {
      ...{ f: said('follower', 1), l: said('leader', 2), m: said('leader', 7) },
    });
    const work = ({ term }: { readonly term: number }) =>
      cold('a-b-c-d-e-f').pipe(map((each) => `${term}${each}`));
    expectObservable(whileLeader({ status$ }, work), '^--------------!').toBe('--a-b-c---g-h-i', {
      ...{ a: '2a', b: '2b', c: '2c', g: '7a', h: '7b', i: '7c' },
    });
  });
});

describe('a lock', () => {
  it('has one holder at a time, with a higher token each time', async () => {
    await cluster.leader();
    const held: string[] = [];
    const hold = (id: string) =>
      lock(sliceAt(id, 'locks'), 'l').subscribe((token) => held.push(`${id} ${token}`));
    const first = hold('a');
    await aMoment();
    const second = hold('b');
    await aMoment(30_000);
    expect(held).toHaveLength(1);
    first.unsubscribe();
    await aMoment();
    expect(held.map((each) => each[0])).toEqual(['a', 'b']);
    const [one = 0, two = 0] = held.map((each) => Number(each.split(' ')[1]));
    expect(two).toBeGreaterThan(one);
    second.unsubscribe();
    await aMoment();
    expect(cluster.node('a').state.locks).toEqual({});
  });

  it('is lost by who is cut off, before another one has it', async () => {
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    const said: string[] = [];
    lock(sliceAt(leader.id, 'locks'), 'l').subscribe({
      next: () => said.push('held'),
      complete: () => said.push('lost'),
    });
    await aMoment();
    const other = lock(sliceAt(follower.id, 'locks'), 'l').subscribe(() => said.push('taken'));
    cluster.cut$.next([leader.id]);
    await aMoment(40_000);
    expect(said).toEqual(['held', 'lost', 'taken']);
    other.unsubscribe();
    await aMoment();
  });

  it('is given back by its token only', async () => {
    await cluster.leader();
    const { dispatch } = sliceAt('a', 'locks');
    const ask = { type: 'acquire', name: 'l', owner: 'x', now: 0, forMs: 10 } as const;
    const token = await settled(dispatch(ask));
    expect(await settled(dispatch({ ...ask, now: 5 }))).toBe(token);
    expect(await settled(dispatch({ ...ask, owner: 'y' }))).toBeNull();
    expect(await settled(dispatch({ type: 'release', name: 'l', token: 1 }))).toBeNull();
    const later = await settled(dispatch({ ...ask, owner: 'y', now: 15 }));
    expect(later).toBeGreaterThan(token as number);
  });
});

it('a job runs once in the cluster for each firing', async () => {
  await cluster.leader();
  const ran: string[] = [];
  const firing$ = new Subject<number>();
  for (const id of cluster.ids) {
    const done$ = runOnce(sliceAt(id, 'jobs'), 'report', firing$, (firing) => of(`${firing}`));
    done$.subscribe((each) => ran.push(each));
  }
  for (const firing of [1, 2, 2, 3]) {
    firing$.next(firing);
    await aMoment();
  }
  expect(ran).toEqual(['1', '2', '3']);
});

it('a rate is kept by all processes together, window by window', async () => {
  await cluster.leader();
  const options = { key: 'mail', limit: 10, windowMs: 60_000, share: 3 };
  let now = 60_000_000;
  const takers = cluster.ids.map((id) =>
    rateLease(sliceAt(id, 'rates'), { ...options, now: () => now }),
  );
  const spend = async (): Promise<number> => {
    let spent = 0;
    for (const taker of [...takers, ...takers, ...takers, ...takers, ...takers, ...takers]) {
      if ((await settled(taker())) === true) spent += 1;
    }
    return spent;
  };
  expect(await spend()).toBe(10);
  expect(await spend()).toBe(0);
  now += 60_000;
  expect(await spend()).toBe(10);
  // Of many at once one asks, and again while there is more.
  now += 60_000;
  const [taker = () => Promise.resolve(false)] = takers;
  const many = (await settled(Promise.all(Array.from({ length: 14 }, () => taker())))) as boolean[];
  expect(many.filter((isWithin) => isWithin)).toHaveLength(10);
  // A window that is over before the cluster has answered has nothing to give.
  const brief = rateLease(sliceAt('a', 'rates'), {
    ...options,
    windowMs: 1,
    now: () => (now += 1),
  });
  expect(await settled(brief())).toBe(false);
});

describe('a name that no snapshot can have', () => {
  const asked = { owner: 'x', now: 0, forMs: 1, window: 1, want: 1, limit: 1, firing: 1 };

  it.each(['locks', 'jobs', 'rates', 'settings'] as const)('is refused by %s', async (name) => {
    const leader = await cluster.leader();
    const command = { ...asked, type: 'acquire', value: 1, version: null };
    const named = { ...command, name: '__proto__', job: '__proto__', key: '__proto__' };
    const error = await settled(leader.dispatch({ slice: name, command: named }));
    expect(error).toBeInstanceOf(CommandFailed);
    expect((error as Error).message).toContain('__proto__');
  });
});

it('a job goes on to its next firing where one could not be claimed', async () => {
  const claims: (() => Promise<boolean>)[] = [
    () => Promise.reject(new Error('no leader')),
    () => Promise.resolve(true),
  ];
  const part = { dispatch: () => claims.shift()?.() } as unknown as Parameters<typeof runOnce>[0];
  const ran: number[] = [];
  runOnce(part, 'report', of(1, 2), (firing) => of(firing)).subscribe((each) => ran.push(each));
  await aMoment();
  expect(ran).toEqual([2]);
});

describe('effects', () => {
  it('happen on the leader alone, once while it leads, and are marked in the log', async () => {
    await cluster.leader();
    const shipped: string[] = [];
    for (const id of cluster.ids) {
      const ship = (each: Committed<string>) =>
        timer(50).pipe(
          map(() => {
            shipped.push(`${id} ${each.command}`);
            return each;
          }),
        );
      effects(sliceAt(id, 'shop'), (committed$) => committed$.pipe(mergeMap(ship))).subscribe();
    }
    const { dispatch } = sliceAt('b', 'shop');
    for (const command of ['ship 1', 'stay', 'ship 2']) {
      await settled(dispatch({ type: 'do', command }));
    }
    await aMoment(1000);
    const { id } = await cluster.leader();
    expect(shipped).toEqual([`${id} ship 1`, `${id} ship 2`]);
    expect(cluster.node('a').state.shop).toEqual({ state: ['ship 1', 'stay', 'ship 2'], due: [] });
  });

  it('that were under way when the leader was lost happen on the next one', async () => {
    const leader = await cluster.leader();
    const rest = cluster.ids.filter((id) => id !== leader.id);
    const begun: string[] = [];
    const slowly = (id: string) => (committed$: Observable<Committed<string>>) =>
      committed$.pipe(
        mergeMap((each) => {
          begun.push(`${id} ${each.at.index}`);
          return timer(id === leader.id ? 1e6 : 10).pipe(map(() => each));
        }),
      );
    for (const id of cluster.ids) effects(sliceAt(id, 'shop'), slowly(id)).subscribe();
    await settled(sliceAt(leader.id, 'shop').dispatch({ type: 'do', command: 'ship' }));
    await aMoment();
    cluster.cut$.next([leader.id]);
    const next = await cluster.leader(...rest);
    await aMoment(2000);
    expect(begun.map((each) => each.split(' ')[0])).toEqual([leader.id, next.id]);
    expect(new Set(begun.map((each) => each.split(' ')[1])).size).toBe(1);
    expect(next.state.shop.due).toEqual([]);
  });

  it('are marked as done later on, where that could not be done at once', async () => {
    const leader = await cluster.leader();
    const real = sliceAt(leader.id, 'shop');
    let refusals = 2;
    const dispatch: typeof real.dispatch = (command, how) => {
      if (command.type !== 'done' || refusals === 0) return real.dispatch(command, how);
      refusals -= 1;
      return Promise.reject(new Overloaded());
    };
    const begun: string[] = [];
    const handle = (committed$: Observable<Committed<string>>): typeof committed$ =>
      committed$.pipe(tap(({ command }) => begun.push(command)));
    effects({ ...real, dispatch }, handle).subscribe();
    await settled(real.dispatch({ type: 'do', command: 'ship' }));
    await aMoment(5000);
    expect(leader.state.shop.due).toEqual([]);
    expect(begun).toEqual(['ship']);
  });

  it('have a limit', () => {
    const due = Array.from({ length: maxDue }, () => ({
      ...{ at: { term: 1, index: 1, offset: 0 }, command: 'ship' },
    }));
    const at = { term: 1, index: 2, offset: 0 };
    const ship = () => shop.reducer({ state: [], due }, { type: 'do', command: 'ship' }, at);
    expect(ship).toThrow('effects are due already');
  });
});
