/**
 * What nodes say to each other: the calls and replies of Figure 2, and what correctness adds.
 *
 * Messages may be lost, repeated, delayed and reordered at will: the network owes nothing.
 */
import type { LogEntries } from './entries.js';
import type { LogIndex, LogPosition, NodeGeneration, NodeId, Term } from './position.js';
import { isSafePosition } from './position.js';

export type Message<C = unknown> =
  RequestVoteCall | RequestVoteReply | AppendEntriesCall<C> | AppendEntriesReply | RemovalNotice;

/** Are its numbers numbers? Not a number is neither above nor below anything, and spreads. */
export function areNumbersSound(message: Message): boolean {
  const { isSafeInteger } = Number;
  if (!isSafeInteger(message.term)) return false;
  switch (message.type) {
    case 'requestVoteCall':
      return isSafePosition(message.lastPosition);
    case 'requestVoteReply':
      return true;
    case 'appendEntriesCall':
      return isSafeInteger(message.round) && isSafeInteger(message.commitIndex);
    case 'appendEntriesReply':
      return isSafeInteger(message.round) && isSafePosition(message.lastPosition);
    case 'removalNotice':
      return isSafePosition(message.position);
  }
}

/** "Invoked by candidates to gather votes" (§5.2). Leaves when the candidacy is durable. */
export interface RequestVoteCall {
  readonly type: 'requestVoteCall';
  readonly from: NodeId;
  readonly term: Term;
  /** The candidate's last log position, for the election restriction (§5.4.1). */
  readonly lastPosition: LogPosition;
}

/** The answer, rendered from durable state. */
export interface RequestVoteReply {
  readonly type: 'requestVoteReply';
  readonly from: NodeId;
  readonly term: Term;
  readonly voteGranted: boolean;
}

/** "Invoked by leader to replicate log entries; also used as heartbeat" (§5.3). */
export interface AppendEntriesCall<C = unknown> {
  readonly type: 'appendEntriesCall';
  readonly from: NodeId;
  readonly term: Term;
  /** Grows with every call of a leader. One number serves windows, stale refusals and reads. */
  readonly round: number;
  /** The leader's commit index. The follower takes of it what this call establishes. */
  readonly commitIndex: LogIndex;
  /** No entries: a heartbeat. `entries.prevPosition` is the consistency check. */
  readonly entries: LogEntries<C>;
}

/** Acknowledges all calls up to `round`: at once when they bring nothing, else when durable. */
export interface AppendEntriesReply {
  readonly type: 'appendEntriesReply';
  readonly from: NodeId;
  readonly term: Term;
  /** Of the call, or 0 when the call was of an older term: rounds count within a term. */
  readonly round: number;
  /** Differs after a restart of the follower. */
  readonly generation: NodeGeneration;
  /** The call's term is behind, or `prevPosition` is not in the follower's log. */
  readonly refused: boolean;
  /**
   * Accepted: the last position known to be the leader's *and* durable here. Refused: a hint, the
   * follower's last position that is not after `prevPosition` in term and index.
   */
  readonly lastPosition: LogPosition;
}

/** A leader tells a node that a committed configuration leaves it out, so that it falls silent. */
export interface RemovalNotice {
  readonly type: 'removalNotice';
  readonly from: NodeId;
  readonly term: Term;
  /** Where the configuration stands in the log. */
  readonly position: LogPosition;
}
