/**
 * What a node is made from: who it is, what its storage remembers, and its limits.
 */
import type { ClusterConfig } from './cluster-config.js';
import { faultOf, faultOfNodeId, clusterOf, noCluster } from './cluster-config.js';
import type { LogEntries } from './entries.js';
import { areSound, emptyEntries, lastPosition } from './entries.js';
import type { NodeGeneration, NodeId, Term } from './position.js';
import { origin, samePosition } from './position.js';
import type { Snapshot } from './snapshot.js';

/** Bounds of everything that can grow. At a limit: a typed refusal, or a dropped message. */
export interface Limits {
  /** Entries in one message, and in one apply. At most 1,048,576. Default 4,096. */
  readonly entriesPerMessage: number;
  /** Bytes of commands in one message, one entry at the least. Default 1 MiB. Needs `sizeOf`. */
  readonly bytesPerMessage: number;
  /** Entries sent to a peer and not acknowledged. Default 65,536. */
  readonly entriesInFlight: number;
  /** Bytes of commands sent to a peer and not acknowledged. Default 16 MiB. Needs `sizeOf`. */
  readonly bytesInFlight: number;
  /** Entries of a leader's log that are not committed. Default 131,072. */
  readonly uncommittedEntries: number;
  /** Bytes of commands that are not committed. Default 64 MiB. Needs `sizeOf`. */
  readonly uncommittedBytes: number;
  /** Requests for reads that wait for a round. Default 65,536. */
  readonly waitingReads: number;
  /**
   * Heartbeat intervals that a leader goes on without an answer of a quorum, or without its own
   * disk, before it steps down (thesis §6.2). Default 10.
   */
  readonly heartbeatsAlone: number;
  /** Entries that a non-voter may be behind when it is promoted (thesis §4.2.1). Default 1,024. */
  readonly promotionLag: number;
}

/** What a storage adapter remembers of earlier runs. A pristine one has none of it. */
export interface Recovered<C = unknown, S = unknown> {
  /** Raised durably before every run. Default 0. */
  readonly generation: NodeGeneration;
  readonly currentTerm: Term;
  readonly votedFor: NodeId | null;
  readonly snapshot: Snapshot<S> | null;
  /** The log behind the snapshot: `prevPosition` is the snapshot's position, or the origin. */
  readonly entries: LogEntries<C> | null;
}

export interface RaftConfig<C = unknown, S = unknown> extends Partial<Recovered<C, S>> {
  readonly id: NodeId;
  /**
   * The voters of a new cluster, the same on each of them and this node included. Taken by a
   * pristine node only; a node with a history has its members in its log. Without it a pristine
   * node waits to be added.
   */
  readonly initialVoters?: readonly NodeId[];
  readonly limits?: Partial<Limits>;
  /**
   * Tell followers at once when everything is committed, instead of with the next heartbeat: they
   * apply sooner, and an idle cluster sends one more message per proposal. Default true.
   */
  readonly announceCommits?: boolean;
  /** The bytes of a command, for the limits in bytes. Must be the same for ever for one command. */
  readonly sizeOf?: (command: C) => number;
}

/**
 * More entries in one message are not taken: without commands a few bytes could claim any number,
 * and all of them would have to be walked.
 */
export const entriesAtMost = 1 << 20;

export const defaultLimits: Limits = Object.freeze({
  entriesPerMessage: 4096,
  bytesPerMessage: 1 << 20,
  entriesInFlight: 65_536,
  bytesInFlight: 16 << 20,
  uncommittedEntries: 131_072,
  uncommittedBytes: 64 << 20,
  waitingReads: 65_536,
  heartbeatsAlone: 10,
  promotionLag: 1024,
});

/** A configuration that no node can be made from. `field` names the culprit. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(
    readonly field: string,
    mend: string,
  ) {
    super(`${field}: ${mend}`);
  }
}

/** The limits with their defaults. Throws a ConfigError. */
export function limitsOf(limits: Partial<Limits> = {}): Limits {
  const all: Record<string, unknown> = { ...defaultLimits };
  for (const [field, value] of Object.entries(limits)) {
    if (!Object.hasOwn(defaultLimits, field))
      throw new ConfigError(`limits.${field}`, 'is no limit');
    if (value !== undefined) all[field] = value;
  }
  for (const [field, value] of Object.entries(all)) {
    const least = field === 'promotionLag' ? 0 : 1;
    if (!Number.isSafeInteger(value) || (value as number) < least) {
      throw new ConfigError(`limits.${field}`, `must be an integer from ${least} on`);
    }
  }
  if ((all['entriesPerMessage'] as number) > entriesAtMost) {
    throw new ConfigError('limits.entriesPerMessage', `must be at most ${entriesAtMost}`);
  }
  return all as unknown as Limits;
}

/** What is remembered, checked: a node must not start from a history that can't be. */
export function recoveredOf<C, S>(config: RaftConfig<C, S>): Recovered<C, S> {
  const { generation = 0, currentTerm = 0, votedFor = null, snapshot = null } = config;
  const base = snapshot === null ? origin : snapshot.position;
  const entries = config.entries ?? emptyEntries(base);
  const fault = faultOfNodeId(config.id);
  if (fault !== null) throw new ConfigError('id', fault);
  for (const [field, value] of Object.entries({ generation, currentTerm })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ConfigError(field, `${value} is not an integer from 0 on`);
    }
  }
  if (votedFor !== null && faultOfNodeId(votedFor) !== null) {
    throw new ConfigError('votedFor', faultOfNodeId(votedFor) as string);
  }
  const configFault = snapshot === null ? null : faultOf(snapshot.config);
  if (configFault !== null) throw new ConfigError('snapshot', configFault);
  if (!areSound(entries)) throw new ConfigError('entries', 'they contradict themselves');
  if (!samePosition(entries.prevPosition, base)) {
    throw new ConfigError('entries', 'the log does not begin where the snapshot ends');
  }
  if (lastPosition(entries).term > currentTerm) {
    throw new ConfigError('currentTerm', 'the log has entries of a later term');
  }
  return { generation, currentTerm, votedFor, snapshot, entries };
}

/** The first configuration of a new cluster, checked. */
export function initialConfigOf(config: Pick<RaftConfig, 'id' | 'initialVoters'>): ClusterConfig {
  if (config.initialVoters === undefined) return noCluster;
  const initial = clusterOf(config.initialVoters);
  const fault = faultOf(initial);
  if (fault !== null) throw new ConfigError('initialVoters', fault);
  if (!initial.voters.includes(config.id)) {
    throw new ConfigError('initialVoters', `${JSON.stringify(config.id)} itself is missing`);
  }
  return { ...initial, voters: [...initial.voters].sort() };
}
