/**
 * One node of a cluster, without I/O, clock or chance. Facts go in by `handle`, and `take` says
 * what is to be done about them. Whoever holds the node by hand calls the methods that are named
 * like the inputs; `raft(config)` does nothing but `handle` and `take`.
 */
import type { Action, Refusal, Role } from './action.js';
import type { ClusterConfig } from './cluster-config.js';
import { onSnapshotReceived, onSnapshotSent, onSnapshotTaken } from './compaction.js';
import type { RaftConfig } from './config.js';
import { onPersisted } from './durability.js';
import { onMinimumElapsed, onRequestVoteCall, onRequestVoteReply, onTimedOut } from './election.js';
import type { LogEntries } from './entries.js';
import type { Input } from './input.js';
import { onClusterProposed, onConfigProposed, onRemovalNotice } from './membership.js';
import type { Message } from './message.js';
import { areNumbersSound } from './message.js';
import type { LogIndex, LogPosition, NodeGeneration, NodeId, Term } from './position.js';
import { onReadRequested } from './reads.js';
import { onAppendEntriesCall, onAppendEntriesReply, onProposed } from './replication.js';
import { heartbeat } from './rounds.js';
import { State } from './state.js';
import { isMoreDue, render, take } from './take.js';

/**
 * Nobody misses more elections than this. Terms end where numbers do: one damaged message could
 * bring a cluster there, and nobody could ever be elected again.
 */
const electionsMissed = 2 ** 32;

/** What is known here of the entry that was proposed at a position. */
export type CommitStatus =
  /** Neither committed nor replaced, as far as this node knows. */
  | 'inProgress'
  /** For ever. */
  | 'committed'
  /** Certainly not in the log, and never will be: another entry stands in its way. */
  | 'rejected'
  /** Compacted: a snapshot stands for whatever was there. */
  | 'unknown';

/** A leader's view of another node. */
export interface Progress {
  readonly id: NodeId;
  /** "Index of highest log entry known to be replicated on server" (Figure 2), durably. */
  readonly matchIndex: LogIndex;
  /** "Index of the next log entry to send to that server" (Figure 2). */
  readonly nextIndex: LogIndex;
}

/** The node's log, to look at. */
export interface LogView<C> {
  /** The snapshot's position, or the origin: the entries up to it are gone. */
  readonly snapshotPosition: LogPosition;
  readonly lastPosition: LogPosition;
  /** Effective on append, committed or not (§6). */
  readonly latestConfig: ClusterConfig;
  /** The position at an index from the snapshot on, or null. */
  positionAt(index: LogIndex): LogPosition | null;
  /** The configuration in force as of an index: what is stored with a snapshot. */
  configAt(index: LogIndex): ClusterConfig;
  /** Is the position a place of this very history? */
  contains(position: LogPosition): boolean;
  /** The entries after `from`, up to `to`: a copy. Throws an InvariantError outside the log. */
  slice(from: LogIndex, to: LogIndex): LogEntries<C>;
}

export class Node<C = unknown, S = unknown> {
  private readonly state: State<C, S>;

  /** Throws a ConfigError that names the field at fault. */
  constructor(config: RaftConfig<C, S>) {
    this.state = new State(config);
  }

  get id(): NodeId {
    return this.state.id;
  }

  get generation(): NodeGeneration {
    return this.state.generation;
  }

  get role(): Role {
    return this.state.role;
  }

  get currentTerm(): Term {
    return this.state.currentTerm;
  }

  get votedFor(): NodeId | null {
    return this.state.votedFor;
  }

  /** The leader of the current term, as far as it is known. */
  get leaderId(): NodeId | null {
    return this.state.leaderId;
  }

  get commitIndex(): LogIndex {
    return this.state.commitIndex;
  }

  /** Up to here entries were handed to the machine. */
  get appliedIndex(): LogIndex {
    return this.state.appliedIndex;
  }

  /** Up to here the own entries are on disk. */
  get durableIndex(): LogIndex {
    return this.state.durableIndex;
  }

  /** The configuration in force: the newest in the log, or the snapshot's. */
  get config(): ClusterConfig {
    return this.state.log.latestConfig;
  }

  /** The other members. What they have is known to a leader only. */
  get peers(): readonly Progress[] {
    return this.state.peers.map(({ id, match, next }) => ({
      id,
      matchIndex: match,
      nextIndex: next,
    }));
  }

