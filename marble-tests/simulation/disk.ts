/**
 * A disk as the storage contract has it: what was acknowledged outlives a crash, and of the writes
 * under way a crash keeps any number of the oldest.
 */
import type { LogEntry, LogPosition, Recovered, Snapshot, StorageAction } from '../../lib/index.js';
import { entriesOf, origin, positionedEntries } from '../../lib/index.js';

export class Disk<C, S> {
  generation = 0;
  currentTerm = 0;
  votedFor: string | null = null;
  snapshot: Snapshot<S> | null = null;
  /** The entries behind the snapshot. */
  private log: { readonly position: LogPosition; readonly entry: LogEntry<C> }[] = [];
  /** Writes under way, oldest first. */
  writes: StorageAction<C, S>[] = [];

  get base(): LogPosition {
    return this.snapshot?.position ?? origin;
  }

  get lastIndex(): number {
    return this.base.index + this.log.length;
  }

  /** Is the entry here, or covered by the snapshot? */
  has(position: LogPosition): boolean {
    if (position.index <= this.base.index) return true;
    return this.log[position.index - this.base.index - 1]?.position.term === position.term;
  }

  /** The oldest write under way is done. Its number. */
  complete(): number {
    const write = this.writes.shift();
    if (write === undefined) throw new Error('no write is under way');
    if (write.hardState !== null) {
      this.currentTerm = write.hardState.currentTerm;
      this.votedFor = write.hardState.votedFor;
    }
    if (write.snapshot !== null) this.beginWith(write.snapshot);
    if (write.entries !== null) this.replace(write.entries);
    return write.sequence;
  }

  private beginWith(snapshot: Snapshot<S>): void {
    const { index } = snapshot.position;
    if (index < this.base.index) throw new Error('a snapshot older than the one on disk');
    this.log = this.log.filter((each) => each.position.index > index);
    this.snapshot = snapshot;
  }

  private replace(entries: NonNullable<StorageAction<C>['entries']>): void {
    const { prevPosition } = entries;
    if (prevPosition.index > this.lastIndex) throw new Error('a gap on disk');
    if (!this.has(prevPosition)) throw new Error('entries behind a position that is not on disk');
    if (prevPosition.index < this.base.index) throw new Error('entries behind the snapshot');
    this.log.length = prevPosition.index - this.base.index;
    this.log.push(...positionedEntries(entries));
  }

  /** A crash: a head of what was under way arrived, the rest did not. */
  crash(kept: number): void {
    for (let count = Math.min(kept, this.writes.length); count > 0; count -= 1) this.complete();
    this.writes = [];
  }

  /** What the next run finds. */
  recover(): Recovered<C, S> {
    this.generation += 1;
    const { generation, currentTerm, votedFor, snapshot } = this;
    const entries = entriesOf(
      this.base,
      this.log.map((each) => each.entry),
    );
    return { generation, currentTerm, votedFor, snapshot, entries };
  }
}
