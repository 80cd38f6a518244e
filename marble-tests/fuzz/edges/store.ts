/** A data folder, damaged. What is opened is whole; all else is a StoreError. */
import { StoreError } from '../../../adapters/storage.js';
import type { Readable } from '../../../adapters/store-recovery.js';
import { recover } from '../../../adapters/store-recovery.js';
import { Node } from '../../../lib/node.js';
import type { Edge } from '../edge.js';
import type { Pair } from '../pairs.js';
import { codecs, identity, ofPairs } from '../pairs.js';

const place = { ...identity, ...codecs, where: 'here' };

function readable(pairs: readonly Pair[]): Readable {
  return {
    get: async (key) => pairs.find(([each]) => Buffer.compare(each, key) === 0)?.[1],
    async *iterator({ gte, lt }) {
      for (const [key, value] of pairs) {
        if (gte !== undefined && Buffer.compare(key, gte) < 0) continue;
        if (lt !== undefined && Buffer.compare(key, lt) >= 0) continue;
        yield [key, value];
      }
    },
  };
}

export const storeEdge: Edge<readonly Pair[]> = {
  ...ofPairs,
  name: 'data folders',
  share: 6,
  async feed(pairs) {
    try {
      const { recovered } = await recover(readable(pairs), place, 0);
      new Node({ id: 'a', ...recovered });
      return 'taken';
    } catch (error) {
      if (error instanceof StoreError) return 'refused';
      throw error;
    }
  },
};
