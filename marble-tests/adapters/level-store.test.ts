/** Storage on disk: one atomic write with one sync at a time, and one holder of a folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, readlink, stat, writeFile } from 'node:fs/promises';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { Subject } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Database } from '../../adapters/level-store.js';
import { levelMedium } from '../../adapters/level-store.js';
import { openStore } from '../../adapters/medium-store.js';
import { storageAcceptance } from '../../adapters/testing/storage-acceptance.js';
import type { Bytes } from '../../adapters/testing/storage-model.js';
import { Run } from '../../adapters/testing/storage-run.js';
import { clusterOf } from '../../lib/cluster-config.js';
import { emptyEntries } from '../../lib/entries.js';
import {
  codecs,
  dump,
  inMemory,
  newFolder,
  openAt,
  opened,
  place,
  whole,
  written,
} from './level-history.js';

/** The suite throws where something is wrong; vitest wants to see an assertion. */
const test = (name: string, body: () => void | Promise<void>) =>
  it(name, async () => expect(await body()).toBeUndefined());

describe('levelStore', () => {
  storageAcceptance(test, () => {
    const folder = newFolder();
    return { open: () => openAt(folder) };
  });
});

describe('a folder', () => {
  it('has one holder: a second store in this process is locked (G10)', async () => {
    const folder = newFolder();
    const store = await openAt(folder);
    await expect(openAt(folder)).rejects.toMatchObject({ name: 'StoreError', reason: 'locked' });
    await expect(openAt(folder)).rejects.toThrow(folder);
    await store.close();
    const again = await openAt(folder);
    expect(again.recovered.generation).toBe(store.recovered.generation + 1);
    await again.close();
  });

  it('has one holder: a second process is locked out until the first has ended (G10)', async () => {
    const folder = await written(newFolder());
    const classicLevel = createRequire(import.meta.url).resolve('classic-level');
    const program = `
      import { createRequire } from 'node:module';
      const { ClassicLevel } = createRequire(import.meta.url)(${JSON.stringify(classicLevel)});
      await new ClassicLevel(${JSON.stringify(folder)}).open();
      console.log('held');
      setInterval(() => undefined, 1000);
    `;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(holder.stdout, 'data');
      await expect(openAt(folder)).rejects.toMatchObject({ reason: 'locked' });
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'close');
    }
    expect(await opened(folder)).toEqual(whole);
  });

  it('belongs to one node of one cluster: others are refused, and change nothing', async () => {
    const folder = await written(newFolder());
    const before = await dump(folder);
    for (const owner of [{ node: 'b' }, { cluster: 'other' }]) {
      const refused = openAt(folder, owner);
      await expect(refused).rejects.toMatchObject({ name: 'StoreError', reason: 'foreign' });
      await expect(openAt(folder, owner)).rejects.toThrow('node "a" of cluster "acceptance"');
    }
    await expect(openAt(folder, { cluster: 'other' })).rejects.toThrow('say the name of that');
    expect(await dump(folder)).toEqual(before);
    expect(await opened(folder)).toEqual(whole);
  });

  it('is made with its parents; a node id that is none is refused', async () => {
    const folder = join(newFolder(), 'deep', 'er');
    await (await openAt(folder)).close();
    expect(await readdir(folder)).toContain('acknowledged');
    await expect(openAt(newFolder(), { node: '' })).rejects.toMatchObject({ field: 'node' });
  });

  it('survives a power loss: the folders that name it are synced (G5)', async () => {
    const first = newFolder();
    const second = join(first, 'deep');
    const handle = await open(dirname(first));
    const files = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const synced: number[] = [];
    let running = 0;
    const sync = vi.spyOn(files, 'sync').mockImplementation(async function (this: FileHandle) {
      synced.push(fstatSync(this.fd).ino);
      running += 1;
      for (let turns = 0; turns < 50; turns += 1) await turn();
      expect(running).toBe(1);
      running -= 1;
    });
    try {
      await (await openAt(join(second, 'er'))).close();
    } finally {
      sync.mockRestore();
    }
    const named = await Promise.all([second, first, dirname(first)].map((each) => stat(each)));
    expect(synced).toEqual(named.map((each) => each.ino));
  });

  it('that is refused is let go before that is said: it may be opened again (G10)', async () => {
    const memory = await inMemory([['00', '00']]);
    const order: string[] = [];
    const database: Database = {
      get: (key) => memory.get(key),
      iterator: (range) => memory.iterator(range),
      batch: (operations, options) => memory.batch(operations, options),
      async close() {
        await turn();
        order.push('closed');
      },
    };
    const folder = newFolder();
    const opening = openStore(levelMedium(folder, database), {
      ...place,
      where: folder,
      ...codecs,
    });
    await opening.catch(() => order.push('refused'));
    expect(order).toEqual(['closed', 'refused']);
  });

  it('that can’t be made or read is a StoreError "failed"', async () => {
    const file = newFolder();
    await writeFile(file, 'a file');
    await expect(openAt(file)).rejects.toMatchObject({ name: 'StoreError', reason: 'failed' });
    await expect(openAt(file)).rejects.toThrow(file);
  });
});

