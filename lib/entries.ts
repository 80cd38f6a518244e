/**
 * A range of the log as plain data (§5.3): what a message carries, a disk keeps, a machine applies.
 *
 * There is no object for an entry. Terms are runs, configurations are sparse, and the commands are
 * one column, so that a range without payload costs memory for its terms and configurations only.
 * Which kind an entry is follows from the columns: a configuration where one is listed; else, where
 * a term begins, the marker that its leader wrote ("a blank no-op entry", §8); else a command.
 */
import type { ClusterConfig } from './cluster-config.js';
import type { LogIndex, LogPosition, Term } from './position.js';
import { isSafePosition, origin } from './position.js';

/** One record of the log. */
export type LogEntry<C = unknown> =
  | { readonly type: 'term'; readonly term: Term }
  | { readonly type: 'config'; readonly config: ClusterConfig }
  | { readonly type: 'command'; readonly command: C };

/** From `index` on, up to the next run, entries are of `term`. */
export interface TermRun {
  readonly index: LogIndex;
  readonly term: Term;
}

export interface ConfigEntry {
  readonly index: LogIndex;
  readonly config: ClusterConfig;
}

/** The entries directly after `prevPosition`. Readonly, structured-cloneable. */
export interface LogEntries<C = unknown> {
  /** The position before the first entry: what the consistency check of AppendEntries compares. */
  readonly prevPosition: LogPosition;
  readonly length: number;
  /** Where a term begins that differs from the one before, ascending in index and term. */
  readonly terms: readonly TermRun[];
  /** The configurations among the entries, ascending in index. */
  readonly configs: readonly ConfigEntry[];
  /** One slot per entry (undefined where it is no command), or null when no command has a value. */
  readonly commands: readonly (C | undefined)[] | null;
}

export interface PositionedEntry<C = unknown> {
  readonly position: LogPosition;
  readonly entry: LogEntry<C>;
}

/** The empty range after a position. */
export function emptyEntries(prevPosition: LogPosition = origin): LogEntries<never> {
  return { prevPosition, length: 0, terms: [], configs: [], commands: null };
}

/** The given entries after `prevPosition`. Throws a RangeError where a term would go down. */
export function entriesOf<C>(
  prevPosition: LogPosition,
  list: Iterable<LogEntry<C>>,
): LogEntries<C> {
  const terms: TermRun[] = [];
  const configs: ConfigEntry[] = [];
  const commands: (C | undefined)[] = [];
  let { index, term } = prevPosition;
  let valued = false;
  for (const entry of list) {
    index += 1;
    commands.push(entry.type === 'command' ? entry.command : undefined);
    if (entry.type === 'command') valued ||= entry.command !== undefined;
    if (entry.type === 'config') configs.push({ index, config: entry.config });
    if (entry.type !== 'term') continue;
    if (entry.term <= term) throw new RangeError(`term ${entry.term} after term ${term}`);
    term = entry.term;
    terms.push({ index, term });
  }
  const length = index - prevPosition.index;
  return { prevPosition, length, terms, configs, commands: valued ? commands : null };
}

/** The range with `more` behind it. */
export function appendEntries<C>(
  entries: LogEntries<C>,
  ...more: readonly LogEntry<C>[]
): LogEntries<C> {
  const tail = entriesOf(lastPosition(entries), more);
  const valued = entries.commands !== null || tail.commands !== null;
  return {
    prevPosition: entries.prevPosition,
    length: entries.length + tail.length,
    terms: [...entries.terms, ...tail.terms],
    configs: [...entries.configs, ...tail.configs],
    commands: valued ? [...columnOf(entries), ...columnOf(tail)] : null,
  };
}

function columnOf<C>(entries: LogEntries<C>): readonly (C | undefined)[] {
  return entries.commands ?? new Array<undefined>(entries.length).fill(undefined);
}

export function lastIndex(entries: LogEntries): LogIndex {
  return entries.prevPosition.index + entries.length;
}

export function lastTerm({ prevPosition, terms }: LogEntries): Term {
  return terms.length === 0 ? prevPosition.term : (terms[terms.length - 1] as TermRun).term;
}

export function lastPosition(entries: LogEntries): LogPosition {
  return { term: lastTerm(entries), index: lastIndex(entries) };
}

