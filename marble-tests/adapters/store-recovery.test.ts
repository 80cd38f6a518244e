/**
 * "What is recovered is everything that was acknowledged, or a StoreError that names the culprit
 * and the mend": never less in silence, and nothing is changed by a refusal (TRAPS C8–C11, G).
 */
import { cp, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { byteCodec, packEntries, packSnapshot } from '../../adapters/codec.js';
import { openHead, sealHead, sealNumbered } from '../../adapters/store-records.js';
import { recover } from '../../adapters/store-recovery.js';
import type { StoreError } from '../../adapters/storage.js';
import { nothing, remember } from '../../adapters/testing/storage-model.js';
import { Run } from '../../adapters/testing/storage-run.js';
import { clusterOf } from '../../lib/cluster-config.js';
import { entriesOf } from '../../lib/entries.js';
import type { LogPosition } from '../../lib/position.js';
import {
  codecs,
  command,
  dump,
  golden,
  hex,
  history,
  inMemory,
  newFolder,
  openAt,
  opened,
  place,
  raw,
  record,
  text,
  whole,
  written,
} from './level-history.js';

describe('records', () => {
  it('are one for each append, numbered on; covered and replaced ones are gone', async () => {
    const folder = await written(newFolder());
    const numbers = (await dump(folder)).map(([key]) => key).filter((key) => key.startsWith('72'));
    // 1 and 2 are covered by the snapshot at 5. 4 cuts 3; 5, a cut, gives way to 6.
    expect(numbers).toEqual([3, 4, 6].map((number) => hex(record(number))));
    expect(await opened(folder)).toEqual(whole);
  });

  it('of format version 1 stay readable (G17)', async () => {
    const folder = newFolder();
    await raw(folder, (database) =>
      database.batch(
        golden.map(([key, value]) => ({
          type: 'put',
          key: Buffer.from(key, 'hex'),
          value: Buffer.from(value, 'hex'),
        })),
      ),
    );
    expect(await opened(folder)).toEqual(whole);
  });

  it('are written as format version 1 says', async () => {
    expect(await dump(await written(newFolder()))).toEqual(golden);
  });

  it('of an unknown format version are refused, and nothing is changed (G17)', async () => {
    for (const key of [text('identity'), text('head'), text('snapshot'), record(4)]) {
      const folder = await written(newFolder());
      await raw(folder, async (database) => {
        const value = Buffer.from((await database.get(key)) ?? []);
        value[0] = 2;
        value.writeUInt32BE(crc32(value.subarray(5), crc32(key, crc32(Buffer.of(2)))), 1);
        await database.put(key, value);
      });
      await refusedAs(folder, 'version', 'format version 2');
    }
  });

  it.each<[string, Uint8Array, StoreError['reason'], string]>([
    ['the first', record(3), 'gap', 'record 4'],
    ['one in the middle', record(4), 'gap', 'record 6'],
    ['the last', record(6), 'gap', 'record 6'],
    ['the snapshot', text('snapshot'), 'missing', 'snapshot'],
    ['the head', text('head'), 'missing', 'head'],
    ['the identity', text('identity'), 'missing', 'whose'],
  ])('without %s are refused, and nothing is changed (C11)', async (_, key, reason, words) => {
    const folder = await written(newFolder());
    await raw(folder, (database) => database.del(key));
    await refusedAs(folder, reason, words);
  });

  it('with an older snapshot than the head’s are refused (C11)', async () => {
    const folder = await written(newFolder());
    const old = await raw(folder, (database) => database.get(text('snapshot')));
    const data = Uint8Array.of(1);
    const snapshot = { position: { term: 3, index: 8 }, config: clusterOf(['a']), data };
    await written(folder, [{ snapshot }]);
    await raw(folder, (database) => database.put(text('snapshot'), old ?? data));
    await refusedAs(folder, 'missing', 'snapshot');
  });

  it('under the key of another are refused', async () => {
    const folder = await written(newFolder());
    const value = (await raw(folder, (database) => database.get(record(6)))) ?? text('');
    await raw(folder, (database) => database.put(record(4), value));
    await refusedAs(folder, 'damaged', 'record 4');
  });

  it.each([
    ['too short', text('r1')],
    ['too great', Uint8Array.of(...text('r'), ...new Uint8Array(8).fill(255))],
  ])('under a number that is %s are refused', async (_, key) => {
    const folder = await written(newFolder(), history.slice(0, 2));
    await raw(folder, async (database) => {
      await database.put(key, (await database.get(record(1))) ?? text(''));
      await database.del(record(1));
    });
    await refusedAs(folder, 'damaged', 'record');
  });

  it('that nobody wrote are refused', async () => {
    const folder = await written(newFolder());
    await raw(folder, (database) => database.put(text('rubbish'), text('rubbish')));
    await refusedAs(folder, 'damaged', 'record');
  });

  it('that a codec can’t read are refused', async () => {
    const folder = await written(newFolder());
    const decode = () => {
      throw new SyntaxError('no value');
    };
    const refused = openAt(folder, { commands: { ...byteCodec, decode } });
    await expect(refused).rejects.toMatchObject({ reason: 'damaged' });
    expect(await opened(folder)).toEqual(whole);
  });

  it('covered by a snapshot to their very end are deleted', async () => {
    const data = Uint8Array.of(1);
    const snapshot = { position: { term: 3, index: 9 }, config: clusterOf(['a']), data };
    const folder = await written(await written(newFolder()), [{ snapshot }]);
    expect((await dump(folder)).map(([key]) => key)).toEqual([
      hex(text('head')),
      hex(text('identity')),
      hex(text('snapshot')),
    ]);
    expect(await opened(folder)).toEqual(remember(whole, { snapshot }));
  });

  /** Values that are sound by themselves, and contradict the rest. */
  const head = openHead(Buffer.from(golden[0]?.[1] ?? '', 'hex'), 'golden');
  const link = (number: number, before: number, position: LogPosition) => {
    const body = packEntries(entriesOf(position, [command(1)]), byteCodec);
    return sealNumbered(record(number), before, body);
  };
  const foreign = { position: { term: 2, index: 5 }, config: clusterOf(['a']), data: text('') };
  const unlike = packSnapshot(foreign, byteCodec);
  it.each<[string, string, Uint8Array, Uint8Array]>([
    ['a head that begins earlier', 'gap', text('head'), sealHead({ ...head, firstRecord: 2 })],
    ['a head that ends earlier', 'gap', text('head'), sealHead({ ...head, nextRecord: 6 })],
    ['a head that ends later', 'gap', text('head'), sealHead({ ...head, nextRecord: 8 })],
    ['a head without snapshot', 'missing', text('head'), sealHead({ ...head, snapshotBatch: 0 })],
    ['a record after another', 'gap', record(6), link(6, 5, { term: 3, index: 8 })],
    ['a record off the log', 'gap', record(6), link(6, 4, { term: 2, index: 8 })],
    [
      'a snapshot off the log',
      'gap',
      text('snapshot'),
      sealNumbered(text('snapshot'), head.snapshotBatch, unlike),
    ],
  ])('with %s are refused as a %s', async (_, reason, key, value) => {
    const folder = await written(newFolder());
    expect((await dump(folder)).map(([each]) => each)).toContain(hex(key));
    await raw(folder, (database) => database.put(key, value));
    await refusedAs(folder, reason, 'add it anew');
  });

  it.each(['generation', 'batch', 'nextRecord'])(
    'with a %s that can not be counted on from are refused, and nothing is changed (H6)',
    async (field) => {
      const folder = await written(newFolder());
      const last = sealHead({ ...head, [field]: Number.MAX_SAFE_INTEGER });
      await raw(folder, (database) => database.put(text('head'), last));
      await refusedAs(folder, 'damaged', 'head');
    },
  );

  it('of a history that can’t be are refused', async () => {
    const entries = entriesOf<Uint8Array>({ term: 0, index: 0 }, [{ type: 'term', term: 5 }]);
    const folder = await written(newFolder(), [{ entries }]);
    await refusedAs(folder, 'damaged', 'add it anew');
  });

  it('with any byte of any value changed, or cut, are refused as damaged (C10, G2)', async () => {
    for (const [key, value] of golden) {
      const bytes = Buffer.from(value, 'hex');
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        for (const bad of [changed, bytes.subarray(0, at)]) {
          const database = await inMemory([...golden, [key, hex(bad)]]);
          const refused = recover(database, { ...place, ...codecs }, 0);
          await expect(refused, `${key} at ${at}`).rejects.toMatchObject({ reason: 'damaged' });
        }
      }
    }
  });
});

