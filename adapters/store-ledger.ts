/**
 * What is in a store of keys and values, and what a batch of actions changes there: pure, the
 * medium itself is elsewhere.
 *
 * An append is one record. It may begin in the middle of older ones: those wholly behind its
 * `prevPosition` are deleted with it, and of the one that it cuts in two, the rest is passed over
 * when the records are read again, in order, each replacing what it overlaps.
 */
import type { StorageAction } from '../lib/action.js';
import type { LogEntries } from '../lib/entries.js';
import { contains, lastIndex } from '../lib/entries.js';
import type { LogIndex, LogPosition } from '../lib/position.js';
import type { Snapshot } from '../lib/snapshot.js';
import type { Codec } from './codec.js';
import { packEntries, packSnapshot } from './codec.js';
import { History } from './history.js';
import type { Head } from './store-records.js';
import { headKey, recordKey, sealHead, sealNumbered, snapshotKey } from './store-records.js';

export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

export interface Codecs<C, S> {
  readonly commands: Codec<C>;
  readonly snapshots: Codec<S>;
}

/** A record that is alive: its entries begin after `prevIndex`, and end where the next begins. */
interface LiveRecord {
  readonly number: number;
  readonly prevIndex: LogIndex;
}

export class Ledger<C, S> {
  /** Where terms begin and end in the log: enough to know whether an action fits. */
  private readonly history = new History('none');
  private readonly records: LiveRecord[] = [];
  private operations: Operation[] = [];

  constructor(
    public head: Head,
    private readonly codecs: Codecs<C, S>,
  ) {}

  /** At the start: the log begins after a position, or after a snapshot in the first record. */
  begin(position: LogPosition): void {
    this.history.prevPosition = position;
  }

  /** At the start: a record that was found. Throws a RangeError when it doesn't fit. */
  found(number: number, entries: LogEntries<C>): void {
    this.history.replaceAfter(entries);
    this.records.push({ number, prevIndex: entries.prevPosition.index });
  }

  /** At the start, after all that were found. */
  foundSnapshot(position: LogPosition): void {
    this.history.giveWay(position);
  }

  /** The operations of one atomic batch. Throws a RangeError when an action doesn't fit. */
  batchOf(actions: readonly Partial<StorageAction<C, S>>[], generation?: number): Operation[] {
    this.operations = [];
    this.head = { ...this.head, batch: this.head.batch + 1 };
    if (generation !== undefined) this.head = { ...this.head, generation };
    for (const { hardState, snapshot, entries } of actions) {
      if (snapshot) this.save(snapshot);
      if (entries) this.append(entries);
      if (hardState) {
        const { currentTerm, votedFor } = hardState;
        this.head = { ...this.head, currentTerm, votedFor };
      }
    }
    this.head = { ...this.head, firstRecord: this.records[0]?.number ?? this.head.nextRecord };
    this.put(headKey, sealHead(this.head));
    return this.operations;
  }

  private append(entries: LogEntries<C>): void {
    const prevIndex = entries.prevPosition.index;
    const number = this.head.nextRecord;
    this.history.replaceAfter(entries);
    while ((this.records.at(-1)?.prevIndex ?? -1) >= prevIndex) this.delete(this.records.pop());
    const before = this.records.at(-1)?.number ?? 0;
    const key = recordKey(number);
    this.put(key, sealNumbered(key, before, packEntries(entries, this.codecs.commands)));
    this.records.push({ number, prevIndex });
    this.head = { ...this.head, nextRecord: number + 1 };
  }

  private save(snapshot: Snapshot<S>): void {
    const { position } = snapshot;
    const { batch } = this.head;
    const kept = contains(this.history, position) ? this.firstAfter(position.index) : -1;
    const covered = kept < 0 ? this.records.length : kept;
    this.history.giveWay(position);
    for (const record of this.records.splice(0, covered)) this.delete(record);
    const body = packSnapshot(snapshot, this.codecs.snapshots);
    this.put(snapshotKey, sealNumbered(snapshotKey, batch, body));
    this.head = { ...this.head, snapshotBatch: batch };
  }

  /** The place of the first record with an entry after an index, or -1. */
  private firstAfter(index: LogIndex): number {
    const last = lastIndex(this.history);
    return this.records.findIndex((_, at) => (this.records[at + 1]?.prevIndex ?? last) > index);
  }

  private put(key: Uint8Array, value: Uint8Array): void {
    this.operations.push({ type: 'put', key, value });
  }

  private delete(record: LiveRecord | undefined): void {
    if (record) this.operations.push({ type: 'del', key: recordKey(record.number) });
  }
}
