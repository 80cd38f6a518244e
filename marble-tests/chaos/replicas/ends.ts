/** What is asked of replicas when the harm is over. */
import { until } from '../../cluster/cluster.js';
import { Random } from '../../simulation/random.js';
import { keys } from '../client.js';
import type { Fleet } from '../fleet.js';
import type { MemberStatus } from '../settled.js';
import { leaderMs, settled } from '../settled.js';
import type { StatusAnswer } from './ask.js';
import { ask, statusOf } from './ask.js';
import type { ClientWorld } from './client.js';
import { ReplicaClient } from './client.js';

const convergenceMs = 300_000;

/**
 * Heals the cluster, and notes as its faults what it does not achieve in time. `quiet` resolves
 * when no client is at work any more; `reaches` is true when every observer has this version.
 */
export async function replicasRecover(
  fleet: Fleet,
  world: ClientWorld,
  quiet: () => Promise<void>,
  reaches: (version: number) => boolean,
): Promise<void> {
  fleet.note('all harm is over');
  await fleet.heal();
  const expected = async (what: string, holds: () => Promise<boolean>, ms: number) =>
    until(what, holds, ms).catch((error: unknown) => fleet.fault(String(error)));
  await settled(fleet, async () => (await statuses(fleet)).map(asMember));
  await expected('all nodes are granted something', areGranted(fleet), leaderMs);
  await quiet();
  await expected('a write, and every key from every node', lastCalls(fleet, world), leaderMs);
  await expected('no node asks any more', () => areQuiet(fleet), leaderMs);
  let last = 0;
  const isSame = async (): Promise<boolean> => {
    const all = await statuses(fleet);
    for (const each of all) world.chain.see(each, each.id);
    const states = new Set(all.map((each) => JSON.stringify(stateOf(each))));
    last = all[0]?.version ?? 0;
    const isDone = all.every(({ due }) => due === 0);
    return isDone && all.length === fleet.members.length && states.size === 1;
  };
  await expected(
    'all effects are done, and all replicas have the same state',
    isSame,
    convergenceMs,
  );
  await expected('all observers have it', async () => reaches(last), convergenceMs);
  for (const member of fleet.members) await member.stop();
}

/** Of the rate, since the first look. */
function areGranted(fleet: Fleet): () => Promise<boolean> {
  const before = new Map<string, number>();
  return async () => {
    const all = await statuses(fleet);
    const is = ({ id, granted }: StatusAnswer): boolean => granted > (before.get(id) ?? granted);
    const isDone = all.length === fleet.members.length && all.every(is);
    for (const { id, granted } of all) before.set(id, before.get(id) ?? granted);
    return isDone;
  };
}

async function areQuiet(fleet: Fleet): Promise<boolean> {
  const answers = await Promise.all(fleet.addresses.map((address) => ask(address, 'quiet', null)));
  return answers.every(({ outcome }) => outcome === 'done');
}

async function statuses(fleet: Fleet): Promise<readonly StatusAnswer[]> {
  const all = await Promise.all(fleet.addresses.map(statusOf));
  return all.filter((status) => status !== null);
}

function asMember({ config, leaderId, ...rest }: StatusAnswer): MemberStatus {
  const { voters, newVoters, nonVoters } = config;
  return {
    ...rest,
    leader: leaderId,
    voters: [...voters, ...newVoters],
    nonVoters: [...nonVoters],
  };
}

function stateOf({ appliedIndex, commitIndex, version, digest, whole }: StatusAnswer): unknown {
  return { appliedIndex, commitIndex, version, digest, whole };
}

/** What is found now belongs to the history. A call that comes to nothing is made again. */
function lastCalls(fleet: Fleet, world: ClientWorld): () => Promise<boolean> {
  const last = { op: 'put', key: 'the last' } as const;
  const reads = [...keys, last.key].map((key) => ({ op: 'get', key }) as const);
  const rest = fleet.addresses.flatMap((address, at) => {
    const here = { ...world, nodes: () => [address] };
    const client = new ReplicaClient(1000 + at, new Random(at), here);
    const write = { ...last, value: `of ${at}` };
    const calls = [write, ...reads].map((asked) => async () => {
      const operation = await client.call(asked);
      return operation?.outcome === 'ok';
    });
    const close = async (): Promise<boolean> => {
      client.close();
      return true;
    };
    return [...calls, close];
  });
  return async () => {
    for (let call = rest[0]; call !== undefined; call = rest[0]) {
      if (!(await call())) return false;
      rest.shift();
    }
    return true;
  };
}
