/** One history on disk, and the ways of a test to look at it, to change it and to open it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { MemoryLevel } from 'memory-level';
import { afterAll, beforeAll, expect } from 'vitest';
import { byteCodec } from '../../adapters/codec.js';
import type { Database } from '../../adapters/level-store.js';
import { levelStore } from '../../adapters/level-store.js';
import type { StoreError } from '../../adapters/storage.js';
import type { Memory, Write } from '../../adapters/testing/storage-model.js';
import { memoryOf, nothing, remember } from '../../adapters/testing/storage-model.js';
import { Run } from '../../adapters/testing/storage-run.js';
import { clusterOf } from '../../lib/cluster-config.js';
import { emptyEntries, entriesOf } from '../../lib/entries.js';

let root = '';
let folders = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rxraft-level-'));
});

afterAll(() => rm(root, { recursive: true }));

export const newFolder = () => join(root, `store-${(folders += 1)}`);

export const codecs = { commands: byteCodec, snapshots: byteCodec };

export const openAt = (folder: string, owner = {}) =>
  levelStore({ folder, cluster: 'acceptance', node: 'a', ...codecs, ...owner });

export const place = { where: 'memory', cluster: 'acceptance', node: 'a' };

export async function inMemory(pairs: [string, string][]): Promise<Database> {
  const views = { keyEncoding: 'view', valueEncoding: 'view' } as const;
  const database = new MemoryLevel<Uint8Array, Uint8Array>(views);
  for (const [key, value] of pairs) {
    await database.put(Buffer.from(key, 'hex'), Buffer.from(value, 'hex'));
  }
  return database;
}

export const command = (...bytes: number[]) => ({
  type: 'command' as const,
  command: Uint8Array.from(bytes),
});

/** Terms, votes, appends, cuts, a configuration and a snapshot: records 3 to 6 remain of 6. */
export const history: Write[] = [
  { hardState: { currentTerm: 1, votedFor: 'a' } },
  { entries: entriesOf({ term: 0, index: 0 }, [{ type: 'term', term: 1 }, command(1)]) },
  { entries: entriesOf({ term: 1, index: 2 }, [command(2), command(3)]) },
  { entries: entriesOf({ term: 1, index: 4 }, [command(4), command(5), command(6)]) },
  {
    snapshot: {
      position: { term: 1, index: 5 },
      config: clusterOf(['a', 'b']),
      data: Uint8Array.of(7, 7),
    },
  },
  {
    hardState: { currentTerm: 3, votedFor: null },
    entries: entriesOf({ term: 1, index: 6 }, [{ type: 'term', term: 3 }, command(8)]),
  },
  { entries: emptyEntries({ term: 3, index: 8 }) },
  {
    entries: entriesOf({ term: 3, index: 8 }, [
      { type: 'config', config: clusterOf(['a', 'b', 'c']) },
    ]),
  },
];
export const whole = history.reduce(remember, nothing);

/** `history` on disk in format version 1: keys and values. Never to be changed. */
export const golden: [string, string][] = [
  [
    '68656164',
    '016528126cde0007a5626174636809aa67656e65726174696f6e01ab63757272656e745465726d03' +
      'a8766f746564466f72c0ab66697273745265636f726403aa6e6578745265636f726407ad736e6170' +
      '73686f74426174636806',
  ],
  ['6964656e74697479', '01e81f7025de0002a7636c7573746572aa616363657074616e6365a46e6f6465a161'],
  ['720000000000000003', '01d970a1a3000000000000000296010403909093c40104c40105c40106'],
  ['720000000000000004', '01ebb2fe020000000000000003960106029207039092c0c40108'],
  ['720000000000000006', '012048b18200000000000000049603080190940993a161a162a1639090c0'],
  ['736e617073686f74', '014d14ca63000000000000000696010592a161a1629090c4020707'],
];

/** Writes each of them by itself. */
export async function written(folder: string, writes = history): Promise<string> {
  const run = new Run(await openAt(folder));
  for (const write of writes) {
    run.persist(write);
    await run.settled();
  }
  await run.close();
  return folder;
}

export async function raw<T>(
  folder: string,
  use: (database: ClassicLevel<Uint8Array, Uint8Array>) => Promise<T>,
): Promise<T> {
  const views = { keyEncoding: 'view', valueEncoding: 'view' } as const;
  const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, views);
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
export const text = (key: string) => new TextEncoder().encode(key);
export const record = (number: number) => Uint8Array.of(...text('r'), 0, 0, 0, 0, 0, 0, 0, number);

/** All keys and values, as hexadecimal text. */
export async function dump(folder: string): Promise<[string, string][]> {
  const all = await raw(folder, (database) => database.iterator().all());
  return all.map(([key, value]) => [hex(key), hex(value)]);
}

/** The refusal, or what was found. */
export async function opened(folder: string): Promise<StoreError | Memory> {
  try {
    const store = await openAt(folder);
    await store.close();
    return memoryOf(store.recovered);
  } catch (error) {
    expect(error).toMatchObject({ name: 'StoreError' });
    return error as StoreError;
  }
}
