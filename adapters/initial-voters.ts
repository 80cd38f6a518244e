import type { RaftConfig } from '../lib/config.js';
import type { NodeId } from '../lib/position.js';

/**
 * The voters that the cluster of this node began with, or undefined where they are not known any
 * more, or not yet. A node that begins takes them from its configuration, one with a history from
 * its log: what it is started with later may have changed with the members.
 */
export function initialVotersOf(
  config: Omit<RaftConfig, 'id' | 'limits' | 'sizeOf'>,
): readonly NodeId[] | undefined {
  const { snapshot, entries, currentTerm = 0, votedFor = null } = config;
  if (snapshot) return undefined;
  if (entries && entries.length > 0) {
    const [first] = entries.configs;
    return first?.index === 1 ? first.config.voters : undefined;
  }
  const { initialVoters = [] } = config;
  // None: it is to be added to a cluster that is there, and will know of its log.
  if (initialVoters.length === 0) return undefined;
  return currentTerm === 0 && votedFor === null ? initialVoters : undefined;
}
