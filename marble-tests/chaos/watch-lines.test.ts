/** What the command prints is taken for what it was told. */
import { expect, it } from 'vitest';
import type { Told } from '../watches/recording.js';
import { CommandLines } from './watch-lines.js';

function heard(texts: readonly string[], isWhole: boolean): [told: Told[], faults: string[]] {
  const told: Told[] = [];
  const faults: string[] = [];
  const lines = new CommandLines(
    (each) => told.push(each),
    (text) => faults.push(text),
  );
  for (const text of texts) lines.hear(text);
  lines.end(isWhole);
  return [told, faults];
}

const put = (index: number, key: string): string =>
  `${JSON.stringify({ index, type: 'put', key, value: 'v' })}\n`;
const of = (type: string): string =>
  `${JSON.stringify({ index: 7, type, key: 'x', value: 'v' })}\n`;

const entry: Told = {
  type: 'changes',
  index: 3,
  pairs: [
    ['a', 'v'],
    ['b', 'v'],
  ],
};
const next: Told = { type: 'changes', index: 4, pairs: [['c', 'v']] };
const content: Told = { type: 'current', index: 7, isLast: true, pairs: [['x', 'v']] };

it('takes the lines of an entry together', () => {
  const text = `${put(3, 'a')}${put(3, 'b')}${put(4, 'c')}`;
  expect(heard([text], true)).toEqual([[entry, next], []]);
  expect(heard(text.split(/(?=.)/), true)).toEqual([[entry, next], []]);
});

it('leaves what a kill may have cut', () => {
  expect(heard([put(3, 'a'), put(3, 'b'), put(4, 'c')], false)).toEqual([[entry], []]);
  expect(heard([put(3, 'a'), put(3, 'b'), put(4, 'c').slice(0, 9)], false)).toEqual([[], []]);
});

it('believes in a content that is complete, and in no other', () => {
  const whole = [of('compacted'), of('current'), of('complete')];
  expect(heard(whole, true)).toEqual([[content], []]);
  expect(heard([of('compacted'), of('current'), put(4, 'c')], true)).toEqual([[next], []]);
  expect(heard([of('compacted'), of('current'), ...whole], true)).toEqual([[content], []]);
});

it('finds a part of a line, and what is none', () => {
  expect(heard([put(3, 'a').slice(0, 9)], true)[1]).toHaveLength(1);
  expect(heard(['what?\n'], true)[1]).toHaveLength(1);
  expect(heard([of('current')], true)[1]).toHaveLength(1);
});
