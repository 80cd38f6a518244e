import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { byteCodec } from '../../adapters/codec.js';
import { unpackBlock } from '../../adapters/key-value/commands.js';
import { levelStore } from '../../adapters/level-store.js';
import { fillLog } from '../../bench/start/fill-log.js';

it('a log that is filled is one that a node starts from', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rxraft-bench-'));
  try {
    await fillLog(folder, 2500);
    const codecs = { commands: byteCodec, snapshots: byteCodec };
    const store = await levelStore({ folder, cluster: 'bench', node: 'n1', ...codecs });
    const { entries, currentTerm, votedFor } = store.recovered;
    expect({ currentTerm, votedFor, length: entries?.length }).toEqual({
      currentTerm: 1,
      votedFor: 'n1',
      length: 3002,
    });
    const [, , block = new Uint8Array()] = entries?.commands ?? [];
    expect(unpackBlock(block)).toHaveLength(1);
    await store.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
