/**
 * The result as a table for people: in the terminal, and in Markdown.
 */
import { written } from './number.js';
import type { Aim, Row, Unit } from './row.js';
import { isMet } from './row.js';

const unitNames: Record<Unit, string> = { ns: 'ns', µs: 'µs', ms: 'ms', perSecond: '/s' };

const titles = ['case', 'measured', 'beside it', 'times as fast', 'aim', ''];

/** The lines of a table, its columns aligned. */
export function table(rows: readonly Row[]): string[] {
  const lines = [titles, ...rows.map(cells)];
  const widths = titles.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const aligned = lines.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 1 || column === 3 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return aligned.flatMap((line, at) => (at === 0 ? [line] : [line, ...details(rows[at - 1])]));
}

/** The same in Markdown. */
export function markdownTable(rows: readonly Row[]): string[] {
  const line = (all: readonly string[]): string => `| ${all.join(' | ')} |`;
  return [
    line([...titles.slice(0, -1), 'met']),
    '|---|--:|---|--:|---|---|',
    ...rows.map((row) => line(cells(row))),
  ];
}

function cells(row: Row): string[] {
  const unit = unitNames[row.unit];
  const met = isMet(row);
  return [
    row.case,
    `${written(row.value)} ${unit}`,
    row.beside === undefined ? '' : `${row.beside.name} ${written(row.beside.value)} ${unit}`,
    row.ratio === undefined ? '' : written(row.ratio),
    row.aim === undefined ? '' : aimText(row.aim, unit),
    met === null ? '' : met ? 'yes' : 'no',
  ];
}

/** As it was set: 1, not 1.00. */
function trimmed(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function aimText({ of, least, most }: Aim, unit: string): string {
  const suffix = of === 'value' ? ` ${unit}` : '';
  return least === undefined
    ? `≤ ${trimmed(most ?? NaN)}${suffix}`
    : `≥ ${trimmed(least)}${suffix}`;
}

function details(row: Row | undefined): string[] {
  const more = Object.entries(row?.more ?? {});
  if (more.length === 0) return [];
  return [`    ${more.map(([name, value]) => `${name} ${written(value)}`).join(' · ')}`];
}
