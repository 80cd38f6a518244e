/**
 * A node's own log (§5.3): all entries behind its snapshot, appended at the end, cut at the end
 * when a leader says otherwise, compacted at the front (§7). It never leaves the core; what leaves
 * is a slice, which is plain data. No operation costs in proportion to the history: terms are found
 * by bisection, commands sit in chunks, and a slice copies what it carries.
 */
import type { ClusterConfig } from './cluster-config.js';
import { noCluster } from './cluster-config.js';
import { Column } from './column.js';
import type { ConfigEntry, LogEntries, TermRun } from './entries.js';
import { ensure } from './invariant.js';
import type { LogIndex, LogPosition, Term } from './position.js';
import { origin } from './position.js';

export class Log<C> {
  /** The snapshot's position: the entries up to it are gone. */
  base: LogPosition = origin;
  lastIndex: LogIndex = 0;
  lastTerm: Term = 0;
  private baseConfig: ClusterConfig = noCluster;
  private readonly runs: TermRun[] = [];
  private readonly configs: ConfigEntry[] = [];
  /** The configuration in force: "the latest configuration in its log" (§6), or the snapshot's. */
  latestConfig: ClusterConfig = noCluster;
  /** Where it stands. */
  latestConfigIndex: LogIndex = 0;
  /** Commands, from the first one that has a value on. */
  private commands: Column<C | undefined> | null = null;
  /** The bytes of all commands of this log up to and including an index. */
  private readonly bytes: Column<number> | null;
  private totalBytes = 0;
  /** The newest slice: one turn sends, persists and applies the same one. */
  private shared: LogEntries<C> | null = null;

  constructor(private readonly sizeOf: ((command: C) => number) | null) {
    this.bytes = sizeOf === null ? null : new Column<number>((slots) => new Float64Array(slots), 0);
  }

  get lastPosition(): LogPosition {
    return { term: this.lastTerm, index: this.lastIndex };
  }

  /** The configuration that was in force before that one. */
  get previousConfig(): ClusterConfig {
    return this.configs.at(-2)?.config ?? this.baseConfig;
  }

  /** The configuration in force as of an index. */
  configAt(index: LogIndex): ClusterConfig {
    const at = bisect(this.configs, (each) => each.index <= index);
    return this.configs[at]?.config ?? this.baseConfig;
  }

  /** The term at an index from the base on, or null. */
  termAt(index: LogIndex): Term | null {
    if (index > this.lastIndex || index < this.base.index) return null;
    const run = this.runOf(index);
    return run < 0 ? this.base.term : (this.runs[run] as TermRun).term;
  }

  contains(position: LogPosition): boolean {
    return this.termAt(position.index) === position.term;
  }

  /** The position at an index that is here. */
  positionAt(index: LogIndex): LogPosition {
    const term = this.termAt(index);
    ensure(term !== null, () => `index ${index} is not in the log`);
    return { term, index };
  }

  /** The last position that is not after the given one in term nor in index, or the origin. */
  lastNotAfter(position: LogPosition): LogPosition {
    const index = Math.min(position.index, this.lastIndex);
    if (index < this.base.index) return origin;
    const here = this.positionAt(index);
    if (here.term <= position.term) return here;
    const run = bisect(this.runs, (each) => each.term <= position.term);
    const term = this.runs[run]?.term ?? this.base.term;
    if (term > position.term) return origin;
    return { term, index: (this.runs[run + 1] as TermRun).index - 1 };
  }

  /** The number of the run that an index belongs to, or -1 before the first. */
  private runOf(index: LogIndex): number {
    const last = this.runs.length - 1;
    if (last < 0 || (this.runs[last] as TermRun).index <= index) return last;
    return bisect(this.runs, (run) => run.index <= index);
  }

  /** The first index after `index` that is of another term, or behind the log. */
  runAfter(index: LogIndex): LogIndex {
    const next = this.runOf(index) + 1;
    return next < this.runs.length ? (this.runs[next] as TermRun).index : this.lastIndex + 1;
  }

  /** Appends the marker with which a leader begins its term. */
  appendTerm(term: Term): void {
    ensure(term > this.lastTerm, () => `term ${term} after term ${this.lastTerm}`);
    this.push(undefined);
    this.runs.push({ index: this.lastIndex, term });
    this.lastTerm = term;
  }

  appendConfig(config: ClusterConfig): void {
    this.push(undefined);
    this.configs.push({ index: this.lastIndex, config });
    this.findLatestConfig();
  }

  private findLatestConfig(): void {
    const last = this.configs.at(-1);
    this.latestConfig = last?.config ?? this.baseConfig;
    this.latestConfigIndex = last?.index ?? this.base.index;
  }

  appendCommands(commands: readonly C[]): void {
    for (const command of commands) this.push(command);
  }

  /** Appends all entries behind the first `skip`, which are here already. */
  appendEntries(entries: LogEntries<C>, skip: number): void {
    const start = this.lastIndex;
    ensure(start === entries.prevPosition.index + skip, () => `a gap after index ${start}`);
    const { terms, configs, commands } = entries;
    if (commands !== null)
      for (let at = skip; at < entries.length; at += 1) this.push(commands[at]);
    else this.pushNothing(entries.length - skip);
    for (const run of terms) {
      if (run.index > start) this.runs.push({ index: run.index, term: run.term });
      if (run.index > start) this.lastTerm = run.term;
    }
    for (const each of configs) {
      if (each.index > start) this.configs.push({ index: each.index, config: each.config });
    }
    if (configs.length > 0) this.findLatestConfig();
    if (skip === 0) this.shared = entries;
  }

