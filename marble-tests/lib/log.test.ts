/**
 * A node's log, against the most naive model (a list of entries with their positions) under random
 * sequences of what is done to it. fast-check prints the seed and the smallest example.
 */
import type { Arbitrary } from 'fast-check';
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../lib/index.js';
import {
  clusterOf,
  comparePositions,
  entriesOf,
  InvariantError,
  origin,
  positionedEntries,
} from '../../lib/index.js';
import { Log } from '../../lib/log.js';
import { abc, at } from './alphabet.js';
import { LogModel } from './log-model.js';

const sizeOf = (command: string): number => command.length;

type What =
  'term' | 'config' | 'commands' | 'voids' | 'entries' | 'cut' | 'compact' | 'reset' | 'slice';

interface Step {
  readonly what: What;
  /** How many, how far back, or how much the term grows. */
  readonly size: number;
  readonly more: number;
}

const step: Arbitrary<Step> = record({
  what: constantFrom<What>(
    ...(['term', 'config', 'commands', 'commands', 'voids', 'entries'] as const),
    ...(['entries', 'cut', 'compact', 'reset', 'slice', 'slice'] as const),
  ),
  size: integer({ min: 0, max: 12 }),
  more: integer({ min: 0, max: 12 }),
});

/** Does the same to both. */
function run(log: Log<string>, model: LogModel, { what, size, more }: Step): void {
  const { last, base } = model;
  const within = Math.max(base.index, last.index - size);
  const config = clusterOf([`v${size}`, `w${more}`]);
  const command = `${'x'.repeat(more)}${last.index}`;
  if (what === 'term') {
    log.appendTerm(last.term + 1 + size);
    model.push({ type: 'term', term: last.term + 1 + size });
  } else if (what === 'config') {
    log.appendConfig(config);
    model.push({ type: 'config', config });
  } else if (what === 'commands' || what === 'voids') {
    const commands = new Array<string | undefined>(size).fill(
      what === 'voids' ? undefined : command,
    );
    log.appendCommands(commands as string[]);
    for (const each of commands) model.push({ type: 'command', command: each });
  } else if (what === 'entries') {
    // A message that overlaps the log, the rest of which is cut first when it is shorter.
    const skip = Math.min(more, last.index - base.index);
    const here = model.list.slice(model.list.length - skip).map(({ entry }) => entry);
    const news: LogEntry<string | undefined>[] = [
      { type: 'command', command },
      { type: 'term', term: last.term + 1 + size },
      { type: 'config', config },
      { type: 'command', command: undefined },
    ];
    const tail = news.slice(size % 3);
    const prev = at(model.termAt(last.index - skip) ?? 0, last.index - skip);
    log.appendEntries(entriesOf(prev, [...here, ...tail]) as never, skip);
    for (const each of tail) model.push(each);
  } else if (what === 'cut') {
    log.cutAfter(within);
    model.cutAfter(within);
  } else if (what === 'compact') {
    log.compact(within);
    model.compact(within);
  } else if (what === 'reset') {
    const position = at(last.term + more, last.index + size - 3 < 1 ? 1 : last.index + size - 3);
    log.reset(position, config);
    model.reset(position, config);
  } else {
    const to = Math.min(last.index, within + more);
    expectSlice(log, model, within, to);
  }
}

function expectSlice(log: Log<string>, model: LogModel, from: number, to: number): void {
  const slice = log.slice(from, to);
  const wanted = model.upTo(to).filter(({ position }) => position.index > from);
  expect(slice.prevPosition).toEqual(at(model.termAt(from) ?? -1, from));
  expect([...positionedEntries(slice)]).toEqual(wanted);
  expect(slice).toEqual(
    entriesOf(
      slice.prevPosition,
      wanted.map(({ entry }) => entry),
    ),
  );
}

