/**
 * Members of a cluster of replicas, changed while it runs (§6): "we introduce an additional phase
 * before the configuration change, in which the new servers join the cluster as non-voting
 * members".
 */
import { BehaviorSubject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChangeRefused } from '../../../adapters/change-refused.js';
import { clock } from '../../../adapters/clock.js';
import type { InForce } from '../../../adapters/config-in-force.js';
import { NotApplied, NotLeader, OutcomeUnknown } from '../../../adapters/machine.js';
import type { ReplicaStatus } from '../../../adapters/replica/facts.js';
import { maxVoters } from '../../../adapters/replica/protocol.js';
import { Voters } from '../../../adapters/replica/voters.js';
import type { ClusterConfig } from '../../../lib/cluster-config.js';
import { clusterOf, isJointConsensus, toFinalConfig } from '../../../lib/cluster-config.js';
import { ReplicaCluster, settled } from '../replica-cluster.js';

const reducer = (sum: number, by: number): { state: number; result: number } => ({
  state: sum + by,
  result: sum + by,
});

type Counters = ReplicaCluster<number, number, number>;
type Options = ConstructorParameters<typeof ReplicaCluster<number, number, number>>[0];

let cluster: Counters;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(async () => {
  await cluster.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function start(options: Partial<Options> = {}): void {
  cluster = new ReplicaCluster({ reducer, initialState: 0, ...options });
}

function statusOf(id: string): ReplicaStatus {
  let status: ReplicaStatus | undefined;
  cluster
    .node(id)
    .status$.subscribe((each) => (status = each))
    .unsubscribe();
  return status as ReplicaStatus;
}

/** Until the others have what the leader has committed. */
const aMoment = async (): Promise<unknown> => vi.advanceTimersByTimeAsync(500);

async function refusal(change: Promise<unknown>): Promise<string> {
  const error = await settled(change);
  expect(error).toBeInstanceOf(ChangeRefused);
  return (error as ChangeRefused).reason;
}

describe('voters', () => {
  it('come by any node, with all that was decided before, and then decide', async () => {
    start({ snapshotEvery: { entries: 5 } });
    const leader = await cluster.leader();
    for (let times = 0; times < 12; times += 1) await settled(leader.dispatch(1));
    cluster.start('d');
    const [follower] = await cluster.followers();
    expect(await settled(follower.changeVoters(['a', 'b', 'c', 'd']))).toBeUndefined();
    await aMoment();
    for (const id of ['a', 'b', 'c', 'd']) {
      expect(statusOf(id).config).toEqual(clusterOf(['a', 'b', 'c', 'd']));
    }
    expect(cluster.node('d').state).toBe(12);
    // Three of four are needed now: without d they are no majority with one more away.
    const away = cluster.ids.filter((id) => id !== leader.id).slice(0, 1);
    cluster.cut$.next(away);
    expect(await settled(leader.dispatch(1))).toBe(13);
    expect(await settled(cluster.node('d').dispatch(1))).toBe(14);
  });

  it('are replaced in one step, the leader among them, and the data stays', async () => {
    start();
    const leader = await cluster.leader();
    await settled(leader.dispatch(40));
    const [kept, other] = await cluster.followers();
    cluster.start('d');
    cluster.start('e');
    const next = [kept.id, 'd', 'e'];
    expect(await settled(kept.changeVoters(next))).toBeUndefined();
    await cluster.leader(...next);
    expect(await settled(cluster.node('d').dispatch(2))).toBe(42);
    expect(statusOf(leader.id)).toMatchObject({ isRemoved: true, role: 'follower' });
    await Promise.all([settled(leader.stop()), settled(other.stop())]);
    expect(await settled(cluster.node('e').dispatch(1))).toBe(43);
  });

  it('that are there already are no change, also when asked for in another order', async () => {
    start();
    const leader = await cluster.leader();
    const before = statusOf(leader.id).commitIndex;
    expect(await settled(leader.changeVoters(['c', 'a', 'b']))).toBeUndefined();
    expect(statusOf(leader.id).commitIndex).toBe(before);
  });

  it('who goes is told, and whoever comes again is no stranger', async () => {
    start();
    const leader = await cluster.leader();
    const [gone, kept] = await cluster.followers();
    expect(await settled(leader.changeVoters([leader.id, kept.id]))).toBeUndefined();
    // It asks for votes when it hears nothing more, and is told then.
    await vi.advanceTimersByTimeAsync(3000);
    expect(statusOf(gone.id).isRemoved).toBe(true);
    expect(await settled(leader.dispatch(1))).toBe(1);
    expect(await settled(leader.changeVoters(['a', 'b', 'c']))).toBeUndefined();
    await aMoment();
    expect(statusOf(gone.id).isRemoved).toBe(false);
    expect(gone.state).toBe(1);
  });
});

describe('voters', () => {
  it('are changed by a leader that seldom speaks', async () => {
    let drawn = 0;
    const electionTimeoutMs = { minimum: 6000, spread: 6000 };
    const random = (): number => (drawn++ % 6) / 6;
    start({ clock: clock({ electionTimeoutMs, heartbeatMs: 3000, random }) });
    const leader = await cluster.leader();
    const [, kept] = await cluster.followers();
    expect(await settled(leader.changeVoters([leader.id, kept.id]))).toBeUndefined();
  });
});

it('asked for twice at once, as after a lost connection, are changed once', async () => {
  start({ patienceMs: 20_000 });
  const leader = await cluster.leader();
  const changes = [
    leader.changeVoters(['a', 'b', 'c', 'd']),
    leader.changeVoters(['d', 'c', 'b', 'a']),
  ];
  const before = statusOf(leader.id).commitIndex;
  cluster.start('d');
  const ends = await Promise.all(changes.map(settled));
  expect(ends).toEqual([undefined, undefined]);
  expect(statusOf(leader.id).config).toEqual(clusterOf(['a', 'b', 'c', 'd']));
  expect(statusOf(leader.id).commitIndex - before).toBeLessThanOrEqual(3);
});

it('come to one that decides alone, and seldom speaks', async () => {
  let drawn = 0;
  const electionTimeoutMs = { minimum: 6000, spread: 6000 };
  const random = (): number => (drawn++ % 6) / 6;
  start({ clock: clock({ electionTimeoutMs, heartbeatMs: 3000, random }), patienceMs: 20_000 });
  const leader = await cluster.leader();
  const [other] = await cluster.followers();
  expect(await settled(leader.changeVoters([leader.id]))).toBeUndefined();
  cluster.cut$.next([other.id]);
  const both = [leader.id, other.id];
  expect(await refusal(leader.changeVoters(both))).toBe('noMajority');
  // Its next heartbeat is further away than voters may be silent.
  await vi.advanceTimersByTimeAsync(1600);
  cluster.cut$.next([]);
  expect(await settled(leader.changeVoters(both))).toBeUndefined();
  expect(statusOf(leader.id).config.voters).toHaveLength(2);
});

describe('a change ends, and leaves no timer,', () => {
  it('when the node is stopped while it listens for the voters', async () => {
    start();
    const leader = await cluster.leader();
    const [lost] = await cluster.followers();
    cluster.cut$.next([lost.id]);
    const change = leader.changeVoters([leader.id, lost.id]).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(100);
    await cluster.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(await change).toBeInstanceOf(NotLeader);
  });

  it('when the node is stopped while a member catches up', async () => {
    start();
    const leader = await cluster.leader();
    const change = leader.changeVoters(['a', 'b', 'c', 'd']).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1000);
    await cluster.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(await change).toBeInstanceOf(NotLeader);
  });
});

it('a change that another leader has overtaken meanwhile does not add to that one', async () => {
  start();
  const inForce = (config: ClusterConfig, index: number): InForce => ({
    ...{ config, index, isCommitted: true },
  });
  const inForce$ = new BehaviorSubject(inForce(clusterOf(['a', 'b', 'c']), 1));
  const leader$ = new BehaviorSubject<string | null>('a');
  const heard$ = new BehaviorSubject('a');
  const proposed: ClusterConfig[] = [];
  const changeConfig = async (config: ClusterConfig) => {
    proposed.push(config);
    const index = inForce$.value.index + 1;
    inForce$.next(inForce(isJointConsensus(config) ? toFinalConfig(config) : config, index));
    return { term: 1, index };
  };
  const machine = { changeConfig, read: () => new Promise<never>(() => undefined) };
  const voters = new Voters({ id: 'a', machine, inForce$, leader$, heard$ });
  const change = voters.lead(['a', 'b', 'd']).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(100);
  leader$.next('b');
  inForce$.next(inForce(clusterOf(['a', 'b', 'c', 'e']), 7));
  leader$.next('a');
  heard$.next('b');
  heard$.next('d');
  expect(await change).toBeInstanceOf(NotLeader);
  expect(proposed.filter(isJointConsensus)).toEqual([]);
});

it('a change that the log has taken is not called undone when its leader is over', async () => {
  start();
  const config = clusterOf(['a', 'b', 'c']);
  const inForce$ = new BehaviorSubject<InForce>({ config, index: 1, isCommitted: true });
  const leader$ = new BehaviorSubject<string | null>('a');
  const heard$ = new BehaviorSubject('b');
  const changeConfig = async (to: ClusterConfig) => {
    inForce$.next({ config: to, index: 2, isCommitted: true });
    leader$.next('b');
    return { term: 1, index: 2 };
  };
  const machine = { changeConfig, read: () => new Promise<never>(() => undefined) };
  const voters = new Voters({ id: 'a', machine, inForce$, leader$, heard$ });
  // The next leader completes it: of a joint configuration nothing else can come.
  expect(await settled(voters.lead(['a', 'b']))).toBeInstanceOf(OutcomeUnknown);
});

describe('a change is refused', () => {
  it('to a node that does not come: it stays without a vote, and the cluster goes on', async () => {
    start({ patienceMs: 20_000 });
    const leader = await cluster.leader();
    const four = ['a', 'b', 'c', 'd'];
    expect(await refusal(leader.changeVoters(four))).toBe('notCaughtUp');
    expect(statusOf(leader.id).config).toEqual({ ...clusterOf(cluster.ids), nonVoters: ['d'] });
    expect(await settled(leader.dispatch(1))).toBe(1);
    // The next change takes it out, or goes on with it.
    cluster.start('d');
    expect(await settled(leader.changeVoters(four))).toBeUndefined();
    expect(statusOf(leader.id).config).toEqual(clusterOf(four));
  });

  it('that could never be completed, since too few of the voters are up', async () => {
    start({ patienceMs: 20_000 });
    const leader = await cluster.leader();
    const [lost, kept] = await cluster.followers();
    cluster.cut$.next([lost.id]);
    const error = await settled(leader.changeVoters([leader.id, lost.id]));
    expect(error).toMatchObject({ reason: 'noMajority' });
    expect((error as Error).message).toContain(`silent is ${lost.id}`);
    // Without the one that is lost it can be.
    expect(await settled(leader.changeVoters([leader.id, kept.id]))).toBeUndefined();
  });

  it('while another one is under way', async () => {
    start({ patienceMs: 20_000 });
    const leader = await cluster.leader();
    const first = leader.changeVoters(['a', 'b', 'c', 'd']);
    const second = leader.changeVoters(['a', 'b']);
    expect(await refusal(second)).toBe('changeInProgress');
    expect(await refusal(first)).toBe('notCaughtUp');
  });

  it('while one is under way whose ids look like these when they are written as a list', async () => {
    start({ patienceMs: 20_000 });
    const leader = await cluster.leader();
    const first = leader.changeVoters(['a', 'b', 'c', 'd']);
    const second = leader.changeVoters(['a', 'b', 'c, d']);
    expect(await refusal(second)).toBe('changeInProgress');
    expect(await refusal(first)).toBe('notCaughtUp');
  });

  it('where nobody leads, as certainly not done', async () => {
    start({ patienceMs: 500 });
    cluster.cut$.next(['a', 'b']);
    const outcome = settled(cluster.node('c').changeVoters(['a', 'b']));
    expect(await outcome).toBeInstanceOf(NotLeader);
  });

  it.each([
    ['nobody', [], 'a cluster needs at least one voter'],
    ['one twice', ['a', 'a'], 'a node id is listed twice'],
    ['no node ids', [''], '"" is no node id'],
    [
      'too many',
      Array.from({ length: maxVoters + 1 }, (_, at) => `n${at}`),
      `${maxVoters + 1} voters, and the limit is ${maxVoters}`,
    ],
  ])('to %s', async (_, voters, text) => {
    start();
    const leader = await cluster.leader();
    const error = await settled(leader.changeVoters(voters));
    expect(error).toBeInstanceOf(NotApplied);
    expect((error as Error).message).toContain(text);
  });
});
