/** What a replica is made from, and what it gives. */
import type { Observable, OperatorFunction, SchedulerLike } from 'rxjs';
import type { ClockAction, NetworkAction, Role } from '../lib/action.js';
import type { ClockInput, NetworkInput } from '../lib/input.js';
import type { NodeId } from '../lib/position.js';
import type { Connection } from './gateway/connection.js';
import type { Forwarding } from './gateway/forwarding.js';
import type { MachineOptions, Reducer } from './machine-options.js';
import type { ReplicaStatus } from './replica/facts.js';
import type { ReplicaUpdate } from './replica/feed.js';
import type { ReplicaAnswer, ReplicaRequest } from './replica/protocol.js';
import type { ReplicaCodecs } from './replica/replicated.js';
import type { Store } from './storage.js';

export interface DispatchOptions {
  /**
   * A text of 1 to 128 characters that no other command has, such as a UUID. The command is applied
   * once, however often it is dispatched, on whichever node: each time the promise has the result
   * of the first time. Remembered are the newest 10,000 ids with up to 16 MiB of results, where an
   * error counts as 256 bytes and keeps as many characters: a command that comes again after so
   * many others is applied again.
   */
  readonly requestId?: string;
}

export interface ReadOptions {
  /**
   * `linearizable`: has everything that was acknowledged to anyone before the call; a round of the
   * leader's heartbeats proves it. `stale`: what this node has applied so far, at once. Default
   * `linearizable`.
   */
  readonly consistency?: 'linearizable' | 'stale';
}

/**
 * A replicated reducer. The functions may be taken out of it: `const { dispatch } = replica(…)`.
 */
export interface Replica<State, Command, Result> {
  readonly id: NodeId;
  /**
   * The state now, and after each batch of commands, on every node; on a follower it lags behind.
   * Completes when the node has stopped, errors when something has ended it.
   *
   *     applied          -a--------bc----|
   *     state$           sa--------c-----|
   */
  readonly state$: Observable<State>;
  /** The newest of `state$`. */
  readonly state: State;
  readonly role$: Observable<Role>;
  /** The leader as this node knows it. */
  readonly leader$: Observable<NodeId | null>;
  /**
   * Does this node lead? Two nodes may believe so for some heartbeats: the older one can't commit
   * anything, but what it does outside needs its term as a fence.
   */
  readonly isLeader$: Observable<boolean>;
  readonly status$: Observable<ReplicaStatus>;
  /**
   * A part of the state, when it has changed. Default of `isEqual`: the same value.
   *
   *     state$           s--s'--s"---|      s and s' have the same part
   *     select           p------q----|
   */
  readonly select: <Part>(
    selector: (state: State) => Part,
    isEqual?: (a: Part, b: Part) => boolean,
  ) => Observable<Part>;
  /**
   * Proposes a command from any node, and resolves with the reducer's result when it is committed,
   * durable and applied. Without a leader it waits for one, up to `patienceMs`. Rejects with a
   * MachineError, whose `outcome` says what is known: `notApplied` (NotLeader, Overloaded,
   * NotApplied), `failed` (CommandFailed: the reducer threw, on all nodes alike), or `unknown`
   * (OutcomeUnknown: ask again with the same request id, or read).
   */
  readonly dispatch: (command: Command, options?: DispatchOptions) => Promise<Result>;
  /**
   * The same as a stream: one command for each subscription. What was dispatched is not undone by
   * unsubscribing.
   *
   *     dispatch$        ---(r|)
   */
  readonly dispatch$: (command: Command, options?: DispatchOptions) => Observable<Result>;
  /** A part of the state, from any node. Rejects with a MachineError; asking again does no harm. */
  readonly read: <Part>(selector: (state: State) => Part, options?: ReadOptions) => Promise<Part>;
  /**
   * Makes these the voters, from any node, and takes everyone else out (§6). Who comes gets the log
   * first, and votes when it has caught up; until then the cluster decides as before. Resolves when
   * the change is complete; a change that was made already is done. Rejects with a ChangeRefused
   * that says why not, or with a MachineError; asking again does no harm.
   *
   * A node that comes must run, with `initialVoters: []` on an empty store, and be reached by the
   * others. One that has gone is told so (`status$`, `isRemoved`), and may be stopped. An id whose
   * log is lost must not come back: give the new node another one.
   *
   * A node that has founded a cluster of its own must never come: where nothing turns it away, its
   * log passes for the beginning of this one, and it votes with a state of its own. The networks
   * turn it away where both sides know with which voters they began: not any more where a snapshot
   * stands for the beginning.
   */
  readonly changeVoters: (voters: readonly NodeId[]) => Promise<void>;
  /**
   * Ends the node: its writes are finished, whoever waits is told. Resolves when all is over, and
   * rejects with what had ended the node before.
   */
  readonly stop: () => Promise<void>;
}

