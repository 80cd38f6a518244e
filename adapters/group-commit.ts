/** The policy of storage: one write at a time, and what arrives meanwhile is the next. */
import type { ObservableInput, OperatorFunction } from 'rxjs';
import { defer, Observable } from 'rxjs';
import type { StorageInput } from '../lib/input.js';

/**
 * Hands actions to `write` in batches: those that arrive while a write runs are the next one, so
 * that a hundred of them cost one sync. A batch is answered with its last number when its write has
 * completed; there is no artificial delay. With writes of three frames:
 *
 *     action$:   123------4---|
 *     write:     a--b--   c--     a = [1], b = [2, 3], c = [4]
 *     persisted: ---1--3-----4|
 *
 * `write` is called with one batch at a time and must be atomic. When it fails the result fails,
 * and what had gathered is never written. When `action$` completes the writes asked for are
 * finished first. To unsubscribe lets the write in flight go, and writes nothing more.
 */
export function groupCommit<A extends { readonly sequence: number }>(
  write: (batch: readonly A[]) => ObservableInput<unknown>,
): OperatorFunction<A, StorageInput> {
  return (action$) =>
    new Observable<StorageInput>((subscriber) => {
      let gathered: A[] = [];
      let newest = 0;
      let writing = false;
      let starting = false;
      let ended = false;
      const answer = (sequence: number) => {
        subscriber.next({ type: 'persisted', sequence });
        writing = false;
        proceed();
      };
      const proceed = () => {
        // A write may complete at once: a loop, so that a long row of them doesn't grow the stack.
        if (starting) return;
        starting = true;
        while (!writing && gathered.length > 0 && !subscriber.closed) {
          const batch = gathered;
          gathered = [];
          writing = true;
          const sequence = newest;
          subscriber.add(
            defer(() => write(batch)).subscribe({
              error: (error: unknown) => subscriber.error(error),
              complete: () => answer(sequence),
            }),
          );
        }
        starting = false;
        if (ended && !writing) subscriber.complete();
      };
      subscriber.add(
        action$.subscribe({
          next: (action) => {
            gathered.push(action);
            newest = action.sequence;
            proceed();
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            ended = true;
            proceed();
          },
        }),
      );
    });
}