  /** Appends entries without a value: while there was none, that is counting. */
  private pushNothing(count: number): void {
    if (this.commands === null && this.bytes === null) this.lastIndex += count;
    else for (let more = count; more > 0; more -= 1) this.push(undefined);
  }

  private push(command: C | undefined): void {
    this.lastIndex += 1;
    if (command !== undefined) {
      this.commands ??= new Column(
        (slots) => new Array<undefined>(slots).fill(undefined),
        undefined,
      );
    }
    if (this.commands !== null) this.commands.push(this.lastIndex, command);
    if (this.bytes === null || this.sizeOf === null) return;
    if (command !== undefined) this.totalBytes += this.sizeOf(command);
    this.bytes.push(this.lastIndex, this.totalBytes);
  }

  /** Forgets all after `index`. The configuration goes back with it (§6). */
  cutAfter(index: LogIndex): void {
    ensure(index >= this.base.index, () => `index ${index} is compacted`);
    this.lastTerm = this.positionAt(index).term;
    this.lastIndex = index;
    while ((this.runs.at(-1)?.index ?? 0) > index) this.runs.pop();
    while ((this.configs.at(-1)?.index ?? 0) > index) this.configs.pop();
    this.findLatestConfig();
    this.commands?.cutAfter(index);
    this.totalBytes = this.bytesUpTo(index);
    this.bytes?.cutAfter(index);
    this.shared = null;
  }

  /** Forgets all up to `index`, for which a snapshot stands (§7). */
  compact(index: LogIndex): void {
    const base = this.positionAt(index);
    const config = this.configAt(index);
    this.runs.splice(0, this.runOf(index) + 1);
    this.configs.splice(0, bisect(this.configs, (each) => each.index <= index) + 1);
    this.base = base;
    this.baseConfig = config;
    this.findLatestConfig();
    this.commands?.dropUpTo(index);
    this.bytes?.dropUpTo(index - 1);
  }

  /**
   * "If the existing log is in conflict, discard the entire log" (§7): starts behind a snapshot.
   */
  reset(base: LogPosition, config: ClusterConfig): void {
    this.base = base;
    this.baseConfig = config;
    this.lastIndex = base.index;
    this.lastTerm = base.term;
    this.runs.length = 0;
    this.configs.length = 0;
    this.findLatestConfig();
    this.commands = null;
    this.bytes?.cutAfter(-1);
    this.totalBytes = 0;
    this.bytes?.push(base.index, 0);
    this.shared = null;
  }

  /** The bytes of the commands after `from`, up to `to`. 0 when the log does not know sizes. */
  bytesBetween(from: LogIndex, to: LogIndex): number {
    return this.bytesUpTo(to) - this.bytesUpTo(from);
  }

  private bytesUpTo(index: LogIndex): number {
    return this.bytes?.get(Math.max(index, this.base.index)) ?? 0;
  }

  /** The last index up to which the entries after `from` fit: one entry at the least. */
  lastWithin(from: LogIndex, entries: number, bytes: number): LogIndex {
    const end = Math.min(this.lastIndex, from + entries);
    if (this.bytes === null || this.bytesBetween(from, end) <= bytes) return end;
    let low = from + 1;
    let high = end;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.bytesBetween(from, middle) <= bytes) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The entries after `from`, up to `to`: fresh, or the newest slice once more. */
  slice(from: LogIndex, to: LogIndex): LogEntries<C> {
    ensure(
      from >= this.base.index && from <= to && to <= this.lastIndex,
      () => `no entries after ${from} up to ${to} in the log`,
    );
    const { shared } = this;
    if (shared?.prevPosition.index === from && shared.length === to - from) return shared;
    const slice: LogEntries<C> = {
      prevPosition: this.positionAt(from),
      length: to - from,
      terms: this.runsBetween(from, to),
      configs: this.configsBetween(from, to),
      commands: this.commandsBetween(from, to),
    };
    this.shared = slice;
    return slice;
  }

  private runsBetween(from: LogIndex, to: LogIndex): readonly TermRun[] {
    const first = this.runOf(from) + 1;
    if (first === this.runs.length) return [];
    const end = this.runOf(to) + 1;
    return end === first ? [] : this.runs.slice(first, end);
  }

  private configsBetween(from: LogIndex, to: LogIndex): readonly ConfigEntry[] {
    if (this.latestConfigIndex <= from) return [];
    const first = bisect(this.configs, (each) => each.index <= from) + 1;
    return this.configs.slice(first, bisect(this.configs, (each) => each.index <= to) + 1);
  }

  private commandsBetween(from: LogIndex, to: LogIndex): readonly (C | undefined)[] | null {
    if (this.commands === null || from === to) return null;
    const slots = this.commands.slice(from + 1, to);
    return slots.some((slot) => slot !== undefined) ? slots : null;
  }
}

/** The number of the last item for which `holds`, or -1: it holds for a head of the list. */
function bisect<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(list[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
