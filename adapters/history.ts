/** The log of a store as writes leave it: replaced from a place on, or giving way to a snapshot. */
import type { ConfigEntry, LogEntries, TermRun } from '../lib/entries.js';
import { contains, lastIndex } from '../lib/entries.js';
import type { LogIndex, LogPosition } from '../lib/position.js';
import { origin } from '../lib/position.js';

/**
 * A range of the log that grows in place: a write costs what it brings, not what is there already.
 * `content: 'none'` keeps only where the terms begin.
 */
export class History<C> implements LogEntries<C> {
  prevPosition: LogPosition = origin;
  length = 0;
  readonly terms: TermRun[] = [];
  readonly configs: ConfigEntry[] = [];
  commands: (C | undefined)[] | null = null;

  constructor(private readonly content: 'all' | 'none' = 'all') {}

  /** Everything after `entries.prevPosition` is replaced. Throws a RangeError off this history. */
  replaceAfter(entries: LogEntries<C>): void {
    const { index, term } = entries.prevPosition;
    if (!contains(this, entries.prevPosition)) {
      const range = `${this.prevPosition.index} to ${lastIndex(this)}`;
      throw new RangeError(`position ${index} of term ${term} is not in the log, ${range}`);
    }
    this.cutAfter(index);
    const before = this.length;
    this.length += entries.length;
    for (const run of entries.terms) this.terms.push(run);
    if (this.content === 'none') return;
    for (const config of entries.configs) this.configs.push(config);
    if (entries.commands === null && this.commands === null) return;
    this.commands ??= new Array<undefined>(before).fill(undefined);
    for (let at = 0; at < entries.length; at += 1) this.commands.push(entries.commands?.[at]);
  }

  /**
   * "If the follower receives a snapshot that describes a prefix of its log, then log entries
   * covered by the snapshot are deleted but entries following the snapshot are still valid and
   * must be retained", else "the follower discards its entire log" (§7). Throws a RangeError when
   * the log begins behind it.
   */
  giveWay(position: LogPosition): void {
    if (position.index < this.prevPosition.index) {
      const since = `the log begins at ${this.prevPosition.index + 1}`;
      throw new RangeError(`a snapshot at ${position.index}, and ${since}`);
    }
    if (!contains(this, position)) {
      this.cutAfter(this.prevPosition.index);
    } else {
      const count = position.index - this.prevPosition.index;
      this.length -= count;
      this.commands?.splice(0, count);
      this.terms.splice(0, this.terms.filter((run) => run.index <= position.index).length);
      this.configs.splice(0, this.configs.filter((each) => each.index <= position.index).length);
    }
    this.prevPosition = { term: position.term, index: position.index };
  }

  private cutAfter(index: LogIndex): void {
    this.length = index - this.prevPosition.index;
    while ((this.terms.at(-1)?.index ?? 0) > index) this.terms.pop();
    while ((this.configs.at(-1)?.index ?? 0) > index) this.configs.pop();
    if (this.commands !== null && this.commands.length > this.length) {
      this.commands.length = this.length;
    }
  }

  /** As a value that nothing changes any more. */
  entries(): LogEntries<C> {
    const { prevPosition, length, terms, configs, commands } = this;
    const valued = commands?.some((command) => command !== undefined) ?? false;
    return {
      prevPosition,
      length,
      terms: [...terms],
      configs: [...configs],
      commands: valued && commands ? [...commands] : null,
    };
  }
}
