/**
 * Real processes under real faults: what clients saw is linearizable, what nodes did is Raft, and
 * when it is over the cluster recovers. `RXRAFT_CHAOS_SECONDS`: how long in all, with the rounds of
 * replicas, 600 if it is not said, in rounds of at most five minutes: of 3 and of 5 nodes, whose
 * members stay, or come and go. `RXRAFT_SEED`: which harm is done in which order; not when, since
 * processes keep their own time.
 */
import { expect, it } from 'vitest';
import { campaign } from './campaign.js';
import { keyValueShare, patienceMs, roundsOf } from './rounds.js';

const kinds = [
  { nodes: 3, changes: false },
  { nodes: 5, changes: true },
  { nodes: 5, changes: false },
  { nodes: 3, changes: true },
];

it.each(roundsOf(kinds, keyValueShare))(
  '$nodes nodes, changing: $changes, seed $seed: linearizable, Raft, and recovers',
  { timeout: patienceMs },
  async ({ repeated, ...round }) => {
    console.log(`to repeat: ${repeated}`);
    const say = (text: string): void => console.log(text);
    expect(await campaign({ ...round, say })).toEqual([]);
  },
);
