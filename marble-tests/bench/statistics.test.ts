import { array, assert, double, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, medianRatio, quantile } from '../../bench/statistics.js';

describe('a median', () => {
  it('is the one in the middle, or between the two', () => {
    expect(median([3])).toBe(3);
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 1, 2, 4])).toBe(3);
  });

  it('orders by value, not by spelling', () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  it('of nothing is an error, not a zero', () => {
    expect(() => median([])).toThrow(RangeError);
  });

  it('leaves the rounds in their order', () => {
    const rounds = [3, 1, 2];
    median(rounds);
    expect(rounds).toEqual([3, 1, 2]);
  });
});

describe('a quantile', () => {
  it('lies between two values by proportion', () => {
    expect(quantile([0, 10, 20, 30, 40], 0.25)).toBe(10);
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
    expect(quantile([0, 10, 20], 0)).toBe(0);
    expect(quantile([0, 10, 20], 1)).toBe(20);
  });

  it('is within the values, and the greatest at the end', () => {
    const value = integer({ min: -1e9, max: 1e9 });
    const share = double({ min: 0, max: 1, noNaN: true });
    assert(
      property(array(value, { minLength: 1 }), share, (list, part) => {
        const found = quantile(list, part);
        expect(found).toBeGreaterThanOrEqual(Math.min(...list) - 1e-3);
        expect(found).toBeLessThanOrEqual(quantile(list, 1) + 1e-3);
        expect(quantile(list, 1)).toBe(Math.max(...list));
      }),
    );
  });
});

describe('a ratio', () => {
  it('compares what was measured in the same round: a slow minute falls on both', () => {
    expect(medianRatio([10, 1000, 30], [5, 500, 15])).toBe(2);
  });

  it('needs the same rounds of both', () => {
    expect(() => medianRatio([1, 2], [1])).toThrow(RangeError);
  });
});
