/** What the cluster replicates: a reducer, and what the ledger needs to know of its commands. */
import type { SchedulerLike } from 'rxjs';
import type { LogPosition } from '../../../lib/index.js';
import { valueCodec } from '../../codec.js';
import type { Machine } from '../../machine.js';
import { machine } from '../../machine.js';
import type { Reducer } from '../../machine-options.js';
import type { Counted, Ledger, Tagged } from './ledger.js';
import type { Profile } from './profile.js';
import type { Random } from './random.js';

export interface Application<State, Command, Result> {
  readonly reducer: Reducer<State, Command, Result>;
  /** A plain value, and so are commands and results: see `valueCodec`. */
  readonly initialState: State;
  /** What a client asks for. `number` differs each time. */
  readonly command: (random: Random, number: number) => Command;
  /** Throws when a state must not be. Asked after every command, on every node. */
  readonly invariant?: (state: State) => void;
}

export type CountedMachine<State, Command> = Machine<
  Counted<State>,
  Tagged<Command>,
  unknown,
  Uint8Array,
  Uint8Array
>;

/** What a reducer that throws leaves as its result: the same on every node. */
export interface Thrown {
  readonly thrown: string;
}

export class Replicated<State, Command, Result> {
  private readonly blocks = valueCodec<readonly Tagged<Command>[]>();
  private readonly states = valueCodec<Counted<State>>();
  /** What every machine begins with a copy of. */
  private readonly fresh: Uint8Array;

  constructor(
    private readonly application: Application<State, Command, Result>,
    private readonly ledger: Ledger,
    private readonly profile: Profile,
    private readonly fail: (rule: string) => void,
  ) {
    this.fresh = this.states.encode({ inner: application.initialState, count: 0, chain: 0 });
  }

  save(state: Counted<State>): Uint8Array {
    return this.states.encode(state);
  }

  machine(id: string, turn: SchedulerLike | undefined): CountedMachine<State, Command> {
    const { blocks, states, profile, fresh } = this;
    return machine({
      reducer: (state: Counted<State>, { id: asked, command }: Tagged<Command>, at) => {
        const { inner, result } = this.reduce(state.inner, command, at);
        const count = state.count + 1;
        const chain = Math.imul(state.chain ^ asked, 0x9e3779b1) ^ (state.chain >>> 15);
        const next = { inner, count, chain };
        this.ledger.onApplied(id, next, { id: asked, at, chain, result });
        this.check(id, inner);
        return { state: next, result };
      },
      initialState: states.decode(fresh),
      pack: (commands) => blocks.encode(commands),
      unpack: (block) => blocks.decode(block),
      save: (state) => states.encode(state),
      load: (data) => states.decode(data),
      snapshotEvery: { entries: profile.snapshotEntries },
      limits: { waiters: profile.waiters, blockCommands: profile.blockCommands },
      ...(turn === undefined ? {} : { scheduler: turn }),
    });
  }

  onRestore(id: string, data: Uint8Array, position: LogPosition): void {
    this.ledger.onLoaded(id, this.states.decode(data), position);
  }

  private reduce(
    inner: State,
    command: Command,
    at: Parameters<Reducer<State, Command, Result>>[2],
  ): { inner: State; result: Result | Thrown } {
    try {
      const { state, result } = this.application.reducer(inner, command, at);
      return { inner: state, result };
    } catch (error) {
      return { inner, result: { thrown: String(error) } };
    }
  }

  private check(id: string, state: State): void {
    try {
      this.application.invariant?.(state);
    } catch (error) {
      this.fail(`(I) the state of ${id} breaks its invariant: ${String(error)}`);
    }
  }
}

/** A register for each of three keys, and its version. */
export type Registers = Readonly<
  Record<string, { readonly value: number; readonly version: number }>
>;

export interface Put {
  readonly key: string;
  readonly value: number;
}

export const registers: Application<Registers, Put, number> = {
  reducer: (state, { key, value }) => {
    const version = (state[key]?.version ?? 0) + 1;
    return { state: { ...state, [key]: { value, version } }, result: version };
  },
  initialState: {},
  command: (random, number) => ({ key: random.oneOf('a', 'b', 'c'), value: number }),
};
