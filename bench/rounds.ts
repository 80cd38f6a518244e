/**
 * Rounds that alternate: each contender once, then each once more, so that what the machine does
 * besides falls on all of them alike.
 */

/** How patient a run is. */
export interface Patience {
  /** Rounds that count. */
  readonly rounds: number;
  /** Rounds before them, in which compilers warm up: of short ones it takes more. */
  readonly warmUp: number;
  /** How much one round does, as a part of what a full run does. */
  readonly share: number;
}

export const patient: Patience = { rounds: 15, warmUp: 4, share: 1 };
export const quick: Patience = { rounds: 3, warmUp: 16, share: 0.1 };

/** What each contender measured, round by round. `told` hears of each round before it begins. */
export async function alternate(
  contenders: readonly (() => number | Promise<number>)[],
  { rounds, warmUp }: Pick<Patience, 'rounds' | 'warmUp'>,
  told: (round: number) => void = () => undefined,
): Promise<number[][]> {
  const measured: number[][] = contenders.map(() => []);
  for (let round = -warmUp; round < rounds; round += 1) {
    told(Math.max(0, round + 1));
    for (const [at, contender] of contenders.entries()) {
      const value = await contender();
      if (round >= 0) measured[at]?.push(value);
    }
  }
  return measured;
}
