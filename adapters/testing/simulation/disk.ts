/**
 * The disk as a model: bytes, record behind record, each with its length and its checksum. What was
 * acknowledged is there for ever. Of the rest a crash leaves what it likes: nothing, some whole
 * writes, a part of one. Whoever opens the disk reads as far as the records are whole.
 */
import { defer, EMPTY, finalize, tap, timer } from 'rxjs';
import type { HardState, StorageAction } from '../../../lib/action.js';
import type { Recovered } from '../../../lib/config.js';
import type { Snapshot } from '../../../lib/snapshot.js';
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
import type { StorePlace } from './member.js';

type Write = StorageAction<Uint8Array, Uint8Array>;
type Found = Recovered<Uint8Array, Uint8Array>;

/** The hard state, the snapshot and the entries of a write: null, or what is packed. */
type Body = readonly [HardState | null, Uint8Array | null, Uint8Array | null];

const bodies = valueCodec<Body>();

const headerLength = 8;

export class Disk {
  private generation = 0;
  /** What is on it for certain. */
  private records: Uint8Array[] = [];
  /** Handed to it, and not acknowledged. */
  private underway: Uint8Array[] = [];

  ask({ hardState, snapshot, entries }: Write): void {
    const body = bodies.encode([
      hardState,
      snapshot === null ? null : packSnapshot(snapshot, byteCodec),
      entries === null ? null : packEntries(entries, byteCodec),
    ]);
    const record = new Uint8Array(headerLength + body.length);
    record.set(body, headerLength);
    const header = new DataView(record.buffer);
    header.setUint32(0, body.length);
    header.setInt32(4, fingerprint(body));
    this.underway.push(record);
  }

  /** The first so many writes that were asked for are done. */
  complete(count: number): void {
    this.records.push(...this.underway.splice(0, count));
  }

  crash({ survivors, torn }: Pick<StorePlace, 'survivors' | 'torn'>): void {
    const { underway } = this;
    if (underway.length === 0) return;
    this.complete(survivors(underway.length));
    const [next] = underway;
    const part = next === undefined ? null : torn(next);
    if (part !== null) this.records.push(part);
    this.underway = [];
  }

  /** A new run begins. The first record that is not whole ends what is read, and is gone then. */
  open(): Found {
    this.generation += 1;
    const history = new History<Uint8Array>();
    let hardState: HardState = { currentTerm: 0, votedFor: null };
    let snapshot: Snapshot<Uint8Array> | null = null;
    const whole = this.records.findIndex((record) => bodyOf(record) === null);
    if (whole >= 0) this.records.length = whole;
    for (const record of this.records) {
      const [state, data, entries] = bodyOf(record) as Body;
      if (data !== null) {
        snapshot = unpackSnapshot(data, byteCodec);
        history.giveWay(snapshot.position);
      }
      if (entries !== null) history.replaceAfter(unpackEntries(entries, byteCodec));
      if (state !== null) hardState = state;
    }
    const { generation } = this;
    return { generation, ...hardState, snapshot, entries: history.entries() };
  }
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
    (writeMs === null ? EMPTY : timer(writeMs(), scheduler)).pipe(
      tap({ complete: () => disk.complete(batch.length) }),
    );
  return {
    recovered: disk.open(),
    storage: (action$) =>
      defer(() => {
        const asked$ = action$.pipe(tap((action) => disk.ask(action)));
        return asked$.pipe(
          groupCommit(write),
          finalize(() => disk.crash(place)),
        );
      }),
    close: () => Promise.resolve(),
  };
}
