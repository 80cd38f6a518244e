/**
 * Ranges of the log as plain data, against the most naive model: a list of entries, each with its
 * position. fast-check prints the seed and the smallest example of what it finds.
 */
import { assert, array, constantFrom, integer, oneof, property, record } from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogEntries, LogEntry, LogPosition, PositionedEntry } from '../../lib/index.js';
import {
  appendEntries,
  clusterOf,
  contains,
  containsIndex,
  emptyEntries,
  entriesOf,
  entryAt,
  lastIndex,
  lastPosition,
  origin,
  positionedEntries,
  termAt,
  truncate,
} from '../../lib/index.js';
import { at } from './alphabet.js';

const configs = [clusterOf(['a']), { voters: ['a'], newVoters: ['a', 'b'], nonVoters: ['c'] }];

/** What an entry is; a marker raises the term by `raise`. */
interface Drawn {
  readonly kind: 'term' | 'config' | 'command' | 'void';
  readonly raise: number;
}

const drawn: Arbitrary<Drawn> = record({
  kind: constantFrom('term', 'config', 'command', 'command', 'void'),
  raise: integer({ min: 1, max: 3 }),
});
const drawnList = array(drawn, { maxLength: 30 });
/** With commands that have no value at all: those of `Node<void>`. */
const anyList = oneof(
  drawnList,
  array(record({ kind: constantFrom('void', 'term'), raise: integer({ min: 1, max: 3 }) }), {
    maxLength: 30,
  }),
);
const position = record({ term: integer({ min: 0, max: 5 }), index: integer({ min: 0, max: 9 }) });

/** The model: every entry with its position. */
function modelOf(prev: LogPosition, list: readonly Drawn[]): PositionedEntry<string | undefined>[] {
  let { term } = prev;
  return list.map(({ kind, raise }, slot) => {
    if (kind === 'term') term += raise;
    const index = prev.index + 1 + slot;
    return { position: { term, index }, entry: entryOf(kind, term, index) };
  });
}

function entryOf(kind: Drawn['kind'], term: number, index: number): LogEntry<string | undefined> {
  if (kind === 'term') return { type: 'term', term };
  if (kind === 'config') return { type: 'config', config: configs[index % 2] ?? clusterOf([]) };
  return { type: 'command', command: kind === 'void' ? undefined : `${term}.${index}` };
}

type Range = LogEntries<string | undefined>;

/** Compares a range with the model by each of its functions, also just outside of it. */
function expectSame(
  range: Range,
  prev: LogPosition,
  model: readonly PositionedEntry<string | undefined>[],
): void {
  expect(range.length).toBe(model.length);
  expect(range.prevPosition).toEqual(prev);
  expect(lastIndex(range)).toBe(prev.index + model.length);
  expect(lastPosition(range)).toEqual(model.at(-1)?.position ?? prev);
  expect([...positionedEntries(range)]).toEqual(model);
  for (let index = prev.index - 2; index <= prev.index + model.length + 2; index += 1) {
    const here = model.find((each) => each.position.index === index);
    const term = index === prev.index ? prev.term : (here?.position.term ?? null);
    expect(termAt(range, index)).toBe(term);
    expect(containsIndex(range, index)).toBe(term !== null);
    expect(entryAt(range, index)).toEqual(here?.entry ?? null);
    for (let other = 0; other <= (term ?? 0) + 1; other += 1) {
      expect(contains(range, { term: other, index })).toBe(other === term);
    }
  }
}

describe('a range of the log is what the naive list of its entries is', () => {
  it('however it is built: at once, by appending, by truncating', () => {
    assert(
      property(
        position,
        anyList,
        anyList,
        integer({ min: -1, max: 70 }),
        (prev, one, two, length) => {
          const model = modelOf(prev, [...one, ...two]);
          const entries = model.map(({ entry }) => entry);
          const whole = entriesOf(prev, entries);
          expectSame(whole, prev, model);

          const head = entriesOf(prev, entries.slice(0, one.length));
          const appended = appendEntries(head, ...entries.slice(one.length));
          expect(appended).toEqual(whole);
          let one1: Range = emptyEntries(prev);
          for (const entry of entries) one1 = appendEntries(one1, entry);
          expect(one1).toEqual(whole);

          const short = Math.max(0, Math.min(length, model.length));
          expectSame(truncate(whole, length), prev, model.slice(0, short));
          expect(truncate(whole, length)).toEqual(entriesOf(prev, entries.slice(0, short)));
        },
      ),
    );
  });

  it('one canonical form: terms ascend, and nothing is kept for commands without a value', () => {
    assert(
      property(position, anyList, (prev, list) => {
        const model = modelOf(prev, list);
        const range = entriesOf(
          prev,
          model.map(({ entry }) => entry),
        );
        expect(range.terms.length).toBe(list.filter(({ kind }) => kind === 'term').length);
        expect(range.configs.length).toBe(list.filter(({ kind }) => kind === 'config').length);
        const valued = list.some(({ kind }) => kind === 'command');
        expect(range.commands?.length ?? null).toBe(valued ? list.length : null);
        expect(structuredClone(range)).toEqual(range);
      }),
    );
  });

  it('neither appending nor truncating changes what it was given', () => {
    const range = entriesOf<string>(origin, [
      { type: 'config', config: clusterOf(['a']) },
      { type: 'term', term: 1 },
      { type: 'command', command: 'x' },
    ]);
    const before = structuredClone(range);
    appendEntries(range, { type: 'command', command: 'y' }, { type: 'term', term: 2 });
    truncate(range, 1);
    expect(range).toEqual(before);
  });
});

