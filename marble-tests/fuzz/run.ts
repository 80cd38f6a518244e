/** Runs an edge: so many inputs from a seed, the fates counted, the heap measured. */
import { Random } from '../../adapters/testing/simulation/random.js';
import { memoryInUse } from '../memory.js';
import type { Edge, Fate } from './edge.js';

export interface Result {
  readonly edge: string;
  readonly inputs: number;
  readonly taken: number;
  readonly refused: number;
  readonly perSecond: number;
  /** What is in use after a tenth of the inputs, and after all of them, in MiB. */
  readonly heap: readonly [number, number];
  /** The seed, the number and the smallest form of an input that broke a promise, or null. */
  readonly violation: string | null;
}

/** Inputs after which others have a turn. */
const batch = 2000;

export async function runEdge<Input>(
  edge: Edge<Input>,
  seed: number,
  inputs: number,
  progress: (done: number) => void = () => undefined,
): Promise<Result> {
  const fates: Record<Fate, number> = { taken: 0, refused: 0 };
  const warm = Math.ceil(inputs / 10);
  const begin = performance.now();
  // Most inputs are refused by an error, and a stack costs more than all else that is done.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  let violation: string | null = null;
  let before = 0;
  let number = 0;
  for (; number < inputs && violation === null; number += 1) {
    if (number === warm) before = await memoryInUse();
    const input = edge.generate(Random.of(seed, number));
    try {
      const fate = edge.feed(input);
      fates[typeof fate === 'string' ? fate : await fate] += 1;
    } catch (error) {
      Error.stackTraceLimit = stackTraceLimit;
      violation = await described(edge, seed, number, input, error);
    }
    if (number % batch !== 0) continue;
    progress(number);
    await new Promise((resolve) => setImmediate(resolve));
  }
  Error.stackTraceLimit = stackTraceLimit;
  const seconds = (performance.now() - begin) / 1000;
  const heap = [before, await memoryInUse()] as const;
  const perSecond = Math.round(number / seconds);
  return { edge: edge.name, inputs: number, ...fates, perSecond, heap, violation };
}

async function described<Input>(
  edge: Edge<Input>,
  seed: number,
  number: number,
  input: Input,
  error: unknown,
): Promise<string> {
  let [smallest, cause] = [input, error];
  let tries = 2000;
  for (let found = true; found && tries > 0;) {
    found = false;
    for (const each of edge.smaller(smallest)) {
      tries -= 1;
      const fault = await faultOf(edge, each);
      if (fault === null || tries <= 0) continue;
      [smallest, cause, found] = [each, fault, true];
      break;
    }
  }
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return `${edge.name}: RXRAFT_SEED=${seed}, input ${number}\n${edge.show(smallest)}\n${text}`;
}

async function faultOf<Input>(edge: Edge<Input>, input: Input): Promise<unknown> {
  try {
    await edge.feed(input);
    return null;
  } catch (error) {
    return error;
  }
}

export function summaryOf(results: readonly Result[]): string {
  const rows = [
    ['edge', 'inputs', 'refused', 'taken', 'a second', 'heap before', 'after (MiB)', 'violations'],
    ...results.map((each) => [
      ...[each.edge, each.inputs, each.refused, each.taken, each.perSecond].map(String),
      ...each.heap.map((mebibytes) => mebibytes.toFixed(1)),
      each.violation === null ? '0' : '1',
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => (row[at] ?? '').length)),
  );
  const padded = (row: string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  const total = results.reduce((sum, each) => sum + each.inputs, 0);
  return [...rows.map(padded), `${total.toLocaleString('en')} inputs`].join('\n');
}
