/** The columns of a log, against a sparse list. Its chunks have 1,024 slots. */
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Column } from '../../lib/column.js';

const chunk = 1024;

function valueColumn<T>(): Column<T | undefined> {
  return new Column((slots) => new Array<undefined>(slots).fill(undefined), undefined);
}

function numberColumn(): Column<number> {
  return new Column((slots) => new Float64Array(slots), 0);
}

const steps = array(
  record({
    what: constantFrom('push', 'pushMany', 'cut', 'drop', 'jump'),
    amount: integer({ min: 0, max: 2 * chunk }),
  }),
  { maxLength: 25 },
);

describe('a column', () => {
  it.each([
    ['of values', valueColumn<number>, undefined],
    ['of numbers', numberColumn, 0],
  ])('%s is a list of slots whose head is dropped and whose tail is cut', (_, make, empty) => {
    assert(
      property(integer({ min: 0, max: 3 * chunk }), steps, (start, list) => {
        const column = make();
        const model = new Map<number, number>();
        let last = start;
        let first = start + 1;
        let value = 0;
        const push = (): void => {
          last += 1;
          value += 1;
          column.push(last, value);
          model.set(last, value);
        };
        for (const { what, amount } of list) {
          if (what === 'push') push();
          if (what === 'pushMany') for (let count = 0; count < amount; count += 1) push();
          if (what === 'cut') {
            last = Math.max(first - 1, last - amount);
            column.cutAfter(last);
            for (const index of [...model.keys()]) if (index > last) model.delete(index);
          }
          if (what === 'drop') {
            first = Math.min(last + 1, first + amount);
            column.dropUpTo(first - 1);
          }
          if (what === 'jump') {
            // A reset: all is cut, and the next slot is anywhere.
            column.cutAfter(-1);
            model.clear();
            last += amount;
            first = last + 1;
          }
          const places = [
            first,
            first + 1,
            (first + last) >> 1,
            last - 1,
            last,
            last + 1,
            last + chunk,
          ];
          for (const index of places) {
            if (index >= first) expect(column.get(index) ?? empty).toBe(model.get(index) ?? empty);
          }
          const from = Math.max(first, last - 5);
          const expected = Array.from(
            { length: last + 1 - from },
            (_, slot) => model.get(from + slot) ?? empty,
          );
          expect([...column.slice(from, last)]).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('gives memory back: what is dropped or cut is held no more', () => {
    const column = valueColumn<number>();
    for (let index = 1; index <= 10 * chunk; index += 1) column.push(index, index);
    const { chunks } = column as unknown as { chunks: unknown[][] };
    expect(chunks).toHaveLength(11);
    column.dropUpTo(9 * chunk - 1);
    expect(chunks).toHaveLength(2);
    column.cutAfter(9 * chunk + 3);
    expect(chunks).toHaveLength(1);
    expect(column.get(9 * chunk)).toBe(9 * chunk);
    expect(column.get(9 * chunk + 4)).toBeUndefined();
    expect(chunks[0]?.filter((slot) => slot !== undefined)).toHaveLength(4);
  });

  it('slots that were never set, and those outside, hold nothing', () => {
    const column = valueColumn<string>();
    expect(column.get(0)).toBeUndefined();
    column.cutAfter(5);
    column.dropUpTo(5);
    column.push(3 * chunk + 7, 'x');
    expect(column.slice(3 * chunk + 6, 3 * chunk + 8)).toEqual([undefined, 'x', undefined]);
    expect(column.get(0)).toBeUndefined();
    expect(column.get(9 * chunk)).toBeUndefined();
  });
});
