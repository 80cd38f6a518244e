/** Is a node of use to those who ask it? */
import { catchError, filter, firstValueFrom, from, map, of, take, timeout, timer } from 'rxjs';
import type { LogIndex, NodeId } from '../../lib/position.js';

export interface Progress {
  readonly id: NodeId;
  readonly leader: () => NodeId | null;
  /** Up to here the leader has said that entries are committed. */
  readonly known: () => LogIndex;
  readonly applied: () => LogIndex;
  /** As the leader: resolves when a majority has confirmed it. */
  readonly read: () => Promise<unknown>;
}

/**
 * In words why a node should not be asked now, or null: it knows a leader, and has what that leader
 * had committed when it last spoke. It may take its time for that, because under load it is always
 * a moment behind. Never rejects.
 */
export function unreadinessOf(progress: Progress, patienceMs = 1000): Promise<string | null> {
  const { id, leader, known, applied, read } = progress;
  const leaderId = leader();
  if (leaderId === null) return Promise.resolve(`${id} knows no leader`);
  const target = known();
  const ready$ =
    leaderId === id
      ? from(read())
      : timer(0, 20).pipe(
          filter(() => applied() >= target),
          take(1),
        );
  const why =
    leaderId === id
      ? `${id} leads, and no majority has confirmed it`
      : `${id} is not caught up: it has applied ${applied()} entries of ${target}`;
  return firstValueFrom(
    ready$.pipe(
      map(() => null),
      timeout(patienceMs),
      catchError(() => of(why)),
    ),
  );
}
