/** What the replicated state is made of: keys and values, and what the recipes need. */
import { withEffects } from 'rxraft/adapters/recipes/effects';
import { jobs } from 'rxraft/adapters/recipes/jobs';
import { locks } from 'rxraft/adapters/recipes/locks';
import { rates } from 'rxraft/adapters/recipes/rate-lease';
import { settings } from 'rxraft/adapters/recipes/settings';
import { initialState, reducerWith } from './reducer.mjs';

const counter = {
  initialState: 0,
  reducer: (count) => ({ state: count + 1, result: count + 1 }),
};

/** `alarm` is told in words of what must not happen. */
export function partsWith(alarm) {
  return {
    keys: { initialState, reducer: reducerWith(alarm) },
    tasks: withEffects(counter, () => true),
    ...{ locks, jobs, rates, settings },
  };
}
