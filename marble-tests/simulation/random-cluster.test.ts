/**
 * Hundreds of runs of a cluster in a world of chance, each from its seed: the rules that the paper
 * proves (Figure 3), and what an implementation adds, are checked after every step; then the world
 * heals, and the cluster must live.
 */
import { describe, expect, it } from 'vitest';
import { Random } from '../../adapters/testing/simulation/random.js';
import { RandomCluster, type Options } from './random-cluster.js';

const runs = Number(process.env['RXRAFT_RUNS'] ?? 300);
const first = Number(process.env['RXRAFT_SEED'] ?? 1);

/** Half of the runs have tiny limits, without which the faults of pipelining stay unseen. */
function optionsOf(seed: number): Options {
  const random = new Random(seed ^ 0x5eed);
  const tiny = random.chance(0.5);
  return {
    seed,
    voters: random.pick([1, 2, 3, 3, 4, 5]) ?? 3,
    limits: {
      heartbeatsAlone: random.between(3, 20),
      promotionLag: random.between(0, 5),
      uncommittedEntries: random.between(4, 60),
      ...(tiny
        ? {
            entriesPerMessage: random.between(1, 4),
            entriesInFlight: random.between(1, 4),
            bytesPerMessage: random.between(1, 20),
            bytesInFlight: random.between(1, 40),
          }
        : {}),
    },
    batch: random.pick([1, 1, 3, 8]) ?? 1,
    loss: random.pick([0, 0.05, 0.3]) ?? 0,
    duplication: random.pick([0, 0.1, 0.4]) ?? 0,
    crash: random.pick([0, 0.003, 0.02]) ?? 0,
    slowDisk: random.pick([0.1, 0.5, 0.9]) ?? 0.5,
    membership: random.pick([0, 0.01, 0.05, 0.1]) ?? 0,
    snapshot: random.pick([0, 0.02, 0.1, 0.2]) ?? 0,
    partition: random.pick([0, 0.01, 0.03]) ?? 0,
    timeout: random.pick([0.1, 0.3, 0.6]) ?? 0.3,
    reads: random.pick([0.1, 0.5]) ?? 0,
  };
}

function run(seed: number): RandomCluster {
  const options = optionsOf(seed);
  const cluster = new RandomCluster(options);
  const steps = 300 + (seed % 5) * 300;
  try {
    for (let step = 0; step < steps; step += 1) cluster.step();
    cluster.heal();
  } catch (error) {
    const story = cluster.notes.join('\n');
    throw new Error(`seed ${seed}, ${JSON.stringify(options)}\n${story}\n${String(error)}`, {
      cause: error,
    });
  }
  return cluster;
}

describe('a cluster in a world of chance', () => {
  it(
    `keeps every rule in ${runs} runs, and lives when the world heals`,
    { timeout: 600_000 },
    () => {
      const total: Record<string, number> = {};
      for (let seed = first; seed < first + runs; seed += 1) {
        for (const [name, count] of Object.entries(run(seed).counts)) {
          total[name] = (total[name] ?? 0) + count;
        }
      }
      if (process.env['RXRAFT_TOTALS']) console.log(total);
      // A world in which nothing happens would keep every rule.
      for (const name of ['elections', 'commits', 'crashes', 'installs', 'reads']) {
        expect(total[name], name).toBeGreaterThan(runs / 4);
      }
    },
  );
});
