/** What is noted of live settings is judged right: a fault of each kind, and none without one. */
import { expect, it } from 'vitest';
import { judgeSettings } from './replicas/settings-told.js';

const told = (version: number, value: string, run = 'a of 1') =>
  ['told', 'pace', version, value, run.slice(0, 1), run] as const;
const set = (version: number, value: string, begin: number, expected: number | null = null) =>
  ['set', 'pace', version, value, begin, begin + 5, expected] as const;
const read = (version: number, value: string, begin: number) =>
  ['read', 'pace', version, value, begin] as const;

type Line = readonly (string | number | null)[];

const well: readonly Line[] = [
  told(0, 'none'),
  read(0, 'none', 1),
  set(1, 'x', 2, 0),
  told(1, 'x'),
  set(2, 'y', 10),
  // Under way at the same time: it may know either.
  read(1, 'x', 12),
  ['refused', 'pace', 2, 20],
  told(2, 'y'),
  // A process that starts again begins where its disk is.
  told(1, 'x', 'a of 2'),
  told(2, 'y', 'a of 2'),
];

const faults: readonly (readonly [string, readonly Line[], RegExp])[] = [
  ['nothing', [], /^$/],
  [
    'a process that goes back',
    [told(1, 'x', 'a of 2'), told(2, 'y', 'a of 2')],
    /from version 2 to/,
  ],
  ['another value', [told(2, 'z')], /^version 2 of pace is y, and z$/],
  ['a value twice', [set(3, 'y', 30), told(3, 'y')], /^y of pace has version 2, and 3\n/],
  ['a change of another version', [set(3, 'z', 30, 1), told(3, 'z')], /was to replace version 1/],
  ['a stale read', [read(1, 'x', 16)], /^a read of pace knows 1, and 2 was acknowledged before$/],
  ['a stale refusal', [['refused', 'pace', 1, 16]], /^a refused of pace knows 1/],
  ['a change that is put before', [set(2, 'y', 30)], /^a set of pace knows 1/],
  ['the last that is not told', [set(3, 'z', 30)], /^a was told of pace up to 2, and 3/],
];

it.each(faults)('of a history with %s', (_, more, expected) => {
  const found: string[] = [];
  judgeSettings([...well, ...more], ['a'], (text) => found.push(text));
  expect(found.join('\n')).toMatch(expected);
});
