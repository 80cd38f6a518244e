import type { Reducer } from '../../../adapters/replica.js';
import type { Done, ReplicaCommand, Seen } from './ask.js';

export interface State extends Seen {
  readonly keys: Readonly<Record<string, string>>;
  /** Where nodes listen that came later. */
  readonly nodes: Readonly<Record<string, string>>;
}

export type Result = Omit<Done, 'outcome' | 'run'>;

export const initialState: State;

export function reducerWith(alarm: (text: string) => void): Reducer<State, ReplicaCommand, Result>;
