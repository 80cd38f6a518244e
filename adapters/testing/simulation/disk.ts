/**
 * The disk as a model: writes, each a record with its length and its checksum. What was
 * acknowledged is there for ever. Of the rest a crash leaves what it likes: nothing, some whole
 * writes, a part of one. Whoever opens the disk finds what the records say, as far as they are
 * whole.
 */
import type { SchedulerLike } from 'rxjs';
import { finalize, map, Observable } from 'rxjs';
import type { HardState, StorageAction } from '../../../lib/action.js';
import type { Recovered } from '../../../lib/config.js';
import {
  byteCodec,
  packEntries,
  packSnapshot,
  unpackEntries,
  unpackSnapshot,
  valueCodec,
} from '../../codec.js';
import { groupCommit } from '../../group-commit.js';
import { History } from '../../history.js';
import type { Store } from '../../storage.js';
import { fingerprint } from './digest.js';

/** What a store is opened on, and what it may use. */
export interface StorePlace {
  readonly id: string;
  /**
   * The node starts for the first time: its disk is empty, whatever an earlier run has left there.
   * A violation is told, and made shorter, by further runs of the same seed.
   */
  readonly isNew: boolean;
  /** The node's own virtual time. */
  readonly scheduler: SchedulerLike;
  /** How long the next write takes. Null: every write is done while it is being asked for. */
  readonly writeMs: (() => number) | null;
  /**
   * At a crash: how many of so many writes, that were not acknowledged, have arrived nevertheless.
   */
  readonly survivors: (unacknowledged: number) => number;
  /**
   * And what arrived of the bytes of the next one: usually none, but it may be the first of them,
   * or all but some in the middle.
   */
  readonly torn: (bytes: Uint8Array) => Uint8Array | null;
}

type Write = StorageAction<Uint8Array, Uint8Array>;
type Found = Recovered<Uint8Array, Uint8Array>;

/** The hard state, the snapshot and the entries of a write: null, or what is packed. */
type Body = readonly [HardState | null, Uint8Array | null, Uint8Array | null];

const bodies = valueCodec<Body>();

const headerLength = 8;

export class Disk {
  private generation = 0;
  // What is on it for certain.
  private hardState: HardState = { currentTerm: 0, votedFor: null };
  private snapshot: Uint8Array | null = null;
  private readonly history = new History<Uint8Array>();
  /** Handed to it, and not acknowledged. */
  private underway: Body[] = [];

  ask(write: Write): Write {
    const { hardState, snapshot, entries } = write;
    this.underway.push([
      hardState === null ? null : { ...hardState },
      snapshot === null ? null : packSnapshot(snapshot, byteCodec),
      entries === null ? null : packEntries(entries, byteCodec),
    ]);
    return write;
  }

  /** The first so many writes that were asked for are done. */
  complete(count: number): void {
    for (const body of this.underway.splice(0, count)) this.write(body);
  }

  /** Only here a record can be less than whole: who opens the disk reads none of such a one. */
  crash({ survivors, torn }: Pick<StorePlace, 'survivors' | 'torn'>): void {
    const { underway } = this;
    if (underway.length === 0) return;
    this.complete(survivors(underway.length));
    const [next] = underway;
    const part = next === undefined ? null : torn(recordOf(next));
    const body = part === null ? null : bodyOf(part);
    if (body !== null) this.write(body);
    this.underway = [];
  }

  private write([hardState, data, entries]: Body): void {
    if (data !== null) {
      this.snapshot = data;
      this.history.giveWay(unpackSnapshot(data, byteCodec).position);
    }
    if (entries !== null) this.history.replaceAfter(unpackEntries(entries, byteCodec));
    if (hardState !== null) this.hardState = hardState;
  }

  /** A new run begins. */
  open(): Found {
    const { hardState, history } = this;
    const snapshot = this.snapshot === null ? null : unpackSnapshot(this.snapshot, byteCodec);
    const generation = (this.generation += 1);
    return { generation, ...hardState, snapshot, entries: history.entries() };
  }
}

function recordOf(write: Body): Uint8Array {
  const body = bodies.encode(write);
  const record = new Uint8Array(headerLength + body.length);
  record.set(body, headerLength);
  const header = new DataView(record.buffer);
  header.setUint32(0, body.length);
  header.setInt32(4, fingerprint(body));
  return record;
}

function bodyOf(record: Uint8Array): Body | null {
  if (record.length < headerLength) return null;
  const header = new DataView(record.buffer, record.byteOffset, record.length);
  const body = record.subarray(headerLength);
  if (header.getUint32(0) !== body.length || header.getInt32(4) !== fingerprint(body)) return null;
  return bodies.decode(body);
}

/** The store of one run. A crash is to unsubscribe from it. */
export function diskStore(disk: Disk, place: StorePlace): Store<Uint8Array, Uint8Array> {
  const { writeMs, scheduler } = place;
  const write = (batch: readonly Write[]) =>
    new Observable<never>((subscriber) => {
      const complete = (): void => {
        disk.complete(batch.length);
        subscriber.complete();
      };
      if (writeMs !== null) return scheduler.schedule(complete, writeMs());
      complete();
      return undefined;
    });
  return {
    recovered: disk.open(),
    storage: (action$) =>
      action$.pipe(
        map((action) => disk.ask(action)),
        groupCommit(write),
        finalize(() => disk.crash(place)),
      ),
    close: () => Promise.resolve(),
  };
}
