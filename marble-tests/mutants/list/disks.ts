/** What is on disk: the policy of writes, and the stores. */
import type { Mutant } from '../mutant.js';

export const disks: readonly Mutant[] = [
  {
    name: 'a write answers for what gathered while it ran',
    trap: 'B1, G',
    file: 'adapters/group-commit.ts',
    before: 'complete: () => answer(sequence),',
    after: 'complete: () => answer(newest),',
  },
  {
    name: 'writes run side by side',
    trap: 'A12, G',
    file: 'adapters/group-commit.ts',
    before: 'while (!writing && gathered.length > 0',
    after: 'while (gathered.length > 0',
  },
  {
    name: 'a write after one that failed',
    trap: 'G3',
    file: 'adapters/group-commit.ts',
    before: 'error: (error: unknown) => subscriber.error(error),\n              complete',
    after: 'error: () => answer(sequence),\n              complete',
    test: {
      file: 'adapters/group-commit.test.ts',
      title: 'never answers, nor writes, anything after a write that failed (G3, fsyncgate)',
    },
    because: 'elsewhere',
  },
  {
    name: 'a write does not replace what is behind its place',
    trap: 'S2',
    file: 'adapters/history.ts',
    before: '    this.cutAfter(index);\n    const before',
    after: '    const before',
  },
  {
    name: 'a store keeps the log that a snapshot contradicts',
    trap: 'C2',
    file: 'adapters/history.ts',
    before: 'if (!contains(this, position)) {',
    after: 'if (position.index > lastIndex(this)) {',
    test: {
      file: 'adapters/memory-store.test.ts',
      title: 'keeps a snapshot of another history (§7)',
    },
    because: 'rare',
  },
  {
    name: 'a value whose checksum is wrong is read',
    trap: 'C10, G2',
    file: 'adapters/store-records.ts',
    before: 'viewOf(sealed).getUint32(1) !== checksum(key, sealed)',
    after: 'viewOf(sealed).getUint32(1) < 0',
    test: {
      file: 'adapters/store-recovery.test.ts',
      title: 'with any byte of any value changed, or cut, are refused as damaged (C10, G2)',
    },
    because: 'elsewhere',
  },
  {
    name: 'a disk that lost acknowledged batches is read',
    trap: 'G',
    file: 'adapters/store-recovery.ts',
    before: 'if (head.batch < acknowledged) {',
    after: 'if (head.batch < 0) {',
    test: {
      file: 'adapters/store-recovery.test.ts',
      title: 'with the end of the log lost are refused by the number noted beside it (G2)',
    },
    because: 'elsewhere',
  },
  {
    name: 'an older snapshot than the head’s is read',
    trap: 'C11',
    file: 'adapters/store-recovery.ts',
    before: 'if (number !== snapshotBatch) {',
    after: 'if (number > snapshotBatch) {',
    test: {
      file: 'adapters/store-recovery.test.ts',
      title: 'with an older snapshot than the head’s are refused (C11)',
    },
    because: 'elsewhere',
  },
  {
    name: 'the last records may be missing',
    trap: 'C11',
    file: 'adapters/store-recovery.ts',
    before: 'if (before !== (firstRecord === nextRecord ? 0 : nextRecord - 1)) {',
    after: 'if (before > nextRecord) {',
    test: {
      file: 'adapters/store-recovery.test.ts',
      title: 'without %s are refused, and nothing is changed (C11)',
    },
    because: 'elsewhere',
  },
  {
    name: 'the folder of another node is taken',
    trap: 'G',
    file: 'adapters/store-recovery.ts',
    before: 'if (cluster === place.cluster && node === place.node) return;',
    after: 'if (cluster === place.cluster) return;',
    test: {
      file: 'adapters/level-store.test.ts',
      title: 'belongs to one node of one cluster: others are refused, and change nothing',
    },
    because: 'elsewhere',
  },
  {
    name: 'a batch is acknowledged without a sync',
    trap: 'B1, G',
    file: 'adapters/level-store.ts',
    before: 'await database.batch(operations, { sync: true });',
    after: 'await database.batch(operations, { sync: false as true });',
    test: {
      file: 'adapters/level-store.test.ts',
      title: 'are one batch with one sync for all that arrived during the one before (J8)',
    },
    because: 'elsewhere',
  },
  {
    name: 'records that a write replaces stay alive',
    trap: 'S2, C11',
    file: 'adapters/store-ledger.ts',
    before:
      '    while ((this.records.at(-1)?.prevIndex ?? -1) >= prevIndex) this.delete(this.records.pop());\n',
    after: '',
    test: {
      file: 'adapters/store-recovery.test.ts',
      title: 'are one for each append, numbered on; covered and replaced ones are gone',
    },
    because: 'elsewhere',
  },
  {
    name: 'two runs of one store write side by side',
    trap: 'I9',
    file: 'adapters/medium-store.ts',
    before: '      used = true;\n',
    after: '',
    test: {
      file: 'adapters/level-store.test.ts',
      title: 'one run for one store: a second subscription ends with an error',
    },
    because: 'elsewhere',
  },
  {
    name: 'a run keeps the generation of the one before',
    trap: 'B11',
    file: 'adapters/medium-store.ts',
    before: 'const generation = recovered.generation + 1;',
    after: 'const generation = recovered.generation + 0;',
    test: {
      file: 'adapters/level-store.test.ts',
      title: 'the generation grows with every opening, durably',
    },
    because: 'elsewhere',
  },
];
