/**
 * Jobs that run once in the whole cluster for each firing, however many nodes have the schedule.
 */
import type { Observable, ObservableInput } from 'rxjs';
import { concatMap, EMPTY, from, mergeMap } from 'rxjs';
import { refuseUnsavable } from './name.js';
import type { Part } from './part.js';
import type { Slice } from './slices.js';

/** The newest firing of each job that somebody has claimed. */
export type Jobs = Readonly<Record<string, number>>;

export interface JobClaim {
  readonly job: string;
  /** When it was due: the same number on all nodes, and a higher one each time. */
  readonly firing: number;
}

/** Is the firing whoever claims it? Of the same firing one claim alone is. */
export const jobs: Slice<Jobs, JobClaim, boolean> = {
  initialState: {},
  reducer(state, { job, firing }) {
    refuseUnsavable(job);
    const newest = Object.hasOwn(state, job) ? state[job] : undefined;
    if (newest !== undefined && firing <= newest) return { state, result: false };
    return { state: { ...state, [job]: firing }, result: true };
  },
};

/**
 * Runs a job for every firing that this node has claimed: at most once in the cluster. Not at all
 * when the claimer dies before its work, or its claim is not answered, as while nobody leads; for
 * work that must be done at least once see `effects`. Subscribe on every node with the same
 * schedule. Errors when the schedule or the work does.
 *
 *     firing$          --1---2---3--
 *     here             --w-------w--      claimed by this node
 *     elsewhere        ------w------
 */
export function runOnce<T>(
  r: Part<Jobs, JobClaim, boolean>,
  job: string,
  firing$: Observable<number>,
  work: (firing: number) => ObservableInput<T>,
): Observable<T> {
  const isClaimed = (firing: number): Promise<boolean> =>
    r.dispatch({ job, firing }).catch(() => false);
  return firing$.pipe(
    concatMap(async (firing) => ((await isClaimed(firing)) ? firing : null)),
    mergeMap((firing) => (firing === null ? EMPTY : from(work(firing)))),
  );
}
