/** The most naive log: a list of entries, each with its position. */
import type { ClusterConfig, LogEntry, LogPosition, PositionedEntry } from '../../lib/index.js';
import { origin } from '../../lib/index.js';

const noConfig: ClusterConfig = { voters: [], newVoters: [], nonVoters: [] };

/** The log as a list. */
export class LogModel {
  base: LogPosition = origin;
  baseConfig = noConfig;
  list: PositionedEntry<string | undefined>[] = [];

  get last(): LogPosition {
    return this.list.at(-1)?.position ?? this.base;
  }

  push(entry: LogEntry<string | undefined>): void {
    const term = entry.type === 'term' ? entry.term : this.last.term;
    this.list.push({ position: { term, index: this.last.index + 1 }, entry });
  }

  upTo(index: number): PositionedEntry<string | undefined>[] {
    return this.list.filter(({ position }) => position.index <= index);
  }

  configAt(index: number): ClusterConfig {
    let config = this.baseConfig;
    for (const { entry } of this.upTo(index)) if (entry.type === 'config') ({ config } = entry);
    return config;
  }

  termAt(index: number): number | null {
    if (index === this.base.index) return this.base.term;
    return this.list.find(({ position }) => position.index === index)?.position.term ?? null;
  }

  bytes(from: number, to: number): number {
    return this.list
      .filter(({ position: { index } }) => index > from && index <= to)
      .map(({ entry }) => (entry.type === 'command' ? (entry.command?.length ?? 0) : 0))
      .reduce((sum, size) => sum + size, 0);
  }

  cutAfter(index: number): void {
    this.list = this.upTo(index);
  }

  compact(index: number): void {
    this.baseConfig = this.configAt(index);
    this.base = { term: this.termAt(index) ?? 0, index };
    this.list = this.list.filter(({ position }) => position.index > index);
  }

  reset(base: LogPosition, config: ClusterConfig): void {
    this.base = base;
    this.baseConfig = config;
    this.list = [];
  }
}
