/** Several reducers in one replica, each under a name: a lock beside the orders that it guards. */
import { distinctUntilChanged, map } from 'rxjs';
import type { CommandPosition, Reducer } from '../machine-options.js';
import type { Part } from './part.js';

/** A reducer with its first state. */
export interface Slice<State, Command, Result> {
  readonly reducer: Reducer<State, Command, Result>;
  readonly initialState: State;
}

/** Whose turn it is, and what for. */
export interface SliceCommand<Name extends string = string> {
  readonly slice: Name;
  readonly command: unknown;
}

/** Parts that differ in all their types. */
interface AnySlice {
  readonly reducer: (
    state: never,
    command: never,
    at: CommandPosition,
  ) => { readonly state: unknown; readonly result: unknown };
  readonly initialState: unknown;
}

type Slices = Readonly<Record<string, AnySlice>>;
type StateOf<S> = S extends { readonly initialState: infer State } ? State : never;
type Parameters_<S> = S extends { readonly reducer: (...of: infer P) => unknown } ? P : never;
type CommandOf<S> =
  Parameters_<S> extends readonly [unknown, infer Command, ...unknown[]] ? Command : never;
type ResultOf<S> = S extends { readonly reducer: (...of: never[]) => { readonly result: infer R } }
  ? R
  : never;

export type SlicesState<S> = { readonly [Name in keyof S]: StateOf<S[Name]> };

/**
 * One slice of many: what `replica` is made from. A command for a slice that is not there throws,
 * and so fails.
 *
 *     const parts = { orders: { reducer, initialState: [] }, locks };
 *     const r = replica({ id, nodes, folder, ...slices(parts) });
 *     const orders = slice(r, parts, 'orders');
 *     await orders.dispatch({ add: 'tea' });
 */
export function slices<S extends Slices>(
  parts: S,
): Slice<SlicesState<S>, SliceCommand<keyof S & string>, unknown> {
  const names = Object.keys(parts);
  return {
    initialState: Object.fromEntries(
      names.map((name) => [name, parts[name]?.initialState]),
    ) as SlicesState<S>,
    reducer(state, { slice: name, command }, at) {
      if (!Object.hasOwn(parts, name)) throw new RangeError(`there is no slice ${name}`);
      const reducer = parts[name]?.reducer as unknown as Reducer<unknown, unknown, unknown>;
      const outcome = reducer(state[name], command, at);
      return { state: { ...state, [name]: outcome.state }, result: outcome.result };
    },
  };
}

/** A replica of one slice alone. `parts`: what `slices` was given. */
export function slice<S extends Slices, Name extends keyof S & string>(
  whole: Part<SlicesState<S>, SliceCommand<keyof S & string>, unknown>,
  _parts: S,
  name: Name,
): Part<StateOf<S[Name]>, CommandOf<S[Name]>, ResultOf<S[Name]>> {
  type State = StateOf<S[Name]>;
  const { id, status$, dispatch, read } = whole;
  const state$ = whole.select((state) => state[name] as State);
  return {
    ...{ id, status$, state$ },
    get state() {
      return whole.state[name] as State;
    },
    select: (selector, isEqual) => state$.pipe(map(selector), distinctUntilChanged(isEqual)),
    dispatch: async (command, how) =>
      (await dispatch({ slice: name, command }, how)) as ResultOf<S[Name]>,
    read: (selector, how) => read((state) => selector(state[name] as State), how),
  };
}
