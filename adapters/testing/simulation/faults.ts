/**
 * What can go wrong in a simulated world. Every decision that something does has a name of its own,
 * so that a run can be repeated without it: that is how a history is made shorter.
 */
import type { Random } from './random.js';

export const faultKinds = [
  // Of messages: lost, repeated, long under way, overtaken by others.
  ...(['drop', 'duplicate', 'delay', 'reorder'] as const),
  // Of the network: two halves, one of them not heard, single ways.
  ...(['partition', 'one-way', 'partial'] as const),
  // Of a node: stands still, dies at any point, alone or with others, is stopped in an orderly way.
  ...(['pause', 'crash', 'power-loss', 'stop'] as const),
  // Of its clock: another rate, timers that go off too early.
  ...(['clock', 'timeout'] as const),
  // Of a disk: some writes take long, nothing is written for a while, a crash leaves half a write.
  ...(['slow-disk', 'stalled-disk', 'torn-write'] as const),
  // What is no fault, and brings faults to light.
  ...(['membership', 'snapshot', 'burst'] as const),
] as const;

export type FaultKind = (typeof faultKinds)[number];

export type FaultCounts = Record<FaultKind, number>;

export function noFaults(): FaultCounts {
  return Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as FaultCounts;
}

/** The decisions of a run: each is taken once, and counted. */
export class Decisions {
  readonly counts = noFaults();
  /** The names of all that happened, in order, in a run that is told. */
  readonly taken: string[] = [];
  /** No more: the world heals. */
  healed = false;
  private readonly enabled: ReadonlySet<FaultKind>;
  private readonly without: ReadonlySet<string>;

  constructor(
    enabled: readonly FaultKind[],
    without: readonly string[],
    /** Are the names remembered? Most runs have no use for any. */
    private readonly hasNames: boolean,
  ) {
    this.enabled = new Set(enabled);
    this.without = new Set(without);
  }

  /**
   * Does this happen to such a thing? The number tells it from the others, in the name. The chance
   * is drawn in any case.
   */
  happens(
    kind: FaultKind,
    to: string,
    number: number,
    probability: number,
    random: Random,
  ): boolean {
    const drawn = random.next() < probability;
    if (!drawn || this.healed || !this.enabled.has(kind)) return false;
    if (!this.permits(kind, to, number)) return false;
    this.counts[kind] += 1;
    return true;
  }

  /** Something is about to happen, a fault or not. False: this run is to be without it. */
  permits(kind: string, to: string, number: number): boolean {
    if (!this.hasNames && this.without.size === 0) return true;
    const name = `${kind} ${to} #${number}`;
    if (this.without.has(name)) return false;
    this.taken.push(name);
    return true;
  }
}
