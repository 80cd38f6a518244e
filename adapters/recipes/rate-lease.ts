/** A rate limit over all processes: each leases a share, and spends it without asking anybody. */
import { refuseUnsavable } from './name.js';
import type { Part } from './part.js';
import type { Slice } from './slices.js';

/** What was given out of each window: `[window, count]`. */
export type Rates = Readonly<Record<string, readonly [number, number]>>;

export interface RateTake {
  readonly key: string;
  /** The number of the window, by the clock of the one who asks. */
  readonly window: number;
  readonly want: number;
  /** In one window, for all. */
  readonly limit: number;
}

/** How many of those that were wanted may be spent in the window. */
export const rates: Slice<Rates, RateTake, number> = {
  initialState: {},
  reducer(state, { key, window, want, limit }) {
    refuseUnsavable(key);
    const [newest, used] = (Object.hasOwn(state, key) ? state[key] : undefined) ?? [window, 0];
    if (window < newest) return { state, result: 0 };
    const before = window > newest ? 0 : used;
    const result = Math.max(0, Math.min(want, limit - before));
    return { state: { ...state, [key]: [window, before + result] }, result };
  },
};

export interface RateOptions {
  readonly key: string;
  /** In each window, in all processes together. */
  readonly limit: number;
  readonly windowMs: number;
  /** Leased at once. Default a tenth of the limit. */
  readonly share?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** A function that says whether one more is within the limit; it rarely has to ask the cluster. */
export function rateLease(
  r: Part<Rates, RateTake, number>,
  options: RateOptions,
): () => Promise<boolean> {
  const { key, limit, windowMs, now = Date.now } = options;
  const share = options.share ?? Math.max(1, Math.floor(limit / 10));
  let leased = 0;
  let window = -1;
  let asking: Promise<boolean> | null = null;
  /** Is there more, in a window that is not over yet? */
  const ask = async (): Promise<boolean> => {
    const current = Math.floor(now() / windowMs);
    const given = await r.dispatch({ key, window: current, want: share, limit });
    leased = (current === window ? leased : 0) + given;
    window = current;
    return given > 0 && Math.floor(now() / windowMs) === window;
  };
  return async () => {
    const isEmpty = (): boolean => Math.floor(now() / windowMs) !== window || leased === 0;
    // Others who wait for the same share may have spent it.
    while (isEmpty()) {
      asking ??= ask().finally(() => (asking = null));
      if (!(await asking)) return false;
    }
    leased -= 1;
    return true;
  };
}