/** Compares every answer of the two, also just outside of the log. */
function expectSame(log: Log<string>, model: LogModel, sized: boolean): void {
  const { base, last } = model;
  expect(log.base).toEqual(base);
  expect(log.lastPosition).toEqual(last);
  expect(log.latestConfig).toEqual(model.configAt(last.index));
  const configs = model.list.filter(({ entry }) => entry.type === 'config');
  expect(log.latestConfigIndex).toBe(configs.at(-1)?.position.index ?? base.index);
  expect(log.previousConfig).toEqual(
    configs.length === 0 ? model.baseConfig : model.configAt(log.latestConfigIndex - 1),
  );
  for (let index = base.index - 1; index <= last.index + 1; index += 1) {
    const term = model.termAt(index);
    expect(log.termAt(index)).toBe(term);
    expect(log.contains(at(term ?? 0, index))).toBe(term !== null);
    expect(log.contains(at((term ?? 0) + 1, index))).toBe(false);
    if (index < base.index || index > last.index) continue;
    expect(log.positionAt(index)).toEqual(at(term ?? -1, index));
    expect(log.configAt(index)).toEqual(model.configAt(index));
    const next = model.list.find(
      ({ position }) => position.index > index && position.term !== term,
    );
    expect(log.runAfter(index)).toBe(next?.position.index ?? last.index + 1);
    expect(log.bytesBetween(index, last.index)).toBe(sized ? model.bytes(index, last.index) : 0);
    expect(log.bytesBetween(base.index, index)).toBe(sized ? model.bytes(base.index, index) : 0);
  }
  expectSlice(log, model, base.index, last.index);
}

function expectSearches(
  log: Log<string>,
  model: LogModel,
  sized: boolean,
  { size, more }: Step,
): void {
  const { base, last } = model;
  // "The last position that is not after the given one in term nor in index, or the origin."
  for (const asked of [
    at(Math.max(0, last.term - size), last.index + more - 6),
    at(last.term - more + 2, last.index - size),
    at(base.term - 1, last.index),
    at(base.term, base.index - 1),
  ]) {
    const fits = [base, ...model.list.map(({ position }) => position)].filter(
      ({ term, index }) => term <= asked.term && index <= asked.index,
    );
    expect(log.lastNotAfter(asked)).toEqual(fits.sort(comparePositions).at(-1) ?? origin);
  }
  // "The last index up to which the entries fit: one entry at the least."
  const from = Math.max(base.index, last.index - size);
  if (from === last.index) return;
  for (const bytes of [1, size + more, 10 * more]) {
    for (const count of [1, 1 + more, 100]) {
      let end = from + 1;
      const fits = (to: number): boolean =>
        to <= last.index && to <= from + count && (!sized || model.bytes(from, to) <= bytes);
      while (fits(end + 1)) end += 1;
      expect(log.lastWithin(from, count, bytes)).toBe(end);
    }
  }
}

describe('a log is what the naive list of its entries is', () => {
  it.each([
    ['with sizes', true],
    ['without sizes', false],
  ])('after any sequence of appends, cuts, compactions, resets and slices, %s', (_, sized) => {
    assert(
      property(array(step, { maxLength: 30 }), (list) => {
        const log = new Log<string>(sized ? sizeOf : null);
        const model = new LogModel();
        for (const each of list) {
          run(log, model, each);
          expectSame(log, model, sized);
          expectSearches(log, model, sized, each);
        }
      }),
      { numRuns: 80 },
    );
  });

  it('also across the chunks of the columns', () => {
    const log = new Log<string>(sizeOf);
    const model = new LogModel();
    const many = (count: number): void => {
      const commands = Array.from({ length: count }, (_, number) => `c${number}`);
      log.appendCommands(commands);
      for (const command of commands) model.push({ type: 'command', command });
    };
    log.appendTerm(1);
    model.push({ type: 'term', term: 1 });
    many(2500);
    for (const [what, index] of [
      ['compact', 1023],
      ['cut', 2047],
      ['compact', 1024],
      ['cut', 1030],
      ['compact', 1030],
    ] as const) {
      if (what === 'compact') log.compact(index);
      else log.cutAfter(index);
      if (what === 'compact') model.compact(index);
      else model.cutAfter(index);
      expectSlice(log, model, log.base.index, log.lastIndex);
      expect(log.bytesBetween(log.base.index, log.lastIndex)).toBe(
        model.bytes(log.base.index, log.lastIndex),
      );
    }
    many(1100);
    expectSlice(log, model, 1031, 2130);
    expect(log.bytesBetween(1035, 2130)).toBe(model.bytes(1035, 2130));
  });
});

