/**
 * A history as a marble diagram: time goes to the right, a line for each node, a column for each
 * thing that happened, and under it what the letters mean and what they were in full.
 */
import type { HistoryLine } from './history.js';

export interface DiagramOptions {
  /** How many events from the end of the history. Default 72. */
  readonly events?: number;
  /** Columns of the diagram. A longer one goes on below. Default 72. */
  readonly width?: number;
}

/** In the order in which a reader asks. */
const legend: readonly (readonly [string, string])[] = [
  ['t', 'times out'],
  ['C', 'candidate'],
  ['L', 'leader'],
  ['F', 'follower'],
  ['q', 'vote asked for'],
  ['v', 'vote heard'],
  ['e', 'entries heard'],
  ['a', 'answer heard'],
  ['w', 'written'],
  ['c', 'commits'],
  ['p', 'asked to write'],
  ['r', 'asked to read'],
  ['m', 'asked for members'],
  ['d', 'done'],
  ['x', 'not done, or stopped'],
  ['u', 'unknown'],
  ['M', 'other members'],
  ['n', 'told of its removal'],
  ['s', 'takes a snapshot'],
  ['S', 'receives a snapshot'],
  ['X', 'down'],
  ['R', 'starts'],
  ['Z', 'stands still'],
  ['z', 'goes on'],
  ['#', 'disk stalls'],
  ['~', 'clock changes'],
  ['b', 'burst'],
  ['/', 'ways are cut'],
  ['=', 'ways are free'],
  ['+', 'the world heals'],
  ['-', 'stays away'],
  ['!', 'the rule is broken'],
];

/** The end of a history. What happened at the same moment stands in the order of its happening. */
export function diagramOf(
  history: readonly HistoryLine[],
  { events = 72, width = 72 }: DiagramOptions = {},
): string {
  const shown = history.slice(-events);
  const nodes = [...new Set(shown.map(({ node }) => node ?? world))].sort();
  const parts: string[] = [];
  for (let start = 0; start < shown.length; start += width) {
    const part = shown.slice(start, start + width);
    const from = part[0]?.timeMs ?? 0;
    const to = part.at(-1)?.timeMs ?? 0;
    const lines = nodes.map((node) => `${node.padEnd(6)}${marksOf(part, node)}`);
    parts.push([`from ${from} to ${to} ms`, ...lines].join('\n'));
  }
  const used = new Set(shown.map(({ mark }) => mark));
  const words = legend.filter(([mark]) => used.has(mark)).map(([mark, word]) => `${mark} ${word}`);
  return [...parts, wrapped(words, width + 6), tableOf(shown)].join('\n\n');
}

/** The line of what happens to no single node. */
const world = 'world';

function marksOf(part: readonly HistoryLine[], node: string): string {
  return part.map((line) => ((line.node ?? world) === node ? line.mark : '-')).join('');
}

function wrapped(words: readonly string[], width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line.length > 0 && line.length + word.length + 2 > width) {
      lines.push(`${line},`);
      line = '';
    }
    line = line === '' ? word : `${line}, ${word}`;
  }
  return [...lines, line].join('\n');
}

function tableOf(shown: readonly HistoryLine[]): string {
  return shown
    .map(({ timeMs, node, mark, text }) => {
      const when = timeMs.toFixed(3).padStart(10);
      return `${when}  ${mark}  ${(node ?? world).padEnd(6)}${text}`;
    })
    .join('\n');
}
