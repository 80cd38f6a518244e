/**
 * The state that the log replicates: the one of the user's reducer, and what was answered to
 * requests that may come again. Nodes and those who follow from outside apply the same.
 */
import { Packr } from 'msgpackr';
import { causeOf } from '../cause.js';
import type { Codec } from '../codec.js';
import { DecodeError, valueCodec } from '../codec.js';
import { unpackList } from '../gateway/protocol.js';
import type { CommandPosition, Reducer } from '../machine.js';
import { Answered, digestOf } from './answered.js';
import type { Logged } from './logged.js';

/** As long as a snapshot that is sent. A state of more can't be saved. */
const maxStateBytes = 1 << 30;

/** A state holds what commands bring, which is nested 64 times at the most, within its own. */
const maxStateDepth = 512;

/**
 * Bytes for what is replicated. Default of each: `valueCodec()`, for plain structured values; that
 * of states takes up to 1 GiB, and is nested up to 512 times.
 */
export interface ReplicaCodecs<State, Command, Result> {
  readonly commands: Codec<Command>;
  readonly results: Codec<Result>;
  readonly states: Codec<State>;
}

export interface Replicated<State> {
  readonly state: State;
  readonly answered: Answered;
}

/** Told what was applied; null: it had no effect, or was answered before. */
export type Recorder = (at: CommandPosition, command: Uint8Array | null) => void;

export function codecsOf<State, Command, Result>(
  codecs: Partial<ReplicaCodecs<State, Command, Result>> = {},
): ReplicaCodecs<State, Command, Result> {
  const states = valueCodec<State>({ bytes: maxStateBytes, depth: maxStateDepth });
  return { commands: valueCodec(), results: valueCodec(), states, ...codecs };
}

export function replicatedReducer<State, Command, Result>(
  reducer: Reducer<State, Command, Result>,
  codecs: ReplicaCodecs<State, Command, Result>,
  record: Recorder = () => undefined,
): Reducer<Replicated<State>, Logged, Result> {
  type Step = ReturnType<Reducer<Replicated<State>, Logged, Result>>;
  const plain: Reducer<Replicated<State>, Logged, Result> = (before, { command }, at): Step => {
    const outcome = reducer(before.state, codecs.commands.decode(command), at);
    if (!('state' in outcome)) throw new TypeError('a reducer returns { state, result }');
    const { state, result } = outcome;
    return { state: { state, answered: before.answered }, result };
  };
  const once: Reducer<Replicated<State>, Logged, Result> = (before, logged, at): Step => {
    const { requestId, command } = logged;
    if (requestId === null) return plain(before, logged, at);
    const digest = digestOf(command);
    const { answered } = before;
    const earlier = answered.find(requestId);
    if (earlier !== undefined) {
      if (earlier.digest !== digest) {
        throw new Error(`the request id ${requestId} belongs to another command`);
      }
      if (typeof earlier.result === 'string') throw new Error(earlier.result);
      return { state: before, result: codecs.results.decode(earlier.result) };
    }
    try {
      const step = plain(before, logged, at);
      // Encoded before the state is taken: what can't be remembered has no effect.
      answered.add(requestId, { digest, result: remembered(step.result, codecs.results) });
      return step;
    } catch (error) {
      answered.add(requestId, { digest, result: causeOf(error) });
      throw error;
    }
  };
  return (before, logged, at): Step => {
    let effective: Uint8Array | null = null;
    try {
      const step = once(before, logged, at);
      if (step.state !== before) effective = logged.command;
      return step;
    } finally {
      record(at, effective);
    }
  };
}

function remembered<Result>(result: Result, results: Codec<Result>): Uint8Array {
  try {
    return results.encode(result);
  } catch (cause) {
    const text = `of a command with a request id the result must be encoded: ${causeOf(cause)}`;
    throw new TypeError(text, { cause });
  }
}

const snapshotVersion = 1;

const packr = new Packr({ useRecords: false, moreTypes: false, structuredClone: false });

/** `[version, state, answered]` */
export function save<State>(
  { state, answered }: Replicated<State>,
  states: Codec<State>,
): Uint8Array {
  return new Uint8Array(packr.pack([snapshotVersion, states.encode(state), answered.pack()]));
}

/** Throws a DecodeError, which ends the node: it must not go on with half a state. */
export function load<State>(data: Uint8Array, states: Codec<State>): Replicated<State> {
  const [version, state, answered] = unpackList(data);
  if (version !== snapshotVersion) {
    throw new DecodeError(
      'the snapshot is none that this program can read: it was written by another version, start ' +
        'the node with that one',
    );
  }
  if (!(state instanceof Uint8Array) || !(answered instanceof Uint8Array)) {
    throw new DecodeError('a snapshot without its state');
  }
  return { state: states.decode(state), answered: Answered.unpack(answered) };
}