describe('the functions of the reference, one by one', () => {
  const range = entriesOf<string>(at(1, 4), [
    { type: 'command', command: 'x' },
    { type: 'term', term: 3 },
    { type: 'config', config: clusterOf(['a', 'b']) },
    { type: 'command', command: 'y' },
  ]);

  it('empty: length 0, isEmpty, prevPosition = lastPosition', () => {
    expect(emptyEntries()).toEqual(entriesOf(origin, []));
    expect(emptyEntries(at(2, 7))).toMatchObject({ length: 0, prevPosition: at(2, 7) });
    expect(lastPosition(emptyEntries(at(2, 7)))).toEqual(at(2, 7));
  });

  it('fromEntries, length, prevPosition, lastPosition', () => {
    expect(range).toEqual({
      prevPosition: at(1, 4),
      length: 4,
      terms: [{ index: 6, term: 3 }],
      configs: [{ index: 7, config: clusterOf(['a', 'b']) }],
      commands: ['x', undefined, undefined, 'y'],
    });
    expect(lastPosition(range)).toEqual(at(3, 8));
  });

  it('append one or many: a term that would go down is refused', () => {
    const longer = appendEntries(
      range,
      { type: 'term', term: 4 },
      { type: 'command', command: 'z' },
    );
    expect(lastPosition(longer)).toEqual(at(4, 10));
    expect(() => appendEntries(range, { type: 'term', term: 3 })).toThrow(RangeError);
    expect(() => entriesOf(at(2, 1), [{ type: 'term', term: 1 }])).toThrow('term 1 after term 2');
  });

  it('contains (prev included), containsIndex, termAt, entryAt', () => {
    expect([at(1, 4), at(1, 5), at(3, 6), at(3, 8)].map((each) => contains(range, each))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([at(1, 3), at(2, 4), at(1, 6), at(3, 9)].map((each) => contains(range, each))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([3, 4, 5, 6, 8, 9].map((index) => containsIndex(range, index))).toEqual([
      false,
      true,
      true,
      true,
      true,
      false,
    ]);
    expect([3, 4, 5, 6, 8, 9].map((index) => termAt(range, index))).toEqual([
      null,
      1,
      1,
      3,
      3,
      null,
    ]);
    expect([4, 5, 6, 7, 9].map((index) => entryAt(range, index)?.type ?? null)).toEqual([
      null,
      'command',
      'term',
      'config',
      null,
    ]);
  });

  it('B15: an entry that is not there has no term, and none is equal to 0', () => {
    expect(termAt(range, 3)).toBeNull();
    expect(contains(range, at(0, 3))).toBe(false);
    expect(contains(emptyEntries(), origin)).toBe(true);
    expect(contains(emptyEntries(), at(1, 0))).toBe(false);
  });

  it('truncate caps a message, and cuts the payload with it', () => {
    expect(truncate(range, 2)).toEqual({
      prevPosition: at(1, 4),
      length: 2,
      terms: [{ index: 6, term: 3 }],
      configs: [],
      commands: ['x', undefined],
    });
    expect(truncate(range, 4)).toBe(range);
    expect(truncate(range, 0)).toEqual(emptyEntries(at(1, 4)));
  });

  it('memory O(terms + configurations) when commands carry nothing', () => {
    const voids = Array.from(
      { length: 10_000 },
      () => ({ type: 'command', command: undefined }) as const,
    );
    const cheap = entriesOf(origin, [{ type: 'term', term: 1 }, ...voids]);
    expect(JSON.stringify(cheap).length).toBeLessThan(150);
    expect(cheap.length).toBe(10_001);
    expect(entryAt(cheap, 5000)).toEqual({ type: 'command', command: undefined });
  });
});
