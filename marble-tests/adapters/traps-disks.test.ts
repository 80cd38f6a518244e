/** Traps of durable storage. The list of all of them, and who holds which, is `docs/TRAPS.md`. */
import { readFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import {
  Acknowledged,
  acknowledgedFile,
  readAcknowledged,
} from '../../adapters/level-acknowledged.js';
import type { Operation } from '../../adapters/store-ledger.js';
import type { Database } from '../../adapters/level-store.js';
import { levelMedium } from '../../adapters/level-store.js';
import { openStore } from '../../adapters/medium-store.js';
import type { Bytes } from '../../adapters/testing/storage-model.js';
import { Run } from '../../adapters/testing/storage-run.js';
import { clusterOf } from '../../lib/cluster-config.js';
import { codecs, command, newFolder, openAt, place } from './level-history.js';
import { entriesOf } from '../../lib/entries.js';

/** What the disk was asked for, and how it answers. */
const disk = vi.hoisted(() => {
  // Whoever was loaded before, by another file, knows the real disk.
  vi.resetModules();
  return { synced: [] as string[], isFull: false };
});

// And whoever comes after must not know this one.
afterAll(() => vi.resetModules());

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const open: typeof real.open = async (path, ...rest) => {
    const file = await real.open(path, ...rest);
    const sync = file.sync.bind(file);
    file.sync = () => {
      disk.synced.push(String(path));
      return sync();
    };
    return file;
  };
  return { ...real, open };
});

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  /** A full disk takes a first part, and says so only by its count. */
  const writeSync = (fd: number, bytes: Uint8Array, offset: number, length: number, at: number) =>
    real.writeSync(fd, bytes, offset, disk.isFull ? 5 : length, at);
  return { ...real, writeSync };
});

/** A store on a database that only writes down what it is given. */
async function noted(folder: string): Promise<{ run: Run; batches: Operation[][] }> {
  const batches: Operation[][] = [];
  const database: Database = {
    get: () => Promise.resolve(undefined),

    async *iterator() {
      yield* [];
    },
    batch: (operations) => Promise.resolve(void batches.push([...operations])),
    close: () => Promise.resolve(),
  };
  await mkdir(folder, { recursive: true });
  const medium = levelMedium(folder, database);
  const where = { ...place, where: folder, ...codecs };
  const run = new Run(await openStore<Bytes, Bytes>(medium, where));
  batches.length = 0;
  return { run, batches };
}

describe('a folder', () => {
  it('G5: that is new is synced into the folders that name it, before anything is written', async () => {
    const folder = join(newFolder(), 'of', 'its own');
    disk.synced.length = 0;
    const store = await openAt(folder);
    const parents = [dirname(folder), dirname(dirname(folder)), dirname(dirname(dirname(folder)))];
    expect(disk.synced).toEqual(parents);
    await store.close();
  });
});

describe('a write', () => {
  it('G8: is one batch: term, vote, snapshot, what is cut and what is appended', async () => {
    const { run, batches } = await noted(newFolder());
    const log = [{ type: 'term' as const, term: 1 }, command(1), command(2), command(3)];
    run.persist({ entries: entriesOf({ term: 0, index: 0 }, log) });
    await run.settled();
    const position = { term: 1, index: 2 };
    run.persist({
      hardState: { currentTerm: 3, votedFor: null },
      snapshot: { position, config: clusterOf(['a']), data: Uint8Array.of(9) },
      entries: entriesOf({ term: 1, index: 2 }, [{ type: 'term', term: 3 }]),
    });
    await run.settled();
    expect(batches).toHaveLength(2);
    const keys = batches[1]?.map(({ type, key }) => `${type} ${String.fromCharCode(key[0] ?? 0)}`);
    expect(keys).toEqual(['put s', 'put r', 'put h']);
    await run.store.close();
  });

  it('G4: that is cut short by a full disk is not acknowledged, and says what to do', async () => {
    const { run } = await noted(newFolder());
    disk.isFull = true;
    try {
      run.persist({ hardState: { currentTerm: 1, votedFor: 'a' } });
      await run.settled();
    } finally {
      disk.isFull = false;
    }
    expect([run.ending, run.answers]).toEqual(['failed', []]);
    expect(run.error).toMatchObject({ name: 'StoreError', reason: 'failed' });
    expect((run.error as Error).message).toMatch(/make room .* start the node again/);
    await run.store.close();
  });
});

describe('the number beside the database', () => {
  it('G16: is written in one style, in one place: over itself', async () => {
    const folder = newFolder();
    await mkdir(folder, { recursive: true });
    const acknowledged = await Acknowledged.open(folder, 1);
    for (const batch of [2, 300, 70_000]) acknowledged.note(batch);
    await acknowledged.close();
    expect(await readFile(join(folder, acknowledgedFile))).toHaveLength(12);
    expect(await readAcknowledged(folder)).toBe(70_000);
  });
});
