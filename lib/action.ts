/**
 * Actions are imperatives: what the core wants done. Each says what to do, when it must be
 * durable, which input answers it, and whether it may be lost, repeated or reordered.
 */
import type { ClusterConfig } from './cluster-config.js';
import type { LogEntries } from './entries.js';
import type { Message } from './message.js';
import type { LogIndex, LogPosition, NodeId, Term } from './position.js';
import type { Snapshot } from './snapshot.js';

export type Action<C = unknown, S = unknown> =
  ClockAction | StorageAction<C, S> | NetworkAction<C, S> | MachineAction<C, S> | Report;

export type Role = 'follower' | 'candidate' | 'leader';

/**
 * Start the timer of this role anew; the newest deadline wins and the older ones fall silent.
 * Follower, candidate: answered by `minimumElapsed` after the minimum election timeout, then by
 * `timedOut` after the minimum and a random part. Leader: by `timedOut` after the heartbeat
 * interval. Must not be lost; nothing need be durable.
 */
export interface ClockAction {
  readonly type: 'setElectionTimeout';
  readonly role: Role;
}

/** "Persistent state on all servers" (Figure 2). */
export interface HardState {
  readonly currentTerm: Term;
  readonly votedFor: NodeId | null;
}

/**
 * Write one batch, atomically and durably, and answer `persisted` with its number when a power
 * loss can no longer undo it. In the order of the numbers, none lost, none repeated. First, with
 * `snapshot`, everything up to its position gives way to it, and the whole log when that position
 * is not in it (§7). Then, with `entries`, everything
 * after `entries.prevPosition` is replaced by them (they may be none). A write that fails ends
 * the node: it is never tried again.
 */
export interface StorageAction<C = unknown, S = unknown> {
  readonly type: 'persist';
  /** 1 for the first write of a subscription, and one more for each. */
  readonly sequence: number;
  readonly hardState: HardState | null;
  readonly entries: LogEntries<C> | null;
  readonly snapshot: Snapshot<S> | null;
}

/** What these depend on is durable already. May be lost, repeated, delayed, reordered. */
export type NetworkAction<C = unknown, S = unknown> =
  /** The same message to two or more peers. */
  | {
      readonly type: 'broadcastMessage';
      readonly to: readonly NodeId[];
      readonly message: Message<C>;
    }
  | { readonly type: 'sendMessage'; readonly to: NodeId; readonly message: Message<C> }
  /**
   * Carry a durable snapshot to a peer whose next entries are compacted here: one transfer per
   * peer, this one ignored while one runs. Answered there by `snapshotReceived` with this term,
   * here by `snapshotSent` when the transfer is over, arrived or not.
   */
  | {
      readonly type: 'installSnapshot';
      readonly to: NodeId;
      readonly term: Term;
      readonly snapshot: Snapshot<S>;
    };

/** In order, none lost, none repeated within a run. */
export type MachineAction<C = unknown, S = unknown> =
  /** These entries are committed, and durable here: hand them to the machine. */
  | { readonly type: 'apply'; readonly entries: LogEntries<C> }
  /** Replace the machine's state: at the start of a run, and after an installation. */
  | { readonly type: 'restore'; readonly snapshot: Snapshot<S> }
  /** A proposal is in the log from here on. Its fate is what `apply` brings at that index. */
  | {
      readonly type: 'accepted';
      readonly proposal: number;
      readonly firstPosition: LogPosition;
    }
  /** A proposal is certainly not in the log. */
  | {
      readonly type: 'rejected';
      readonly proposal: number;
      readonly reason: Refusal;
      readonly leaderId: NodeId | null;
    }
  /** Everything that these reads must see has been handed over: it is at or below `index`. */
  | { readonly type: 'readReady'; readonly reads: readonly number[]; readonly index: LogIndex }
  /** These reads can't be answered here. */
  | {
      readonly type: 'readRefused';
      readonly reads: readonly number[];
      readonly reason: Refusal;
      readonly leaderId: NodeId | null;
    }
  /** A report for everyone, and to the machine the end of what waits for a lost leadership. */
  | {
      readonly type: 'roleChanged';
      readonly role: Role;
      readonly currentTerm: Term;
      readonly leaderId: NodeId | null;
    };

/** Why a request was refused. */
export type Refusal =
  /** Ask `leaderId`, if it is known. */
  | 'notLeader'
  /** A limit of the configuration is reached; try again when less is under way. */
  | 'overloaded'
  /** It has no command at all. */
  | 'emptyProposal'
  /** The leader has not committed an entry of its own term yet (thesis §4.1); try again. */
  | 'notReady'
  /** "C_new is not committed yet": one change at a time (§6); try again. */
  | 'changeInProgress'
  /** A non-voter that is to be promoted has not caught up (thesis §4.2.1); try again. */
  | 'notCaughtUp'
  /** No voter is left, an id is listed twice or no id at all, or the current voters differ. */
  | 'invalidConfig'
  /** The node has a log, a term or a vote: a cluster can't be created on it. */
  | 'notPristine';

/** Only downstream: nothing answers these. */
export type Report =
  | { readonly type: 'committed'; readonly commitIndex: LogIndex }
  /** The configuration in force: the newest in the log, committed or not (§6). */
  | {
      readonly type: 'configChanged';
      readonly config: ClusterConfig;
      readonly index: LogIndex;
    }
  /** A bad, stale or foreign input changed nothing. */
  | {
      readonly type: 'dropped';
      readonly from: NodeId | null;
      readonly reason: DropReason;
    };

export type DropReason =
  /** From a term that is over. */
  | 'staleTerm'
  /** An answer to a call that has been answered or taken back since. */
  | 'staleRound'
  /** From a node that is not in the configuration in force. */
  | 'notMember'
  /** It came from this node itself. */
  | 'fromSelf'
  /** It contradicts itself, or the protocol: entries out of order, an acknowledgement too far. */
  | 'invalid'
  /** It contradicts what is committed here: one of the two nodes has lost or forged entries. */
  | 'contradiction'
  /** A vote request while a leader is known to be alive (thesis §4.2.3). */
  | 'leaderAlive'
  /** No longer of use: a role that is over, a snapshot that is older than the log. */
  | 'obsolete'
  /** More vote requests at once than a cluster can have. */
  | 'overloaded';
