/** How long a suite goes on, in which rounds, and with which seeds. */
import { randomInt } from 'node:crypto';

/** Of all suites together. */
const allSeconds = numberOf('RXRAFT_CHAOS_SECONDS', 600);
const firstSeed = numberOf('RXRAFT_SEED', randomInt(2 ** 31));

/** Of a round. In this time every fault has had its turn. */
const mostSeconds = 300;

/** The part of the time that the key-value program has; replicas have the rest. */
export const keyValueShare = 3 / 4;

/** Of a round, with healing and checking, on a machine that may be busy. */
export const patienceMs = (mostSeconds + 3000) * 1000;

export interface Round {
  readonly nodes: number;
  /** Do members come and go? */
  readonly changes: boolean;
}

interface Timed {
  readonly seed: number;
  readonly seconds: number;
  /** What makes a suite have this round again. */
  readonly repeated: string;
}

/** Rounds of all kinds, the same time for each, which together have this share of all. */
export function roundsOf(kinds: readonly Round[], share: number): readonly (Round & Timed)[] {
  const times = Math.max(1, Math.ceil((allSeconds * share) / (kinds.length * mostSeconds)));
  const seconds = Math.ceil((allSeconds * share) / (kinds.length * times));
  const all = Math.round((kinds.length * seconds) / share);
  return Array.from({ length: times }, (_, at) => {
    const seed = firstSeed + at;
    const repeated = `RXRAFT_SEED=${seed} RXRAFT_CHAOS_SECONDS=${all}`;
    return kinds.map((kind) => ({ ...kind, seed, seconds, repeated }));
  }).flat();
}

function numberOf(name: string, fallback: number): number {
  const text = process.env[name] ?? '';
  if (text === '') return fallback;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${name}=${text} is no whole number`);
  return Number(text);
}
