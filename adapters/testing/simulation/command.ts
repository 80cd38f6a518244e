/** `rxraft simulate`: whole clusters in virtual time, thousands of times faster than life. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { Campaign, Planted, Totals } from './campaign.js';
import { runCampaign, runOf } from './campaign.js';
import type { FaultKind } from './faults.js';
import { faultKinds } from './faults.js';
import { runParallelCampaign } from './parallel-campaign.js';
import { simulate } from './simulate.js';
import { summaryOf, violationText } from './summary.js';
import { Violation } from './violation.js';

export interface SimulateSettings {
  /** Where it writes. Default: the standard output. */
  readonly out?: { write(text: string): unknown; readonly isTTY?: boolean };
  /** Takes the exit code: 0, or 1 when a rule was broken. Default: the process's. */
  readonly exit?: (code: number) => void;
  /** What every run has besides, such as another core. Runs on one thread then. */
  readonly planted?: Planted;
}

interface Flags {
  readonly seed?: number;
  readonly seeds?: number;
  readonly steps?: number;
  readonly nodes: readonly number[];
  readonly faults: readonly FaultKind[];
  readonly threads: number;
}

/** Adds the command to a program. */
export function addSimulateCommand(program: Command, settings: SimulateSettings = {}): void {
  const threads = availableParallelism();
  program
    .command('simulate')
    .description('Run clusters in virtual time under faults, and check that nothing is ever wrong.')
    .option('--seed <number>', 'the first seed; alone: repeat this run exactly', wholeFrom(0))
    .option('--seeds <number>', 'how many seeds (5,000)', wholeFrom(1))
    .option('--steps <number>', 'events under faults (200 for each node)', wholeFrom(0))
    .addOption(
      new Option('--nodes <list>', 'sizes of clusters, in turn')
        .argParser(sizes)
        .default([3, 5, 7], '3,5,7'),
    )
    .addOption(
      // With a blank behind each comma, where a terminal can break the line.
      new Option('--faults <list>', `none, or of: ${faultKinds.join(', ')}`)
        .argParser(faultList)
        .default(faultKinds, 'all'),
    )
    .option('--threads <number>', 'threads to run on', wholeFrom(1), threads)
    .action(async (flags: Flags) => {
      const exit = settings.exit ?? ((code: number) => (process.exitCode = code));
      exit(await runSeeds(flags, settings));
    });
}

async function runSeeds(flags: Flags, { out = process.stdout, planted }: SimulateSettings) {
  const { seed, steps = null, nodes, faults } = flags;
  const seeds = flags.seeds ?? (seed === undefined ? 5000 : 1);
  const campaign: Campaign = { firstSeed: seed ?? 1, seeds, steps, nodes, faults };
  const startedAt = performance.now();
  const onSeeds = progressOn(out, seeds);
  const isAlone = planted !== undefined || flags.threads === 1 || seeds < 200;
  const totals = isAlone
    ? await runCampaign(campaign, planted, onSeeds)
    : await runParallelCampaign(campaign, flags.threads, onSeeds);
  if (out.isTTY === true) out.write('\r\u001b[K');
  const { violation } = totals;
  if (violation !== null) out.write(await explained(campaign, violation, planted));
  out.write(summaryOf(totals, (performance.now() - startedAt) / 1000));
  return violation === null ? 0 : 1;
}

/** The run once more, and as short as it can be. */
async function explained(campaign: Campaign, seed: number, planted: Planted = {}): Promise<string> {
  const run = runOf(campaign, seed);
  try {
    await simulate({ ...run, ...planted });
    return `seed ${seed} broke a rule, and does not when it is run again: this is a bug too\n`;
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return violationText(error, run);
  }
}

/** A line that is written over, where somebody looks at it. */
function progressOn(
  out: NonNullable<SimulateSettings['out']>,
  seeds: number,
): (totals: Totals) => void {
  if (out.isTTY !== true) return () => undefined;
  let shownAt = 0;
  return (totals) => {
    const now = performance.now();
    if (now - shownAt < 100) return;
    shownAt = now;
    const part = Math.floor((100 * totals.seeds) / seeds);
    out.write(`\r\u001b[K${part} %  ${totals.seeds} of ${seeds} seeds`);
  };
}

function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number < 2 ** 32) return number;
    throw new InvalidArgumentError(`a whole number, from ${least} on`);
  };
}

function sizes(text: string): readonly number[] {
  const list = text.split(',').map(Number);
  if (list.every((each) => Number.isInteger(each) && each >= 1 && each <= 7)) return list;
  throw new InvalidArgumentError('sizes from 1 to 7, with commas between');
}

function faultList(text: string): readonly FaultKind[] {
  if (text === 'none') return [];
  const names = text.split(',');
  const unknown = names.find((name) => !(faultKinds as readonly string[]).includes(name));
  if (unknown === undefined) return faultKinds.filter((kind) => names.includes(kind));
  throw new InvalidArgumentError(`"${unknown}" is no fault: ${faultKinds.join()}, or none`);
}
