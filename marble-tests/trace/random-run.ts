/**
 * A run of a cluster in a world of chance: everything that can happen to one, drawn from a seed.
 */
import { Random } from '../simulation/random.js';
import { TracedCluster } from './traced-cluster.js';

const everyone = ['a', 'b', 'c', 'd', 'e'] as const;

/** Half of the runs have tiny limits, without which the faults of pipelining stay unseen. */
function clusterOf(seed: number): TracedCluster {
  const random = new Random(seed ^ 0x7ace);
  const pick = (...list: readonly number[]): number => random.pick(list) ?? 0;
  const tiny = { entriesPerMessage: pick(1, 2, 4), entriesInFlight: pick(1, 3) };
  return new TracedCluster({
    seed,
    voters: everyone.slice(0, pick(1, 2, 3, 3, 3)),
    turns: random.chance(0.5),
    limits: { heartbeatsAlone: pick(4, 10), ...(random.chance(0.5) ? tiny : {}) },
    snapshotEvery: pick(3, 10, 1000),
    loss: pick(0, 0.05, 0.2),
    duplication: pick(0, 0.2),
    latencyMs: pick(0, 20, 150),
    writeMs: pick(1, 30, 200),
  });
}

/** Of so many steps; afterwards everyone is back, and the cluster comes to rest. */
export function randomRun(seed: number, steps: number): TracedCluster {
  const cluster = clusterOf(seed);
  for (let count = 0; count < steps; count += 1) step(cluster);
  cluster.isolate();
  for (const id of everyone) cluster.start(id);
  cluster.run(3000);
  return cluster;
}

function step(cluster: TracedCluster): void {
  const { random } = cluster;
  const someone = (): string => random.pick(everyone) ?? 'a';
  const asked = random.pick(cluster.leaders) ?? someone();
  const what = random.below(40);
  if (what < 20)
    for (let count = random.between(1, 5); count > 0; count -= 1) cluster.propose(asked);
  else if (what < 22) cluster.crash(someone());
  else if (what < 26) cluster.start(someone());
  else if (what < 28) cluster.isolate(someone(), someone());
  else if (what < 32) cluster.isolate();
  else if (what < 34) cluster.change(asked, [someone()], [someone()]);
  else if (what < 35) cluster.listen(asked, ['e']);
  cluster.run(random.between(1, 200));
}
