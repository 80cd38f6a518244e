/**
 * One node as the witness sees it, from its actions and inputs alone: what it has said, what it has
 * handed to its disk, and what of that was acknowledged and outlives a crash.
 */
import type {
  ClusterConfig,
  Recovered,
  Role,
  Snapshot,
  StorageAction,
} from '../../../lib/index.js';
import type { ModelEntry } from './model-log.js';
import { modelEntries, ModelLog } from './model-log.js';

interface Write {
  readonly sequence: number;
  readonly hardState: StorageAction['hardState'];
  readonly snapshot: Omit<Snapshot, 'data'> | null;
  readonly after: number;
  readonly list: readonly ModelEntry[] | null;
}

/** What is on disk for certain. */
export class DiskView {
  currentTerm = 0;
  votedFor: string | null = null;
  log = new ModelLog();

  write({ hardState, snapshot, after, list }: Write): void {
    if (hardState !== null) {
      this.currentTerm = hardState.currentTerm;
      this.votedFor = hardState.votedFor;
    }
    if (snapshot !== null) this.log.giveWay(snapshot.position, snapshot.config);
    if (list !== null) this.log.replaceAfter(after, list);
  }

  copy(): DiskView {
    const copy = new DiskView();
    copy.currentTerm = this.currentTerm;
    copy.votedFor = this.votedFor;
    copy.log = this.log.copy();
    return copy;
  }

  isWhat(recovered: Recovered<Uint8Array, Uint8Array>): boolean {
    const { currentTerm, votedFor, snapshot, entries } = recovered;
    if (currentTerm !== this.currentTerm || votedFor !== this.votedFor) return false;
    const log = new ModelLog();
    if (snapshot !== null) log.giveWay(snapshot.position, snapshot.config);
    const config = snapshot === null ? null : snapshot.config;
    if (JSON.stringify(config) !== JSON.stringify(this.log.baseConfig)) return false;
    if (entries !== null && entries.prevPosition.index !== log.base.index) return false;
    if (entries !== null) log.replaceAfter(log.base.index, modelEntries(entries));
    return log.equals(this.log);
  }
}

export class NodeView {
  isUp = false;
  generation = 0;
  disk = new DiskView();
  /** Everything that was handed to the disk. */
  log = new ModelLog();
  /** Handed to the disk, and not acknowledged. */
  private writes: Write[] = [];
  private sequence = 0;
  role: Role = 'follower';
  term = 0;
  leaderId: string | null = null;
  /** Of this run. */
  commitIndex = 0;
  appliedIndex = 0;
  /** As it was reported last: it may be on its way to the disk. */
  config: ClusterConfig | null = null;
  /** Something was said since the last look at it as a whole. */
  isTouched = false;

  constructor(readonly id: string) {}

  get hasWritesUnderway(): boolean {
    return this.writes.length > 0;
  }

  /**
   * A new run begins with what the store has found. That must be all that was acknowledged, and of
   * the rest any first part, whole writes only. False when it is not.
   */
  start(recovered: Recovered<Uint8Array, Uint8Array>): boolean {
    const isNewer = recovered.generation > this.generation;
    const disk = this.disk.copy();
    let isFound = disk.isWhat(recovered);
    for (const write of this.writes) {
      if (isFound) break;
      disk.write(write);
      isFound = disk.isWhat(recovered);
    }
    this.isUp = true;
    this.generation = recovered.generation;
    this.disk = disk;
    this.log = disk.log.copy();
    this.writes = [];
    this.sequence = 0;
    this.role = 'follower';
    this.term = disk.currentTerm;
    this.leaderId = null;
    this.commitIndex = disk.log.base.index;
    this.appliedIndex = 0;
    this.config = null;
    this.isTouched = false;
    return isFound && isNewer;
  }

  /** A write is on its way. */
  onPersist(
    { sequence, hardState, entries, snapshot }: StorageAction<Uint8Array, Uint8Array>,
    list = entries === null ? null : modelEntries(entries),
  ): void {
    const after = entries === null ? 0 : entries.prevPosition.index;
    const write = { sequence, hardState, snapshot, after, list };
    this.writes.push(write);
    this.sequence = sequence;
    if (snapshot !== null) this.log.giveWay(snapshot.position, snapshot.config);
    if (list !== null) this.log.replaceAfter(after, list);
  }

  /** Is this the number of the write that follows? */
  isNext(sequence: number): boolean {
    return sequence === this.sequence + 1;
  }

  /** All writes up to one are durable. False when it was never asked for. */
  onPersisted(sequence: number, onWritten: () => void): boolean {
    for (let write = this.writes[0]; write !== undefined; write = this.writes[0]) {
      if (write.sequence > sequence) break;
      this.writes.shift();
      this.disk.write(write);
      onWritten();
    }
    return sequence <= this.sequence;
  }
}
