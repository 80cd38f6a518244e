/**
 * What a store of keys and values finds again. Everything that was acknowledged, or a StoreError:
 * nothing is skipped, guessed or repaired, and nothing is written before all of it is known to be
 * there.
 */
import type { Recovered } from '../lib/config.js';
import { recoveredOf } from '../lib/config.js';
import type { LogEntries } from '../lib/entries.js';
import { contains } from '../lib/entries.js';
import type { LogPosition } from '../lib/position.js';
import { origin } from '../lib/position.js';
import type { Snapshot } from '../lib/snapshot.js';
import { unpackEntries, unpackSnapshot } from './codec.js';
import { History } from './history.js';
import type { Codecs } from './store-ledger.js';
import { Ledger } from './store-ledger.js';
import type { Head, Identity } from './store-records.js';
import {
  addAnew,
  damaged,
  decoded,
  headKey,
  identityKey,
  openHead,
  openIdentity,
  openNumbered,
  pristineHead,
  recordKey,
  recordNumberOf,
  recordRange,
  snapshotKey,
} from './store-records.js';
import { StoreError } from './storage.js';

/** The part of a medium that is read. */
export interface Readable {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  iterator(range: {
    readonly gte?: Uint8Array;
    readonly lt?: Uint8Array;
  }): AsyncIterable<[Uint8Array, Uint8Array]>;
}

export interface Place<C, S> extends Codecs<C, S>, Identity {
  /** Its folder, or its name: what errors call it. */
  readonly where: string;
}

export interface Found<C, S> {
  readonly recovered: Recovered<C, S>;
  readonly ledger: Ledger<C, S>;
  /** Nothing was ever written here: it belongs to nobody yet. */
  readonly pristine: boolean;
}

/**
 * Reads everything. `acknowledged` is the number of the newest batch known to have been
 * acknowledged: an older head is refused. Throws a StoreError.
 */
export async function recover<C, S>(
  database: Readable,
  place: Place<C, S>,
  acknowledged: number,
): Promise<Found<C, S>> {
  const pristine = await isEmpty(database);
  if (!pristine) await checkIdentity(database, place);
  const head = pristine ? pristineHead : await readHead(database, place.where);
  if (head.batch < acknowledged) {
    throw missing(
      place.where,
      `batch ${acknowledged} was acknowledged, the newest is ${head.batch}`,
    );
  }
  const snapshot = await readSnapshot(database, place, head);
  const ledger = new Ledger(head, place);
  const entries = await replay(database, place, ledger, snapshot?.position ?? origin);
  const { generation, currentTerm, votedFor } = head;
  const recovered = { generation, currentTerm, votedFor, snapshot, entries };
  try {
    recoveredOf({ id: place.node, ...recovered });
  } catch (error) {
    throw damaged(place.where, error);
  }
  return { recovered, ledger, pristine };
}

async function isEmpty(database: Readable): Promise<boolean> {
  const keys = database.iterator({})[Symbol.asyncIterator]();
  const first = await keys.next();
  await keys.return?.();
  return first.done === true;
}

async function checkIdentity(database: Readable, place: Identity & { where: string }) {
  const { where } = place;
  const sealed = await database.get(identityKey);
  if (sealed === undefined) throw missing(where, 'it does not say whose it is');
  const { cluster, node } = openIdentity(sealed, `${where}, identity`);
  if (cluster === place.cluster && node === place.node) return;
  const owner = `it belongs to node ${JSON.stringify(node)} of cluster ${JSON.stringify(cluster)}`;
  const name = node === place.node ? 'say the name of that cluster, or ' : '';
  throw new StoreError('foreign', where, `${owner}: ${name}give every node a store of its own`);
}

async function readHead(database: Readable, where: string): Promise<Head> {
  const sealed = await database.get(headKey);
  if (sealed === undefined) throw missing(where, 'it has no head');
  return openHead(sealed, `${where}, head`);
}

async function readSnapshot<C, S>(
  database: Readable,
  { where, snapshots }: Place<C, S>,
  { snapshotBatch }: Head,
): Promise<Snapshot<S> | null> {
  const sealed = await database.get(snapshotKey);
  if (sealed === undefined && snapshotBatch === 0) return null;
  if (sealed === undefined) throw missing(where, 'its snapshot is not there');
  const culprit = `${where}, snapshot`;
  const { number, body } = openNumbered(snapshotKey, sealed, culprit);
  if (number !== snapshotBatch) {
    throw missing(where, `its snapshot is of batch ${number}, not of ${snapshotBatch}`);
  }
  return decoded(() => unpackSnapshot(body, snapshots), culprit);
}

/** Every record from the first to the last, each replacing what it overlaps. */
async function replay<C, S>(
  database: Readable,
  { where, commands }: Place<C, S>,
  ledger: Ledger<C, S>,
  base: LogPosition,
): Promise<LogEntries<C>> {
  const history = new History<C>();
  const { firstRecord, nextRecord } = ledger.head;
  let before = 0;
  for await (const [key, sealed] of database.iterator(recordRange)) {
    const number = recordNumberOf(key);
    const culprit = `${where}, record ${number}`;
    const { number: link, body } = openNumbered(recordKey(number), sealed, culprit);
    const fits = before === 0 ? number === firstRecord : link === before;
    if (!fits) throw gap(culprit, 'records before it are missing');
    const entries = decoded(() => unpackEntries(body, commands), culprit);
    const { prevPosition } = entries;
    if (before === 0 && prevPosition.index <= base.index) begin(history, ledger, prevPosition);
    try {
      history.replaceAfter(entries);
      ledger.found(number, entries);
    } catch (error) {
      throw gap(culprit, (error as Error).message);
    }
    before = number;
  }
  if (before !== (firstRecord === nextRecord ? 0 : nextRecord - 1)) {
    throw gap(`${where}, record ${nextRecord - 1}`, 'it is missing, and perhaps others before it');
  }
  if (before === 0) begin(history, ledger, base);
  if (!contains(history, base)) throw gap(where, 'the log does not begin where the snapshot ends');
  history.giveWay(base);
  ledger.foundSnapshot(base);
  return history.entries();
}

function begin<C, S>(history: History<C>, ledger: Ledger<C, S>, position: LogPosition): void {
  history.prevPosition = position;
  ledger.begin(position);
}

function gap(culprit: string, what: string): StoreError {
  return new StoreError('gap', culprit, `${what}: ${addAnew}`);
}

function missing(culprit: string, what: string): StoreError {
  return new StoreError('missing', culprit, `${what}: ${addAnew}`);
}
