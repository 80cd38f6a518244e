/** How long nobody dials again who has failed. */

export interface PauseSettings {
  /** Milliseconds. */
  readonly reconnectMs: { readonly minimum: number; readonly maximum: number };
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** The pause before the next try after so many failures in a row: it doubles, and has jitter. */
export function pauseMs(failures: number, { reconnectMs, random }: PauseSettings): number {
  const { minimum, maximum } = reconnectMs;
  return Math.min(maximum, minimum * 2 ** (failures - 1)) * (0.5 + random() / 2);
}