/** What stands around a replica on this side: which bytes come in does not matter to it. */
export interface BareReplica<State, Command, Result> extends Replica<State, Command, Result> {
  /** What other nodes and clients ask of this one. */
  readonly requests: Pick<Forwarding<ReplicaRequest, ReplicaAnswer<Result>>, 'answer'> & {
    /** Null: the request is none of a follower. */
    readonly watch: (
      request: ReplicaRequest,
      signal: AbortSignal,
    ) => AsyncIterable<ReplicaUpdate> | null;
  };
}

/** What every replica needs, wherever it runs. */
export interface ReducerOptions<State, Command, Result> {
  readonly id: NodeId;
  /**
   * It runs on every node: no clock, no chance, no I/O, and no change in place. It says no by its
   * result; what it throws is a mistake, and reaches only whoever dispatched the command.
   * So is a result that its codec refuses: the command is applied, and who dispatched it gets an
   * OutcomeUnknown that says so, on the leader too; with a request id it is a CommandFailed.
   * While its codec refuses the state there are no snapshots, and the log grows: `snapshotFault` of
   * `status$` says why. The default one takes no key `__proto__`: refuse it where keys come from
   * commands.
   */
  readonly reducer: Reducer<State, Command, Result>;
  readonly initialState: State;
  /** Default: `valueCodec()` for each. Commands, results and states are plain structured values. */
  readonly codecs?: Partial<ReplicaCodecs<State, Command, Result>>;
  /** As in `{ entries: 1000 }`: see the machine. Default 65,536 entries, 64 MiB. */
  readonly snapshotEvery?: NonNullable<MachineOptions<State, Command, Result>['snapshotEvery']>;
  /** See the machine. What it refuses as `CommandTooLarge` is `NotApplied` here. */
  readonly limits?: NonNullable<MachineOptions<State, Command, Result>['limits']>;
  /**
   * How long a request waits for a leader, with all its tries, in milliseconds, from 0 to 2^31 - 1.
   * Default 5,000.
   */
  readonly patienceMs?: number;
  /**
   * Takes each line of what the node does in the protocol, before others can see it: the format is
   * that of `traced`, and `traceFile({ path }).write` keeps it in a file. What it throws ends the
   * node.
   */
  readonly trace?: (line: string) => void;
}

export interface BareReplicaOptions<State, Command, Result> extends ReducerOptions<
  State,
  Command,
  Result
> {
  /**
   * The voters of a new cluster, the same on each of them: see `raft`. None, `[]`, on a
   * node that is to be added to a cluster that is there, by `changeVoters`.
   */
  readonly initialVoters: readonly NodeId[];
  /** Closed when the node has stopped. */
  readonly store: Store<Uint8Array, Uint8Array> | Promise<Store<Uint8Array, Uint8Array>>;
  /**
   * Give it the voters that the cluster began with, where it takes them (`channelNetwork`,
   * `wsNetwork`): `initialVotersOf({ ...recovered, initialVoters })`. Otherwise nothing turns away
   * the nodes of another cluster of the same name: see `changeVoters`.
   */
  readonly network: OperatorFunction<
    NetworkAction<Uint8Array, Uint8Array>,
    NetworkInput<Uint8Array, Uint8Array>
  >;
  /** Default `clock()`. */
  readonly clock?: OperatorFunction<ClockAction, ClockInput>;
  /**
   * Connects to another node, to pass requests on to the leader. Default: nobody can be reached,
   * and a request to a follower rejects with NotLeader.
   */
  readonly connect?: (leader: NodeId) => Promise<Connection<ReplicaRequest, ReplicaAnswer<Result>>>;
  /** The turn in which commands gather. Default `turnScheduler`. Null: each goes at once. */
  readonly scheduler?: SchedulerLike | null;
}