describe('a slice', () => {
  const log = new Log<string>(null);
  log.appendConfig(abc);
  log.appendTerm(1);
  log.appendCommands(['x', 'y']);

  it('is data of its own: what is appended or cut afterwards does not show in it', () => {
    const slice = log.slice(0, 4);
    const before = structuredClone(slice);
    log.cutAfter(3);
    log.appendTerm(2);
    expect(slice).toEqual(before);
    log.cutAfter(3);
    log.appendCommands(['y']);
    expect(log.slice(0, 4)).toEqual(before);
  });

  it('is shared within a turn, and made anew when the log has been cut', () => {
    const slice = log.slice(2, 4);
    expect(log.slice(2, 4)).toBe(slice);
    log.cutAfter(3);
    log.appendCommands(['z']);
    expect(log.slice(2, 4)).not.toBe(slice);
    expect(log.slice(2, 4).commands).toEqual(['x', 'z']);
  });
});

describe('what is compacted', () => {
  it('is not there, even if it was the newest slice', () => {
    const log = new Log<string>(null);
    log.appendTerm(1);
    log.appendCommands(['x', 'y']);
    expect(log.slice(0, 2).length).toBe(2);
    log.compact(2);
    expect(() => log.slice(0, 2)).toThrow(InvariantError);
    expect(log.slice(2, 3).commands).toEqual(['y']);
  });
});

describe('a log that would not be one throws an InvariantError', () => {
  const log = new Log<string>(null);
  log.reset(at(2, 5), abc);
  log.appendCommands(['x']);

  it.each<[string, string, (broken: Log<string>) => unknown]>([
    ['a term that does not grow', 'term 2 after term 2', (it) => it.appendTerm(2)],
    [
      'a gap',
      'a gap after index 6',
      (it) => it.appendEntries(entriesOf(at(2, 7), [{ type: 'term', term: 3 }]), 0),
    ],
    ['a cut in front of the base', 'index 4 is compacted', (it) => it.cutAfter(4)],
    ['a cut behind the end', 'index 7 is not in the log', (it) => it.cutAfter(7)],
    ['a compaction behind the end', 'index 7 is not in the log', (it) => it.compact(7)],
    ['a compaction in front of the base', 'index 4 is not in the log', (it) => it.compact(4)],
    ['a position that is not there', 'index 7 is not in the log', (it) => it.positionAt(7)],
    ['a slice that is not there', 'no entries after 5 up to 7 in the log', (it) => it.slice(5, 7)],
  ])('%s', (_, words, wrong) => {
    expect(() => wrong(log)).toThrow(new InvariantError(words));
    expect(log.lastPosition).toEqual(at(2, 6));
    expect(log.base).toEqual(at(2, 5));
  });

  it('C2: behind a snapshot nothing of the old log is left', () => {
    const old = new Log<string>(sizeOf);
    old.appendTerm(1);
    old.appendCommands(['xx', 'y']);
    old.reset(at(3, 2), abc);
    expect(old.lastPosition).toEqual(at(3, 2));
    expect(old.contains(at(1, 1))).toBe(false);
    expect(old.bytesBetween(0, 99)).toBe(0);
    old.appendCommands(['zzz']);
    expect(old.bytesBetween(2, 3)).toBe(3);
    expect(old.slice(2, 3)).toEqual(entriesOf(at(3, 2), [{ type: 'command', command: 'zzz' }]));
  });
});
