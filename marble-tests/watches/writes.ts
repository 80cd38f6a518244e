/** What clients wrote, beside what those were told who watched. */
import type { Operation } from '../linearizability/history.js';
import type { Agreed } from './agreement.js';

interface Placed {
  readonly call: number;
  /** Infinity: nobody knows. */
  readonly end: number;
  readonly index: number;
}

interface Writes {
  readonly key: string;
  readonly value: string | null;
  readonly ok: Operation[];
  unknown: number;
}

/** Times and indices: a write that was called later has the larger index. */
class RealTime {
  private readonly byEnd: readonly (readonly [time: number, index: number])[];
  private readonly byCall: readonly (readonly [time: number, index: number])[];

  constructor(placed: readonly Placed[]) {
    let most = 0;
    this.byEnd = placed
      .filter(({ end }) => end !== Infinity)
      .sort((a, b) => a.end - b.end)
      .map(({ end, index }) => [end, (most = Math.max(most, index))]);
    let least = Infinity;
    this.byCall = [...placed]
      .sort((a, b) => b.call - a.call)
      .map(({ call, index }) => [-call, (least = Math.min(least, index))]);
  }

  /** The largest index of what had ended before. */
  before(call: number): number {
    return lastBelow(this.byEnd, call)?.[1] ?? 0;
  }

  /** The smallest index of what was called afterwards. */
  after(end: number): number {
    return lastBelow(this.byCall, -end)?.[1] ?? Infinity;
  }
}

function lastBelow<T extends readonly [number, number]>(
  list: readonly T[],
  time: number,
): T | null {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle]?.[0] ?? Infinity) >= time) high = middle;
    else low = middle + 1;
  }
  return list[low - 1] ?? null;
}

/** Of operations that each write a value of their own; where they do not, they are counted. */
export function faultsOfWrites(
  { entries, covered }: Agreed,
  operations: readonly Operation[],
): string[] {
  const told = toldOf(entries);
  const asked = writesOf(operations);
  const faults = [...told.keys()]
    .filter((name) => !asked.has(name))
    .map((name) => `${name} was told, and is of nobody`);
  const placed: Placed[] = [];
  for (const [name, { ok, unknown }] of asked) {
    const indices = told.get(name) ?? [];
    if (indices.length > ok.length + unknown) {
      const most = `done ${ok.length} times, and perhaps ${unknown} more`;
      faults.push(`${name} was told at ${indices.join()}: it was ${most}`);
    }
  }
  for (const operation of operations) {
    const indices = told.get(nameOf(operation)) ?? [];
    const writes = asked.get(nameOf(operation));
    const isOne = writes !== undefined && writes.value !== null && indices.length === 1;
    if (!isOne || writes.ok.length + writes.unknown !== 1 || operation.outcome === 'fail') continue;
    placed.push({ call: operation.call, end: endOf(operation), index: indices[0] ?? 0 });
  }
  const time = new RealTime(placed);
  for (const { call, index } of placed) {
    const before = time.before(call);
    if (index <= before) faults.push(`${index} was called when ${before} had ended`);
  }
  for (const [name, { ok }] of asked) {
    const indices = told.get(name) ?? [];
    for (const operation of ok) {
      const [after, before] = [time.before(operation.call), time.after(endOf(operation))];
      if (indices.some((index) => index > after && index < before)) continue;
      // Between those two it was told to nobody; perhaps because nobody was told of that time.
      const upTo = before === Infinity ? after + 1 : before - 1;
      const isCertain = covered.hasAll({ after, upTo }) && before !== Infinity;
      if (isCertain) faults.push(`${name} was done behind ${after} and before ${before}: not told`);
    }
  }
  return faults;
}

function toldOf(entries: Agreed['entries']): Map<string, number[]> {
  const told = new Map<string, number[]>();
  for (const [index, pairs] of entries) {
    for (const [key, value] of pairs) {
      const name = written(key, value);
      const indices = told.get(name);
      if (indices === undefined) told.set(name, [index]);
      else indices.push(index);
    }
  }
  return told;
}

/** What may have changed something, and what was refused, with nothing in it. */
function writesOf(operations: readonly Operation[]): Map<string, Writes> {
  const all = new Map<string, Writes>();
  for (const operation of operations) {
    const { op, key, outcome, result } = operation;
    if (op === 'get') continue;
    const value = op === 'delete' ? null : (operation.value ?? null);
    const name = written(key, value);
    const writes = all.get(name) ?? { key, value, ok: [], unknown: 0 };
    all.set(name, writes);
    const foundNothing = op === 'delete' && result === null;
    if (outcome === 'ok' && !foundNothing) writes.ok.push(operation);
    if (outcome === 'unknown') writes.unknown += 1;
  }
  return all;
}

function nameOf({ op, key, value }: Operation): string {
  return op === 'get' ? '' : written(key, op === 'delete' ? null : (value ?? null));
}

function endOf({ outcome, return: end }: Operation): number {
  return outcome === 'ok' ? (end ?? Infinity) : Infinity;
}

function written(key: string, value: string | null): string {
  return value === null ? `delete ${key}` : `${key}=${value}`;
}
