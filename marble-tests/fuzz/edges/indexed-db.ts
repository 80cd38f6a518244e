/**
 * A database of a browser, damaged, or with keys and values that no bytes are. What is opened is
 * whole, and opens again as what it was; all else is a StoreError, and stays as it is.
 */
import { inspect, isDeepStrictEqual } from 'node:util';
import { openDB } from 'idb';
import { vi } from 'vitest';
import type { IndexedDbStoreOptions } from '../../../adapters/idb-store.js';
import { indexedDbStore } from '../../../adapters/idb-store.js';
import { StoreError } from '../../../adapters/storage.js';
import type { Random } from '../../../adapters/testing/simulation/random.js';
import { Node } from '../../../lib/node.js';
import { fakeLocks } from '../../adapters/fake-locks.js';
import type { Edge } from '../edge.js';
import { Violation } from '../edge.js';
import { codecs, identity, ofPairs } from '../pairs.js';

if (typeof indexedDB === 'undefined') Object.assign(globalThis, await import('fake-indexeddb'));
if (globalThis.navigator?.locks === undefined) vi.stubGlobal('navigator', { locks: fakeLocks() });

type Row = readonly [IDBValidKey, unknown];
type Options = IndexedDbStoreOptions<Uint8Array, Uint8Array>;

const name = 'fuzzed';
const options: Options = { ...identity, ...codecs, database: name, waitMs: 0 };

/** What IndexedDB takes, and no medium of bytes does. */
const strangeKeys: readonly IDBValidKey[] = [
  ...[0, -1, 2 ** 31, 2 ** 53, Infinity, 'head', '', new Date(0)],
  ...[[], [1, 2], [Uint8Array.of(1)]],
];
const strangeValues: readonly unknown[] = [
  ...[undefined, null, 2 ** 31, 'head', true, 1n, {}, [1, 2], new Date(0), new Map()],
  ...[new ArrayBuffer(8), new Uint16Array(4), new DataView(new ArrayBuffer(4)), new Blob(['x'])],
];

function strange(random: Random, rows: readonly Row[]): Row[] {
  const copy = [...rows];
  const at = random.below(copy.length);
  const [key, value] = copy[at] ?? [0, 0];
  switch (random.below(3)) {
    case 0:
      copy[at] = [key, random.pick(strangeValues)];
      break;
    case 1:
      copy[at] = [random.pick(strangeKeys) ?? 0, value];
      break;
    default:
      copy.push([random.pick(strangeKeys) ?? 0, value]);
  }
  return copy;
}

async function write(rows: readonly Row[]): Promise<void> {
  const database = await openDB(name, 1, {
    upgrade: (made) => void made.createObjectStore('records'),
  });
  const { store, done } = database.transaction('records', 'readwrite');
  await store.clear();
  for (const [key, value] of rows) void store.put(value, key);
  await done;
  database.close();
}

/** The keys and the values in their order. */
async function read(): Promise<unknown> {
  const database = await openDB(name);
  const { store } = database.transaction('records');
  const found = await Promise.all([store.getAllKeys(), store.getAll()]);
  database.close();
  return found;
}

async function opened(): Promise<Awaited<ReturnType<typeof indexedDbStore>>['recovered']> {
  const store = await indexedDbStore(options);
  await store.close();
  const { recovered } = store;
  new Node({ id: 'a', ...recovered });
  return recovered;
}

export const indexedDbEdge: Edge<readonly Row[]> = {
  name: 'databases of pages',
  share: 0.5,
  generate(random) {
    // The fake one takes a key without bytes for one whose memory was given away.
    const pairs = ofPairs.generate(random).filter(([key]) => key.length > 0);
    const rows = pairs.map(([key, value]): Row => [Uint8Array.from(key), Uint8Array.from(value)]);
    return random.chance(0.3) ? strange(random, rows) : rows;
  },
  async feed(rows) {
    await write(rows);
    const before = await read();
    let first;
    try {
      first = await opened();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (isDeepStrictEqual(await read(), before)) return 'refused';
      throw new Violation('refused, and changed', { cause: error });
    }
    const again = await opened();
    const isSame = isDeepStrictEqual(again, { ...first, generation: first.generation + 1 });
    if (!isSame) throw new Violation('it opens again as something else');
    return 'taken';
  },
  *smaller(rows) {
    for (const each of rows) yield rows.filter((other) => other !== each);
  },
  show: (rows) => rows.map((row) => inspect(row)).join('\n'),
};
