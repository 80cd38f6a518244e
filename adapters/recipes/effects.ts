/**
 * What a command makes happen outside of the log: on the leader only, and at least once, because
 * what is to be done is part of the state until the log says that it was.
 */
import type { Observable } from 'rxjs';
import { concatMap, defer, filter, from, ignoreElements, mergeMap, retry } from 'rxjs';
import type { CommandPosition } from '../machine-options.js';
import type { Part } from './part.js';
import type { Slice } from './slices.js';
import type { Leadership } from './while-leader.js';
import { whileLeader } from './while-leader.js';

/** A command whose effect is due. */
export interface Committed<Command> {
  /** Where it stands in the log: the same however often its effect is tried. */
  readonly at: CommandPosition;
  readonly command: Command;
}

export interface WithEffects<State, Command> {
  readonly state: State;
  /** The cursor: what is committed, and not yet done. */
  readonly due: readonly Committed<Command>[];
}

export type EffectCommand<Command> =
  | { readonly type: 'do'; readonly command: Command }
  | { readonly type: 'done'; readonly at: Pick<CommandPosition, 'index' | 'offset'> };

/** More than so many due effects are not taken: a command that has one is refused. */
export const maxDue = 10_000;

/** Before it is tried again to mark an effect as done. */
const retryMs = 500;

/** A slice that remembers the commands that have an effect until it is done. */
export function withEffects<State, Command, Result>(
  slice: Slice<State, Command, Result>,
  hasEffect: (command: Command, result: Result) => boolean,
): Slice<WithEffects<State, Command>, EffectCommand<Command>, Result | null> {
  return {
    initialState: { state: slice.initialState, due: [] },
    reducer({ state, due }, command, at) {
      if (command.type === 'done') {
        const isOther = (each: Committed<Command>): boolean =>
          each.at.index !== command.at.index || each.at.offset !== command.at.offset;
        return { state: { state, due: due.filter(isOther) }, result: null };
      }
      const outcome = slice.reducer(state, command.command, at);
      if (!hasEffect(command.command, outcome.result)) {
        return { state: { state: outcome.state, due }, result: outcome.result };
      }
      if (due.length >= maxDue) throw new RangeError(`${maxDue} effects are due already`);
      const more = [...due, { at, command: command.command }];
      return { state: { state: outcome.state, due: more }, result: outcome.result };
    },
  };
}

/**
 * On the leader: gives what is due to `handle`, each once in this leadership, and marks as done in
 * the log what comes out of it. What was under way when a leader is lost is given to the next one
 * again: an effect must not mind to be had twice, by the position of its command.
 *
 *     committed$       --a--b--c----
 *     handle           ---a-----b--c      a mergeMap of what takes its time
 *
 * Subscribe on every node. Errors when `handle` does: catch there what may fail.
 */
export function effects<State, Command, Result>(
  r: Part<WithEffects<State, Command>, EffectCommand<Command>, Result | null>,
  handle: (
    committed$: Observable<Committed<Command>>,
    leadership: Leadership,
  ) => Observable<Committed<Command>>,
): Observable<never> {
  return whileLeader(r, (leadership) => {
    let newest = { index: 0, offset: -1 };
    const committed$ = r
      .select(({ due }) => due)
      .pipe(
        concatMap((due) => from(due)),
        filter(({ at }) => {
          if (at.index < newest.index) return false;
          return at.index > newest.index || at.offset > newest.offset;
        }),
        mergeMap((each) => {
          newest = each.at;
          return [each];
        }),
      );
    return handle(committed$, leadership).pipe(
      mergeMap(({ at: { index, offset } }) =>
        // As long as it leads: what is not marked would fill the list of what is due.
        defer(() => r.dispatch({ type: 'done', at: { index, offset } })).pipe(
          retry({ delay: retryMs }),
        ),
      ),
      ignoreElements(),
    );
  });
}
