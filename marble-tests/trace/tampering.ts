/**
 * What `tampered.test.ts` does to traces: the traces of real runs, and one thing in them changed,
 * or left out, at the first line that fits.
 */
import type { Config, Entries, Line, LineOf } from './line.js';
import { parseLine } from './line.js';
import { replay } from './model.js';
import { randomRun } from './random-run.js';
import type { Rule } from './rules.js';
import { Violation } from './rules.js';
import { TracedCluster } from './traced-cluster.js';

type Content = Entries['list'][number][1];

/** A leader is cut off with entries that never come to anything, and comes back. */
function conflictRun(): TracedCluster {
  const cluster = new TracedCluster({ seed: 2 });
  const old = cluster.leader();
  cluster.isolate(old);
  for (let count = 0; count < 5; count += 1) cluster.propose(old);
  cluster.run(3000);
  for (let count = 0; count < 9; count += 1) cluster.propose(cluster.leader());
  cluster.run(100);
  cluster.isolate();
  cluster.run(2000);
  return cluster;
}

/** The lines of some runs: the first one has a conflict, in the others is what chance has it. */
export const runs: readonly (readonly Line[])[] = [
  conflictRun(),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((seed) => randomRun(seed, 80)),
].map((cluster) => {
  cluster.stop();
  return cluster.lines.map(parseLine);
});

/** The lines with another one in the place of one. */
export function replaced(lines: readonly Line[], at: number, line: Line): Line[] {
  return lines.map((each, index) => (index === at ? line : each));
}

/** The rule that a trace breaks, or null. */
export function broken(lines: readonly Line[]): Rule | null {
  try {
    replay(lines.map((line) => JSON.stringify(line)));
    return null;
  } catch (error) {
    if (error instanceof Violation) return error.rule;
    throw error;
  }
}

/** Where it happened: what the node wrote before, newest first. */
type Before = (event?: Line['event']) => Line | undefined;

interface Tampering<L extends Line> {
  readonly fits: (line: L, before: Before, rest: readonly Line[]) => boolean;
  readonly change: (line: L) => void;
}

/** The first run that it fits, changed at the first line that it fits. */
export function tampered<E extends Line['event']>(event: E, how: Tampering<LineOf<E>>): Line[] {
  for (const lines of runs) {
    for (const [at, line] of lines.entries()) {
      if (line.event !== event) continue;
      const found = line as LineOf<E>;
      if (!how.fits(found, beforeOf(lines, at), lines.slice(at + 1))) continue;
      const changed = structuredClone(found);
      how.change(changed);
      return replaced(lines, at, changed);
    }
  }
  throw new Error(`no ${event} that it fits`);
}

/** The first run that has lines that it fits, without them, and numbered as if nothing was. */
export function without(
  fits: (line: Line, before: Before, rest: readonly Line[]) => boolean,
): Line[] {
  for (const lines of runs) {
    const at = lines.findIndex((line, index) =>
      fits(line, beforeOf(lines, index), lines.slice(index + 1)),
    );
    const gone = lines[at];
    if (gone === undefined) continue;
    return lines.flatMap((line, index) => {
      if (index === at) return [];
      const isLater = index > at && line.node === gone.node && line.run === gone.run;
      return isLater ? [{ ...line, line: line.line - 1 }] : [line];
    });
  }
  throw new Error('no line that it fits');
}

function beforeOf(lines: readonly Line[], at: number): Before {
  const { node, run } = lines[at] as Line;
  return (event) => {
    for (let index = at - 1; index >= 0; index -= 1) {
      const line = lines[index] as Line;
      if (line.node !== node || line.run !== run) continue;
      if (event === undefined || line.event === event) return line;
    }
    return undefined;
  };
}

export const next = (line: Line, rest: readonly Line[]): Line | undefined =>
  rest.find((each) => each.node === line.node);
export const isCommand = (content: Content | undefined): boolean => typeof content === 'string';
export const isConfig = (content: Content): content is Config =>
  content !== null && typeof content !== 'string';
export const isJoint = (content: Content): boolean =>
  isConfig(content) && content.newVoters.length > 0;
export const finalOf = ({ newVoters, nonVoters }: Config): Config => ({
  voters: newVoters,
  newVoters: [],
  nonVoters,
});

/** A reply that acknowledges all of the log. */
export function isWholeAck(line: Line | undefined): boolean {
  if (line?.event !== 'send' || line.message.type !== 'appendEntriesReply') return false;
  const { refused, lastPosition } = line.message;
  return !refused && lastPosition.index === line.last.index && lastPosition.index > 1;
}
