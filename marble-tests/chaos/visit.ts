/** Sits, rests and leaves, as restless as somebody is who watches. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../simulation/random.js';

export interface Sitting {
  /** Resolves when nothing is heard any more. */
  readonly ended: Promise<void>;
  /** Reads no more for some time, and then goes on: with what is paused nobody can end well. */
  readonly pause: (isPaused: boolean) => void;
  readonly end: () => void;
}

/** How restless it is, in milliseconds. */
export interface Manner {
  /** A sitting is left after so long. */
  readonly leavesMs: readonly [least: number, most: number];
  /** In between it does not read for so long. Null: it always reads. */
  readonly restsMs: readonly [least: number, most: number] | null;
}

export interface VisitOptions extends Manner {
  readonly random: Random;
  /** It does not rest, nor leave by itself, any more. */
  readonly isCalm: () => boolean;
  /** It has to leave, calm or not. */
  readonly mustLeave: () => boolean;
}

/** Members come and go: whoever watches looks for them this often. */
const lookMs = 250;

/** Resolves when it has ended, by itself or because it was left. */
export async function visit(sitting: Sitting, options: VisitOptions): Promise<void> {
  const { random, leavesMs, isCalm, mustLeave } = options;
  const state = { hasEnded: false };
  void sitting.ended.then(() => (state.hasEnded = true));
  const end = performance.now() + random.between(...leavesMs);
  const rested = resting(sitting, options, () => state.hasEnded);
  const leaves = (): boolean => mustLeave() || (!isCalm() && performance.now() > end);
  while (!state.hasEnded && !leaves()) await sleep(lookMs);
  await rested();
  sitting.end();
  await sitting.ended;
}

/** Stops reading, and goes on, until what it gives back has been called. */
function resting(
  sitting: Sitting,
  { restsMs, random, isCalm }: VisitOptions,
  hasEnded: () => boolean,
): () => Promise<void> {
  if (restsMs === null) return async () => undefined;
  let isOver = false;
  const goesOn = (): boolean => !isOver && !isCalm() && !hasEnded();
  const wait = async (ms: number): Promise<void> => {
    const end = performance.now() + ms;
    while (goesOn() && performance.now() < end) await sleep(20);
  };
  const work = async (): Promise<void> => {
    while (goesOn()) {
      await wait(random.between(...restsMs));
      if (goesOn()) sitting.pause(true);
      await wait(random.between(...restsMs));
      sitting.pause(false);
    }
  };
  const working = work();
  return async () => {
    isOver = true;
    await working;
  };
}