/** A store on a database whose writes wait until they are told how to end. */
async function heldStore() {
  const folder = newFolder();
  await mkdir(folder);
  const memory = await inMemory([]);
  const ends$ = new Subject<Error | null>();
  const calls: unknown[] = [];
  let held = false;
  const database: Database = {
    get: (key) => memory.get(key),
    iterator: (range) => memory.iterator(range),
    async batch(operations, options) {
      calls.push(options);
      const end = new Promise<Error | null>((resolve) => ends$.subscribe({ next: resolve }));
      const error = held ? await end : null;
      if (error) throw error;
      await memory.batch(operations, options);
    },
    async close() {
      calls.push('close');
      await memory.close();
    },
  };
  const medium = levelMedium(folder, database);
  const store = await openStore<Bytes, Bytes>(medium, { ...place, where: folder, ...codecs });
  held = true;
  calls.length = 0;
  const run = new Run(store);
  const persist = (count: number) => {
    for (; count > 0; count -= 1) run.persist({ hardState: { currentTerm: 1, votedFor: null } });
  };
  return { folder, run, persist, ends$, calls };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('writes', () => {
  it('are one batch with one sync for all that arrived during the one before (J8)', async () => {
    const { run, persist, ends$, calls } = await heldStore();
    persist(100);
    await turn();
    expect([calls, run.answers]).toEqual([[{ sync: true }], []]);
    ends$.next(null);
    await turn();
    expect([calls, run.answers]).toEqual([[{ sync: true }, { sync: true }], [1]]);
    ends$.next(null);
    await run.settled();
    expect([calls.length, run.answers]).toEqual([2, [1, 100]]);
    await run.close();
  });

  it('reach LevelDB itself with a sync each, those of few bytes and those of many (B1)', async () => {
    const store = await openAt(newFolder());
    const run = new Run(store);
    const asked: unknown[] = [];
    const batch = Reflect.get(ClassicLevel.prototype, 'batch') as (...args: unknown[]) => unknown;
    const calls = vi.spyOn(ClassicLevel.prototype, 'batch');
    calls.mockImplementation(function (this: unknown, ...args: unknown[]) {
      const made = batch.apply(this, args);
      if (args.length > 0) asked.push(['list', args[1]]);
      else {
        const chain = made as { write: (options?: unknown) => Promise<void> };
        const write = chain.write.bind(chain);
        chain.write = (options) => (asked.push(['chain', options]), write(options));
      }
      return made as never;
    });
    try {
      for (const length of [1, 100_000]) {
        const data = new Uint8Array(length);
        run.persist({
          snapshot: { position: { term: 1, index: 1 }, config: clusterOf(['a']), data },
        });
        await run.settled();
      }
    } finally {
      calls.mockRestore();
    }
    await run.close();
    expect(asked).toEqual([
      ['chain', { sync: true }],
      ['list', { sync: true }],
    ]);
  });

  it('that fail end the run: nothing is acknowledged, retried or written later (G3, G4)', async () => {
    const { run, persist, ends$, calls, folder } = await heldStore();
    persist(3);
    ends$.next(new Error('IO error: 000003.log: No space left on device'));
    await run.settled();
    persist(1);
    await turn();
    expect([run.ending, run.answers, calls]).toEqual(['failed', [], [{ sync: true }]]);
    expect(run.error).toMatchObject({ name: 'StoreError', reason: 'failed', culprit: folder });
    expect((run.error as Error).message).toMatch(/make room .* start the node again/);
    await run.store.close();
  });

  it.each<[string, () => number]>([
    ['is cut short', () => 11],
    [
      'fails',
      () => {
        throw new Error('ENOSPC: no space left on device, write');
      },
    ],
  ])('are not answered for when the note of their number %s (G4)', async (_, note) => {
    const full = async <T>(body: () => Promise<T>): Promise<T> => {
      const spy = vi.spyOn(fs, 'writeSync').mockImplementation(note);
      syncBuiltinESMExports();
      try {
        return await body();
      } finally {
        spy.mockRestore();
        syncBuiltinESMExports();
      }
    };
    const folder = newFolder();
    await expect(full(() => openAt(folder))).rejects.toMatchObject({ reason: 'failed' });
    const files = await readdir('/proc/self/fd').catch(() => []);
    const links = await Promise.all(
      files.map((each) => readlink(`/proc/self/fd/${each}`).catch(() => '')),
    );
    expect(links.filter((each) => each.startsWith(folder))).toEqual([]);
    const run = new Run(await openAt(folder));
    run.persist({ hardState: { currentTerm: 1, votedFor: 'a' } });
    await run.settled();
    await full(async () => {
      run.persist({ hardState: { currentTerm: 2, votedFor: 'a' } });
      await run.settled();
    });
    expect([run.ending, run.answers]).toEqual(['failed', [1]]);
    expect(run.error).toMatchObject({ name: 'StoreError', reason: 'failed', culprit: folder });
    expect((run.error as Error).message).toContain('make room');
    await run.store.close();
  });

  it('that do not fit the log end the run before they reach the disk', async () => {
    const config = clusterOf(['a']);
    const tooOld = { position: { term: 1, index: 3 }, config, data: Uint8Array.of(1) };
    for (const write of [
      { entries: emptyEntries({ term: 3, index: 10 }) },
      { entries: emptyEntries({ term: 2, index: 8 }) },
      { entries: emptyEntries({ term: 1, index: 4 }) },
      { snapshot: tooOld },
    ]) {
      const folder = await written(newFolder());
      const run = new Run(await openAt(folder));
      run.persist(write);
      await run.settled();
      expect([run.ending, run.answers]).toEqual(['failed', []]);
      expect(run.error).toMatchObject({ name: 'StoreError', reason: 'failed', culprit: folder });
      await run.store.close();
      expect(await opened(folder)).toEqual(whole);
    }
  });

  it('of what has no bytes end the run, and do not blame the disk', async () => {
    const encode = (): never => {
      throw new TypeError('no bytes for it');
    };
    const folder = newFolder();
    const snapshots = { ...codecs.snapshots, encode };
    const run = new Run(await openAt(folder, { snapshots }));
    const position = { term: 1, index: 1 };
    run.persist({ snapshot: { position, config: clusterOf(['a']), data: Uint8Array.of(1) } });
    await run.settled();
    expect(run.error).toMatchObject({ name: 'StoreError', reason: 'failed', culprit: folder });
    expect((run.error as Error).message).toContain('can not be written: no bytes for it');
    expect((run.error as Error).message).not.toContain('disk');
    await run.store.close();
  });

  it('in flight return before the store is closed; later ones fail', async () => {
    const { run, persist, ends$, calls } = await heldStore();
    persist(2);
    let closed = false;
    const closing = run.store.close().then(() => (closed = true));
    const twice = run.store.close();
    await turn();
    expect([calls, closed]).toEqual([[{ sync: true }], false]);
    ends$.next(null);
    await Promise.all([closing, twice]);
    await turn();
    expect(calls).toEqual([{ sync: true }, 'close']);
    expect([run.answers, run.ending]).toEqual([[1], 'failed']);
  });
});
