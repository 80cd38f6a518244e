/**
 * Makes the history of a violation shorter: fewer steps first, then fewer decisions. The same seed
 * without one decision is another run, in which most of the rest happens as before: whatever is
 * drawn for a thing is drawn for that thing alone. Kept is what still breaks the same rule.
 */
import type { SimulationReport } from './simulate.js';
import { Violation } from './violation.js';

export interface Change {
  readonly steps?: number;
  readonly without?: readonly string[];
}

export type Rerun = (change: Change) => Promise<SimulationReport | Violation>;

/** A violation of the same rule with a shorter history, or the given one. At most so many runs. */
export async function shorten(first: Violation, runs: number, rerun: Rerun): Promise<Violation> {
  let best = first;
  let left = runs;
  const attempt = async (change: Change): Promise<boolean> => {
    if (left <= 0) return false;
    left -= 1;
    const { steps, without } = best.again;
    const result = await rerun({ steps, without, ...change });
    if (!(result instanceof Violation) || kindOf(result) !== kindOf(best)) return false;
    best = result;
    return true;
  };
  await fewerSteps(() => best, attempt);
  await fewerDecisions(
    () => best,
    () => left > 0,
    attempt,
  );
  await fewerSteps(() => best, attempt);
  return best;
}

/** The number of the rule, which stays when the names and numbers in its words change. */
function kindOf({ rule }: Violation): string {
  return /^\([^)]*\)/.exec(rule)?.[0] ?? rule.replace(/\d+/g, '');
}

type Attempt = (change: Change) => Promise<boolean>;

/** A violation of the second phase may need less of the first one. */
async function fewerSteps(best: () => Violation, attempt: Attempt): Promise<void> {
  for (let cut = best().again.steps; cut >= 1; cut = Math.floor(cut / 2)) {
    while (best().again.steps >= cut) {
      if (!(await attempt({ steps: best().again.steps - cut }))) break;
    }
  }
}

/** Delta debugging: large parts of what happened are left out first, then smaller ones. */
async function fewerDecisions(
  best: () => Violation,
  isAffordable: () => boolean,
  attempt: Attempt,
): Promise<void> {
  let size = Math.ceil(best().decisions.length / 2);
  while (size >= 1 && isAffordable()) {
    let isSmaller = false;
    for (let start = 0; start < best().decisions.length && isAffordable();) {
      const { decisions, again } = best();
      const without = [...again.without, ...decisions.slice(start, start + size)];
      if (await attempt({ without })) isSmaller = true;
      else start += size;
    }
    if (!isSmaller || size > 1) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
}
