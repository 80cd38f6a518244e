/**
 * Log replication (§5.3): proposals into the leader's log, calls to followers, their answers.
 */
import type { Refusal } from './action.js';
import { advanceCommit, followCommit } from './commitment.js';
import { becomeFollower } from './election.js';
import type { LogEntries, TermRun } from './entries.js';
import { entriesAtMost } from './config.js';
import { areSound, lastIndex, lastTerm } from './entries.js';
import { ensure } from './invariant.js';
import type { AppendEntriesCall, AppendEntriesReply } from './message.js';
import type { Peer } from './peer.js';
import type { LogIndex, LogPosition } from './position.js';
import { samePosition } from './position.js';
import type { State } from './state.js';

/** Nodes that call with a term that is over, and are told the newer one. */
const staleCallersAtOnce = 64;

/**
 * "The leader appends the command to its log as a new entry" (§5.3). Where the first of the
 * commands stands, or why there is none.
 */
export function onProposed<C, S>(
  state: State<C, S>,
  commands: readonly C[],
): LogPosition | Refusal {
  if (state.role !== 'leader') return 'notLeader';
  if (commands.length === 0) return 'emptyProposal';
  if (isOverloaded(state, commands.length)) return 'overloaded';
  const index = state.log.lastIndex + 1;
  state.log.appendCommands(commands);
  state.callsDue = true;
  return { term: state.currentTerm, index };
}

function isOverloaded<C, S>(state: State<C, S>, count: number): boolean {
  const { log, limits, commitIndex } = state;
  if (log.lastIndex - commitIndex + count > limits.uncommittedEntries) return true;
  return log.bytesBetween(commitIndex, log.lastIndex) >= limits.uncommittedBytes;
}

/** A follower's side. Refuses, or takes what is new and acknowledges when it is durable. */
export function onAppendEntriesCall<C, S>(state: State<C, S>, call: AppendEntriesCall<C>): void {
  if (isStale(state, call) || !isSound(state, call)) return;
  const { entries } = call;
  const conflict = firstConflict(state, entries);
  if (conflict <= Math.min(state.commitIndex, lastIndex(entries))) {
    state.drop(call.from, 'contradiction');
    return;
  }
  hearLeader(state, call.from, call.term);
  state.heardRound = Math.max(state.heardRound, call.round);
  if (conflict <= entries.prevPosition.index) {
    const older = state.refusalDue !== null && state.refusalDue.round > call.round;
    if (!older) state.refusalDue = { round: call.round, prevPosition: entries.prevPosition };
    return;
  }
  if (conflict <= lastIndex(entries)) takeEntries(state, entries, conflict - 1);
  // "The index of the last new entry" (Figure 2) is what this call has established, not the last
  // entry of the log: what stands behind it may be of another leader.
  const established = lastIndex(entries);
  state.matchedIndex = Math.max(state.matchedIndex, established);
  followCommit(state, Math.min(call.commitIndex, established));
  if (entries.length === 0 || state.durableIndex >= established) state.acknowledgeDue = true;
}

/** "Reply false if term < currentTerm" (Figure 2): so that the caller learns of the newer term. */
function isStale<C, S>(state: State<C, S>, call: AppendEntriesCall<C>): boolean {
  if (call.term >= state.currentTerm) return false;
  state.drop(call.from, 'staleTerm');
  if (state.newsDue.has(call.from) || state.newsDue.size < staleCallersAtOnce) {
    state.newsDue.add(call.from);
  }
  return true;
}

/** Refuses a call that contradicts itself, or the one leader of its term, before any effect. */
function isSound<C, S>(state: State<C, S>, call: AppendEntriesCall<C>): boolean {
  const rival = call.term === state.currentTerm && state.leaderId !== null;
  const { entries, term } = call;
  const sound =
    (!rival || state.leaderId === call.from) &&
    areSound(entries) &&
    entries.length <= entriesAtMost &&
    lastTerm(entries) <= term;
  if (!sound) state.drop(call.from, 'invalid');
  return sound;
}

/**
 * A word of the leader of this term: "if the leader's term is at least as large as the candidate's
 * current term, then the candidate recognizes the leader as legitimate and returns to follower
 * state" (§5.2).
 */
export function hearLeader<C, S>(state: State<C, S>, from: string, term: number): void {
  if (term > state.currentTerm || state.role !== 'follower') becomeFollower(state, term, from);
  if (state.leaderId !== from) state.roleDue = true;
  state.leaderId = from;
  state.leaderAlive = true;
  state.timerDue = true;
}

/**
 * The first index, `prevPosition` included, at which the own log is without what the call has
 * there: it ends before, or has another term. Past the call's last index when all of it is here.
 * What is compacted is committed, hence the leader's too. Walks run by run, never entry by entry.
 *
 * At `prevPosition` this is the consistency check: "reply false if log doesn't contain an entry at
 * prevLogIndex whose term matches prevLogTerm" (Figure 2). At or below the commit index nothing
 * can conflict (Leader Completeness, §5.4): a call that claims so is not believed.
 */
