import { describe, expect, it } from 'vitest';
import { circle, direct, operator } from '../../bench/operator/contenders.js';

describe('the three ways of a proposal', () => {
  it.each([
    ['by calls', direct],
    ['through the operator', operator],
    ['through the loop', circle],
  ])('%s: each proposal is applied, run after run', (_, contender) => {
    const run = contender();
    expect(() => run(50)).not.toThrow();
    expect(() => run(50)).not.toThrow();
  });
});
