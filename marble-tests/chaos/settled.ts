/** Who leads, and who follows, when the harm is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeStatus } from '../../adapters/key-value/client-protocol.js';
import { until } from '../cluster/cluster.js';
import type { Fleet } from './fleet.js';

/**
 * From the moment at which all links are good and all nodes listen. On a machine of its own it is
 * about two seconds; on a busy one nobody is to be blamed for less than this.
 */
export const leaderMs = 300_000;

/** What a leader takes for a change, at most. */
const changeMs = 10_000;

/** A node, as it knows itself. */
export type MemberStatus = Pick<
  NodeStatus,
  'id' | 'role' | 'term' | 'leader' | 'voters' | 'nonVoters'
>;

/** Asks all nodes, and gives what those that answer say. */
type Statuses = () => Promise<readonly MemberStatus[]>;

/** Waits for a leader whom all members follow; then whoever is no member goes. */
export async function settled(fleet: Fleet, statuses: Statuses): Promise<void> {
  const led = (holds: (ids: readonly string[]) => Promise<boolean>): Promise<void> =>
    until(
      'one leader, and all members follow it',
      async () => {
        const ids = await members(statuses);
        return ids !== null && (await holds(ids));
      },
      leaderMs,
    ).catch((error: unknown) => fleet.fault(String(error)));
  await led(async () => true);
  await led((ids) => isDismissed(fleet, statuses, ids));
}

/** Whom the leader takes for members, if all of them follow it; else null. */
async function members(statuses: Statuses): Promise<readonly string[] | null> {
  const all = await statuses();
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
async function isDismissed(
  fleet: Fleet,
  statuses: Statuses,
  ids: readonly string[],
): Promise<boolean> {
  for (const { id, wasRemoved } of fleet.members) {
    if (wasRemoved && ids.includes(id)) fleet.fault(`${id} was told that it is no member`);
  }
  if (fleet.ids.every((id) => ids.includes(id))) return true;
  // A leader may still be about to add it.
  await sleep(changeMs);
  const later = await members(statuses);
  if (later === null) return false;
  const outside = fleet.members.filter(({ id }) => !later.includes(id));
  for (const member of outside) await fleet.retire(member, 0);
  return true;
}
