/**
 * A leader's view of one other node (§5.3): "nextIndex: index of the next log entry to send to that
 * server", "matchIndex: index of highest log entry known to be replicated on server" (Figure 2).
 *
 * Entries are sent ahead of their acknowledgement. What is in flight lies between `acknowledged`
 * and `next`: derived, never counted, so it can't leak. What was lost on the way shows as a refusal
 * of what follows, or of the next heartbeat, and `next` goes back once: refusals of calls that were
 * sent before that are stale.
 */
import type { LogIndex, NodeGeneration, NodeId } from './position.js';

export class Peer {
  match: LogIndex = 0;
  next: LogIndex;
  /**
   * Where the stream of calls began: what is in flight is behind this. A refusal never moves it on:
   * what the peer has received is not on its disk yet, and each loss would open a window more.
   */
  start: LogIndex;
  /** While the logs are being compared, calls are empty and go one at a time. */
  probing = false;
  /** A call is owed even when there is nothing to carry. */
  callDue = false;
  /** A snapshot must be asked for; one is on its way. */
  snapshotDue = false;
  snapshotUnderway = false;
  /** Of its newest answer: a change means that it restarted. */
  generation: NodeGeneration | null = null;
  /** The newest call that it answered. */
  ackRound = 0;
  /** Refusals of calls up to this round are stale: `next` has gone back since. */
  refusalFloor: number;
  /** All answers to calls up to this round are void: they are of an earlier life of the node. */
  answerFloor: number;

  /** What the calls being rendered bring it: entries after `sendFrom` to `sendTo`, or -1. */
  sendFrom = -1;
  sendTo = -1;

  constructor(
    readonly id: NodeId,
    next: LogIndex,
    round: number,
  ) {
    this.next = next;
    this.start = next - 1;
    this.refusalFloor = this.answerFloor = round;
  }

  /** Up to here entries are in flight no more. */
  get acknowledged(): LogIndex {
    return Math.max(this.match, this.start);
  }

  /** What was sent after `next` is lost, and answers to calls up to this round say no more. */
  goBack(next: LogIndex, round: number): void {
    this.next = next;
    this.start = Math.min(this.start, next - 1);
    this.refusalFloor = round;
  }

  /** Begins anew, as a new leader does: assumes that the peer has all up to `next - 1`. */
  reset(next: LogIndex, round: number): void {
    this.match = 0;
    this.start = next;
    this.goBack(next, round);
    this.probing = this.snapshotDue = this.snapshotUnderway = false;
    this.callDue = false;
    this.generation = null;
    this.ackRound = 0;
    this.answerFloor = round;
  }
}
