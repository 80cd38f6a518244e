/** Whatever field of whatever line is changed: the trace does not hold any more. */
import { describe, expect, it } from 'vitest';
import { Random } from '../simulation/random.js';
import type { Line } from './line.js';
import { broken, replaced, runs } from './tampering.js';

/** The paths to all numbers, texts and flags of a line. */
function leavesOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (value === null || typeof value !== 'object') return [path];
  return Object.entries(value).flatMap(([key, each]) => leavesOf(each, [...path, key]));
}

function changed(value: unknown, random: Random): unknown {
  if (typeof value === 'number') return value > 0 && random.chance(0.5) ? value - 1 : value + 1;
  if (typeof value === 'boolean') return !value;
  return value === 'b' ? 'c' : 'b';
}

/** What a node may say just as well: nobody heard it, it is of no consequence, or it was true. */
const harmless = [
  /^persist hardState$/,
  /^persisted sequence$/,
  /^send message (round|refused|commitIndex|lastPosition)/,
  /^receive message round$/,
];

describe('any one field, changed', () => {
  it('is noticed, but for a few of no consequence', { timeout: 120_000 }, () => {
    const random = new Random(1);
    const escaped: string[] = [];
    let noticed = 0;
    for (let count = 0; count < 200; count += 1) {
      const lines = random.pick(runs.filter((each) => each.length < 2500)) ?? [];
      const at = random.below(lines.length);
      const line = structuredClone(lines[at]) as unknown as Record<string, unknown>;
      const path = random.pick(leavesOf(line)) ?? [];
      let holder = line;
      for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
      const key = path.at(-1) ?? '';
      holder[key] = changed(holder[key], random);
      if (broken(replaced(lines, at, line as unknown as Line)) !== null) noticed += 1;
      else escaped.push(`${lines[at]?.event ?? ''} ${path.join(' ')}`);
    }
    expect(escaped.filter((each) => !harmless.some((one) => one.test(each)))).toEqual([]);
    expect(noticed).toBeGreaterThan(185);
  });
});
