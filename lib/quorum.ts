/**
 * Majorities: one, or during a change of members both (§6): "Agreement (for elections and entry
 * commitment) requires separate majorities from both the old and new configurations."
 */
import type { ClusterConfig } from './cluster-config.js';
import type { NodeId } from './position.js';

/**
 * The greatest value that a quorum has reached, each voter's own given by `valueOf`. No voters
 * reach nothing: 0.
 */
export function quorumValue(config: ClusterConfig, valueOf: (id: NodeId) => number): number {
  const value = majorityValue(config.voters, valueOf);
  if (config.newVoters.length === 0) return value;
  return Math.min(value, majorityValue(config.newVoters, valueOf));
}

/** Have a majority of the voters, and of the new voters, said yes? */
export function hasQuorum(config: ClusterConfig, saidYes: (id: NodeId) => boolean): boolean {
  return quorumValue(config, (id) => (saidYes(id) ? 1 : 0)) === 1;
}

/** Of n voters the value of rank ⌊n/2⌋ + 1 from the top: so many have reached at least this. */
function majorityValue(voters: readonly NodeId[], valueOf: (id: NodeId) => number): number {
  if (voters.length === 0) return 0;
  const values = voters.map(valueOf);
  const rank = voters.length >> 1;
  // The greatest values come first, as far as the one that is wanted.
  for (let at = 0; at <= rank; at += 1) {
    for (let other = at + 1; other < values.length; other += 1) {
      const value = values[other] as number;
      if (value <= (values[at] as number)) continue;
      values[other] = values[at] as number;
      values[at] = value;
    }
  }
  return values[rank] as number;
}
