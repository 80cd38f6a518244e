/** The life of an adapter is that of its actions (law 8). */
import type { Observable } from 'rxjs';
import { endWith, ignoreElements, takeUntil } from 'rxjs';

/**
 * What a source says while there are actions: it is let go, and the result completes, at the moment
 * when `action$` completes. An error of either passes. `action$` is subscribed once, first, and
 * only for its end; share it when it is also used elsewhere.
 *
 *     action$             -a--a----|
 *     source$             --s--s--s--s--s
 *     during              --s--s--s|
 */
export function during<T>(action$: Observable<unknown>, source$: Observable<T>): Observable<T> {
  return source$.pipe(takeUntil(action$.pipe(ignoreElements(), endWith(undefined))));
}
