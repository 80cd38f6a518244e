/** When the harm is over: a leader, a write, and the same on all nodes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { get } from '../cluster/load.js';
import { until } from '../cluster/cluster.js';
import { connect } from '../../adapters/key-value/connection.js';
import type { NodeStatus } from '../../adapters/key-value/client-protocol.js';
import { Random } from '../simulation/random.js';
import { now } from './clock.js';
import { ChaosClient, keys } from './client.js';
import type { Crew } from './crew.js';
import type { Fleet } from './fleet.js';
import type { HistoryFile } from './history-file.js';
import { frames } from './ways/frames.js';

/**
 * From the moment at which all links are good and all nodes listen. On a machine of its own it is
 * about two seconds; on a busy one nobody is to be blamed for less than this.
 */
const leaderMs = 300_000;
const convergenceMs = 300_000;

/** What a leader takes for a change, at most. */
const changeMs = 10_000;

/**
 * Heals the cluster, and notes as its faults what it does not achieve in time. All clients have to
 * be served once more, with what they have kept through the harm, before they stop.
 */
export async function recovery(fleet: Fleet, history: HistoryFile, crew: Crew): Promise<void> {
  fleet.note('all harm is over');
  await fleet.heal();
  const expected = async (what: string, holds: () => Promise<boolean>, ms: number) =>
    until(what, holds, ms).catch((error: unknown) => fleet.fault(String(error)));
  const led = (holds: (ids: readonly string[]) => Promise<boolean>): Promise<void> =>
    expected(
      'one leader, and all members follow it',
      async () => {
        const ids = await members(fleet);
        return ids !== null && (await holds(ids));
      },
      leaderMs,
    );
  await led(async () => true);
  await led((ids) => isDismissed(fleet, ids));
  const since = now();
  const areServed = async (): Promise<boolean> => crew.unserved(since).length === 0;
  await until('all clients are served', areServed, leaderMs).catch((error: unknown) =>
    fleet.fault(`${String(error)}: ${crew.unserved(since).join('; ')}`),
  );
  await crew.quiet();
  await expected(
    'a write, and every key read from every node',
    lastCalls(fleet, history),
    leaderMs,
  );
  await expected('all nodes have applied the same', () => isSame(fleet), convergenceMs);
  for (const member of fleet.members) await member.stop();
}

async function statuses(fleet: Fleet): Promise<NodeStatus[]> {
  return (await fleet.statuses()).filter((status) => status !== null);
}

/** Whom the leader takes for members, if all of them follow it; else null. */
async function members(fleet: Fleet): Promise<readonly string[] | null> {
  const all = await statuses(fleet);
  const leaders = all.filter(({ role }) => role === 'leader').sort((a, b) => b.term - a.term);
  const [leader] = leaders;
  if (leader === undefined) return null;
  const ids = [...leader.voters, ...leader.nonVoters];
  const follows = (id: string): boolean => {
    const status = all.find((each) => each.id === id);
    return status?.leader === leader.id && status.term === leader.term;
  };
  return ids.every(follows) ? ids : null;
}

/** Whoever is no member, because it was not added or is removed already, goes. */
async function isDismissed(fleet: Fleet, ids: readonly string[]): Promise<boolean> {
  for (const { id, wasRemoved } of fleet.members) {
    if (wasRemoved && ids.includes(id)) fleet.fault(`${id} was told that it is no member`);
  }
  if (fleet.ids.every((id) => ids.includes(id))) return true;
  // A leader may still be about to add it.
  await sleep(changeMs);
  const later = await members(fleet);
  if (later === null) return false;
  const outside = fleet.members.filter(({ id }) => !later.includes(id));
  for (const member of outside) await fleet.retire(member, 0);
  return true;
}

/**
 * What the clients find now belongs to the history: what was acknowledged is there, everywhere. A
 * call that comes to nothing is made again: on a busy machine a leader does not last.
 */
function lastCalls(fleet: Fleet, history: HistoryFile): () => Promise<boolean> {
  const last = { op: 'put', key: 'the last', value: 'of all' } as const;
  const reads = [...keys, last.key].map((key) => ({ op: 'get', key }) as const);
  const rest = fleet.addresses.flatMap((address, at) => {
    const nodes = (): readonly string[] => [address];
    const door = frames.open({ nodes, first: 0, program: fleet.program });
    const random = new Random(at);
    const client = new ChaosClient({ id: 1000 + at, way: frames, door, random, history });
    const calls = (at === 0 ? [last, ...reads] : reads).map((asked) => async () => {
      const operation = await client.call(asked);
      return operation?.outcome === 'ok';
    });
    const leave = async (): Promise<boolean> => {
      client.leave();
      return true;
    };
    return [...calls, leave];
  });
  return async () => {
    for (let call = rest[0]; call !== undefined; call = rest[0]) {
      if (!(await call())) return false;
      rest.shift();
    }
    return true;
  };
}

async function isSame(fleet: Fleet): Promise<boolean> {
  const all = await statuses(fleet);
  if (all.length < fleet.members.length) return false;
  const applied = new Set(all.map((each) => `${each.applied} ${each.commit} ${each.keys}`));
  if (applied.size > 1) return false;
  const contents = await Promise.all(fleet.addresses.map(contentOf));
  return new Set(contents).size === 1;
}

/** What the node itself has, without asking any other. */
async function contentOf(address: string): Promise<string> {
  const connection = await connect(address);
  const answers = await Promise.all(keys.map((key) => connection.ask(get(key, true))));
  connection.close();
  return JSON.stringify(answers);
}