/** Twice, for the first time must not mend it; and what is stored stays as it is. */
async function refusedAs(folder: string, reason: string, words: string): Promise<void> {
  const before = await dump(folder);
  for (const time of ['first', 'second']) {
    await expect(openAt(folder), time).rejects.toMatchObject({ name: 'StoreError', reason });
    await expect(openAt(folder), time).rejects.toThrow(words);
    await expect(openAt(folder), time).rejects.toThrow(folder);
  }
  expect(await dump(folder)).toEqual(before);
}

describe('files', () => {
  it('are let go when the store is closed, or refused (I15)', async () => {
    const folder = await written(newFolder());
    for (const owner of [{ node: 'b' }, { node: 'a' }, { node: 'a' }]) {
      await openAt(folder, owner).then(
        (store) => store.close(),
        () => undefined,
      );
    }
    // Where the system tells which files a process has open.
    const open = await readdir('/proc/self/fd').catch(() => []);
    const links = open.map((each) => readlink(`/proc/self/fd/${each}`).catch(() => ''));
    expect((await Promise.all(links)).filter((each) => each.startsWith(folder))).toEqual([]);
  });

  it('copied at any acknowledgement hold all that was acknowledged: as after a kill', async () => {
    const folder = newFolder();
    const run = new Run(await openAt(folder));
    let memory = nothing;
    for (const [at, write] of history.entries()) {
      run.persist(write);
      memory = remember(memory, write);
      await run.settled();
      const copy = `${folder}-${at}`;
      await cp(folder, copy, { recursive: true });
      expect(await opened(copy)).toEqual(memory);
    }
    await run.close();
  });

  it('cut or changed anywhere give all that was acknowledged, or a refusal (G1, G2)', async () => {
    // Opened in between, so that a part of it is in a table file and the rest in the log. What is
    // damaged in a table can make LevelDB abort the process: no answer, and so no wrong one either.
    const folder = await written(await written(newFolder(), history.slice(0, 4)), history.slice(4));
    const all = await readdir(folder);
    expect(all.filter((name) => name.endsWith('.ldb'))).toHaveLength(1);
    const names = all.filter((name) => /^\d+\.log$|^MANIFEST/.test(name));
    expect(names).toHaveLength(2);
    const outcomes = { whole: 0, refused: 0 };
    for (const name of names) {
      const bytes = await readFile(join(folder, name));
      for (let at = 0; at < bytes.length; at += 23) {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        for (const bad of [changed, bytes.subarray(0, at)]) {
          const copy = `${folder}-copy`;
          await rm(copy, { recursive: true, force: true });
          await cp(folder, copy, { recursive: true });
          await writeFile(join(copy, name), bad);
          const result = await opened(copy);
          if (result instanceof Error) {
            outcomes.refused += 1;
            expect(await opened(copy), `${name} at ${at}, again`).toBeInstanceOf(Error);
          } else {
            outcomes.whole += 1;
            expect(result, `${name} at ${at}`).toEqual(whole);
          }
        }
      }
    }
    expect(outcomes.refused).toBeGreaterThan(50);
  });

  it('with the end of the log lost are refused by the number noted beside it (G2)', async () => {
    const folder = await written(newFolder());
    const log = (await readdir(folder)).find((name) => name.endsWith('.log')) ?? '';
    const bytes = await readFile(join(folder, log));
    await writeFile(join(folder, log), bytes.subarray(0, bytes.length - 10));
    await refusedAs(folder, 'missing', 'was acknowledged');
  });

  it.each([
    ['gone', null],
    ['empty', Buffer.alloc(0)],
    ['damaged', Buffer.from('00000000000000ffffffffff', 'hex')],
    ['of an older batch', noted(3)],
  ])('with the noted number %s are read all the same', async (_, bytes) => {
    const folder = await written(newFolder());
    const path = join(folder, 'acknowledged');
    await (bytes === null ? rm(path) : writeFile(path, bytes));
    expect(await opened(folder)).toEqual(whole);
    expect(await readFile(path)).toEqual(noted(history.length + 2));
  });

  it('that are all gone but the noted number are refused: a node must not forget', async () => {
    const folder = newFolder();
    await mkdir(folder);
    await writeFile(join(folder, 'acknowledged'), noted(3));
    await expect(openAt(folder)).rejects.toMatchObject({ reason: 'missing' });
    expect(await readdir(folder)).toContain('acknowledged');
  });

  it('without the table of contents are refused, and the rest is not deleted', async () => {
    for (const name of ['CURRENT', 'MANIFEST']) {
      const folder = await written(newFolder());
      const names = await readdir(folder);
      const file = names.find((each) => each.startsWith(name)) ?? '';
      const content = await readFile(join(folder, file));
      await rm(join(folder, file));
      await expect(openAt(folder)).rejects.toMatchObject({ reason: 'missing' });
      await writeFile(join(folder, file), content);
      expect(await opened(folder)).toEqual(whole);
    }
  });
});

function noted(batch: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(batch));
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  return bytes;
}
