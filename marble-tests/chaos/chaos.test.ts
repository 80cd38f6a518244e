/**
 * Real processes under real faults: what clients saw is linearizable, what nodes did is Raft, and
 * when it is over the cluster recovers. `RXRAFT_CHAOS_SECONDS`: how long in all, 600 if it is not
 * said, in rounds of at most five minutes: of 3 and of 5 nodes, whose members stay, or come and go.
 * `RXRAFT_SEED`: which harm is done in which order; not
 * when, since processes keep their own time.
 */
import { randomInt } from 'node:crypto';
import { expect, it } from 'vitest';
import { campaign } from './campaign.js';

const allSeconds = numberOf('RXRAFT_CHAOS_SECONDS', 600);
const firstSeed = numberOf('RXRAFT_SEED', randomInt(2 ** 31));

/** Of a round. In this time every fault has had its turn. */
const mostSeconds = 300;

const kinds = [
  { nodes: 3, changes: false },
  { nodes: 5, changes: true },
  { nodes: 5, changes: false },
  { nodes: 3, changes: true },
];

function numberOf(name: string, fallback: number): number {
  const text = process.env[name] ?? '';
  if (text === '') return fallback;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${name}=${text} is no whole number`);
  return Number(text);
}

const times = Math.max(1, Math.ceil(allSeconds / (kinds.length * mostSeconds)));
const rounds = Array.from({ length: times }, (_, at) =>
  kinds.map((kind) => ({ ...kind, seed: firstSeed + at })),
).flat();
const seconds = Math.ceil(allSeconds / rounds.length);

// What comes on top of a round is healing and checking, on a machine that may be busy.
it.each(rounds)(
  '$nodes nodes, changing: $changes, seed $seed: linearizable, Raft, and recovers',
  { timeout: (seconds + 3000) * 1000 },
  async (round) => {
    const repeated = `RXRAFT_SEED=${round.seed} RXRAFT_CHAOS_SECONDS=${kinds.length * seconds}`;
    console.log(`to repeat: ${repeated}`);
    const say = (text: string): void => console.log(text);
    expect(await campaign({ ...round, seconds, say })).toEqual([]);
  },
);
