/** What a machine is made from, and its limits. */
import type { SchedulerLike } from 'rxjs';
import { ConfigError } from '../lib/config.js';
import type { LogPosition } from '../lib/position.js';
import { faultOfValue, sizeOfValue } from './plain-value.js';

/**
 * Where a command stands: its entry, and its place within it, from 0 on, because the commands of a
 * turn share an entry. Grows from command to command, by index and then by offset: a fence for
 * effects outside.
 */
export interface CommandPosition extends LogPosition {
  readonly offset: number;
}

/**
 * The state and the result that follow from a state and a command: from them alone. It runs on
 * every node and again after a restart, and must say the same each time: no clock, no chance, no
 * I/O, no order that differs from node to node. Whatever time or chance it needs comes in the
 * command.
 *
 * It may throw to refuse a command: the state stays as it was, everywhere, and who dispatched the
 * command gets a `CommandFailed`. One that changes its state in place must not throw halfway.
 */
export type Reducer<State, Command, Result> = (
  state: State,
  command: Command,
  at: CommandPosition,
) => { readonly state: State; readonly result: Result };

/** Bounds of everything that can grow. At a limit a request is refused as `Overloaded`. */
export interface MachineLimits {
  /**
   * Bytes of one command, by `sizeOf`, and of the block that it is packed into: a longer one is
   * refused as `CommandTooLarge`. An entry that no frame has room for would stop the log for ever,
   * so keep it well below what the network takes: `wsNetwork` has `maxFrameBytes`, 16 MiB.
   * Default 4 MiB.
   */
  readonly commandBytes: number;
  /** Requests under way: commands, reads, changes. Default 65,536. */
  readonly waiters: number;
  /** Bytes of the commands under way, by `sizeOf`. Default 64 MiB. */
  readonly waitingBytes: number;
  /** Commands in one block: one more begins the next. Default 4,096. */
  readonly blockCommands: number;
  /** Bytes of the commands in one block, by `sizeOf`; one command at the least. Default 1 MiB. */
  readonly blockBytes: number;
}

export interface MachineOptions<State, Command, Result, Block = readonly Command[], Data = State> {
  readonly reducer: Reducer<State, Command, Result>;
  readonly initialState: State;
  /**
   * One log entry carries the commands of a turn: how they become one, and are taken out again.
   * Both or none. What `pack` throws rejects the command as `NotApplied`, and nobody else's. What
   * `unpack` throws ends the node, which dies rather than skips what others may have applied.
   * Default: the commands as they are, if they are plain values as `valueCodec` has them, nested up
   * to 48 times with their list: what can't be written would end the node.
   */
  readonly pack?: (commands: readonly Command[]) => Block;
  readonly unpack?: (block: Block) => readonly Command[];
  /**
   * The state as the data of a snapshot, which later commands must not change, and back. Both or
   * none; what they throw ends the node. Undefined: it can't be saved as it is, and the log is kept
   * until it can. Default: the state as it is, right for a reducer that changes nothing in place.
   */
  readonly save?: (state: State) => Data | undefined;
  readonly load?: (data: Data) => State;
  /**
   * A snapshot follows after so many entries, or bytes of blocks, whatever is first. Infinity:
   * never for this reason. Default 65,536 entries, 64 MiB.
   */
  readonly snapshotEvery?: { readonly entries?: number; readonly bytes?: number };
  /**
   * The bytes of a command, for the limits: rather too many than too few. Default: those of bytes
   * and text, and of other values what MessagePack needs at the most. What it throws rejects the
   * command as `NotApplied`.
   */
  readonly sizeOf?: (command: Command) => number;
  readonly limits?: Partial<MachineLimits>;
  /**
   * The turn in which requests gather into one block, and reads into one number: `turnScheduler`.
   * Without it each goes at once, and alone.
   */
  readonly scheduler?: SchedulerLike;
}

