/**
 * The character of a run, drawn from its seed: how quick its network and disks are, which faults
 * it has and how many, how small its limits are. One that is always the same would see little:
 * some bugs need a calm world, and some a single kind of fault in plenty.
 */
import type { Limits } from '../../../lib/config.js';
import type { FaultKind } from './faults.js';
import { Random } from './random.js';

/** Faults that come as events, at some moment, and last for a while. */
export const eventKinds = [
  ...(['partition', 'one-way', 'partial', 'pause', 'crash', 'power-loss', 'stop'] as const),
  ...(['clock', 'timeout', 'stalled-disk', 'membership', 'snapshot', 'burst'] as const),
] as const;

export type EventKind = (typeof eventKinds)[number];

export interface Profile {
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: { readonly minimum: number; readonly spread: number };
  readonly limits: Partial<Limits>;
  /** Do the inputs of a moment share a turn? Else each is answered at once. */
  readonly turns: boolean;
  readonly announceCommits: boolean;
  /** Is the cluster made by a word to its first node, instead of by its configuration? */
  readonly created: boolean;
  readonly snapshotEntries: number;
  /** Of a machine: how many may wait, and how many commands make a block. */
  readonly waiters: number;
  readonly blockCommands: number;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly longMs: number;
  /** Probabilities, each for one message. */
  readonly drop: number;
  readonly duplicate: number;
  readonly delay: number;
  /** Do messages keep their order on their way, but for those that are delayed? */
  readonly inOrder: boolean;
  /** Is every write done at once, while it is being asked for? */
  readonly instantDisk: boolean;
  readonly writeMs: number;
  readonly slowWrite: number;
  readonly slowWriteMs: number;
  /** Of a crash while something was being written: the probability that a part of it arrived. */
  readonly tornWrite: number;
  /** Milliseconds between two events, on average, and which they are. */
  readonly eventGapMs: number;
  readonly events: readonly EventKind[];
  readonly clients: number;
  readonly clientGapMs: number;
  readonly reads: number;
  readonly driftingClocks: boolean;
}

export function profileOf(seed: number, faults: readonly FaultKind[]): Profile {
  const random = Random.of(seed, 1);
  const has = (kind: FaultKind): boolean => faults.includes(kind);
  // Durations as real clusters have them: the default heartbeat is 75 ms.
  const heartbeatMs = random.between(50, 200);
  const minimum = heartbeatMs * random.between(2, 4);
  const possible = eventKinds.filter(has);
  const isWild = random.chance(0.6);
  const chosen = possible.filter(() => random.chance(0.5));
  return {
    heartbeatMs,
    electionTimeoutMs: { minimum, spread: random.between(minimum >> 1, minimum) },
    limits: limitsOf(random),
    turns: random.chance(0.5),
    announceCommits: random.chance(0.8),
    created: random.chance(0.15),
    snapshotEntries: random.oneOf(3, 8, 20, 60),
    waiters: random.oneOf(10, 1000, 1000, 1000),
    blockCommands: random.oneOf(1, 3, 1000),
    latencyMs: random.oneOf(3, 6, 25),
    jitterMs: isWild ? random.oneOf(12, 60, heartbeatMs) : random.oneOf(3, 20),
    longMs: random.oneOf(2, 5) * minimum,
    drop: isWild ? random.oneOf(0.03, 0.1, 0.3) : random.oneOf(0, 0.01),
    duplicate: random.oneOf(0, 0.05, 0.3),
    delay: random.oneOf(0, 0.03, 0.15),
    inOrder: !has('reorder') || random.chance(0.4),
    instantDisk: random.chance(0.15),
    writeMs: random.oneOf(3, 12, 40),
    slowWrite: has('slow-disk') ? random.oneOf(0, 0.05, 0.3) : 0,
    slowWriteMs: random.oneOf(1, 3) * minimum,
    tornWrite: has('torn-write') ? random.oneOf(0, 0.5, 0.9) : 0,
    eventGapMs: (isWild ? random.oneOf(0.4, 0.8, 1.5) : random.oneOf(1, 2, 4)) * heartbeatMs,
    events: (chosen.length === 0 ? possible : chosen).flatMap(weighed),
    clients: random.between(1, 3),
    clientGapMs: random.oneOf(0.5, 1, 3) * heartbeatMs,
    reads: random.oneOf(0.1, 0.4, 0.8),
    driftingClocks: has('clock') && random.chance(0.5),
  };
}

/** An election is where the others show, so let there be many. */
function weighed(kind: EventKind): EventKind[] {
  return kind === 'timeout' ? [kind, kind, kind] : [kind];
}

/** Half of all runs have tiny limits: the faults of pipelining stay unseen without. */
function limitsOf(random: Random): Partial<Limits> {
  const limits = {
    heartbeatsAlone: random.oneOf(3, 6, 12, 25),
    promotionLag: random.between(0, 5),
    uncommittedEntries: random.between(4, 60),
  };
  if (!random.chance(0.5)) return limits;
  return {
    ...limits,
    entriesPerMessage: random.between(1, 4),
    entriesInFlight: random.between(1, 4),
    bytesPerMessage: random.oneOf(1, 30, 100),
    bytesInFlight: random.oneOf(1, 60, 200),
  };
}
