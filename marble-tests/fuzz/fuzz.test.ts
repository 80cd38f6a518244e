/** "At least 2 million mutated inputs": every decoder and edge, within this process. */
import { afterAll, describe, expect, it } from 'vitest';
import { edges } from './edges/index.js';
import type { Result } from './run.js';
import { runEdge, summaryOf } from './run.js';

const inputs = Number(process.env['RXRAFT_FUZZ_INPUTS'] ?? 2_000_000);
const seed = Number(process.env['RXRAFT_SEED'] ?? Date.now() % 2 ** 31);
const shares = edges.reduce((sum, edge) => sum + edge.share, 0);

/** What may still be in use afterwards, in MiB: caches fill, and code is compiled. */
const growthAtMost = 16;

const results: Result[] = [];
let told = performance.now();

describe(`hostile input, RXRAFT_SEED=${seed}, RXRAFT_FUZZ_INPUTS=${inputs}`, () => {
  afterAll(() => console.log(summaryOf(results)));

  it.each(edges.map((edge) => [edge.name, edge] as const))(
    '%s: refused or taken, and nothing else',
    async (name, edge) => {
      const share = Math.ceil((inputs * edge.share) / shares);
      const result = await runEdge(edge, seed, share, (done) => {
        if (performance.now() - told < 10_000) return;
        told = performance.now();
        console.log(`${name}: ${done.toLocaleString('en')} of ${share.toLocaleString('en')}`);
      });
      results.push(result);
      expect(result.violation).toBeNull();
      expect(result.refused).toBeGreaterThan(0);
      expect(result.taken).toBeGreaterThan(0);
      expect(result.heap[1] - result.heap[0]).toBeLessThan(growthAtMost);
    },
    3_600_000,
  );
});
