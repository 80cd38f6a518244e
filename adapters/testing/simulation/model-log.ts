/**
 * A log as the witness sees it, in the plainest way: a list. It must not share code with what it
 * judges.
 */
import type { ClusterConfig, LogEntries, LogPosition } from '../../../lib/index.js';
import { fingerprint } from './digest.js';

export interface ModelEntry {
  readonly term: number;
  /** Differs where entries differ. */
  readonly content: string | number;
  readonly config: ClusterConfig | null;
}

export function modelEntries(entries: LogEntries<Uint8Array>): ModelEntry[] {
  const { prevPosition, length, terms, configs, commands } = entries;
  const list: ModelEntry[] = [];
  let { term } = prevPosition;
  let [run, change] = [0, 0];
  for (let at = 0; at < length; at += 1) {
    const index = prevPosition.index + 1 + at;
    const config = configs[change]?.index === index ? configs[change]?.config : undefined;
    if (terms[run]?.index === index) {
      term = terms[run]?.term ?? term;
      run += 1;
      list.push({ term, content: 'term', config: null });
    } else if (config !== undefined) {
      change += 1;
      list.push({ term, content: JSON.stringify(config), config });
    } else {
      list.push({ term, content: fingerprint(commands?.[at] ?? nothing), config: null });
    }
  }
  return list;
}

const nothing = new Uint8Array();

export class ModelLog {
  base: LogPosition = { term: 0, index: 0 };
  baseConfig: ClusterConfig | null = null;
  private entries: ModelEntry[] = [];
  private configs: { readonly index: number; readonly config: ClusterConfig }[] = [];

  get lastIndex(): number {
    return this.base.index + this.entries.length;
  }

  get lastPosition(): LogPosition {
    return { term: this.termAt(this.lastIndex) ?? 0, index: this.lastIndex };
  }

  /** The newest in the log, or the snapshot's; null before the first one. */
  get latestConfig(): ClusterConfig | null {
    return this.configs.at(-1)?.config ?? this.baseConfig;
  }

  get latestConfigIndex(): number {
    return this.configs.at(-1)?.index ?? this.base.index;
  }

  /** All that are in force behind an index, here. */
  configsAfter(index: number): ClusterConfig[] {
    const list = this.configs.filter((each) => each.index > index).map((each) => each.config);
    if (this.baseConfig !== null && this.base.index > index) list.push(this.baseConfig);
    return list;
  }

  configAt(index: number): ClusterConfig | null {
    for (let at = this.configs.length - 1; at >= 0; at -= 1) {
      const each = this.configs[at];
      if (each !== undefined && each.index <= index) return each.config;
    }
    return this.baseConfig;
  }

  /** From the base on, else null. */
  termAt(index: number): number | null {
    if (index === this.base.index) return this.base.term;
    return this.entries[index - this.base.index - 1]?.term ?? null;
  }

  entryAt(index: number): ModelEntry | null {
    return this.entries[index - this.base.index - 1] ?? null;
  }

  /** Is the entry here, or covered by the snapshot? */
  has(position: LogPosition): boolean {
    if (position.index <= this.base.index) return true;
    return this.termAt(position.index) === position.term;
  }

  /** Everything up to a position gives way to a snapshot. */
  giveWay(position: LogPosition, config: ClusterConfig): void {
    if (this.termAt(position.index) === position.term) {
      this.entries.splice(0, position.index - this.base.index);
      this.configs = this.configs.filter((each) => each.index > position.index);
    } else {
      this.entries = [];
      this.configs = [];
    }
    this.base = position;
    this.baseConfig = config;
  }

  /** Everything behind an index is replaced. */
  replaceAfter(index: number, list: readonly ModelEntry[]): void {
    this.entries.length = index - this.base.index;
    while ((this.configs.at(-1)?.index ?? 0) > index) this.configs.pop();
    for (const entry of list) {
      this.entries.push(entry);
      if (entry.config === null) continue;
      this.configs.push({ index: this.lastIndex, config: entry.config });
    }
  }

  copy(): ModelLog {
    const copy = new ModelLog();
    copy.base = this.base;
    copy.baseConfig = this.baseConfig;
    copy.entries = [...this.entries];
    copy.configs = [...this.configs];
    return copy;
  }

  /** Do both hold the same, from the same place on? */
  equals(other: ModelLog): boolean {
    return (
      this.base.index === other.base.index &&
      this.base.term === other.base.term &&
      this.entries.length === other.entries.length &&
      this.entries.every((entry, at) => sameEntry(entry, other.entries[at]))
    );
  }
}

function sameEntry(a: ModelEntry, b: ModelEntry | undefined): boolean {
  return a.term === b?.term && a.content === b.content;
}
