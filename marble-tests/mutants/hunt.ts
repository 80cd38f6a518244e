/** The simulator against a changed source: how many seeds until it notices. */
import { simulate } from '../../adapters/testing/simulation/simulate.js';
import { Violation } from '../../adapters/testing/simulation/violation.js';

/** The nodes of a seed, as the command has it: 3, 5 and 7 in turn. */
const sizes = [3, 5, 7];

export interface Catch {
  /** How many seeds it took. */
  readonly seeds: number;
  /** The rule that was broken, or the error that a run ended with. */
  readonly rule: string;
}

/** Null: nothing in so many seeds. */
export async function hunt(seeds: number, onSeed: (seed: number) => void): Promise<Catch | null> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    onSeed(seed);
    try {
      await simulate({ seed, nodes: sizes[seed % sizes.length] ?? 3, shrinkRuns: 0 });
    } catch (error) {
      const rule = error instanceof Violation ? error.rule : String(error);
      return { seeds: seed, rule };
    }
  }
  return null;
}
