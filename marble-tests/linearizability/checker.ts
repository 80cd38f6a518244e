/**
 * Linearizability of a store of keys and values: is there, for each key, one order of all
 * operations, each within its call and its return, that a single register explains? Exact: it says
 * yes if and only if there is one, operations of unknown outcome included. A store is linearizable
 * when each of its keys is (Herlihy and Wing, 1990).
 */
import type { Operation } from './history.js';
import { readHistory } from './history.js';
import type { Step, Value } from './register.js';
import { freed, stepOf } from './register.js';
import { isLinearizable } from './search.js';

export interface Verdict {
  readonly isLinearizable: boolean;
  readonly operations: number;
  readonly keys: number;
  readonly failures: readonly Failure[];
}

/** A key that no order explains. */
export interface Failure {
  readonly key: string;
  /**
   * What can't be explained, in the order of the calls: operations that contradict each other
   * whatever became of all others. Without any one of them there would be an explanation.
   */
  readonly window: readonly Operation[];
}

/** Checks a history of JSON lines. Throws an Error for a line that is none. */
export function checkLines(text: string): Verdict {
  return checkHistory(readHistory(text));
}

/** `initial`: what each key has at the start. Default null, no key at all. */
export function checkHistory(
  operations: readonly Operation[],
  initial: (key: string) => Value = () => null,
): Verdict {
  const keys = new Map<string, Operation[]>();
  for (const operation of operations) {
    const same = keys.get(operation.key);
    if (same === undefined) keys.set(operation.key, [operation]);
    else same.push(operation);
  }
  const failures: Failure[] = [];
  for (const [key, same] of keys) {
    const steps = same.map(stepOf).filter((step) => step !== null);
    if (isLinearizable(steps, initial(key))) continue;
    const window = smallestWindow(steps, initial(key)).map((step) => step.operation);
    failures.push({ key, window });
  }
  const isGood = failures.length === 0;
  return { isLinearizable: isGood, operations: operations.length, keys: keys.size, failures };
}

/** The failure in words, an operation a line. */
export function describeFailure({ key, window }: Failure): string {
  const lines = window.map((each) => {
    const { client, op, value, expected, call, outcome } = each;
    const said = [
      op === 'cas' ? `${JSON.stringify(expected)} →` : '',
      value === undefined ? '' : JSON.stringify(value),
    ];
    const result =
      each.result === undefined ? outcome : `${outcome} ${JSON.stringify(each.result)}`;
    const what = [op, ...said].filter((word) => word !== '').join(' ');
    return `  ${call}…${each.return ?? ''} client ${client}: ${what} = ${result}`;
  });
  return [`no order explains these operations on ${JSON.stringify(key)}:`, ...lines].join('\n');
}

/**
 * The shortest beginning of the history that fails, of that the shortest end, and of that what is
 * left when everything that does not matter is put out of the question.
 */
function smallestWindow(steps: readonly Step[], initial: Value): Step[] {
  const fails = (question: readonly Step[]): boolean => !isLinearizable(question, initial);
  const ends = timesOf(steps);
  const end = first(ends.length, (at) =>
    fails(steps.flatMap((step) => until(step, ends[at] ?? 0))),
  );
  const begun = steps.flatMap((step) => until(step, ends[end] ?? 0));
  const isRequired = (step: Step): boolean => step.weight === 'required';
  const starts = timesOf(begun);
  const start = first(
    starts.length,
    (at) => !fails(without(begun, (step) => isRequired(step) && step.return < (starts[at] ?? 0))),
  );
  const earliest = starts[start - 1] ?? 0;
  let window = without(begun, (step) => isRequired(step) && step.return < earliest);
  const last = window.filter((step) => isRequired(step) && step.return === ends[end]);
  const values = new Set(last.map((step) => step.needs));
  const isNear = ({ needs, sets }: Step): boolean =>
    (needs !== undefined && values.has(needs)) || (sets !== undefined && values.has(sets));
  for (let size = window.length; size >= 1; size = Math.floor(size / 2)) {
    const required = window.filter(isRequired);
    // What has nothing to do with the value that was seen last is the first to go.
    required.sort((a, b) => Number(isNear(a)) - Number(isNear(b)));
    for (let at = 0; at < required.length; at += size) {
      const chunk = new Set(required.slice(at, at + size));
      const rest = without(window, (step) => chunk.has(step));
      if (fails(rest)) window = rest;
    }
  }
  return window.filter(isRequired).sort((a, b) => a.call - b.call);
}

function timesOf(steps: readonly Step[]): number[] {
  const required = steps.filter((step) => step.weight === 'required');
  return [...new Set(required.map((step) => step.return))].sort((a, b) => a - b);
}

/** What was known of a step at a time: nothing, that it was under way, or all of it. */
function until(step: Step, time: number): Step[] {
  if (step.call > time) return [];
  if (step.return <= time || step.weight !== 'required') return [step];
  return step.sets === undefined ? [] : [{ ...step, weight: 'optional', return: Infinity }];
}

/** Of the free ones that set the same value the first speaks for all. */
function without(steps: readonly Step[], isOut: (step: Step) => boolean): Step[] {
  const kept = steps.filter((step) => step.weight !== 'free' && !isOut(step));
  const free = new Map<Value | undefined, Step>();
  for (const step of steps) {
    const each = step.weight === 'free' ? step : isOut(step) ? freed(step) : null;
    if (each === null) continue;
    const known = free.get(each.sets);
    if (known === undefined || each.call < known.call) free.set(each.sets, each);
  }
  return [...kept, ...free.values()];
}

/** The first number below `length` for which it holds, given that it then holds for all greater. */
function first(length: number, holds: (at: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
