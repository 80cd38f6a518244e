/**
 * Figures in a document: between two marks for each part, so that what is written around them
 * stays, and a part can be measured again alone.
 */
import { written } from './number.js';
import type { Row } from './row.js';
import { markdownTable } from './table.js';

/** The document with these rows in the place of the part's. Throws an Error without its marks. */
export function withFigures(
  text: string,
  part: string,
  rows: readonly Row[],
  machine: string,
): string {
  const begin = `<!-- figures: ${part} -->`;
  const end = `<!-- end: ${part} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`no marks ${begin} and ${end} in the document`);
  const lines = [begin, '', `Measured on ${machine}.`, '', ...markdownTable(rows), ''];
  const details = rows.flatMap(detailsOf);
  if (details.length > 0) lines.push(...details, '');
  return [text.slice(0, from), `${lines.join('\n')}\n`, text.slice(to)].join('');
}

function detailsOf({ case: name, more }: Row): string[] {
  const all = Object.entries(more ?? {}).map(([what, value]) => `${what} ${written(value)}`);
  return all.length === 0 ? [] : [`- ${name}: ${all.join(', ')}`];
}
