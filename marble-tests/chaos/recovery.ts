/** When the harm is over: a leader, a write, and the same on all nodes. */
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
import { leaderMs, settled } from './settled.js';
import { frames } from './ways/frames.js';

const convergenceMs = 300_000;

/**
 * Heals the cluster, and notes as its faults what it does not achieve in time. All clients have to
 * be served once more, with what they have kept through the harm, before they stop. `told` resolves
 * when all who watch have been told what all nodes have.
 */
export async function recovery(
  fleet: Fleet,
  history: HistoryFile,
  crew: Crew,
  told: () => Promise<void>,
): Promise<void> {
  fleet.note('all harm is over');
  await fleet.heal();
  const expected = async (what: string, holds: () => Promise<boolean>, ms: number) =>
    until(what, holds, ms).catch((error: unknown) => fleet.fault(String(error)));
  await settled(fleet, () => statuses(fleet));
  const since = now();
  const areServed = async (): Promise<boolean> =>
    fleet.faults.length > 0 || crew.unserved(since).length === 0;
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
  await told();
  for (const member of fleet.members) await member.stop();
}

async function statuses(fleet: Fleet): Promise<NodeStatus[]> {
  return (await fleet.statuses()).filter((status) => status !== null);
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
