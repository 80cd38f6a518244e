import { describe, expect, it } from 'vitest';
import type { Row } from '../../bench/row.js';
import { isMet, rowOf } from '../../bench/row.js';

const heading = { part: 'core', case: 'one' };

describe('a row', () => {
  it('of times: less is faster', () => {
    const beside = { name: 'noraft', values: [200, 400, 300] };
    const row = rowOf({ ...heading, unit: 'ns' }, [100, 100, 100], beside);
    expect(row).toEqual({
      part: 'core',
      case: 'one',
      unit: 'ns',
      value: 100,
      beside: { name: 'noraft', value: 300 },
      ratio: 3,
    });
  });

  it('of what is done in a second: more is faster', () => {
    const beside = { name: 'etcd', values: [50, 50] };
    expect(rowOf({ ...heading, unit: 'perSecond' }, [100, 200], beside).ratio).toBe(3);
  });

  it('has no aim for a ratio when nothing was measured beside it', () => {
    const aim = { of: 'ratio', least: 1 } as const;
    expect(rowOf({ ...heading, unit: 'ns', aim }, [1])).not.toHaveProperty('aim');
  });
});

describe('an aim', () => {
  const row = (aim: Row['aim'], ratio?: number): Row => ({
    ...heading,
    unit: 'ns',
    value: 100,
    ...(ratio !== undefined && { ratio }),
    ...(aim !== undefined && { aim }),
  });

  it.each([
    [{ of: 'ratio', least: 2 } as const, 2, true],
    [{ of: 'ratio', least: 2 } as const, 1.99, false],
    [{ of: 'ratio', most: 0.3 } as const, 0.31, false],
    [{ of: 'value', most: 100 } as const, 5, true],
    [{ of: 'value', most: 99 } as const, 5, false],
  ])('%j with the ratio %d: %s', (aim, ratio, met) => {
    expect(isMet(row(aim, ratio))).toBe(met);
  });

  it('that is none is neither met nor missed, nor is one that was not measured', () => {
    expect(isMet(row(undefined))).toBeNull();
    expect(isMet(row({ of: 'ratio', least: 1 }))).toBeNull();
  });
});
