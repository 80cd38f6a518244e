/**
 * Leader election (§5.2), the election restriction (§5.4.1), and the passages between roles.
 */
import { isMember, isVoter } from './cluster-config.js';
import type { RequestVoteCall, RequestVoteReply } from './message.js';
import type { NodeId, Term } from './position.js';
import { comparePositions } from './position.js';
import { hasQuorum } from './quorum.js';
import { refuseReads } from './reads.js';
import { heartbeat, isAlone } from './rounds.js';
import type { State } from './state.js';

/** More nodes than this ask for votes at once only when something is amiss. */
const voteRequestsAtOnce = 64;

/**
 * "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to
 * follower" (§5.1), and a candidate or leader that finds another leader follows it. The vote of a
 * term stays what it was for all of the term. The election timer goes on: only a leader's call, a
 * granted vote and an own candidacy start it anew (§5.2).
 */
export function becomeFollower<C, S>(
  state: State<C, S>,
  term: Term,
  leaderId: NodeId | null,
): void {
  if (term > state.currentTerm) {
    state.currentTerm = term;
    state.votedFor = null;
    state.hardStateDue = true;
  }
  if (state.role === 'leader') {
    state.timerDue = true;
    state.leaderAlive = false;
  }
  state.role = 'follower';
  state.leaderId = leaderId;
  state.roleDue = true;
  state.campaignDue = state.callsDue = state.resigning = false;
  state.noticesDue.clear();
  state.votes.clear();
  // Everything committed is in the log of every later leader (§5.4, Leader Completeness).
  state.matchedIndex = state.commitIndex;
  state.acknowledgedIndex = state.heardRound = 0;
  state.acknowledgeDue = false;
  state.refusalDue = null;
  refuseReads(state);
}

/**
 * "To begin an election, a follower increments its current term and transitions to candidate
 * state. It then votes for itself" (§5.2). The vote requests leave, and the own vote counts, when
 * the candidacy is durable.
 */
export function becomeCandidate<C, S>(state: State<C, S>): void {
  becomeFollower(state, state.currentTerm + 1, null);
  state.role = 'candidate';
  state.votedFor = state.id;
  state.leaderAlive = false;
  state.timerDue = true;
  state.campaignDue = true;
}

/**
 * "Once a candidate wins an election, it becomes leader. It then sends heartbeat messages to all"
 * (§5.2), here with "a blank no-op entry into the log at the start of its term" (§8): whoever sees
 * the role sees the entry in the log.
 */
function becomeLeader<C, S>(state: State<C, S>): void {
  state.role = 'leader';
  state.leaderId = state.id;
  state.roleDue = true;
  state.votes.clear();
  state.campaignDue = false;
  for (const peer of state.peers) peer.reset(state.log.lastIndex + 1, state.round);
  state.log.appendTerm(state.currentTerm);
  state.termStart = state.log.lastIndex;
  state.heartbeatsAlone = 0;
  state.quorumRoundSeen = state.round;
  state.persistedSeen = -1;
  state.timerDue = true;
  state.callsDue = true;
}

/** A candidate with the votes of a quorum wins; its own counts once it is durable. */
export function countVotes<C, S>(state: State<C, S>): void {
  if (state.role !== 'candidate' || !state.hardStateDurable) return;
  state.votes.add(state.id);
  if (hasQuorum(state.log.latestConfig, (id) => state.votes.has(id))) becomeLeader(state);
}

/** "If election timeout elapses: start new election" (§5.2); a leader's interval: a heartbeat. */
export function onTimedOut<C, S>(state: State<C, S>): void {
  state.timerDue = true;
  if (state.role === 'leader') {
    if (isAlone(state)) becomeFollower(state, state.currentTerm, null);
    else heartbeat(state);
    return;
  }
  state.leaderAlive = false;
  if (!mayCampaign(state) || state.removedAt !== null || state.installing) return;
  becomeCandidate(state);
}

/**
 * "A server that is not part of its own latest configuration should still start new elections, as
 * it might still be needed until the C_new entry is committed. It does not count its own vote"
 * (thesis §4.2.2). It alone may have the entry without which no other log is up-to-date.
 */
function mayCampaign<C, S>(state: State<C, S>): boolean {
  const { log, commitIndex } = state;
  if (state.isVoter) return true;
  return log.latestConfigIndex > commitIndex && isVoter(log.previousConfig, state.id);
}

/** The minimum election timeout has passed without a word of a leader. */
export function onMinimumElapsed<C, S>(state: State<C, S>): void {
  state.leaderAlive = false;
}

/**
 * Grants "at most one vote per term, on a first-come-first-served basis" (§5.2), and only when
 * "the candidate's log is at least as up-to-date as" the own one (§5.4.1). The candidate need not
 * be known: it may be of a configuration that has not arrived here.
 *
 * "If a server receives a RequestVote request within the minimum election timeout of hearing from
 * a current leader, it does not update its term or grant its vote" (§6). A leader hears itself.
 */
export function onRequestVoteCall<C, S>(state: State<C, S>, call: RequestVoteCall): void {
  if (call.term > state.currentTerm && (state.leaderAlive || state.role === 'leader')) {
    tellRemoved(state, call.from);
    state.drop(call.from, 'leaderAlive');
    return;
  }
  if (!state.votesDue.has(call.from) && state.votesDue.size >= voteRequestsAtOnce) {
    state.drop(call.from, 'overloaded');
    return;
  }
  if (call.lastPosition.term >= call.term) {
    state.drop(call.from, 'invalid');
    return;
  }
  if (call.term > state.currentTerm) becomeFollower(state, call.term, null);
  // An older request that comes late must not hide the vote that was granted since.
  state.votesDue.set(call.from, Math.max(call.term, state.votesDue.get(call.from) ?? 0));
  const free = state.votedFor === null || state.votedFor === call.from;
  const upToDate = comparePositions(call.lastPosition, state.log.lastPosition) >= 0;
  if (call.term < state.currentTerm || state.leaderId !== null || !free || !upToDate) return;
  state.timerDue = true;
  if (state.votedFor === call.from) return;
  state.votedFor = call.from;
  state.hardStateDue = true;
}

/** A node that asks for votes and is in no configuration any more does not know it yet. */
function tellRemoved<C, S>(state: State<C, S>, id: NodeId): void {
  if (state.role !== 'leader' || isMember(state.log.latestConfig, id)) return;
  const { log } = state;
  if (state.commitIndex < log.latestConfigIndex || state.noticesDue.size >= voteRequestsAtOnce) {
    return;
  }
  state.noticesDue.set(id, log.positionAt(log.latestConfigIndex));
}

/** "A candidate wins an election if it receives votes from a majority" (§5.2): of voters, once. */
export function onRequestVoteReply<C, S>(state: State<C, S>, reply: RequestVoteReply): void {
  if (reply.term > state.currentTerm) {
    if (state.peer(reply.from) === undefined) state.drop(reply.from, 'notMember');
    else becomeFollower(state, reply.term, null);
    return;
  }
  if (reply.term < state.currentTerm) {
    state.drop(reply.from, 'staleTerm');
    return;
  }
  if (state.role !== 'candidate' || !reply.voteGranted) return;
  state.votes.add(reply.from);
  countVotes(state);
}
