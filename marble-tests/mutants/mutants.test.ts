/**
 * `npm run simulate -- --mutants`: every planted bug is found, by the simulator or by the test that
 * it names. What was found is written into docs/MUTANTS.md. `RXRAFT_MUTANTS`: how many of them, at
 * equal distances on the list; all if it is not said.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { mutants } from './mutants.js';
import { pageOf, type Found } from './page.js';
import { root, Workshop } from './workshop.js';

/** What the simulator may take for one of them. */
const seeds = 1000;

vi.setConfig({ maxConcurrency: availableParallelism() });

const workshop = new Workshop();
const found = new Map<string, Found>();

afterAll(() => {
  workshop.close();
  const page = pageOf(mutants, found);
  process.stdout.write(`\n${page.table}\n`);
  if (found.size === mutants.length) writeFileSync(join(root, 'docs', 'MUTANTS.md'), page.text);
});

const count = Number(process.env['RXRAFT_MUTANTS'] ?? mutants.length);
const step = Math.max(1, Math.floor(mutants.length / count));
const named = mutants
  .filter((_, at) => at % step === 0)
  .map((mutant) => [mutant.name, mutant] as const);

describe.concurrent('is found', { timeout: 600_000 }, () => {
  it.each(named)('%s', async (name, mutant) => {
    const { test } = mutant;
    if (test === undefined) {
      const caught = await workshop.hunt(mutant, seeds);
      expect(caught, `survives ${seeds} seeds`).not.toBeNull();
      if (caught !== null) found.set(name, caught);
    } else {
      expect(await workshop.fails(mutant, test), `"${test.title}" passes`).toBe(true);
      found.set(name, 'test');
    }
  });
});
