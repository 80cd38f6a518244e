/** Work of the leader alone. */
import type { Observable, ObservableInput } from 'rxjs';
import { distinctUntilChanged, EMPTY, map, switchMap } from 'rxjs';
import type { Term } from '../../lib/position.js';
import type { Part } from './part.js';

export interface Leadership {
  /** A fence: no two leaders have the same, and a later one has a higher. */
  readonly term: Term;
}

/**
 * Runs work on the node that leads, from the moment when it does, and unsubscribes from it at the
 * end of its leadership. A leader that is cut off goes on for some heartbeats beside its successor:
 * what work does outside of the log must carry its term, and be refused there for a lower one.
 *
 *     leads            --3-----x---7----|      terms; x: it does not lead
 *     work             --a-b-c-----a-b--       unsubscribed at x and |
 *     whileLeader      --a-b-c-----a-b--|
 */
export function whileLeader<T>(
  node: Pick<Part<unknown, never, unknown>, 'status$'>,
  work: (leadership: Leadership) => ObservableInput<T>,
): Observable<T> {
  return node.status$.pipe(
    map(({ role, term }) => (role === 'leader' ? term : null)),
    distinctUntilChanged(),
    switchMap((term) => (term === null ? EMPTY : work({ term }))),
  );
}
