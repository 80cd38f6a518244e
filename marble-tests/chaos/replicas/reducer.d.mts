import type { Reducer } from '../../../adapters/replica.js';
import type { Done, Grown, ReplicaCommand } from './ask.js';

export interface State extends Grown {
  readonly keys: Readonly<Record<string, string>>;
  /** Where nodes listen that came later. */
  readonly nodes: Readonly<Record<string, string>>;
}

export type Result = Omit<Done, 'outcome' | 'run' | 'samples'>;

export const initialState: State;

export function reducerWith(alarm: (text: string) => void): Reducer<State, ReplicaCommand, Result>;
