import { describe, expect, it } from 'vitest';
import { chart } from '../../bench/chart.js';
import type { Row } from '../../bench/row.js';

const row = (name: string, ratio?: number, least?: number): Row => ({
  part: 'core',
  case: name,
  unit: 'ns',
  value: 1,
  ...(ratio !== undefined && { ratio, beside: { name: 'noraft', value: ratio } }),
  ...(least !== undefined && { aim: { of: 'ratio', least } }),
});

const count = (text: string, part: string): number => text.split(part).length - 1;

describe('a chart', () => {
  it('has a bar for each ratio, and none for a row without', () => {
    const svg = chart([row('a', 2), row('b'), row('c', 0.5)], 'a machine');
    expect(count(svg, '<rect ')).toBe(2);
    expect(svg).toContain('a / noraft');
    expect(svg).not.toContain('>b<');
  });

  it('grows from the line of equals: to the right when faster, to the left when slower', () => {
    const svg = chart([row('a', 4), row('b', 0.25)], 'a machine');
    const one = /class="one" x1="([\d.]+)"/.exec(svg)?.[1];
    const [fast, slow] = [...svg.matchAll(/<rect class="plain" x="([\d.]+)".* width="([\d.]+)"/g)];
    expect(fast?.[1]).toBe(one);
    expect(Number(slow?.[1]) + Number(slow?.[2])).toBeCloseTo(Number(one), 0);
    expect(Number(fast?.[2])).toBeCloseTo(Number(slow?.[2]), 0);
  });

  it('tells an aim that is met from one that is missed, and marks each', () => {
    const svg = chart([row('a', 2, 1), row('b', 0.5, 1), row('c', 3)], 'a machine');
    expect([...svg.matchAll(/<rect class="(\w+)"/g)].map((each) => each[1])).toEqual([
      'met',
      'missed',
      'plain',
    ]);
    expect(count(svg, 'class="aim"')).toBe(2);
  });

  it('can be read in light and in dark, and says what was measured on', () => {
    const svg = chart([], 'a <machine> & more');
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).toContain('a &lt;machine> &amp; more');
  });
});
