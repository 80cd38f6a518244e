/**
 * Storage in IndexedDB: on Node over fake-indexeddb and a lock manager of a few lines, and, by
 * `npm run test:browser`, over the real ones of Chromium.
 */
import { openDB } from 'idb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { byteCodec } from '../../adapters/codec.js';
import { crc32 } from '../../adapters/crc32.js';
import { indexedDbStore } from '../../adapters/idb-store.js';
import type { Memory, Write } from '../../adapters/testing/storage-model.js';
import { memoryOf, nothing, remember } from '../../adapters/testing/storage-model.js';
import { storageAcceptance } from '../../adapters/testing/storage-acceptance.js';
import { Run } from '../../adapters/testing/storage-run.js';
import { emptyEntries, entriesOf } from '../../lib/entries.js';
import { origin } from '../../lib/position.js';
import { fakeLocks } from './fake-locks.js';

if (typeof indexedDB === 'undefined') Object.assign(globalThis, await import('fake-indexeddb'));
if (globalThis.navigator?.locks === undefined) vi.stubGlobal('navigator', { locks: fakeLocks() });

afterEach(() => {
  vi.restoreAllMocks();
});

let databases = 0;
const newDatabase = (): string => `store-${Math.random()}-${(databases += 1)}`;

const codecs = { commands: byteCodec, snapshots: byteCodec };
const openAt = (database: string, options = {}) =>
  indexedDbStore({
    ...{ database, cluster: 'acceptance', node: 'a', ...codecs, waitMs: 0 },
    ...options,
  });

/** The suite throws where something is wrong; vitest wants to see an assertion. */
const test = (name: string, body: () => void | Promise<void>) =>
  it(name, async () => expect(await body()).toBeUndefined());

describe('indexedDbStore', () => {
  storageAcceptance(test, () => {
    const database = newDatabase();
    return { open: () => openAt(database) };
  });
});

const term = (currentTerm: number): Write => ({ hardState: { currentTerm, votedFor: null } });
const append = (index: number, ...bytes: number[]): Write => ({
  entries: entriesOf(index === 0 ? origin : { term: 1, index }, [
    index === 0 ? { type: 'term', term: 1 } : { type: 'command', command: Uint8Array.from(bytes) },
  ]),
});

/** Two records, and a term. */
const history = [term(1), append(0), append(1, 7)];
const whole = history.reduce(remember, nothing);

async function written(database: string, writes: readonly Write[] = history): Promise<string> {
  const run = new Run(await openAt(database));
  for (const write of writes) run.persist(write);
  await run.close();
  return database;
}

async function opened(database: string): Promise<Memory> {
  const store = await openAt(database);
  await store.close();
  return memoryOf(store.recovered);
}

async function changed(
  name: string,
  change: (store: { get: Get; put: Put; delete: Delete }) => Promise<unknown>,
): Promise<void> {
  const database = await openDB(name);
  const { store, done } = database.transaction('records', 'readwrite');
  await change({
    get: (key) => store.get(key) as Promise<Uint8Array>,
    put: (key, value) => store.put(value, key),
    delete: (key) => store.delete(key),
  });
  await done;
  database.close();
}
type Key = Uint8Array<ArrayBuffer>;
type Get = (key: Key) => Promise<Uint8Array>;
type Put = (key: IDBValidKey, value: unknown) => Promise<unknown>;
type Delete = (key: Key) => Promise<unknown>;

const text = (key: string): Key => new TextEncoder().encode(key);
const record = (number: number): Key => Uint8Array.of(0x72, 0, 0, 0, 0, 0, 0, 0, number);

