/** The folder of a node, as its operator hears of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { byteCodec } from '../../../adapters/codec.js';
import { storeOf } from '../../../adapters/key-value/data-folder.js';

let folder: string;

const openAs = async (node: string, cluster: string): Promise<void> => {
  const codecs = { commands: byteCodec, snapshots: byteCodec };
  await (await storeOf({ folder, cluster, node, ...codecs })).close();
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-folder-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('a folder', () => {
  it('of another cluster is not taken, and both ways back are said', async () => {
    await openAs('n1', 'n1,n2,n3');
    const refused = openAs('n1', 'n1,n2');
    await expect(refused).rejects.toMatchObject({ name: 'StoreError', reason: 'foreign' });
    await expect(refused).rejects.toThrow('it belongs to cluster "n1,n2,n3", not to "n1,n2"');
    await expect(refused).rejects.toThrow('give them as they were (--peers, or --ports)');
    await expect(refused).rejects.toThrow('or say --cluster "n1,n2,n3"');
    await openAs('n1', 'n1,n2,n3');
  });

  it('of another node is that one’s, whatever its cluster', async () => {
    await openAs('n1', 'n1,n2,n3');
    for (const cluster of ['n1,n2,n3', 'n1,n2']) {
      await expect(openAs('n2', cluster)).rejects.toThrow(/"n1,n2,n3": give every node a store of/);
    }
  });
});
