/**
 * `npm run bench -- [parts…]`: measures, and says what it measured.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { chart } from './chart.js';
import { clusterPart, readsPart } from './cluster/part.js';
import { corePart } from './core/part.js';
import { withFigures } from './figures.js';
import { growthPart } from './growth/part.js';
import { describeMachine, machineFacts } from './machine.js';
import { operatorPart } from './operator/part.js';
import type { Part } from './part.js';
import { Reporter } from './reporter.js';
import type { Patience } from './rounds.js';
import { patient, quick } from './rounds.js';
import type { Row } from './row.js';
import { isMet } from './row.js';
import { startPart } from './start/part.js';
import { table } from './table.js';

interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly peers: boolean;
  readonly rounds?: number;
  readonly svg?: string;
  readonly docs: boolean;
}

/** Where the figures of the documentation are, from the root of the project. */
const documentFile = 'docs/BENCH.md';
const chartFile = 'docs/bench.svg';

export const parts: readonly Part[] = [
  ...[corePart, operatorPart, clusterPart, readsPart],
  ...[growthPart, startPart],
];

/** Throws an Error that names a part which there is none of. */
export function partsNamed(names: readonly string[]): readonly Part[] {
  const known = parts.map((part) => part.name);
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new Error(`no part ${wrong}: there is ${known.join(', ')}`);
  return names.length === 0 ? parts : parts.filter((part) => names.includes(part.name));
}

export function command(): Command {
  const listed = parts.map(({ name, about }) => `  ${name.padEnd(10)}${about}`).join('\n');
  return new Command('bench')
    .description('Measures rxraft, in rounds that alternate with what it is compared to.')
    .argument('[parts...]', 'all of them by default')
    .option('--quick', 'a look at it: few and short rounds', false)
    .option('--json', 'the result for programs, on standard output', false)
    .option('--peers', 'measure what is installed beside it, too', false)
    .addOption(new Option('--rounds <number>', 'rounds that count').argParser(roundsOf))
    .option('--svg <file>', 'write a chart')
    .option('--docs', `write the figures into ${documentFile} and ${chartFile}`, false)
    .addHelpText('after', `\nParts:\n${listed}`)
    .action(async (names: string[], options: Options) => run(partsNamed(names), options));
}

/** Throws an Error on anything but a whole number from 1 on. */
export function roundsOf(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`--rounds ${text}: a number from 1 on`);
  return Number(text);
}

async function run(chosen: readonly Part[], options: Options): Promise<void> {
  if (options.docs && options.quick) {
    throw new Error('--docs: a quick look is no figure for the documentation, leave out --quick');
  }
  const reporter = new Reporter();
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const part of chosen) {
    const measured = await part.run({
      patience: patienceOf(options),
      peers: options.peers,
      progress: (text) => reporter.progress(part.name, text),
      note: (text) => notes.push(text),
    });
    reporter.clear();
    rows.push(...measured);
    if (options.json) continue;
    console.log(`\n${part.name}: ${part.about}\n`);
    for (const line of table(measured)) console.log(`  ${line}`);
  }
  const facts = machineFacts();
  const machine = describeMachine(facts);
  if (options.svg !== undefined) writeFileSync(options.svg, chart(rows, machine));
  if (options.docs) document(chosen, rows, machine);
  if (options.json) {
    console.log(JSON.stringify({ machine: facts, quick: options.quick, notes, rows }, null, 2));
    return;
  }
  console.log(`\nMeasured on ${machine}.`);
  for (const note of notes) console.log(note);
  const missed = rows.filter((row) => isMet(row) === false).length;
  const met = rows.filter((row) => isMet(row) === true).length;
  if (met + missed > 0) console.log(`Aims: ${met} met, ${missed} missed.`);
}

/** The chart is of one run: it is left as it is when only some of the parts were measured. */
function document(chosen: readonly Part[], rows: readonly Row[], machine: string): void {
  let text = readFileSync(documentFile, 'utf8');
  for (const { name } of chosen) {
    const own = rows.filter((row) => row.part === name);
    text = withFigures(text, name, own, machine);
  }
  writeFileSync(documentFile, text);
  if (chosen.length === parts.length) writeFileSync(chartFile, chart(rows, machine));
}

function patienceOf({ quick: isQuick, rounds }: Options): Patience {
  const patience = isQuick ? quick : patient;
  return rounds === undefined ? patience : { ...patience, rounds };
}
