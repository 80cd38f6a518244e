/**
 * Runs of the simulator, traced and replayed: it has judges of its own, which see what nodes are
 * told and want done; the model sees what they say, and shares nothing with them.
 */
import { expect, it } from 'vitest';
import { simulate } from '../../adapters/testing/index.js';
import { traced } from '../../adapters/trace.js';
import { raft } from '../../lib/index.js';
import type { Line } from './line.js';
import type { Summary } from './model.js';
import { Model } from './model.js';

/** The traces of so many seeds are replayed. */
const seeds = Number(process.env['RXRAFT_TRACES'] ?? 40);

interface Verdicts {
  readonly simulator: unknown;
  readonly model: unknown;
  readonly summary: Summary;
}

/** What each of them has found; null for nothing. */
async function tracedRun(seed: number, nodes: number): Promise<Verdicts> {
  const model = new Model();
  let refusal: unknown = null;
  const write = (line: string): void => {
    if (refusal !== null) return;
    try {
      model.take(line);
    } catch (error) {
      refusal = error;
    }
  };
  const simulator = await simulate({
    ...{ seed, nodes, shrinkRuns: 0 },
    core: (config, turn) => traced(raft(config, turn), { ...config, write }),
  }).then(
    () => null,
    (violation: unknown) => violation,
  );
  return { simulator, model: refusal, summary: model.summary };
}

it(
  `${seeds} runs of the simulator are Raft, by the model as well`,
  { timeout: 600_000 },
  async () => {
    const counts = new Map<Line['event'], number>();
    for (let seed = 1; seed <= seeds; seed += 1) {
      const nodes = [3, 5, 7, 2, 3, 4][seed % 6] ?? 3;
      const { simulator, model, summary } = await tracedRun(seed, nodes);
      expect([simulator, model], `seed ${seed} of ${nodes} nodes`).toEqual([null, null]);
      for (const [event, count] of summary.events) {
        counts.set(event, (counts.get(event) ?? 0) + count);
      }
    }
    const rare = ['becomeLeader', 'receiveSnapshot', 'restore', 'configuration'] as const;
    for (const event of rare) expect(counts.get(event), event).toBeGreaterThan(seeds / 2);
  },
);

it('a change counts from when it is told of, before the entry that makes it', async () => {
  const { model, summary } = await tracedRun(69, 1);
  expect(model).toBeNull();
  expect(summary.events.get('configuration')).toBeGreaterThan(3);
});
