/**
 * Programs with a replicated reducer under the faults of `chaos.test.ts`: what was dispatched and
 * read is linearizable, what nodes did is Raft, whoever has a version has the same state, and when
 * it is over all have the last one.
 */
import { expect, it } from 'vitest';
import { replicaCampaign } from './replicas/campaign.js';
import { keyValueShare, patienceMs, roundsOf } from './rounds.js';

const kinds = [
  { nodes: 3, changes: false },
  { nodes: 5, changes: true },
];

it.each(roundsOf(kinds, 1 - keyValueShare))(
  '$nodes replicas, changing: $changes, seed $seed: linearizable, Raft, one chain, and recovers',
  { timeout: patienceMs },
  async ({ repeated, ...round }) => {
    console.log(`to repeat: ${repeated}`);
    const say = (text: string): void => console.log(text);
    expect(await replicaCampaign({ ...round, say })).toEqual([]);
  },
);
