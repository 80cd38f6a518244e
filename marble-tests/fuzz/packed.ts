/** Frames made of MessagePack: mutated as the values that they are, and as bytes. */
import { Packr } from 'msgpackr';
import type { Random } from '../../adapters/testing/simulation/random.js';
import { mutateBytes, mutateValue } from './mutate.js';

const packr = new Packr({ useRecords: false, useBigIntExtension: true, structuredClone: false });

export function pack(value: unknown): Uint8Array {
  return Uint8Array.from(packr.pack(value));
}

/** One of these values, mutated, packed; of three frames one is then mutated in its bytes. */
export function packedMutant(random: Random, seeds: readonly unknown[]): Uint8Array {
  const seed = random.pick(seeds);
  const value = random.chance(0.8) ? mutateValue(random, seed) : seed;
  const bytes = packedOr(value, seed);
  return random.chance(0.35) ? mutateBytes(random, bytes) : bytes;
}

function packedOr(value: unknown, otherwise: unknown): Uint8Array {
  try {
    return pack(value);
  } catch {
    // Not everything that is worth a try can be packed: an invalid date can't.
    return pack(otherwise);
  }
}
