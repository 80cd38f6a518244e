/**
 * The machine: the replicated state machine of the paper (§2), as a reducer over the log, and the
 * door through which clients come in.
 */
import type { OperatorFunction } from 'rxjs';
import { BehaviorSubject, Observable } from 'rxjs';
import type { MachineAction } from '../lib/action.js';
import type { ClusterConfig } from '../lib/cluster-config.js';
import type { MachineInput } from '../lib/input.js';
import type { LogIndex, LogPosition, NodeId } from '../lib/position.js';
import { AppliedLog } from './machine-log.js';
import type { MachineOptions } from './machine-options.js';
import { machineSettings } from './machine-options.js';
import { Requests } from './machine-requests.js';

export { ConfigError } from '../lib/config.js';
export {
  CommandFailed,
  CommandTooLarge,
  MachineError,
  NotApplied,
  NotLeader,
  OutcomeUnknown,
  Overloaded,
  Refused,
} from './machine-errors.js';
export type { Outcome } from './machine-errors.js';
export type { CommandPosition, MachineLimits, MachineOptions, Reducer } from './machine-options.js';

/** The functions may be taken out of it: `const { dispatch, state$ } = machine(…)`. */
export interface Machine<State, Command, Result, Block = readonly Command[], Data = State> {
  /** For one subscription: the state is that of one run. A second one gets an error. */
  readonly adapter: OperatorFunction<MachineAction<Block, Data>, MachineInput<Block, Data>>;
  /**
   * Proposes a command, and resolves with the reducer's result when it is committed, durable and
   * applied here. Rejects with a MachineError: certainly not applied (NotLeader, Overloaded,
   * CommandTooLarge, Refused, NotApplied), applied without effect (CommandFailed), or
   * OutcomeUnknown. It always ends: a leader that is cut off gives up its role after some
   * heartbeats, and with it everyone who waits.
   */
  readonly dispatch: (command: Command) => Promise<Result>;
  /**
   * The state, linearizable: it has everything that was acknowledged to anyone before the call.
   * Rejects with NotLeader, Overloaded or NotApplied; asking again does no harm.
   */
  readonly read: () => Promise<State>;
  /** Resolves with the position of the change when it is committed; see `toJointConsensus`. */
  readonly changeConfig: (config: ClusterConfig) => Promise<LogPosition>;
  /** Resolves when the new cluster has its first leader, and this configuration is committed. */
  readonly createCluster: (voters: readonly NodeId[]) => Promise<LogPosition>;
  /**
   * The state now, and after each batch of commands, on every node; on a follower it lags behind.
   * Completes when the node stops.
   *
   *     actions             -apply(a,b)---apply(c)--|
   *     state$              s-s'------------s"------|
   */
  readonly state$: Observable<State>;
  /**
   * Takes a snapshot of the state as it is, and says up to which index of the log. It is not on the
   * disk yet, and may never be: the core drops one that it has, and any while another one is on its
   * way to the disk; nothing is taken where no node runs, or where `save` gives none. It is there
   * when the `persist` that brings it is answered; until then it does no harm to ask again.
   */
  readonly takeSnapshot: () => LogIndex;
  /** The newest of `state$`. */
  readonly state: State;
  /** Up to here the log is in the state. */
  readonly appliedIndex: LogIndex;
}

/**
 * A replicated reducer. Entries are applied once each, in log order; a gap ends the node. Markers
 * and configurations only advance `appliedIndex`. Nothing is kept here: after a restart the state
 * comes from the newest snapshot and the log behind it.
 *
 *     const counter = machine({
 *       reducer: (sum: number, add: number) => ({ state: sum + add, result: sum + add }),
 *       initialState: 0,
 *       scheduler: turnScheduler,
 *     });
 *     loop(raft(config), { clock, storage, network, machine: counter.adapter }).subscribe();
 *     await counter.dispatch(1);
 *
 * When its actions complete it settles everyone who waits, completes `state$`, and completes.
 * Throws a ConfigError for options that can't be.
 */
export function machine<State, Command, Result, Block = readonly Command[], Data = State>(
  options: MachineOptions<State, Command, Result, Block, Data>,
): Machine<State, Command, Result, Block, Data> {
  const settings = machineSettings(options);
  const requests = new Requests(settings);
  const state$ = new BehaviorSubject(settings.initialState);
  const log = new AppliedLog(settings, requests, state$);
  let used = false;
  return {
    adapter: (action$) =>
      new Observable((subscriber) => {
        if (used) {
          subscriber.error(new Error('a machine is for one subscription: make another one'));
          return;
        }
        used = true;
        log.run(action$, subscriber);
      }),
    dispatch: (command) => requests.dispatch(command),
    read: () => requests.read(),
    changeConfig: (config) => requests.changeConfig(config),
    createCluster: (voters) => requests.createCluster(voters),
    takeSnapshot: () => log.takeSnapshot(),
    state$: state$.asObservable(),
    get state() {
      return state$.value;
    },
    get appliedIndex() {
      return log.applied.index;
    },
  };
}
