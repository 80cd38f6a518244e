import { describe, expect, it } from 'vitest';
import { withFigures } from '../../bench/figures.js';
import type { Row } from '../../bench/row.js';

const rows: readonly Row[] = [
  { part: 'core', case: 'single', unit: 'ns', value: 100, more: { 'p99 ms': 2 } },
];

const document = [
  '# Title',
  '<!-- figures: core -->',
  'old',
  '<!-- end: core -->',
  'Words.',
  '<!-- figures: start -->',
  'kept',
  '<!-- end: start -->',
].join('\n');

describe('figures in a document', () => {
  it('stand between their marks, and nothing else is touched', () => {
    const text = withFigures(document, 'core', rows, 'a machine');
    expect(text).toBe(
      [
        '# Title',
        '<!-- figures: core -->',
        '',
        'Measured on a machine.',
        '',
        '| case | measured | beside it | times as fast | aim | met |',
        '|---|--:|---|--:|---|---|',
        '| single | 100 ns |  |  |  |  |',
        '',
        '- single: p99 ms 2.00',
        '',
        '<!-- end: core -->',
        'Words.',
        '<!-- figures: start -->',
        'kept',
        '<!-- end: start -->',
      ].join('\n'),
    );
  });

  it('replace those that were there', () => {
    const once = withFigures(document, 'core', rows, 'a machine');
    expect(withFigures(once, 'core', rows, 'a machine')).toBe(once);
  });

  it('need their marks: nothing is written to a place that was made up', () => {
    expect(() => withFigures(document, 'reads', rows, 'a machine')).toThrow(/no marks/);
  });
});