/**
 * Do they hold together: ascending in index and term, within the range, a slot for each command?
 */
export function areSound(entries: LogEntries): boolean {
  const { prevPosition, length, terms, configs, commands } = entries;
  if (!isSafePosition(prevPosition) || !Number.isSafeInteger(lastIndex(entries))) return false;
  if (terms.length > 0 && !areTermsSound(entries)) return false;
  if (configs.length > 0 && !areConfigsSound(entries)) return false;
  return length >= 0 && (commands === null || commands.length === length);
}

function areTermsSound(entries: LogEntries): boolean {
  const last = lastIndex(entries);
  let { index, term } = entries.prevPosition;
  for (const run of entries.terms) {
    const ascends = run.index > index && run.term > term;
    if (!(ascends && run.index <= last && isSafePosition(run))) return false;
    ({ index, term } = run);
  }
  return true;
}

function areConfigsSound(entries: LogEntries): boolean {
  const last = lastIndex(entries);
  let { index } = entries.prevPosition;
  for (const config of entries.configs) {
    if (!(config.index > index && config.index <= last)) return false;
    ({ index } = config);
    if (!Number.isSafeInteger(index)) return false;
  }
  return true;
}

/** Is the index within the range, `prevPosition` included? */
export function containsIndex(entries: LogEntries, index: LogIndex): boolean {
  return index >= entries.prevPosition.index && index <= lastIndex(entries);
}

/** Is the position a place of this very history, `prevPosition` included? */
export function contains(entries: LogEntries, position: LogPosition): boolean {
  return termAt(entries, position.index) === position.term;
}

/** The term at an index, `prevPosition` included, or null outside the range. */
export function termAt(entries: LogEntries, index: LogIndex): Term | null {
  if (!containsIndex(entries, index)) return null;
  const { terms } = entries;
  let low = 0;
  let high = terms.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((terms[middle] as TermRun).index <= index) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? entries.prevPosition.term : (terms[low - 1] as TermRun).term;
}

/** The entry at an index, or null outside the range (`prevPosition` is outside). */
export function entryAt<C>(entries: LogEntries<C>, index: LogIndex): LogEntry<C> | null {
  if (index <= entries.prevPosition.index || index > lastIndex(entries)) return null;
  const config = entries.configs.find((each) => each.index === index);
  if (config) return { type: 'config', config: config.config };
  const run = entries.terms.find((each) => each.index === index);
  if (run) return { type: 'term', term: run.term };
  return { type: 'command', command: commandAt(entries, index) };
}

function commandAt<C>(entries: LogEntries<C>, index: LogIndex): C {
  return entries.commands?.[index - entries.prevPosition.index - 1] as C;
}

/** The first `length` entries: how a message is capped. */
export function truncate<C>(entries: LogEntries<C>, length: number): LogEntries<C> {
  if (length >= entries.length) return entries;
  const last = entries.prevPosition.index + Math.max(0, length);
  const commands = entries.commands?.slice(0, Math.max(0, length)) ?? null;
  return {
    prevPosition: entries.prevPosition,
    length: Math.max(0, length),
    terms: entries.terms.filter((run) => run.index <= last),
    configs: entries.configs.filter((each) => each.index <= last),
    commands: commands?.some((command) => command !== undefined) ? commands : null,
  };
}

/** Walks entries with their positions, in order. Costs O(1) an entry. */
export function* positionedEntries<C>(entries: LogEntries<C>): Generator<PositionedEntry<C>> {
  let { index, term } = entries.prevPosition;
  let nextTerm = 0;
  let nextConfig = 0;
  for (const last = lastIndex(entries); index < last;) {
    index += 1;
    const begins = entries.terms[nextTerm]?.index === index;
    if (begins) term = (entries.terms[nextTerm++] as TermRun).term;
    const position = { term, index };
    const config = entries.configs[nextConfig];
    if (config?.index === index) {
      nextConfig += 1;
      yield { position, entry: { type: 'config', config: config.config } };
    } else if (begins) {
      yield { position, entry: { type: 'term', term } };
    } else {
      yield { position, entry: { type: 'command', command: commandAt(entries, index) } };
    }
  }
}
