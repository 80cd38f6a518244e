/**
 * The members of a cluster (§6): plain data, and free functions on it.
 */
import type { NodeId } from './position.js';

/** Who votes, who is about to vote, and who only listens. */
export interface ClusterConfig {
  /** The voters. While a change is under way: those of C_old. */
  readonly voters: readonly NodeId[];
  /** The voters of C_new while a change is under way (joint consensus), else empty. */
  readonly newVoters: readonly NodeId[];
  /** Nodes that receive the log and count for nothing. */
  readonly nonVoters: readonly NodeId[];
}

export const noCluster: ClusterConfig = Object.freeze({ voters: [], newVoters: [], nonVoters: [] });

export function clusterOf(voters: readonly NodeId[]): ClusterConfig {
  return { voters: [...voters], newVoters: [], nonVoters: [] };
}

/** Is this a configuration under which decisions need both majorities? */
export function isJointConsensus(config: ClusterConfig): boolean {
  return config.newVoters.length > 0;
}

export function isVoter(config: ClusterConfig, id: NodeId): boolean {
  return config.voters.includes(id) || config.newVoters.includes(id);
}

export function isMember(config: ClusterConfig, id: NodeId): boolean {
  return isVoter(config, id) || config.nonVoters.includes(id);
}

/** Every node of the configuration once, sorted. */
export function uniqueNodes(config: ClusterConfig): NodeId[] {
  return [...new Set([...config.voters, ...config.newVoters, ...config.nonVoters])].sort();
}

/**
 * C_old,new: the voters, with `adding` and without `removing`, as the new voters. A non-voter that
 * is added is promoted: it leaves the non-voters.
 */
export function toJointConsensus(
  config: ClusterConfig,
  adding: readonly NodeId[],
  removing: readonly NodeId[],
): ClusterConfig {
  const newVoters = new Set([...config.voters, ...adding]);
  for (const id of removing) newVoters.delete(id);
  return {
    voters: config.voters,
    newVoters: [...newVoters],
    nonVoters: config.nonVoters.filter((id) => !newVoters.has(id)),
  };
}

/** C_new: what a joint configuration becomes once it is committed. */
export function toFinalConfig(config: ClusterConfig): ClusterConfig {
  return { voters: config.newVoters, newVoters: [], nonVoters: config.nonVoters };
}

/** What is wrong with a configuration, in words, or null. */
export function faultOf(config: ClusterConfig): string | null {
  const { voters, newVoters, nonVoters } = config;
  if (voters.length === 0) return 'a cluster needs at least one voter';
  for (const ids of [voters, newVoters, nonVoters]) {
    for (const id of ids) {
      const fault = faultOfNodeId(id);
      if (fault !== null) return fault;
    }
    if (new Set(ids).size !== ids.length) return 'a node id is listed twice';
  }
  const both = nonVoters.find((id) => isVoter(config, id));
  return both === undefined ? null : `${JSON.stringify(both)} is both a voter and a non-voter`;
}

/** What is wrong with a node id, in words, or null. */
export function faultOfNodeId(id: unknown): string | null {
  const fits = typeof id === 'string' && id.length >= 1 && id.length <= 64;
  // Half a character has no bytes: read from a disk it is another text, and perhaps a longer one.
  const good = fits && !/\p{Surrogate}/u.test(id);
  return good ? null : `${shown(id)} is no node id: 1 to 64 characters`;
}

/** Of a stranger's value: whatever it is, and however long, it can be shown. */
function shown(id: unknown): string {
  if (typeof id === 'string') return JSON.stringify(id.slice(0, 80));
  return Object(id) === id ? 'an object' : String(id).slice(0, 80);
}

export function sameConfig(a: ClusterConfig, b: ClusterConfig): boolean {
  return (
    sameIds(a.voters, b.voters) &&
    sameIds(a.newVoters, b.newVoters) &&
    sameIds(a.nonVoters, b.nonVoters)
  );
}

export function sameIds(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}