/** The options with their defaults. */
export interface MachineSettings<State, Command, Result, Block, Data> {
  readonly reducer: Reducer<State, Command, Result>;
  readonly initialState: State;
  readonly pack: (commands: readonly Command[]) => Block;
  readonly unpack: (block: Block) => readonly Command[];
  readonly save: (state: State) => Data | undefined;
  readonly load: (data: Data) => State;
  readonly snapshotEvery: { readonly entries: number; readonly bytes: number };
  readonly sizeOf: (command: Command) => number;
  readonly limits: MachineLimits;
  readonly scheduler: SchedulerLike | null;
}

export const defaultLimits: MachineLimits = Object.freeze({
  commandBytes: 4 << 20,
  waiters: 65_536,
  waitingBytes: 64 << 20,
  blockCommands: 4096,
  blockBytes: 1 << 20,
});

/** Throws a ConfigError that names the culprit. */
export function machineSettings<State, Command, Result, Block, Data>(
  options: MachineOptions<State, Command, Result, Block, Data>,
): MachineSettings<State, Command, Result, Block, Data> {
  refuseNoReducer(options.reducer);
  bothOrNone({ pack: options.pack, unpack: options.unpack });
  bothOrNone({ save: options.save, load: options.load });
  const limits = { ...defaultLimits, ...options.limits };
  const { entries = 65_536, bytes = 64 << 20 } = snapshotEveryOf(options.snapshotEvery);
  atLeastOne({ ...limits });
  atLeastOne({ 'snapshotEvery.entries': entries, 'snapshotEvery.bytes': bytes });
  return {
    reducer: options.reducer,
    initialState: options.initialState,
    // Without pack a block is its commands, and without save the data is the state: the defaults
    // of the type parameters.
    pack: options.pack ?? ((commands) => plain(commands) as Block),
    unpack: options.unpack ?? ((block) => block as unknown as readonly Command[]),
    save: options.save ?? ((state) => state as unknown as Data),
    load: options.load ?? ((data) => data as unknown as State),
    snapshotEvery: { entries, bytes },
    sizeOf: options.sizeOf ?? ((command) => sizeOfValue(command, limits.commandBytes)),
    limits,
    scheduler: options.scheduler ?? null,
  };
}

/** Containers within containers: 16 less than in `valueCodec`, for the state that keeps them. */
const depth = 48;

function plain<T>(commands: T): T {
  const fault = faultOfValue(commands, depth);
  if (fault === null) return commands;
  throw new TypeError(`it is no plain value: ${fault}; give the machine pack and unpack for it`);
}

/** The length of bytes or text, else 0. */
export function byteLength(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  return typeof value === 'string' ? value.length : 0;
}

/** A node without one would go on alone, and fail what the others do. Throws a ConfigError. */
export function refuseNoReducer(reducer: unknown): void {
  if (typeof reducer === 'function') return;
  throw new ConfigError(
    'reducer',
    'it must be a function: (state, command) => ({ state, result })',
  );
}

/** A number would be taken for nothing at all. Throws a ConfigError. */
function snapshotEveryOf(given: unknown): { readonly entries?: number; readonly bytes?: number } {
  const every = given ?? {};
  if (typeof every === 'object') return every;
  throw new ConfigError('snapshotEvery', `${String(given)} is none: as in { entries: 1000 }`);
}

function bothOrNone(pair: Record<string, unknown>): void {
  const missing = Object.entries(pair).filter(([, each]) => each === undefined);
  const [first] = missing;
  if (missing.length !== 1 || first === undefined) return;
  throw new ConfigError(first[0], `${Object.keys(pair).join(' and ')} belong together`);
}

function atLeastOne(limits: Record<string, number>): void {
  for (const [field, value] of Object.entries(limits)) {
    if (typeof value === 'number' && value >= 1) continue;
    throw new ConfigError(field, `${value} must be a number from 1 on`);
  }
}
