/** The end of a node's log, as its writes leave it: what a page can show of it. */
import type { StorageAction } from '../../lib/action.js';
import type { Recovered } from '../../lib/config.js';
import type { LogEntries } from '../../lib/entries.js';
import { entryAt, lastIndex, lastPosition, termAt } from '../../lib/entries.js';
import type { LogIndex, LogPosition } from '../../lib/position.js';
import { origin } from '../../lib/position.js';
import type { LogCell, LogTail } from './protocol.js';

/** So many entries are kept. */
const maxCells = 24;

/** Costs little enough to be kept up while nobody looks: an object for each write. */
export class RecentLog {
  private last: LogPosition = origin;
  private snapshot: LogIndex = 0;
  private cells: LogCell[] = [];

  constructor({ snapshot, entries }: Pick<Recovered<Uint8Array>, 'snapshot' | 'entries'>) {
    if (snapshot !== null) this.startAt(snapshot.position);
    if (entries !== null) this.replaceAfter(entries);
  }

  get tail(): LogTail {
    return { last: this.last, snapshot: this.snapshot, entries: this.cells };
  }

  /** The same order as on the disk: the snapshot first. */
  onPersist({ snapshot, entries }: StorageAction<Uint8Array>): void {
    if (snapshot !== null) {
      const { position } = snapshot;
      if (position.index > this.last.index || this.contradicts(position)) this.startAt(position);
      this.snapshot = position.index;
    }
    if (entries !== null) this.replaceAfter(entries);
  }

  private contradicts({ index, term }: LogPosition): boolean {
    return this.cells.some((cell) => cell.index === index && cell.term !== term);
  }

  private startAt(position: LogPosition): void {
    this.cells = [];
    this.last = position;
    this.snapshot = position.index;
  }

  private replaceAfter(entries: LogEntries<Uint8Array>): void {
    const { index } = entries.prevPosition;
    while ((this.cells.at(-1)?.index ?? 0) > index) this.cells.pop();
    this.last = lastPosition(entries);
    const end = lastIndex(entries);
    const start = Math.max(index, end - maxCells);
    // What is not next to the new entries would look as if it were.
    if (this.cells.at(-1)?.index !== start) this.cells = [];
    for (let at = start + 1; at <= end; at += 1) this.cells.push(cellOf(entries, at));
    if (this.cells.length > maxCells) this.cells.splice(0, this.cells.length - maxCells);
  }
}

function cellOf(entries: LogEntries<Uint8Array>, index: LogIndex): LogCell {
  const entry = entryAt(entries, index);
  const bytes = entry?.type === 'command' ? (entry.command?.length ?? 0) : 0;
  return { index, term: termAt(entries, index) ?? 0, type: entry?.type ?? 'command', bytes };
}
