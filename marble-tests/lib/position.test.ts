/** Positions: their order is the vote rule. */
import { array, assert, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePositions, origin, samePosition } from '../../lib/index.js';
import { at } from './alphabet.js';

const position = record({ term: integer({ min: 0, max: 3 }), index: integer({ min: 0, max: 3 }) });

describe('positions', () => {
  it('are ordered by term, then by index: "later term", then "longer" (§5.4.1)', () => {
    const ascending = [origin, at(1, 1), at(1, 5), at(2, 4), at(2, 10), at(10, 1)];
    const shuffled = [4, 1, 5, 0, 3, 2].map((place) => ascending[place] ?? origin);
    expect(shuffled.sort(comparePositions)).toEqual(ascending);
  });

  it('A1: a longer log of an older term is not up-to-date, an equal one is', () => {
    expect(comparePositions(at(1, 5), at(2, 4))).toBeLessThan(0);
    expect(comparePositions(at(2, 4), at(1, 5))).toBeGreaterThan(0);
    expect(comparePositions(at(2, 4), at(2, 3))).toBeGreaterThan(0);
    expect(comparePositions(at(2, 4), at(2, 4))).toBe(0);
  });

  it('a total order, and equal when they are the same position', () => {
    assert(
      property(position, position, position, (a, b, c) => {
        expect(Math.sign(comparePositions(a, b))).toBe(-Math.sign(comparePositions(b, a)) + 0);
        expect(comparePositions(a, b) === 0).toBe(samePosition(a, b));
        expect(samePosition(a, b)).toBe(a.term === b.term && a.index === b.index);
        if (comparePositions(a, b) <= 0 && comparePositions(b, c) <= 0) {
          expect(comparePositions(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
    assert(
      property(array(position), (list) => {
        const keys = [...list].sort(comparePositions).map(({ term, index }) => term * 10 + index);
        expect(keys).toEqual([...keys].sort((a, b) => a - b));
      }),
    );
  });

  it('the origin is before everything, and can not be changed', () => {
    expect(origin).toEqual(at(0, 0));
    expect(Object.isFrozen(origin)).toBe(true);
    expect(comparePositions(origin, at(0, 1))).toBeLessThan(0);
  });
});
