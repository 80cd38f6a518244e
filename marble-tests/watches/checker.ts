/**
 * Decides whether those who watched were told the truth: each of them on and on, all of them the
 * same, nothing left out, and what clients wrote.
 */
import type { Operation } from '../linearizability/history.js';
import { agreed } from './agreement.js';
import type { Recording, Scope } from './recording.js';
import { contains, everything } from './recording.js';
import { faultOfEnd, projected, walk } from './walk.js';
import { faultsOfWrites } from './writes.js';

export interface Watched {
  /** Of one store, which was empty at first. */
  readonly recordings: readonly Recording[];
  readonly operations: readonly Operation[];
  /** What is there in the end; null when nobody knows. */
  readonly content: ReadonlyMap<string, string> | null;
}

export interface Verdict {
  readonly faults: readonly string[];
  /** Of the log, as far as anybody was told of them. */
  readonly entries: number;
  /** Contents that could be compared with what had been changed until then, and the others. */
  readonly compared: number;
  readonly uncompared: number;
}

export function checkWatches({ recordings, operations, content }: Watched): Verdict {
  const walks = recordings.map(walk);
  const faults = walks.flatMap((each) => each.faults);
  if (content !== null) {
    const stayed = walks.filter((_, at) => recordings[at]?.hasLeft === false);
    faults.push(...stayed.flatMap((each) => faultOfEnd(each, content) ?? []));
  }
  let [entries, compared, uncompared] = [0, 0, 0];
  for (const scope of scopesOf(recordings)) {
    const those = walks.filter((each) => contains(each.scope, scope));
    const agreement = agreed(those.map((each) => projected(each, scope)));
    faults.push(...agreement.faults);
    if (nameOf(scope) !== nameOf(everything)) continue;
    faults.push(...faultsOfWrites(agreement, operations));
    ({ compared, uncompared } = agreement);
    entries = agreement.entries.size;
  }
  return { faults: [...new Set(faults)], entries, compared, uncompared };
}

/** Has it been told all that it should know? */
export function isUpToDate(recording: Recording, content: ReadonlyMap<string, string>): boolean {
  return faultOfEnd(walk(recording), content) === null;
}

function scopesOf(recordings: readonly Recording[]): readonly Scope[] {
  const scopes = recordings.map(({ key, isPrefix }) => ({ key, isPrefix }));
  return [...new Map(scopes.map((scope) => [nameOf(scope), scope])).values()];
}

function nameOf({ key, isPrefix }: Scope): string {
  return `${isPrefix ? 'all' : 'one'} ${key}`;
}