function firstConflict<C, S>(state: State<C, S>, entries: LogEntries<C>): LogIndex {
  const { log } = state;
  const { terms } = entries;
  const end = Math.min(lastIndex(entries), log.lastIndex);
  let index = Math.max(entries.prevPosition.index, log.base.index);
  let { term } = entries.prevPosition;
  let next = 0;
  while (index <= end) {
    for (; next < terms.length && (terms[next] as TermRun).index <= index; next += 1) {
      ({ term } = terms[next] as TermRun);
    }
    if (log.termAt(index) !== term) return index;
    const here = next < terms.length ? (terms[next] as TermRun).index : end + 1;
    index = Math.min(here, log.runAfter(index));
  }
  return Math.max(end + 1, entries.prevPosition.index);
}

/**
 * "If an existing entry conflicts with a new one (same index but different terms), delete the
 * existing entry and all that follow it. Append any new entries not already in the log" (Figure 2).
 */
function takeEntries<C, S>(state: State<C, S>, entries: LogEntries<C>, keep: LogIndex): void {
  if (keep < state.log.lastIndex) {
    ensure(keep >= state.commitIndex, () => `committed entries after index ${keep} would be cut`);
    state.log.cutAfter(keep);
    lowerMarks(state, keep);
  }
  state.log.appendEntries(entries, keep - entries.prevPosition.index);
  if (state.members !== state.log.latestConfig) state.refreshPeers();
}

/** An old completion must never vouch for a new entry: the marks go back with the log. */
function lowerMarks<C, S>(state: State<C, S>, index: LogIndex): void {
  state.issuedIndex = Math.min(state.issuedIndex, index);
  state.durableIndex = Math.min(state.durableIndex, index);
  for (const write of state.writes) write.lastIndex = Math.min(write.lastIndex, index);
}

/** A leader's side. */
export function onAppendEntriesReply<C, S>(state: State<C, S>, reply: AppendEntriesReply): void {
  const peer = state.peer(reply.from);
  if (peer === undefined) {
    state.drop(reply.from, 'notMember');
    return;
  }
  if (reply.term > state.currentTerm) {
    becomeFollower(state, reply.term, null);
    return;
  }
  if (state.role !== 'leader' || reply.term < state.currentTerm) {
    state.drop(reply.from, 'staleTerm');
    return;
  }
  if (reply.round > state.round || !isPossible(state, reply)) {
    state.drop(reply.from, 'invalid');
    return;
  }
  if (reply.round <= peer.answerFloor) {
    state.drop(reply.from, 'staleRound');
    return;
  }
  const isNew = reply.round > peer.refusalFloor;
  if (cameBack(peer, reply)) {
    // It is believed from here on only, and what was under way to its earlier life is void.
    peer.match = 0;
    peer.goBack(Math.min(peer.next, reply.lastPosition.index + 1), state.round);
    peer.answerFloor = state.round;
  }
  peer.generation = reply.generation;
  peer.ackRound = Math.max(peer.ackRound, reply.round);
  if (!reply.refused) onAcknowledged(state, peer, reply.lastPosition.index, isNew);
  else if (isNew) onRefused(state, peer, reply.lastPosition);
  else state.drop(reply.from, 'staleRound');
}

/** An acknowledgement speaks of an entry that this leader has. */
function isPossible<C, S>(state: State<C, S>, reply: AppendEntriesReply): boolean {
  const { lastPosition, refused } = reply;
  if (refused || lastPosition.index <= state.log.base.index) return true;
  return state.log.contains(lastPosition);
}

/**
 * A node that came back may have less than it had acknowledged. It shows by its generation. On a
 * new disk, or on an old copy of its own, it may be of the same one again: whoever keeps its log
 * never refuses a call, newer than all that it has answered, for want of what it acknowledged.
 */
function cameBack(peer: Peer, reply: AppendEntriesReply): boolean {
  if (peer.generation !== reply.generation) return peer.generation !== null;
  return reply.refused && reply.round > peer.ackRound && reply.lastPosition.index < peer.match;
}

function onAcknowledged<C, S>(
  state: State<C, S>,
  peer: Peer,
  index: LogIndex,
  isNew: boolean,
): void {
  peer.match = Math.max(peer.match, index);
  peer.next = Math.max(peer.next, peer.match + 1);
  if (isNew) peer.probing = false;
  if (peer.match >= state.log.base.index) peer.snapshotUnderway = peer.snapshotDue = false;
  if (!peer.probing && peer.next <= state.log.lastIndex) state.callsDue = true;
  // What is committed already moves nothing, unless the members have changed since.
  if (Math.max(peer.match, state.log.latestConfigIndex) > state.commitIndex) advanceCommit(state);
}

/**
 * "The leader decrements nextIndex and retries the AppendEntries RPC. Eventually nextIndex will
 * reach a point where the leader and follower logs match" (§5.3). The follower's hint and the own
 * last position that is not after it skip a whole conflicting term each. Where they are the same
 * position, the logs agree up to there: entries follow at once, if the window has room for them,
 * else an empty call, whose answer makes room.
 */
function onRefused<C, S>(state: State<C, S>, peer: Peer, hint: LogPosition): void {
  const { log } = state;
  const common = log.lastNotAfter(hint);
  const next = Math.max(peer.match, common.index) + 1;
  const isStuck = peer.probing && next === peer.next;
  peer.goBack(next, state.round);
  if (next <= log.base.index) {
    // Asked again with the next heartbeat: a snapshot is on its way, or must be.
    peer.probing = true;
    if (!peer.snapshotUnderway) peer.snapshotDue = true;
    return;
  }
  peer.probing = !samePosition(common, hint);
  if (isStuck && peer.probing) return;
  peer.callDue = state.callsDue = true;
}
