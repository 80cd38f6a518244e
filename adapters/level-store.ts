/**
 * Storage on disk with LevelDB: every batch of actions is one atomic write with one sync.
 *
 * One process may hold a folder. What can't be recovered whole is refused, see `StoreFault`.
 */
import { mkdir, open, readdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { faultOfNodeId } from '../lib/cluster-config.js';
import { ConfigError } from '../lib/config.js';
import type { NodeId } from '../lib/position.js';
import type { Codec } from './codec.js';
import { Acknowledged, acknowledgedFile, readAcknowledged } from './level-acknowledged.js';
import type { Medium } from './medium-store.js';
import { openStore } from './medium-store.js';
import type { Store } from './storage.js';
import { StoreError } from './storage.js';
import type { Operation } from './store-ledger.js';
import type { Readable } from './store-recovery.js';
import type { Identity } from './store-records.js';
import { addAnew, identityKey, openIdentity } from './store-records.js';

export { ConfigError } from '../lib/config.js';
export { StoreError } from './storage.js';
export type { StoreFault } from './storage.js';

export interface LevelStoreOptions<C, S> {
  /** Of this node alone. It is made when it is not there. */
  readonly folder: string;
  /** The name of the cluster. A folder of another cluster, or of another node, is refused. */
  readonly cluster: string;
  readonly node: NodeId;
  readonly commands: Codec<C>;
  readonly snapshots: Codec<S>;
}

/**
 * Opens a folder and raises its generation durably. Rejects with a StoreError: 'locked', 'foreign',
 * 'version', 'damaged', 'gap' and 'missing' leave what is stored as it is (LevelDB itself rewrites
 * its log when it is opened, and leaves out what it can't read; the next try says the same).
 */
export async function levelStore<C, S>(options: LevelStoreOptions<C, S>): Promise<Store<C, S>> {
  const fault = faultOfNodeId(options.node);
  if (fault !== null) throw new ConfigError('node', fault);
  const folder = resolve(options.folder);
  try {
    await makeFolder(folder);
    const acknowledged = await readAcknowledged(folder);
    const medium = levelMedium(folder, quick(await openDatabase(folder)));
    return await openStore(medium, { ...options, where: folder }, acknowledged);
  } catch (error) {
    throw storeErrorOf(folder, error);
  }
}

/**
 * Whose folder it is, or null where there is no store yet. Rejects with a StoreError, as
 * `levelStore` does.
 */
export async function ownerOf(folder: string): Promise<Identity | null> {
  try {
    const names = await readdir(folder).catch((): string[] => []);
    if (!names.includes('CURRENT')) return null;
    const database = await openDatabase(folder);
    try {
      const sealed = await database.get(identityKey);
      return sealed === undefined ? null : openIdentity(sealed, `${folder}, identity`);
    } finally {
      await database.close();
    }
  } catch (error) {
    throw storeErrorOf(folder, error);
  }
}

/** What is needed of a database. `batch` is atomic, and returns when it is on disk. */
export interface Database extends Readable {
  batch(operations: Operation[], options: { readonly sync: true }): Promise<void>;
  close(): Promise<void>;
}

/** A database in a folder, where each batch is noted as well when it is on disk. */
export function levelMedium(folder: string, database: Database): Medium {
  let acknowledged: Acknowledged | null = null;
  return {
    get: (key) => database.get(key),
    iterator: (range) => database.iterator(range),
    async batch(operations, number) {
      await database.batch(operations, { sync: true });
      if (acknowledged === null) acknowledged = await Acknowledged.open(folder, number);
      else acknowledged.note(number);
    },
    async close() {
      await database.close();
      await acknowledged?.close();
    },
    errorOf: (cause) => storeErrorOf(folder, cause),
  };
}

/** A native batch is not given back before it is collected: longer ones would pile up. */
const longestChainBytes = 1 << 16;

/**
 * Operations that are chained cost half of those in a list, which are copied, and read field by
 * field from native code.
 */
function quick(level: ClassicLevel<Uint8Array, Uint8Array>): Database {
  return {
    get: (key) => level.get(key),
    iterator: (range) => level.iterator(range),
    batch: (operations, options) => {
      if (bytesOf(operations) > longestChainBytes) return level.batch(operations, options);
      const batch = level.batch();
      for (const operation of operations) {
        if (operation.type === 'put') batch.put(operation.key, operation.value);
        else batch.del(operation.key);
      }
      return batch.write(options);
    },
    close: () => level.close(),
  };
}

function bytesOf(operations: readonly Operation[]): number {
  let bytes = 0;
  for (const each of operations) bytes += each.type === 'put' ? each.value.length : 0;
  return bytes;
}

/** A folder survives a power loss when the folders that name it are on disk. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let each = folder; each.length >= first.length; each = dirname(each)) {
    const parent = await open(dirname(each));
    await parent.sync().finally(() => parent.close());
  }
}

async function openDatabase(folder: string): Promise<ClassicLevel<Uint8Array, Uint8Array>> {
  const names = await readdir(folder);
  // A database that has lost its table of contents must not be made anew on top of the rest.
  const used = names.some((name) => name === acknowledgedFile || /\.(log|ldb|sst)$/.test(name));
  const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: !used,
    writeBufferSize: 16 << 20,
  });
  await database.open();
  return database;
}

/** What a database or a file says, in our words. */
function storeErrorOf(folder: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const messages: string[] = [];
  let code: unknown;
  for (let each: unknown = cause; each instanceof Error; each = each.cause) {
    messages.push(each.message);
    code = (each as { readonly code?: unknown }).code ?? code;
  }
  const text = messages.join(': ');
  const [reason, mend] = faultOfCode(code, text);
  return new StoreError(reason, folder, `${mend} (${text})`, { cause });
}

function faultOfCode(code: unknown, text: string): [StoreError['reason'], string] {
  if (code === 'LEVEL_LOCKED') return ['locked', 'another process, or store of this one, holds it'];
  if (code === 'LEVEL_CORRUPTION') return ['damaged', `the database is damaged: ${addAnew}`];
  if (/create_if_missing|no such file/i.test(text)) {
    return ['missing', `the database, or a part of it, is gone: ${addAnew}`];
  }
  if (/no space left|disk quota|ENOSPC|EDQUOT/i.test(text)) {
    return ['failed', 'no space left: make room on this disk, and start the node again'];
  }
  return ['failed', 'a write or a read failed: look after this disk, and start the node again'];
}
