/**
 * Storage in a browser: every batch of actions is one strict transaction of IndexedDB.
 *
 * One page or worker may hold a database, by a Web Lock. What can't be recovered whole is refused,
 * see `StoreFault`. What a browser promises, and what it takes away: `docs/BROWSERS.md`.
 */
import type { IDBPDatabase } from 'idb';
import { openDB } from 'idb';
import { faultOfNodeId } from '../lib/cluster-config.js';
import { ConfigError } from '../lib/config.js';
import type { NodeId } from '../lib/position.js';
import type { Codec } from './codec.js';
import type { HeldLock } from './idb-lock.js';
import { holdLock } from './idb-lock.js';
import type { Medium } from './medium-store.js';
import { openStore } from './medium-store.js';
import type { Store } from './storage.js';
import { StoreError } from './storage.js';
import { damaged } from './store-records.js';

export { ConfigError } from '../lib/config.js';
export { StoreError } from './storage.js';
export type { StoreFault } from './storage.js';

export interface IndexedDbStoreOptions<C, S> {
  /**
   * The name of a database of this origin, for this node alone. It is made when it is not there.
   */
  readonly database: string;
  /** The name of the cluster. A database of another cluster, or of another node, is refused. */
  readonly cluster: string;
  readonly node: NodeId;
  readonly commands: Codec<C>;
  readonly snapshots: Codec<S>;
  /**
   * How long another tab or worker may still hold it, as a page does for a moment that is being
   * reloaded. 0: not at all. Milliseconds. Default 1,000.
   */
  readonly waitMs?: number;
}

/** The one object store in the database: binary keys, and values of bytes. */
const records = 'records';

/** Of the object store. That of what is in it is in every value. */
const layoutVersion = 1;

/** IndexedDB knows no keys on memory that is shared, and here is none. */
type Key = Uint8Array<ArrayBuffer>;

/** How many records are read at once. */
const recordsAtOnce = 128;

/**
 * Opens a database and raises its generation durably. Rejects with a StoreError: 'locked' while
 * another tab or worker holds it, 'foreign', 'version', 'damaged', 'gap' and 'missing' leave what
 * is stored as it is. Where there are no Web Locks (a page that is not served over https or from
 * localhost) it is a ConfigError.
 */
export async function indexedDbStore<C, S>(
  options: IndexedDbStoreOptions<C, S>,
): Promise<Store<C, S>> {
  const fault = faultOfNodeId(options.node);
  if (fault !== null) throw new ConfigError('node', fault);
  const where = `database ${JSON.stringify(options.database)}`;
  const lock = await holdLock(`rxraft ${options.database}`, where, options.waitMs ?? 1000);
  let database: IDBPDatabase;
  try {
    database = await openDatabase(options.database, where);
  } catch (error) {
    lock.release();
    throw errorOf(where, error);
  }
  return openStore(mediumOf(database, lock, where), { ...options, where });
}

async function openDatabase(name: string, where: string): Promise<IDBPDatabase> {
  const database = await openDB(name, layoutVersion, {
    upgrade: (made) => void made.createObjectStore(records),
  });
  if (database.objectStoreNames.contains(records)) return database;
  database.close();
  const mend = 'something else is stored under this name: give the node a database of its own';
  throw new StoreError('foreign', where, mend);
}

function mediumOf(database: IDBPDatabase, lock: HeldLock, where: string): Medium {
  return {
    async get(key) {
      return bytesOf(await database.get(records, key as Key), where);
    },
    async *iterator({ gte, lt }) {
      for (let after: Uint8Array | null = null; ;) {
        const range = rangeOf(after ?? gte, after !== null, lt);
        const found = database.transaction(records);
        const [keys, values] = await Promise.all([
          found.store.getAllKeys(range, recordsAtOnce),
          found.store.getAll(range, recordsAtOnce) as Promise<unknown[]>,
        ]);
        for (const [at, key] of keys.entries()) {
          // A number would be taken for the length of what is made.
          if (!(key instanceof ArrayBuffer)) throw damaged(where);
          after = new Uint8Array(key);
          yield [after, bytesOf(values[at], where) ?? new Uint8Array(0)];
        }
        if (keys.length < recordsAtOnce) return;
      }
    },
    async batch(operations) {
      if (!lock.isHeld) throw new StoreError('locked', where, 'its Web Lock was taken away');
      // The default may answer before anything is on disk (G15).
      const write = database.transaction(records, 'readwrite', { durability: 'strict' });
      if (write.durability !== 'strict') {
        write.abort();
        await write.done.catch(() => undefined);
        throw new StoreError('failed', where, 'this browser has no strict durability: update it');
      }
      for (const each of operations) {
        const { store } = write;
        const asked =
          each.type === 'put'
            ? store.put(each.value, each.key as Key)
            : store.delete(each.key as Key);
        // It aborts the transaction, which says so.
        asked.catch(() => undefined);
      }
      await write.done;
    },
    async close() {
      database.close();
      lock.release();
    },
    errorOf: (cause) => errorOf(where, cause),
  };
}

function bytesOf(value: unknown, where: string): Uint8Array | undefined {
  if (value === undefined || value instanceof Uint8Array) return value;
  throw damaged(where);
}

function rangeOf(
  lower: Uint8Array | undefined,
  isLowerOut: boolean,
  upper: Uint8Array | undefined,
): IDBKeyRange | undefined {
  if (lower && upper) return IDBKeyRange.bound(lower, upper, isLowerOut, true);
  return lower ? IDBKeyRange.lowerBound(lower, isLowerOut) : undefined;
}

/** What IndexedDB says, in our words. */
function errorOf(where: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const { name, message } =
    cause instanceof Error || cause instanceof DOMException
      ? cause
      : { name: '', message: String(cause) };
  const text = `${name} ${message}`.trim();
  if (name === 'VersionError') {
    return new StoreError('version', where, `written by a later program: use that one (${text})`, {
      cause,
    });
  }
  const mend =
    name === 'QuotaExceededError'
      ? 'no space left for this origin: make room'
      : 'a write or a read failed';
  return new StoreError('failed', where, `${mend}, and start the node again (${text})`, { cause });
}
