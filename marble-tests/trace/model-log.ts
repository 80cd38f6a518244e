/** A log as a plain list, in memory or on a disk, behind the snapshot that it begins with. */
import type { Config, Entries, Place, Position } from './line.js';

export type Content = Entries['list'][number][1];

export interface Entry {
  readonly term: number;
  readonly content: Content;
}

export const noConfig: Config = { voters: [], newVoters: [], nonVoters: [] };

export class ModelLog {
  base: Place = { position: { term: 0, index: 0 }, config: noConfig };
  private list: Entry[] = [];
  /** The configurations behind the base, oldest first. */
  private configs: { readonly index: number; readonly config: Config }[] = [];

  get last(): Position {
    const index = this.base.position.index + this.list.length;
    return { term: this.list.at(-1)?.term ?? this.base.position.term, index };
  }

  /** Null outside, and below the base. */
  termAt(index: number): number | null {
    if (index === this.base.position.index) return this.base.position.term;
    return this.entryAt(index)?.term ?? null;
  }

  entryAt(index: number): Entry | null {
    return this.list[index - this.base.position.index - 1] ?? null;
  }

  /** Is the place in this log, or below its snapshot? */
  has({ term, index }: Position): boolean {
    return index < this.base.position.index || this.termAt(index) === term;
  }

  get latestConfig(): Config {
    return this.configs.at(-1)?.config ?? this.base.config;
  }

  get latestConfigIndex(): number {
    return this.configs.at(-1)?.index ?? this.base.position.index;
  }

  get previousConfig(): Config {
    return this.configs.at(-2)?.config ?? this.base.config;
  }

  configAt(index: number): Config {
    const upTo = this.configs.filter((each) => each.index <= index);
    return upTo.at(-1)?.config ?? this.base.config;
  }

  /** The indexes of configurations after one index, up to another. */
  configsBetween(from: number, to: number): number[] {
    return this.configs.map((each) => each.index).filter((index) => index > from && index <= to);
  }

  cutAfter(index: number): void {
    this.list.length = index - this.base.position.index;
    while ((this.configs.at(-1)?.index ?? 0) > index) this.configs.pop();
  }

  push(entry: Entry): void {
    this.list.push(entry);
    const { content } = entry;
    if (content === null || typeof content === 'string') return;
    this.configs.push({ index: this.last.index, config: content });
  }

  /** "If instead the snapshot contains new information", the log begins anew behind it (§7). */
  reset(base: Place): void {
    this.base = base;
    this.list = [];
    this.configs = [];
  }

  /** As a disk keeps it: the snapshot, and the entries behind it if the place is in the log. */
  beginWith(snapshot: Place): void {
    const { index } = snapshot.position;
    if (!this.has(snapshot.position) || index < this.base.position.index) {
      this.reset(snapshot);
      return;
    }
    this.list.splice(0, index - this.base.position.index);
    this.configs = this.configs.filter((each) => each.index > index);
    this.base = snapshot;
  }

  replaceAfter(index: number, entries: readonly Entry[]): void {
    this.cutAfter(index);
    for (const entry of entries) this.push(entry);
  }

  /** Everything that there is, as a text: equal when the logs are. */
  get text(): string {
    return JSON.stringify([this.base, this.list]);
  }

  copy(): ModelLog {
    const copy = new ModelLog();
    copy.base = this.base;
    copy.list = [...this.list];
    copy.configs = [...this.configs];
    return copy;
  }
}

export function entriesOf(entries: Entries): Entry[] {
  return entries.list.map(([term, content]) => ({ term, content }));
}
