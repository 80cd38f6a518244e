/** A campaign on several threads: each takes the next few seeds as soon as it is free. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Campaign, Totals } from './campaign.js';
import { addTotals, noTotals } from './campaign.js';

/** Seeds that a thread takes at once. */
const share = 100;

/** A run is a few megabytes that soon are garbage: the less often they are looked at the better. */
const resourceLimits = { maxYoungGenerationSizeMb: 64 };

/**
 * The same totals as on one thread, but that after a violation the seeds that others have taken
 * meanwhile are counted too. Threads run JavaScript: this works in the built package.
 */
export async function runParallelCampaign(
  campaign: Campaign,
  threads: number,
  onSeeds: (totals: Totals) => void,
): Promise<Totals> {
  const totals = noTotals();
  const end = campaign.firstSeed + campaign.seeds;
  let next = campaign.firstSeed;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./campaign-worker.js', import.meta.url), {
      resourceLimits,
    });
    while (next < end && totals.violation === null) {
      const firstSeed = next;
      next = Math.min(end, next + share);
      worker.postMessage({ ...campaign, firstSeed, seeds: next - firstSeed });
      // Rejects when the thread fails.
      const [part] = (await once(worker, 'message')) as [Totals];
      addTotals(totals, part);
      onSeeds(totals);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: threads }, work));
  return totals;
}
