/**
 * Inputs are facts. Each is what a device says in answer to an action, or of its own accord.
 */
import type { ClusterConfig } from './cluster-config.js';
import type { Message } from './message.js';
import type { LogIndex, NodeId, Term } from './position.js';
import type { Snapshot } from './snapshot.js';

export type Input<C = unknown, S = unknown> =
  ClockInput | StorageInput | NetworkInput<C, S> | MachineInput<C, S>;

/** Both answer the newest `setElectionTimeout`, in this order; a leader's has only the second. */
export type ClockInput =
  /** The minimum election timeout has passed since the node last heard from a leader. */
  | { readonly type: 'minimumElapsed' }
  /** Follower, candidate: "election timeout elapses" (§5.2). Leader: time for a heartbeat. */
  | { readonly type: 'timedOut' };

/**
 * All writes up to and including `sequence` are on disk: cumulative, in the order of the numbers.
 */
export interface StorageInput {
  readonly type: 'persisted';
  readonly sequence: number;
}

export type NetworkInput<C = unknown, S = unknown> =
  /** A message of a peer, already known to be well-formed and to come from `message.from`. */
  | { readonly type: 'received'; readonly message: Message<C> }
  /** A whole snapshot of a leader of `term`, in answer to its `installSnapshot`. */
  | {
      readonly type: 'snapshotReceived';
      readonly from: NodeId;
      readonly term: Term;
      readonly snapshot: Snapshot<S>;
    }
  /** The transfer to a peer is over, whether it arrived or not: another may be asked for. */
  | { readonly type: 'snapshotSent'; readonly to: NodeId };

/** `proposal` and `reads` are the asker's own numbers, and come back with the answer. */
export type MachineInput<C = unknown, S = unknown> =
  /** Commands for the log, in this order and side by side. Ends `accepted` or `rejected`. */
  | { readonly type: 'proposed'; readonly proposal: number; readonly commands: readonly C[] }
  /** A change of members: see `toJointConsensus`. Ends `accepted` or `rejected`. */
  | {
      readonly type: 'configProposed';
      readonly proposal: number;
      readonly config: ClusterConfig;
    }
  /** A new cluster with these voters, said to one pristine node. Ends `accepted` or `rejected`. */
  | {
      readonly type: 'clusterProposed';
      readonly proposal: number;
      readonly voters: readonly NodeId[];
    }
  /** Linearizable reads that wait (§8). End `readReady` or `readRefused`. */
  | { readonly type: 'readRequested'; readonly reads: number }
  /** The state as of `index`, which the machine was given by `apply` or `restore`. */
  | { readonly type: 'snapshotTaken'; readonly index: LogIndex; readonly data: S };
