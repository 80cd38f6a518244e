/**
 * The ratios as bars on a logarithmic scale, with the aim of each as a tick, as an SVG that can be
 * read on light and on dark paper.
 */
import { written } from './number.js';
import type { Row } from './row.js';
import { isMet } from './row.js';

const width = 900;
const left = 380;
const right = 60;
const lineHeight = 22;
const top = 56;

const style = `
    text { font: 13px system-ui, sans-serif; fill: #24292f; }
    .quiet { fill: #57606a; font-size: 12px; }
    .met { fill: #1a7f5a; } .missed { fill: #c4622d; } .plain { fill: #4a7ab5; }
    .one { stroke: #8c959f; } .aim { stroke: #24292f; stroke-width: 2; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .quiet { fill: #9198a1; }
      .met { fill: #3fb68b; } .missed { fill: #e08a5b; } .plain { fill: #6f9fd8; }
      .aim { stroke: #e6edf3; }
    }`;

/** A bar for each row that has a ratio. */
export function chart(rows: readonly Row[], machine: string): string {
  const bars = rows.filter((row) => row.ratio !== undefined);
  const ends = bars.flatMap(({ ratio, aim }) => [ratio ?? 1, ratioAim(aim) ?? 1]);
  const least = Math.min(0.5, ...ends);
  const most = Math.max(2, ...ends);
  const x = (value: number): number => {
    const share = Math.log(value / least) / Math.log(most / least);
    return round(left + share * (width - left - right));
  };
  const height = top + bars.length * lineHeight + 40;
  const one = x(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img"`,
    `    aria-label="How many times as fast as what was measured beside it">`,
    `  <style>${style}\n  </style>`,
    `  <text x="12" y="24">How many times as fast as what was measured beside it</text>`,
    `  <text class="quiet" x="12" y="42">A tick is the aim. ${escaped(machine)}</text>`,
    `  <line class="one" x1="${one}" x2="${one}" y1="${top - 6}" y2="${height - 34}"/>`,
    ...bars.flatMap((row, at) => bar(row, top + at * lineHeight, x)),
    `  <text class="quiet" x="${one}" y="${height - 16}" text-anchor="middle">the same</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function bar(row: Row, y: number, x: (value: number) => number): string[] {
  const { ratio = 1, aim } = row;
  const [from, to] = ratio < 1 ? [x(ratio), x(1)] : [x(1), x(ratio)];
  const name = isMet(row) === null ? 'plain' : isMet(row) === true ? 'met' : 'missed';
  const label = `${row.case}${row.beside === undefined ? '' : ` / ${row.beside.name}`}`;
  const tick = ratioAim(aim);
  const end = Math.max(to, tick === null ? 0 : x(tick)) + 6;
  const barWidth = round(Math.max(1, to - from));
  return [
    `  <text x="${left - 12}" y="${y + 13}" text-anchor="end">${escaped(label)}</text>`,
    `  <rect class="${name}" x="${from}" y="${y + 2}" width="${barWidth}" height="14" rx="2"/>`,
    ...(tick === null
      ? []
      : [`  <line class="aim" x1="${x(tick)}" x2="${x(tick)}" y1="${y}" y2="${y + 18}"/>`]),
    `  <text class="quiet" x="${end}" y="${y + 13}">${written(ratio)}</text>`,
  ];
}

function ratioAim(aim: Row['aim']): number | null {
  return aim?.of === 'ratio' ? (aim.least ?? aim.most ?? null) : null;
}

const round = (value: number): number => Math.round(value * 10) / 10;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
