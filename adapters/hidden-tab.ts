/**
 * A node in a tab that nobody sees. Browsers slow the timers of hidden tabs down, to one a second
 * and later to one a minute: such a node hears of its deadlines too late to lead, and would stand
 * for election again and again, when its timer fires and not when a leader is missed.
 */
import type { OperatorFunction } from 'rxjs';
import {
  distinctUntilChanged,
  fromEvent,
  map,
  merge,
  Observable,
  startWith,
  Subject,
  tap,
} from 'rxjs';
import type { ClockAction, Role } from '../lib/action.js';
import type { ClockInput } from '../lib/input.js';

/**
 * A clock whose node does not stand for election while `hidden$` last said true: the `timedOut` of
 * a follower or candidate is withheld. It still votes, and a leader goes on to lead as long as its
 * timer allows; when that is too slow for the others, one of them takes over. When it is shown
 * again, it waits a whole election timeout for a leader first. While all of a cluster are hidden,
 * nobody takes the place of a leader that is gone.
 *
 * With a minimum of 4, a spread of 0 and where `f` sets a follower's timer, `m` is
 * `minimumElapsed`, `t` is `timedOut`:
 *
 *     actions             f-----------f---|
 *     hidden$             -t----f----------     t: true, f: false
 *     inputs              ----m-----(mt)--|
 */
export function withoutCandidacy(
  hidden$: Observable<boolean>,
  clock: OperatorFunction<ClockAction, ClockInput>,
): OperatorFunction<ClockAction, ClockInput> {
  return (action$) =>
    new Observable((subscriber) => {
      const set$ = new Subject<ClockAction>();
      let role: Role | null = null;
      let isHidden = false;
      const onHidden = (hidden: boolean): void => {
        const isShown = isHidden && !hidden;
        isHidden = hidden;
        if (isShown && role !== null && role !== 'leader') {
          set$.next({ type: 'setElectionTimeout', role });
        }
      };
      const isWithheld = ({ type }: ClockInput): boolean =>
        type === 'timedOut' && isHidden && role !== 'leader';
      subscriber.add(
        clock(set$).subscribe({
          next: (input) => {
            if (!isWithheld(input)) subscriber.next(input);
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      );
      const fail = (error: unknown): void => subscriber.error(error);
      subscriber.add(hidden$.subscribe({ next: onHidden, error: fail }));
      subscriber.add(action$.pipe(tap((action) => (role = action.role))).subscribe(set$));
    });
}

/**
 * Whether the page is hidden or frozen: now, and whenever that changes. In a page only; a worker is
 * told by its page.
 */
export function pageHidden(page: Document = document): Observable<boolean> {
  const events = ['visibilitychange', 'freeze', 'resume'].map((name) => fromEvent(page, name));
  return merge(...events).pipe(
    map(({ type }) => type === 'freeze' || page.visibilityState === 'hidden'),
    startWith(page.visibilityState === 'hidden'),
    distinctUntilChanged(),
  );
}
