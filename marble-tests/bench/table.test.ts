import { describe, expect, it } from 'vitest';
import { written } from '../../bench/number.js';
import type { Row } from '../../bench/row.js';
import { markdownTable, table } from '../../bench/table.js';

const rows: readonly Row[] = [
  {
    part: 'core',
    case: 'single',
    unit: 'ns',
    value: 1234.5,
    beside: { name: 'noraft', value: 617 },
    ratio: 0.5,
    aim: { of: 'ratio', least: 1 },
  },
  { part: 'core', case: 'a', unit: 'µs', value: 2, aim: { of: 'value', most: 2.5 } },
  { part: 'core', case: 'b', unit: 'perSecond', value: 10, more: { 'p50 ms': 1, 'p99 ms': 12 } },
];

describe('a table', () => {
  it('has aligned columns, and details below their row', () => {
    expect(table(rows)).toEqual([
      'case    measured  beside it      times as fast  aim',
      'single  1,235 ns  noraft 617 ns          0.500  ≥ 1       no',
      'a        2.00 µs                                ≤ 2.5 µs  yes',
      'b        10.0 /s',
      '    p50 ms 1.00 · p99 ms 12.0',
    ]);
  });

  it('in Markdown', () => {
    expect(markdownTable(rows)).toEqual([
      '| case | measured | beside it | times as fast | aim | met |',
      '|---|--:|---|--:|---|---|',
      '| single | 1,235 ns | noraft 617 ns | 0.500 | ≥ 1 | no |',
      '| a | 2.00 µs |  |  | ≤ 2.5 µs | yes |',
      '| b | 10.0 /s |  |  |  |  |',
    ]);
  });
});

describe('a number', () => {
  it.each([
    [1234567.8, '1,234,568'],
    [100, '100'],
    [99.94, '99.9'],
    [9.876, '9.88'],
    [0.1234, '0.123'],
    [0, '0.00'],
    [-12.34, '-12.3'],
    [Infinity, 'Infinity'],
  ])('%d is written %s', (value, text) => {
    expect(written(value)).toBe(text);
  });
});
