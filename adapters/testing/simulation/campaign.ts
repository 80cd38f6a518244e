/** Many runs, one seed after the other, and what they saw together. */
import type { FaultCounts, FaultKind } from './faults.js';
import { faultKinds, noFaults } from './faults.js';
import type { SimulationOptions, SimulationReport } from './simulate.js';
import { simulate } from './simulate.js';
import { Violation } from './violation.js';

/** What a worker may be told: plain values only. */
export interface Campaign {
  readonly firstSeed: number;
  readonly seeds: number;
  /** Null: the default, which grows with the size. */
  readonly steps: number | null;
  /** Sizes of clusters: seeds take them in turn. */
  readonly nodes: readonly number[];
  readonly faults: readonly FaultKind[];
}

export interface Totals {
  seeds: number;
  virtualMs: number;
  elections: number;
  commits: number;
  commands: number;
  reads: number;
  messages: number;
  faults: FaultCounts;
  /** Two halves, the same in whatever order the runs were counted. */
  digest: [number, number];
  /** The first seed, if any, that broke a rule. */
  violation: number | null;
}

export function noTotals(): Totals {
  return {
    ...{ seeds: 0, virtualMs: 0, elections: 0, commits: 0, commands: 0, reads: 0, messages: 0 },
    ...{ faults: noFaults(), digest: [0, 0], violation: null },
  };
}

export function sizeOf({ nodes }: Campaign, seed: number): number {
  return nodes[seed % nodes.length] ?? 3;
}

/** How one seed of a campaign is run. */
export function runOf(campaign: Campaign, seed: number): SimulationOptions {
  const { steps, faults } = campaign;
  return { seed, nodes: sizeOf(campaign, seed), faults, ...(steps === null ? {} : { steps }) };
}

/** What every run has besides: functions, which a worker can't be told. */
export type Planted = Pick<SimulationOptions, 'core' | 'openStore'>;

/** Ends early with the first violation. */
export async function runCampaign(
  campaign: Campaign,
  planted: Planted = {},
  onSeed: (totals: Totals) => void = () => undefined,
): Promise<Totals> {
  const totals = noTotals();
  const end = campaign.firstSeed + campaign.seeds;
  for (let seed = campaign.firstSeed; seed < end && totals.violation === null; seed += 1) {
    try {
      addReport(totals, await simulate({ ...runOf(campaign, seed), ...planted, shrinkRuns: 0 }));
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      totals.seeds += 1;
      totals.violation = seed;
    }
    onSeed(totals);
  }
  return totals;
}

function addReport(totals: Totals, report: SimulationReport): void {
  // Multiplied by an odd number of its own, so that equal runs do not cancel each other.
  const half = (digits: string): number => Math.imul(parseInt(digits, 16), 2 * report.seed + 1);
  const digest: [number, number] = [half(report.digest.slice(0, 8)), half(report.digest.slice(8))];
  addTotals(totals, { ...report, seeds: 1, digest, violation: null });
}

export function addTotals(totals: Totals, more: Readonly<Totals>): void {
  totals.seeds += more.seeds;
  totals.virtualMs += more.virtualMs;
  totals.elections += more.elections;
  totals.commits += more.commits;
  totals.commands += more.commands;
  totals.reads += more.reads;
  totals.messages += more.messages;
  for (const kind of faultKinds) totals.faults[kind] += more.faults[kind];
  totals.digest = [totals.digest[0] ^ more.digest[0], totals.digest[1] ^ more.digest[1]];
  const both = [totals.violation, more.violation].filter((each) => each !== null);
  totals.violation = both.length === 0 ? null : Math.min(...both);
}

export function digestOf({ digest }: Totals): string {
  return digest.map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
