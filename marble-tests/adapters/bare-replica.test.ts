/**
 * A replicated reducer on three nodes in memory: "dispatch resolves after apply, with the reducer's
 * result; a refusal is a typed error; forwarding from any node; a retry with the same request id is
 * safe".
 */
import { firstValueFrom, NEVER, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bareReplica } from '../../adapters/bare-replica.js';
import {
  CommandFailed,
  NotApplied,
  NotLeader,
  OutcomeUnknown,
  Overloaded,
} from '../../adapters/machine.js';
import { memoryNetwork } from '../../adapters/memory-network.js';
import { MemoryDisk, memoryStore } from '../../adapters/memory-store.js';
import { rememberedRequests } from '../../adapters/replica/answered.js';
import { maxCommandBytes } from '../../adapters/replica/protocol.js';
import { replayNodes } from '../trace/replay.js';
import { ReplicaCluster, settled } from './replica-cluster.js';
import { ConfigError } from '../../lib/config.js';

interface Order {
  readonly add: string;
}
type List = readonly string[];
interface Verdict {
  readonly place: number;
}

const reducer = (list: List, { add }: Order): { state: List; result: Verdict } => {
  if (add === 'poison') throw new Error('no poison');
  if (add === 'nameless') throw Object.create(null);
  if (add === 'riddle') return { state: [...list, add], result: { place: Symbol() as never } };
  return { state: [...list, add], result: { place: list.length + 1 } };
};