describe('a database', () => {
  it('has one holder: a second store is locked until the first is closed (G10)', async () => {
    const database = newDatabase();
    const store = await openAt(database);
    await expect(openAt(database)).rejects.toMatchObject({ name: 'StoreError', reason: 'locked' });
    await expect(openAt(database)).rejects.toThrow(/another tab or worker holds it/);
    await store.close();
    const again = await openAt(database);
    expect(again.recovered.generation).toBe(store.recovered.generation + 1);
    await again.close();
  });

  it('is waited for while a page that held it is being reloaded', async () => {
    const database = newDatabase();
    const store = await openAt(database);
    const patient = openAt(database, { waitMs: 60_000 });
    await store.close();
    await (await patient).close();
    const held = await openAt(database);
    await expect(openAt(database, { waitMs: 20 })).rejects.toMatchObject({ reason: 'locked' });
    await held.close();
  });

  it('is not written any more when its lock was stolen (G10)', async () => {
    const database = newDatabase();
    const run = new Run(await openAt(database));
    await navigator.locks.request(`rxraft ${database}`, { steal: true }, () => undefined);
    run.persist(term(1));
    await run.settled();
    expect([run.ending, run.answers]).toEqual(['failed', []]);
    expect(run.error).toMatchObject({ name: 'StoreError', reason: 'locked' });
    await run.store.close();
    expect(await opened(database)).toEqual(nothing);
  });

  it('is let go when it is refused', async () => {
    const database = await written(newDatabase());
    await expect(openAt(database, { node: 'b' })).rejects.toMatchObject({ reason: 'foreign' });
    expect(await opened(database)).toEqual(whole);
  });

  it('is refused where there are no Web Locks', async () => {
    const real = navigator;
    vi.stubGlobal('navigator', {});
    try {
      await expect(openAt(newDatabase())).rejects.toThrow(/https/);
    } finally {
      vi.stubGlobal('navigator', real);
    }
  });

  it('belongs to one node of one cluster; a node id that is none is refused', async () => {
    const database = await written(newDatabase());
    for (const owner of [{ node: 'b' }, { cluster: 'other' }]) {
      const refused = openAt(database, owner);
      await expect(refused).rejects.toMatchObject({ name: 'StoreError', reason: 'foreign' });
      await expect(openAt(database, owner)).rejects.toThrow('node "a" of cluster "acceptance"');
    }
    expect(await opened(database)).toEqual(whole);
    await expect(openAt(newDatabase(), { node: '' })).rejects.toMatchObject({ field: 'node' });
  });

  it('of another program is refused, and so is one of a later version (G17)', async () => {
    const [other, later] = [newDatabase(), newDatabase()];
    (await openDB(other, 1, { upgrade: (made) => void made.createObjectStore('other') })).close();
    await expect(openAt(other)).rejects.toMatchObject({ name: 'StoreError', reason: 'foreign' });
    (await openDB(later, 2)).close();
    await expect(openAt(later)).rejects.toMatchObject({ name: 'StoreError', reason: 'version' });
  });
});

describe('records', () => {
  it.each<[string, Key, string, string]>([
    ['the first', record(1), 'gap', 'record 2'],
    ['the last', record(2), 'gap', 'record 2'],
    ['the head', text('head'), 'missing', 'head'],
    ['the identity', text('identity'), 'missing', 'whose'],
  ])('without %s are refused, and nothing is changed (C11)', async (_, key, reason, words) => {
    const database = await written(newDatabase());
    await changed(database, (store) => store.delete(key));
    for (const time of ['first', 'second']) {
      await expect(openAt(database), time).rejects.toMatchObject({ name: 'StoreError', reason });
      await expect(openAt(database), time).rejects.toThrow(words);
      await expect(openAt(database), time).rejects.toThrow(database);
    }
  });

  it('with any byte of any value changed are refused as damaged (C10, G2)', async () => {
    for (const key of [text('head'), text('identity'), record(1), record(2)]) {
      const database = await written(newDatabase());
      let sound = new Uint8Array(0);
      await changed(database, async (store) => (sound = Uint8Array.from(await store.get(key))));
      for (let at = 0; at < sound.length; at += 5) {
        const bad = sound.map((byte, place) => (place === at ? byte ^ (1 << (at % 8)) : byte));
        await changed(database, (store) => store.put(key, bad));
        await expect(openAt(database), `${at}`).rejects.toMatchObject({ reason: 'damaged' });
      }
      await changed(database, (store) => store.put(key, 'no bytes'));
      await expect(openAt(database)).rejects.toMatchObject({ reason: 'damaged' });
      await changed(database, (store) => store.put(key, sound));
      expect(await opened(database)).toEqual(whole);
    }
  });

  it('under a number are refused as damaged: it is not taken for a length of memory (H10)', async () => {
    const database = await written(newDatabase());
    await changed(database, (store) => store.put(2 ** 20, Uint8Array.of(1)));
    await expect(openAt(database)).rejects.toMatchObject({ reason: 'damaged' });
  });

  it('of an unknown format version are refused (G17)', async () => {
    for (const key of [text('head'), text('identity'), record(1)]) {
      const database = await written(newDatabase());
      await changed(database, async (store) => {
        const sealed = Uint8Array.from(await store.get(key)).fill(2, 0, 1);
        const checksum = crc32(sealed.subarray(5), crc32(key, crc32(sealed.subarray(0, 1))));
        new DataView(sealed.buffer).setUint32(1, checksum);
        await store.put(key, sealed);
      });
      await expect(openAt(database)).rejects.toMatchObject({ reason: 'version' });
      await expect(openAt(database)).rejects.toThrow('format version 2');
    }
  });

  it('are found again when there are more than are read at once', async () => {
    const many = [term(1), append(0)];
    for (let index = 1; index < 300; index += 1) many.push(append(index, index & 255));
    const database = await written(newDatabase(), many);
    expect(await opened(database)).toEqual(many.reduce(remember, nothing));
    const cut = { entries: emptyEntries(origin) };
    await written(database, [cut]);
    expect(await opened(database)).toEqual([...many, cut].reduce(remember, nothing));
  });
});

