/**
 * All nodes want more than a rate allows, all the time. What each was granted is a line
 * `[window, run]` in `rates.log`: by the clock of whoever asked.
 */
import { catchError, defer, merge, of, repeat, tap, timer } from 'rxjs';
import { rateLease } from 'rxraft/adapters/recipes/rate-lease';

const windowMs = 400;

/** In a window, for all nodes together. */
const limit = 5;

/** On each node, side by side. */
const askers = 3;

/** Before each asks again. */
const grantedMs = 20;
const refusedMs = 60;

/** No two clocks are the same. Less than it takes to use a window up: nobody comes too late. */
const aheadMs = Math.floor(Math.random() * 15);

export function useRate(rates, { note, run }) {
  let time = null;
  let granted = 0;
  // It stands still until all who wait have gone on: they note the window of their grant.
  const now = () => {
    if (time === null) setImmediate(() => (time = null));
    time ??= Date.now() + aheadMs;
    return time;
  };
  const take = rateLease(rates, { key: 'the rate', limit, windowMs, now });
  const asker$ = defer(() => {
    let wasGranted = false;
    return defer(take).pipe(
      tap((isGranted) => {
        wasGranted = isGranted;
        if (!isGranted) return;
        granted += 1;
        note('rates', Math.floor(now() / windowMs), run);
      }),
      catchError(() => of(false)),
      repeat({ delay: () => timer(wasGranted ? grantedMs : refusedMs) }),
    );
  });
  return {
    granted$: merge(...Array.from({ length: askers }, () => asker$)),
    /** How many there were. */
    get granted() {
      return granted;
    },
  };
}
