/**
 * An edge is a place where bytes, texts or values of strangers come in. A new one is a file in
 * `edges`, and a line in `edges/index.ts`.
 */
import type { Random } from '../../adapters/testing/simulation/random.js';

/** Refused: nothing has changed. Taken: it was sound, or good enough to be judged further in. */
export type Fate = 'taken' | 'refused';

export interface Edge<Input> {
  readonly name: string;
  /** Of all inputs, so many parts; the edges together have whatever they sum to. */
  readonly share: number;
  /** The next input. The same chance gives the same one. */
  generate(random: Random): Input;
  /** Hands it in. Whatever it throws is a violation. */
  feed(input: Input): Fate | Promise<Fate>;
  /** Inputs that are a little smaller, to look for the smallest that fails. */
  smaller(input: Input): Iterable<Input>;
  show(input: Input): string;
}

/** What the edge promises, and has not kept. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** The fate of what is decoded: an error of a kind in `refusals` refuses, any other escapes. */
export function fateOf(
  hand: () => unknown,
  ...refusals: readonly (abstract new (...args: never[]) => Error)[]
): Fate {
  try {
    hand();
    return 'taken';
  } catch (error) {
    if (refusals.some((kind) => error instanceof kind)) return 'refused';
    throw error;
  }
}

/** The parts of an edge whose inputs are bytes. */
export const ofBytes = {
  *smaller(bytes: Uint8Array): Iterable<Uint8Array> {
    for (let size = bytes.length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at + size <= bytes.length; at += size) {
        yield Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]);
      }
    }
  },
  show: (bytes: Uint8Array): string =>
    `${bytes.length} bytes: ${Buffer.from(bytes.subarray(0, 400)).toString('hex')}`,
};

/** The parts of an edge whose inputs are values. */
export const ofValues = {
  smaller: (): Iterable<never> => [],
  show: (value: unknown): string =>
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'number' && !Number.isFinite(each) ? String(each) : each,
    ),
};