let cluster: ReplicaCluster<List, Order, Verdict>;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(async () => {
  await cluster.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

type Options = ConstructorParameters<typeof ReplicaCluster<List, Order, Verdict>>[0];

function start(options: Partial<Options> = {}): void {
  cluster = new ReplicaCluster({ reducer, initialState: [], ...options });
}

/** Lets followers apply what is committed. */
const aMoment = async (): Promise<unknown> => vi.advanceTimersByTimeAsync(500);

describe('dispatch', () => {
  it('resolves with the result of the reducer, on every node, and all have one state', async () => {
    start();
    await cluster.leader();
    const places: unknown[] = [];
    for (const node of cluster.all) places.push(await settled(node.dispatch({ add: node.id })));
    expect(places).toEqual([{ place: 1 }, { place: 2 }, { place: 3 }]);
    await aMoment();
    for (const node of cluster.all) expect(node.state).toEqual(['a', 'b', 'c']);
  });

  it('waits for the first leader, also in many at once', async () => {
    start();
    const orders = Array.from({ length: 50 }, (_, i) =>
      cluster.node('b').dispatch({ add: `${i}` }),
    );
    const places = (await settled(Promise.all(orders))) as Verdict[];
    expect(places.map(({ place }) => place)).toEqual(orders.map((_, i) => i + 1));
  });

  it.each([{ waiters: 3 }, { waitingBytes: 80 }])(
    'waits for a leader within %o, and is refused beyond them',
    async (limits) => {
      start({ limits, patienceMs: 1000 });
      cluster.cut$.next(['b']);
      const { dispatch } = cluster.node('b');
      const add = '0123456789';
      const waiting = Array.from({ length: 30 }, () => settled(dispatch({ add })));
      const outcomes = await Promise.all(waiting);
      expect(outcomes.filter((each) => each instanceof NotLeader)).toHaveLength(3);
      expect(outcomes.filter((each) => each instanceof Overloaded)).toHaveLength(27);
      // There is room again.
      expect(await settled(dispatch({ add }))).toBeInstanceOf(NotLeader);
    },
  );

  it('is given up when nobody leads, as certainly not done', async () => {
    start({ patienceMs: 1000 });
    cluster.cut$.next(['a']);
    const error = await settled(cluster.node('a').dispatch({ add: 'x' }));
    expect(error).toBeInstanceOf(NotLeader);
    expect(error).toMatchObject({ outcome: 'notApplied', leaderId: null });
  });

  it('of a node without a way to others names the leader', async () => {
    start({ connect: () => Promise.reject(new Error('no way')), patienceMs: 100 });
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    const error = await settled(follower.dispatch({ add: 'x' }));
    expect(error).toBeInstanceOf(NotLeader);
    expect(error).toMatchObject({ leaderId: leader.id });
  });

  it('that was passed on is not sent again, whatever its own way to others says', async () => {
    start({
      connect: async (to) => ({
        ...{ address: to, isOpen: true, answers: () => NEVER, close: () => undefined },
        ask: async (request) => {
          await cluster.node(to).requests.answer(request, true);
          throw new Error('gone');
        },
      }),
    });
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    const error = await settled(follower.dispatch({ add: 'x' }));
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect((error as Error).message).toContain('gone');
    expect(leader.state).toEqual(['x']);
  });

  it('ends as unknown when the leader changes meanwhile', async () => {
    start();
    const leader = await cluster.leader();
    const rest = cluster.ids.filter((id) => id !== leader.id);
    cluster.cut$.next([leader.id]);
    const error = await settled(leader.dispatch({ add: 'lost' }));
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect(error).toMatchObject({ outcome: 'unknown' });
    await cluster.leader(...rest);
    cluster.cut$.next([]);
    await cluster.leader();
    await settled(leader.dispatch({ add: 'found' }));
    await aMoment();
    for (const node of cluster.all) expect(node.state).toEqual(['found']);
  });

  it('that was passed on ends as unknown when the leader is lost meanwhile', async () => {
    start();
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    cluster.onForwarded = () => cluster.cut$.next([leader.id]);
    const error = await settled(follower.dispatch({ add: 'x' }));
    expect(error).toBeInstanceOf(OutcomeUnknown);
  });

  it('tells what the reducer threw, from every node', async () => {
    start();
    await cluster.leader();
    for (const node of cluster.all) {
      const error = await settled(node.dispatch({ add: 'poison' }));
      expect(error).toBeInstanceOf(CommandFailed);
      expect(error).toMatchObject({ message: 'the reducer threw: no poison', outcome: 'failed' });
    }
  });

  it('tells that the reducer threw what has no words, and goes on', async () => {
    start();
    const leader = await cluster.leader();
    for (const requestId of ['one', undefined, 'one']) {
      const how = requestId === undefined ? {} : { requestId };
      expect(await settled(leader.dispatch({ add: 'nameless' }, how))).toBeInstanceOf(
        CommandFailed,
      );
    }
    expect(await settled(leader.dispatch({ add: 'x' }))).toEqual({ place: 1 });
  });

  it('whose result has no bytes was applied, and says so on every node, the leader too', async () => {
    start();
    await cluster.leader();
    for (const node of cluster.all) {
      const error = await settled(node.dispatch({ add: 'riddle' }));
      expect(error).toBeInstanceOf(OutcomeUnknown);
      expect(error).toHaveProperty(
        'message',
        "the command was applied, and its result can't be encoded: " +
          "a value can't be encoded: a symbol",
      );
    }
    await aMoment();
    for (const node of cluster.all) expect(node.state).toEqual(['riddle', 'riddle', 'riddle']);
  });

  it('refuses what has no bytes, too many, or a strange id', async () => {
    start();
    const { dispatch } = await cluster.leader();
    const strange = { add: () => 1 } as unknown as Order;
    const bad: [Order, string | undefined, string][] = [
      [strange, undefined, "the command can't be encoded: a value can't be encoded: a function"],
      [{ add: 'x'.repeat(maxCommandBytes) }, undefined, 'the limit is 1048576'],
      [{ add: 'x' }, '', 'a request id is a text of 1 to 128 characters'],
      [{ add: 'x' }, 'i'.repeat(129), 'a request id is a text of 1 to 128 characters'],
      // Written, each becomes three characters: the committed block would be read by nobody.
      [{ add: 'x' }, '\ud800'.repeat(63), 'a request id is a text of 1 to 128 characters'],
    ];
    for (const [command, requestId, text] of bad) {
      const error = await settled(dispatch(command, requestId === undefined ? {} : { requestId }));
      expect(error).toBeInstanceOf(NotApplied);
      expect((error as Error).message).toContain(text);
    }
  });

  it('is refused beyond the limit, from every node', async () => {
    start({ limits: { waiters: 1 } });
    await cluster.leader();
    for (const node of cluster.all) {
      const both = [node.dispatch({ add: 'x' }), node.dispatch({ add: 'y' })];
      const [first, second] = await Promise.all(both.map((each) => settled(each)));
      expect(first).toHaveProperty('place');
      expect(second).toBeInstanceOf(Overloaded);
      expect((second as Error).message).toBe('too much is under way: 1 waiters');
    }
  });

  it('longer than the limit of its machine is certainly not done, from every node', async () => {
    start({ limits: { commandBytes: 50 } });
    await cluster.leader();
    for (const node of cluster.all) {
      const error = await settled(node.dispatch({ add: 'x'.repeat(50) }));
      expect(error).toBeInstanceOf(NotApplied);
      expect((error as Error).message).toContain('more than 50 bytes');
    }
  });

  it('of a value keeps what it was then', async () => {
    start();
    const { dispatch } = await cluster.leader();
    const order = { add: 'then' };
    const done = dispatch(order);
    order.add = 'later';
    await settled(done);
    expect((await cluster.leader()).state).toEqual(['then']);
  });

  it('as a stream is one command for each subscription, and none without', async () => {
    start();
    const leader = await cluster.leader();
    const dispatch$ = leader.dispatch$({ add: 'x' });
    await aMoment();
    expect(leader.state).toEqual([]);
    const results: unknown[] = [];
    let completed = 0;
    const observer = { next: (r: Verdict) => results.push(r), complete: () => (completed += 1) };
    dispatch$.subscribe(observer);
    dispatch$.subscribe(observer);
    await aMoment();
    expect([results, completed]).toEqual([[{ place: 1 }, { place: 2 }], 2]);
  });
});

describe('a request id', () => {
  const requestId = 'order 7';

  it('has its command applied once, and answered alike every time, on every node', async () => {
    start();
    await cluster.leader();
    const twice = cluster.all.flatMap(({ dispatch }) => [
      dispatch({ add: 'x' }, { requestId }),
      dispatch({ add: 'x' }, { requestId }),
    ]);
    const results = await settled(Promise.all(twice));
    expect(results).toEqual(Array.from({ length: 6 }, () => ({ place: 1 })));
    await aMoment();
    for (const node of cluster.all) expect(node.state).toEqual(['x']);
  });

  it('is asked again by itself when the leader is lost, and applied once', async () => {
    start();
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    // The entry leaves the old leader, but its answer does not.
    let isFirst = true;
    cluster.onForwarded = () => {
      if (isFirst) setTimeout(() => cluster.cut$.next([leader.id]), 1);
      isFirst = false;
    };
    const held = cluster.disks.get(leader.id);
    held?.hold();
    const result = await settled(follower.dispatch({ add: 'x' }, { requestId }));
    expect(result).toEqual({ place: 1 });
    held?.release();
    cluster.cut$.next([]);
    await cluster.leader();
    expect(await settled(leader.dispatch({ add: 'x' }, { requestId }))).toEqual({ place: 1 });
    await aMoment();
    for (const node of cluster.all) expect(node.state).toEqual(['x']);
  });

  it('gives a result that nobody knew, when it is asked again after a change of leaders', async () => {
    start({ patienceMs: 1000 });
    const leader = await cluster.leader();
    cluster.cut$.next([leader.id]);
    const first = await settled(leader.dispatch({ add: 'x' }, { requestId }));
    expect(first).toBeInstanceOf(OutcomeUnknown);
    cluster.cut$.next([]);
    await cluster.leader();
    for (const node of cluster.all) {
      expect(await settled(node.dispatch({ add: 'x' }, { requestId }))).toEqual({ place: 1 });
    }
    await aMoment();
    for (const node of cluster.all) expect(node.state).toEqual(['x']);
  });

  it('is remembered through a snapshot and a restart (C15)', async () => {
    start({ snapshotEvery: { entries: 3 } });
    await cluster.leader();
    await settled(cluster.node('a').dispatch({ add: 'x' }, { requestId }));
    for (let i = 0; i < 9; i += 1) await settled(cluster.node('a').dispatch({ add: `${i}` }));
    await cluster.stop();
    for (const id of cluster.ids) {
      expect(cluster.disks.get(id)?.recovered.snapshot).not.toBeNull();
      cluster.start(id);
    }
    expect(await settled(cluster.node('b').dispatch({ add: 'x' }, { requestId }))).toEqual({
      place: 1,
    });
    expect(await settled(cluster.node('b').dispatch({ add: 'y' }))).toEqual({ place: 11 });
  });

  it('gives back what the reducer threw, too', async () => {
    start();
    const { dispatch } = await cluster.leader();
    const errors = [
      await settled(dispatch({ add: 'poison' }, { requestId })),
      await settled(dispatch({ add: 'poison' }, { requestId })),
    ];
    for (const error of errors) expect(error).toBeInstanceOf(CommandFailed);
    expect((errors[0] as Error).message).toBe((errors[1] as Error).message);
  });

  it('has a command whose result has no bytes fail without an effect, on every node', async () => {
    start();
    await cluster.leader();
    for (const node of cluster.all) {
      const error = await settled(node.dispatch({ add: 'riddle' }, { requestId }));
      expect(error).toBeInstanceOf(CommandFailed);
      expect((error as Error).message).toContain('with a request id the result must be encoded');
    }
    await aMoment();
    for (const node of cluster.all) expect(node.state).toEqual([]);
  });

  it('of another command is refused', async () => {
    start();
    const leader = await cluster.leader();
    await settled(leader.dispatch({ add: 'x' }, { requestId }));
    const error = await settled(leader.dispatch({ add: 'y' }, { requestId }));
    expect(error).toBeInstanceOf(CommandFailed);
    expect((error as Error).message).toContain('order 7 belongs to another command');
    expect(leader.state).toEqual(['x']);
  });

  it('is forgotten after enough others', async () => {
    start();
    const leader = await cluster.leader();
    const { dispatch } = leader;
    await settled(dispatch({ add: 'x' }, { requestId }));
    const others = Array.from({ length: rememberedRequests }, (_, i) =>
      dispatch({ add: 'poison' }, { requestId: `${i}` }).catch(() => null),
    );
    await settled(Promise.all(others));
    expect(await settled(dispatch({ add: 'x' }, { requestId }))).toEqual({ place: 2 });
  });
});

describe('read', () => {
  it('is linearizable from a follower that has not applied yet', async () => {
    start();
    await cluster.leader();
    const [follower] = await cluster.followers();
    const leader = await cluster.leader();
    cluster.disks.get(follower.id)?.hold();
    await settled(leader.dispatch({ add: 'x' }));
    const stale = follower.read((list) => list.length, { consistency: 'stale' });
    const linearizable = settled(follower.read((list) => list.length));
    expect(await stale).toBe(0);
    cluster.disks.get(follower.id)?.release();
    expect(await linearizable).toBe(1);
  });

  it('of a node that is cut off is refused, and a stale one is not', async () => {
    start({ patienceMs: 2000 });
    const leader = await cluster.leader();
    await settled(leader.dispatch({ add: 'x' }));
    cluster.cut$.next([leader.id]);
    const error = await settled(leader.read((list) => list));
    expect(error).toBeInstanceOf(NotLeader);
    expect(await leader.read((list) => list, { consistency: 'stale' })).toEqual(['x']);
  });

  it('of a node that does not catch up says how far it is', async () => {
    start({ patienceMs: 300 });
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    cluster.disks.get(follower.id)?.hold();
    await settled(leader.dispatch({ add: 'x' }));
    const error = await settled(follower.read((list) => list));
    cluster.disks.get(follower.id)?.release();
    expect(error).toBeInstanceOf(NotApplied);
    expect((error as Error).message).toMatch(/is at \d+, and a linearizable state begins at \d+/);
  });

  it('that waits for its node to catch up is told when that is stopped', async () => {
    start();
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    cluster.disks.get(follower.id)?.hold();
    await settled(leader.dispatch({ add: 'x' }));
    let error: unknown = null;
    follower.read((list) => list).catch((each: unknown) => (error = each));
    await vi.advanceTimersByTimeAsync(100);
    const stopped = follower.stop();
    cluster.disks.get(follower.id)?.release();
    await settled(stopped);
    expect(error).toBeInstanceOf(NotApplied);
  });
});

describe('its streams', () => {
  it('tell the state, a part of it when it changes, who leads, and how far it is', async () => {
    start();
    const leader = await cluster.leader();
    const states: List[] = [];
    const lengths: boolean[] = [];
    leader.state$.subscribe((state) => states.push(state));
    leader.select((list) => list.length > 1).subscribe((many) => lengths.push(many));
    for (const add of ['x', 'y', 'z']) await settled(leader.dispatch({ add }));
    expect(states).toEqual([[], ['x'], ['x', 'y'], ['x', 'y', 'z']]);
    expect(lengths).toEqual([false, true]);
    const roles = new Map<string, string>();
    for (const node of cluster.all) {
      node.role$.subscribe((role) => roles.set(node.id, role)).unsubscribe();
    }
    expect([...roles.values()].sort()).toEqual(['follower', 'follower', 'leader']);
    let status: unknown;
    leader.status$.subscribe((each) => (status = each)).unsubscribe();
    expect(status).toMatchObject({ id: leader.id, role: 'leader', leaderId: leader.id });
    expect(status).toMatchObject({ appliedIndex: 5, commitIndex: 5 });
  });

  it('say that leadership is over as soon as the node is told to stop, and complete', async () => {
    start();
    const leader = await cluster.leader();
    const said: (boolean | string)[] = [];
    const end = { complete: () => said.push('completed') };
    leader.isLeader$.subscribe({ next: (is) => said.push(is), ...end });
    leader.state$.subscribe(end);
    leader.select((list) => list).subscribe(end);
    const stopped = leader.stop();
    expect(said).toEqual([true, false]);
    await settled(stopped);
    expect(said).toEqual([true, false, ...Array.from({ length: 3 }, () => 'completed')]);
    const error = await settled(leader.dispatch({ add: 'x' }));
    expect(error).toBeInstanceOf(NotApplied);
    expect((error as Error).message).toBe('the node has stopped');
    await settled(leader.stop());
  });
});

it('a state may be longer than a value that is sent', async () => {
  start();
  const node = bareReplica<Uint8Array, number, null>({
    ...{ id: 'a', initialVoters: ['a'], snapshotEvery: { entries: 1 } },
    reducer: (_, bytes) => ({ state: new Uint8Array(bytes), result: null }),
    initialState: new Uint8Array(0),
    network: memoryNetwork<Uint8Array, Uint8Array>().node('a'),
    store: memoryStore<Uint8Array, Uint8Array>(),
  });
  expect(await settled(node.dispatch(65 << 20))).toBe(null);
  expect(await settled(node.dispatch(1))).toBe(null);
  await settled(node.stop());
});

it('a state may be an object of very many keys', async () => {
  start();
  const node = bareReplica<Readonly<Record<string, number>>, number, null>({
    ...{ id: 'a', initialVoters: ['a'], snapshotEvery: { entries: 1 } },
    reducer: (_, count) => ({
      state: Object.fromEntries(Array.from({ length: count }, (__, at) => [`key ${at}`, at])),
      result: null,
    }),
    initialState: {},
    network: memoryNetwork<Uint8Array, Uint8Array>().node('a'),
    store: memoryStore<Uint8Array, Uint8Array>(),
  });
  expect(await settled(node.dispatch(70_000))).toBe(null);
  expect(await settled(node.dispatch(1))).toBe(null);
  await settled(node.stop());
});

it('a state may hold commands that are nested as deeply as they may be', async () => {
  start();
  let deep: unknown = 1;
  for (let depth = 0; depth < 63; depth += 1) deep = [deep];
  const node = bareReplica<{ readonly kept: readonly unknown[] }, unknown, null>({
    ...{ id: 'a', initialVoters: ['a'], snapshotEvery: { entries: 1 } },
    reducer: ({ kept }, command) => ({ state: { kept: [...kept, command] }, result: null }),
    initialState: { kept: [] },
    network: memoryNetwork<Uint8Array, Uint8Array>().node('a'),
    store: memoryStore<Uint8Array, Uint8Array>(),
  });
  expect(await settled(node.dispatch(deep))).toBe(null);
  expect(await settled(node.dispatch(1))).toBe(null);
  await settled(node.stop());
});

it('a state that can not be saved is told of, and ends no node, now or after a start (H12)', async () => {
  start();
  const disk = new MemoryDisk<Uint8Array, Uint8Array>();
  const run = () =>
    bareReplica<string, string, string>({
      ...{ id: 'a', initialVoters: ['a'], snapshotEvery: { entries: 2 } },
      // It may cut a character into halves.
      reducer: (text, more) => ({ state: (text + more).slice(-3), result: 'added' }),
      initialState: '',
      network: memoryNetwork<Uint8Array, Uint8Array>().node('a'),
      store: memoryStore<Uint8Array, Uint8Array>(disk),
    });
  const faultOf = (node: ReturnType<typeof run>): Promise<string | null> =>
    firstValueFrom(node.status$).then(({ snapshotFault }) => snapshotFault);
  const add = async (node: ReturnType<typeof run>, all: readonly string[]): Promise<void> => {
    for (const more of all) expect(await settled(node.dispatch(more))).toBe('added');
  };
  const first = run();
  await add(first, ['\u{1f600}', '\u{1f600}', '\u{1f600}', '\u{1f600}']);
  expect(await faultOf(first)).toContain('a lone surrogate');
  await settled(first.stop());
  const second = run();
  await add(second, ['x', 'y', 'z', 'x', 'y', 'z']);
  expect(await faultOf(second)).toBe(null);
  expect(second.state).toBe('xyz');
  await settled(second.stop());
  expect(memoryStore<Uint8Array, Uint8Array>(disk).recovered.snapshot).not.toBe(null);
});

describe('a node that something ends', () => {
  it('says so in its streams, to who waits, and when it is stopped', async () => {
    start();
    const disk = new Error('the disk is gone');
    const store = memoryStore<Uint8Array, Uint8Array>();
    const node = bareReplica({
      ...{ id: 'a', initialVoters: ['a'], reducer, initialState: [] as List },
      network: memoryNetwork<Uint8Array, Uint8Array>().node('a'),
      store: { ...store, storage: () => throwError(() => disk) },
    });
    const errors: unknown[] = [];
    node.state$.subscribe({ error: (error: unknown) => errors.push(error) });
    node.status$.subscribe({ error: (error: unknown) => errors.push(error) });
    // Who only dispatches hears of nothing else.
    const words = 'the node has ended: the disk is gone';
    const ended = { outcome: 'notApplied', message: words, cause: disk };
    expect(await settled(node.dispatch({ add: 'x' }))).toMatchObject(ended);
    expect(await settled(node.read((state) => state))).toMatchObject(ended);
    expect(errors).toEqual([disk, disk]);
    expect(await settled(node.stop())).toBe(disk);
    expect(node.state).toEqual([]);
  });

  it('by a store that can not be opened, likewise', async () => {
    start();
    const locked = new Error('locked');
    const node = bareReplica({
      ...{ id: 'a', initialVoters: ['a'], reducer, initialState: [] as List },
      network: memoryNetwork<Uint8Array, Uint8Array>().node('a'),
      store: Promise.reject(locked),
    });
    const waiting = settled(node.dispatch({ add: 'x' }));
    expect(await waiting).toMatchObject({ message: 'the node has ended: locked', cause: locked });
    expect(await settled(node.stop())).toBe(locked);
  });

  it('by voters without itself, likewise, while its store still closes', async () => {
    start();
    const store = memoryStore<Uint8Array, Uint8Array>();
    const node = bareReplica({
      ...{ id: 'a', initialVoters: ['b'], reducer, initialState: [] as List },
      network: memoryNetwork<Uint8Array, Uint8Array>().node('a'),
      store: { ...store, close: () => aMoment().then(() => store.close()) },
    });
    const words = 'the node has ended: initialVoters: "a" itself is missing';
    const waiting = settled(node.dispatch({ add: 'x' }));
    expect(await waiting).toMatchObject({ outcome: 'notApplied', message: words });
    expect(await settled(node.read((state) => state))).toMatchObject({ message: words });
    expect(await settled(node.stop())).toBeInstanceOf(ConfigError);
  });

  it('is none when its options can not be', () => {
    start();
    const network = memoryNetwork<Uint8Array, Uint8Array>().node('a');
    const store = memoryStore(new MemoryDisk<Uint8Array, Uint8Array>());
    const parts = { initialVoters: ['a'], network, store };
    expect(() => bareReplica({ id: '', reducer, initialState: [], ...parts })).toThrow(/^id: /);
    const strange = { state: new Map() };
    const same = (state: typeof strange) => ({ state, result: null });
    expect(() => bareReplica({ id: 'a', reducer: same, initialState: strange, ...parts })).toThrow(
      /^initialState: .*no plain object/,
    );
    const whole = { id: 'a', reducer, initialState: [] as List, ...parts };
    for (const name of ['reducer', 'initialVoters', 'network', 'store'] as const) {
      const lacking = { ...whole, [name]: undefined as never };
      expect(() => bareReplica(lacking)).toThrow(`${name}: `);
    }
    const never = { snapshotEvery: 0 as never };
    expect(() => bareReplica({ ...whole, ...never })).toThrow('snapshotEvery: 0 is none');
  });
});

describe('a trace', () => {
  it('tells what each node did, before others can see it: a model of Raft replays it', async () => {
    const traces = new Map<string, string[]>();
    const trace = (line: string): void => {
      const { node } = JSON.parse(line) as { node: string };
      traces.set(node, [...(traces.get(node) ?? []), line]);
    };
    start({ trace, snapshotEvery: { entries: 3 } });
    await cluster.leader();
    for (let i = 0; i < 10; i += 1) await settled(cluster.node('b').dispatch({ add: `${i}` }));
    await aMoment();
    await cluster.stop();
    expect([...traces.keys()].sort()).toEqual(cluster.ids);
    const { lines } = replayNodes([...traces.values()]);
    expect(lines).toBe([...traces.values()].flat().length);
    expect([...traces.values()].join()).toContain('"event":"snapshot"');
  });

  it('that can not be written ends the node, and says why', async () => {
    start({
      trace: () => {
        throw new Error('no room for it');
      },
    });
    await expect(cluster.node('a').stop()).rejects.toThrow('no room for it');
  });
});
