/** A fault: something that is done to a cluster, and undone. */
import type { Random } from '../simulation/random.js';
import type { Fleet } from './fleet.js';

/** What a fault is done with. */
export interface Harm {
  readonly fleet: Fleet;
  readonly random: Random;
  /** The nemesis has been stopped. */
  readonly isOver: () => boolean;
  /** Between so many milliseconds; less when the nemesis is stopped. */
  readonly pause: (leastMs: number, mostMs: number) => Promise<void>;
}

export interface Fault {
  readonly name: string;
  /** Undoes it before it resolves. */
  readonly run: (harm: Harm) => Promise<void>;
}

export function shuffled<T>(list: readonly T[], random: Random): T[] {
  const rest = [...list];
  return list.flatMap(() => rest.splice(random.below(rest.length), 1));
}
