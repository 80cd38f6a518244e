/** What a recipe needs of a replica: all of one, or one slice of it. */
import type { Replica } from '../replica-options.js';

export type Part<State, Command, Result> = Pick<
  Replica<State, Command, Result>,
  'id' | 'state' | 'state$' | 'status$' | 'select' | 'dispatch' | 'read'
>;
