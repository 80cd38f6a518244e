/**
 * What an application reads off the actions: operators on `raft(config)` and on `loop(…)`.
 */
import type { OperatorFunction } from 'rxjs';
import { concatMap, distinctUntilChanged, filter, map, pipe } from 'rxjs';
import type { Action, Role } from './action.js';
import { positionedEntries } from './entries.js';
import type { PositionedEntry } from './entries.js';
import type { LogIndex, NodeId } from './position.js';

/**
 * The actions of these types.
 *
 *     -(rs)--m--a----c-
 *     ofType('apply', 'committed')
 *     ----------a----c-
 */
export function ofType<A extends { readonly type: string }, T extends A['type']>(
  ...types: readonly T[]
): OperatorFunction<A, Extract<A, { readonly type: T }>> {
  const wanted = new Set<string>(types);
  return filter((action): action is Extract<A, { readonly type: T }> => wanted.has(action.type));
}

/**
 * The node's role, each time that it changes.
 *
 *     -(F)--C----L-----F-
 *     selectRole()
 *     -f----c----l-----f-
 */
export function selectRole(): OperatorFunction<Action, Role> {
  return pipe(
    ofType<Action, 'roleChanged'>('roleChanged'),
    map((action) => action.role),
    distinctUntilChanged(),
  );
}

/**
 * The leader as this node knows it, null while it knows of none, each time that it changes.
 *
 *     -(F)--C----L-----F-
 *     selectLeader()
 *     -0---------a-----b-
 */
export function selectLeader(): OperatorFunction<Action, NodeId | null> {
  return pipe(
    ofType<Action, 'roleChanged'>('roleChanged'),
    map((action) => action.leaderId),
    distinctUntilChanged(),
  );
}

/** The commit index of this node, each time that it grows. */
export function selectCommitIndex(): OperatorFunction<Action, LogIndex> {
  return pipe(
    ofType<Action, 'committed'>('committed'),
    map((action) => action.commitIndex),
  );
}

/**
 * The entries of the log, one by one and in its order, as they are committed: commands, and the
 * markers and configurations between them. After a `restore` it goes on behind the snapshot.
 */
export function selectCommitted<C>(): OperatorFunction<Action<C>, PositionedEntry<C>> {
  return pipe(
    ofType<Action<C>, 'apply'>('apply'),
    concatMap((action) => positionedEntries(action.entries)),
  );
}