type Begin = (this: IDBDatabase, ...rest: readonly unknown[]) => IDBTransaction;

describe('writes', () => {
  const transaction = Reflect.get(IDBDatabase.prototype, 'transaction') as Begin;

  it('are strict, every one of them, also the generation (G15)', async () => {
    const asked = vi.spyOn(IDBDatabase.prototype, 'transaction');
    const database = await written(newDatabase());
    const writing = asked.mock.calls.filter(([, mode]) => mode === 'readwrite');
    expect(writing.length).toBeGreaterThanOrEqual(2);
    for (const [, , options] of writing) expect(options).toEqual({ durability: 'strict' });
    expect(await opened(database)).toEqual(whole);
  });

  it('are refused where the browser does not know strict durability (G15)', async () => {
    vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (
      this: IDBDatabase,
      names,
      mode,
    ) {
      return transaction.call(this, names, mode);
    });
    await expect(openAt(newDatabase())).rejects.toMatchObject({ reason: 'failed' });
    await expect(openAt(newDatabase())).rejects.toThrow(/strict durability/);
  });

  it('gather while one is under way: one transaction for all of them (J8)', async () => {
    const run = new Run(await openAt(newDatabase()));
    const asked = vi.spyOn(IDBDatabase.prototype, 'transaction');
    for (let number = 1; number <= 100; number += 1) run.persist(term(number));
    await run.settled();
    expect([asked.mock.calls.length, run.answers]).toEqual([2, [1, 100]]);
    await run.close();
  });

  it('that fail end the run: nothing is acknowledged, and nothing is written later (G3)', async () => {
    const database = await written(newDatabase());
    const run = new Run(await openAt(database));
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('the disk is full', 'QuotaExceededError');
    });
    run.persist(term(9));
    await run.settled();
    put.mockRestore();
    run.persist(term(10));
    expect([run.ending, run.answers]).toEqual(['failed', []]);
    expect(run.error).toMatchObject({ name: 'StoreError', reason: 'failed' });
    expect((run.error as Error).message).toMatch(/make room, and start the node again/);
    await run.store.close();
    expect(await opened(database)).toEqual(whole);
  });

  it('that are aborted end the run, whole: none of the batch is found again (G8)', async () => {
    const database = await written(newDatabase());
    const run = new Run(await openAt(database));
    vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (
      this: IDBDatabase,
      ...rest
    ) {
      const begun = transaction.apply(this, rest);
      queueMicrotask(() => begun.abort());
      return begun;
    });
    run.persist({ ...term(3), ...append(2, 9) });
    await run.settled();
    vi.restoreAllMocks();
    expect([run.ending, run.answers]).toEqual(['failed', []]);
    await run.store.close();
    expect(await opened(database)).toEqual(whole);
  });
});
