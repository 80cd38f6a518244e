/**
 * Linearizable reads without a log entry (§8, thesis §6.4). The leader remembers its commit index,
 * which must reach into its own term, lets a quorum answer a round of calls that began after the
 * request, and hands the read over when the machine has seen that index. One round serves all reads
 * that wait for it. Non-voters and removed nodes count for nothing.
 */
import type { LogIndex } from './position.js';
import { heartbeat, quorumRound } from './rounds.js';
import type { State } from './state.js';

export function onReadRequested<C, S>(state: State<C, S>, reads: number): void {
  if (state.role !== 'leader') {
    refuse(state, [reads], 'notLeader');
    return;
  }
  if (state.reads.length >= state.limits.waitingReads) {
    refuse(state, [reads], 'overloaded');
    return;
  }
  // "It needs to commit an entry from its term" (§8): until then the read waits for that entry.
  const index = Math.max(state.commitIndex, state.termStart);
  state.reads.push({ reads, index, round: state.round + 1 });
  if (quorumRound(state) <= state.round) heartbeat(state);
}

/** Leadership is lost: every read that waits ends. */
export function refuseReads<C, S>(state: State<C, S>): void {
  if (state.reads.length === 0) return;
  refuse(
    state,
    state.reads.map((each) => each.reads),
    'notLeader',
  );
  state.reads.length = 0;
}

/** How many of the reads, oldest first, are confirmed and covered by what is applied. */
export function readyReads<C, S>(state: State<C, S>, appliedIndex: LogIndex): number {
  if (state.reads.length === 0) return 0;
  const round = quorumRound(state);
  let count = 0;
  for (const read of state.reads) {
    if (read.round > round || read.index > appliedIndex) break;
    count += 1;
  }
  return count;
}

function refuse<C, S>(
  state: State<C, S>,
  reads: readonly number[],
  reason: 'notLeader' | 'overloaded',
): void {
  state.answersDue.push({ type: 'readRefused', reads, reason, leaderId: state.leaderId });
}