  get log(): LogView<C> {
    const { log } = this.state;
    return {
      snapshotPosition: log.base,
      lastPosition: log.lastPosition,
      latestConfig: log.latestConfig,
      positionAt: (index) => (log.termAt(index) === null ? null : log.positionAt(index)),
      configAt: (index) => log.configAt(index),
      contains: (position) => log.contains(position),
      slice: (from, to) => log.slice(from, to),
    };
  }

  /**
   * The fate of a proposal. Within one history terms never go down, so a committed entry of a later
   * term in front of a position rules it out.
   */
  commitStatus(position: LogPosition): CommitStatus {
    const { log, commitIndex } = this.state;
    if (position.index < log.base.index) return 'unknown';
    const term = log.termAt(Math.min(position.index, commitIndex)) ?? 0;
    if (position.index > commitIndex) return term > position.term ? 'rejected' : 'inProgress';
    return term === position.term ? 'committed' : 'rejected';
  }

  /** All that is due, in the order in which it is to be done. Afterwards it is due no more. */
  take(): Action<C, S>[] {
    return take(this.state);
  }

  /** A look at what is due. It stays due. */
  get pending(): Action<C, S>[] {
    return render(this.state);
  }

  /** Is there more to take, without further input? A window has room, or more can be applied. */
  get isMoreDue(): boolean {
    return isMoreDue(this.state);
  }

  /**
   * Takes in one fact. A bad, stale or hostile message is dropped with a reason; a broken
   * invariant, such as the answer to a write that was never issued, throws an InvariantError.
   */
  handle(input: Input<C, S>): void {
    const { state } = this;
    switch (input.type) {
      case 'minimumElapsed':
        // While a new timer is due, what the old one says is stale: a leader was heard since.
        if (!state.timerDue) onMinimumElapsed(state);
        return;
      case 'timedOut':
        if (!state.timerDue) onTimedOut(state);
        return;
      case 'persisted':
        onPersisted(state, input.sequence);
        return;
      case 'received':
        this.receive(input.message);
        return;
      case 'snapshotReceived':
        if (input.from === state.id) state.drop(input.from, 'fromSelf');
        else if (input.term - state.currentTerm > electionsMissed) {
          state.drop(input.from, 'invalid');
        } else onSnapshotReceived(state, input.from, input.term, input.snapshot);
        return;
      case 'snapshotSent':
        onSnapshotSent(state, input.to);
        return;
      case 'proposed':
        state.answer(input.proposal, onProposed(state, input.commands));
        return;
      case 'configProposed':
        state.answer(input.proposal, onConfigProposed(state, input.config));
        return;
      case 'clusterProposed':
        state.answer(input.proposal, onClusterProposed(state, input.voters));
        return;
      case 'readRequested':
        onReadRequested(state, input.reads);
        return;
      case 'snapshotTaken':
        onSnapshotTaken(state, input.index, input.data);
        return;
    }
  }

  /** Takes in a message of another node. */
  receive(message: Message<C>): void {
    const { state } = this;
    if (message.from === state.id) {
      state.drop(message.from, 'fromSelf');
      return;
    }
    if (!areNumbersSound(message) || message.term - state.currentTerm > electionsMissed) {
      state.drop(message.from, 'invalid');
      return;
    }
    switch (message.type) {
      case 'requestVoteCall':
        onRequestVoteCall(state, message);
        return;
      case 'requestVoteReply':
        onRequestVoteReply(state, message);
        return;
      case 'appendEntriesCall':
        onAppendEntriesCall(state, message);
        return;
      case 'appendEntriesReply':
        onAppendEntriesReply(state, message);
        return;
      case 'removalNotice':
        onRemovalNotice(state, message);
        return;
    }
  }

  /**
   * The election timeout, now: a follower or candidate that votes becomes a candidate, a leader
   * sends heartbeats, a non-voter does nothing (§5.2).
   */
  timeOut(): void {
    onTimedOut(this.state);
  }

  /** A call to every peer, now. Leader only: else nothing. */
  heartbeat(): void {
    if (this.state.role === 'leader') heartbeat(this.state);
  }

  /** Begins a cluster with these voters, this node among them, and asks them for their votes. */
  createCluster(voters: readonly NodeId[]): LogPosition | Refusal {
    return onClusterProposed(this.state, voters);
  }

  /** Puts a command into the leader's log. May be called many times before actions are taken. */
  proposeCommand(command: C): LogPosition | Refusal {
    return onProposed(this.state, [command]);
  }

  /** Begins a change of members. The final configuration follows the joint one by itself (§6). */
  proposeConfig(config: ClusterConfig): LogPosition | Refusal {
    return onConfigProposed(this.state, config);
  }
}
