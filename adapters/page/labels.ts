/** What is written beside lines and marbles: only where there is room, so that nothing overlaps. */
import type { Role } from '../../lib/action.js';
import { kinds } from './kinds.js';
import type { Marble, Stretch } from './timeline.js';

/** Of a letter, and of the number of a marble, in pixels. */
const letterWidth = 7;
const countWidth = 24;

/** So many messages in one marble go without saying. */
const leastCount = 4;

/**
 * What each stretch of a line is called, of those that are called anything: the longest name that
 * ends before the next one in its row begins. Leaders have a row of their own.
 */
export function namesOf(
  stretches: readonly Stretch[],
  scale: number,
): ReadonlyMap<Stretch, string> {
  const names = new Map<Stretch, string>();
  for (const role of ['leader', 'candidate'] as const) {
    const row = stretches.filter((each) => each.role === role);
    row.forEach((each, at) => {
      const room = ((row[at + 1]?.at ?? Infinity) - each.at) * scale;
      const name = wordings(role, each.term).find(
        (some) => (some.length + 1) * letterWidth <= room,
      );
      if (name !== undefined) names.set(each, name);
    });
  }
  return names;
}

function wordings(role: Role, term: number): readonly string[] {
  const whole = role === 'leader' ? `leads, term ${term}` : `candidate, term ${term}`;
  return [whole, `term ${term}`, String(term)];
}

/** The marbles whose number is shown: of several that would overlap the last that matters. */
export function countedOf(marbles: readonly Marble[], scale: number): ReadonlySet<Marble> {
  const shown = new Set<Marble>();
  const lines = new Map<string, Marble[]>();
  for (const marble of marbles) {
    if (marble.seen.count < leastCount) continue;
    const line = lines.get(marble.node) ?? [];
    line.push(marble);
    lines.set(marble.node, line);
  }
  for (const line of lines.values()) {
    line.sort((a, b) => a.at - b.at);
    line.forEach((marble, at) => {
      if (!isCovered(line, marble, at, countWidth / scale)) shown.add(marble);
    });
  }
  return shown;
}

function isCovered(line: readonly Marble[], marble: Marble, at: number, widthMs: number): boolean {
  const isRoutine = ({ seen }: Marble): boolean => kinds[seen.kind].isRoutine;
  const covers = (other: Marble | undefined): boolean =>
    other !== undefined && Math.abs(other.at - marble.at) < widthMs;
  for (let next = at + 1; covers(line[next]); next += 1) {
    const other = line[next];
    if (other !== undefined && (isRoutine(marble) || !isRoutine(other))) return true;
  }
  for (let last = at - 1; isRoutine(marble) && covers(line[last]); last -= 1) {
    const other = line[last];
    if (other !== undefined && !isRoutine(other)) return true;
  }
  return false;
}
