/** What was changed lately on this node, in the order of the log: for those who watch. */
import type { LogIndex } from '../../lib/position.js';

/** A put, or with null a delete. Nobody changes the bytes. */
export interface KeyChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** All that one entry of the log has changed. */
export interface EntryChanges {
  readonly index: LogIndex;
  readonly changes: readonly KeyChange[];
}

interface Growing extends EntryChanges {
  readonly changes: KeyChange[];
}

export interface ChangesLimits {
  /** Changes that are kept. Default 16,384. */
  readonly changes: number;
  /** Bytes of their keys and values; the newest entry at the least. Default 16 MiB. */
  readonly bytes: number;
}

/** What an entry changes is all there, or not yet: it is applied in one piece. */
export class Changes {
  /** Everything after this index is kept. */
  base: LogIndex = 0;
  private entries: Growing[] = [];
  /** How many of the entries are no longer kept. */
  private gone = 0;
  private count = 0;
  private bytes = 0;
  private readonly limits: ChangesLimits;
  private readonly waiters = new Set<() => void>();

  constructor(limits: Partial<ChangesLimits> = {}) {
    this.limits = { changes: 16_384, bytes: 16 << 20, ...limits };
  }

  note(index: LogIndex, change: KeyChange): void {
    const last = this.entries.at(-1);
    if (last?.index === index) last.changes.push(change);
    else this.entries.push({ index, changes: [change] });
    this.count += 1;
    this.bytes += sizeOf(change);
    while (this.count > this.limits.changes || this.bytes > this.limits.bytes) {
      if (this.gone >= this.entries.length - 1) return;
      this.forget();
    }
  }

  /** A snapshot stands for everything up to this index. */
  reset(index: LogIndex): void {
    this.entries = [];
    this.gone = this.count = this.bytes = 0;
    this.base = index;
    this.announce();
  }

  /** The next entries after an index, not more than so many. */
  after(index: LogIndex, limit = 100): readonly EntryChanges[] {
    let low = this.gone;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.entries[middle]?.index ?? Infinity) > index) high = middle;
      else low = middle + 1;
    }
    return this.entries.slice(low, low + limit);
  }

  /** Everybody who waits may look again. */
  announce(): void {
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const wake of waiters) wake();
  }

  /**
   * Resolves at the next announcement; with false when there was none within the time, or when the
   * signal says that nobody waits any more.
   */
  announced(signal: AbortSignal, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(false);
      const end = (isNews: boolean): void => {
        clearTimeout(late);
        this.waiters.delete(wake);
        signal.removeEventListener('abort', leave);
        resolve(isNews);
      };
      const wake = (): void => end(true);
      const leave = (): void => end(false);
      const late = setTimeout(leave, withinMs);
      this.waiters.add(wake);
      signal.addEventListener('abort', leave);
    });
  }

  private forget(): void {
    const first = this.entries[this.gone];
    if (first === undefined) return;
    this.gone += 1;
    this.base = first.index;
    this.count -= first.changes.length;
    for (const change of first.changes) this.bytes -= sizeOf(change);
    if (this.gone < 1024 || this.gone < this.entries.length / 2) return;
    this.entries = this.entries.slice(this.gone);
    this.gone = 0;
  }
}

function sizeOf({ key, value }: KeyChange): number {
  return key.length + (value?.length ?? 0);
}
