/**
 * What is due, rendered as actions from the state as it is now. Rendering marks nothing as done, so
 * that a look at what is due costs nothing but the look; settling clears the marks.
 *
 * Each part has a mark, which is asked first, and what is rare is a function of its own: what
 * nearly every turn does is small enough then to be compiled into its caller.
 *
 * One rule stands above all messages: "persistent state on all servers, updated on stable storage
 * before responding to RPCs" (Figure 2). While a term or a vote is not durable, no message leaves.
 */
import type { Action } from './action.js';
import { addressed, renderCalls, settleCalls } from './calls.js';
import { isVoter, uniqueNodes } from './cluster-config.js';
import { acknowledgedIndex } from './durability.js';
import { becomeFollower } from './election.js';
import { emptyEntries } from './entries.js';
import type { AppendEntriesReply, RequestVoteReply } from './message.js';
import type { LogIndex, LogPosition, NodeId } from './position.js';
import { origin } from './position.js';
import { readyReads } from './reads.js';
import type { State } from './state.js';

/** All that is due, in the order in which it is to be done, and done with. */
export function take<C, S>(state: State<C, S>): Action<C, S>[] {
  const actions = render(state);
  settle(state);
  return state.resigning && state.hardStateDurable ? resign(state, actions) : actions;
}

/** The others have been told that C_new is committed: "the leader steps down" (§6). */
function resign<C, S>(state: State<C, S>, actions: Action<C, S>[]): Action<C, S>[] {
  becomeFollower(state, state.currentTerm, null);
  return [...actions, ...take(state)];
}

/** All that is due, and due still. */
export function render<C, S>(state: State<C, S>): Action<C, S>[] {
  const actions: Action<C, S>[] = [];
  if (state.answersDue.length > 0) actions.push(...state.answersDue);
  if (state.roleDue) renderRole(state, actions);
  const { latestConfig: config, latestConfigIndex: index } = state.log;
  if (config !== state.reportedConfig) actions.push({ type: 'configChanged', config, index });
  if (state.timerDue) actions.push({ type: 'setElectionTimeout', role: state.role });
  if (state.hardStateDurable) renderMessages(state, actions);
  if (isPersistDue(state)) renderPersist(state, actions);
  if (isInstallationDue(state)) renderInstallations(state, actions);
  state.applyTo = state.appliedIndex;
  if (isApplyDue(state)) renderApply(state, actions);
  if (state.reads.length > 0) renderReads(state, actions);
  if (state.commitIndex > state.reportedCommitIndex) {
    actions.push({ type: 'committed', commitIndex: state.commitIndex });
  }
  if (state.dropsDue.length > 0) renderDrops(state, actions);
  return actions;
}

function renderDrops<C, S>(state: State<C, S>, actions: Action<C, S>[]): void {
  for (const { from, reason } of state.dropsDue) actions.push({ type: 'dropped', from, reason });
}

/** Is something due that needs no further input? Windows have room, or more can be applied. */
export function isMoreDue<C, S>(state: State<C, S>): boolean {
  const calls = state.callsDue && state.role === 'leader' && state.hardStateDurable;
  return calls || isApplyDue(state);
}

function settle<C, S>(state: State<C, S>): void {
  if (state.answersDue.length > 0) state.answersDue = [];
  if (state.dropsDue.length > 0) state.dropsDue = [];
  if (state.roleDue) settleRole(state);
  state.reportedConfig = state.log.latestConfig;
  state.reportedCommitIndex = state.commitIndex;
  state.timerDue = false;
  const installs = isInstallationDue(state);
  if (state.hardStateDurable) settleMessages(state);
  if (isPersistDue(state)) settlePersist(state);
  if (installs) settleInstallations(state);
  if (state.reads.length > 0) state.reads.splice(0, readyReads(state, state.applyTo));
  state.appliedIndex = state.applyTo;
  state.restoreDue = null;
}

function renderRole<C, S>(state: State<C, S>, actions: Action<C, S>[]): void {
  const { role, currentTerm, leaderId } = state;
  if (
    role !== state.reportedRole ||
    currentTerm !== state.reportedTerm ||
    leaderId !== state.reportedLeaderId
  ) {
    actions.push({ type: 'roleChanged', role, currentTerm, leaderId });
  }
}

function settleRole<C, S>(state: State<C, S>): void {
  state.reportedRole = state.role;
  state.reportedTerm = state.currentTerm;
  state.reportedLeaderId = state.leaderId;
  state.roleDue = false;
}

function renderMessages<C, S>(state: State<C, S>, actions: Action<C, S>[]): void {
  if (state.campaignDue) renderCampaign(state, actions);
  if (state.isAnswerDue) renderAnswers(state, actions);
  const { leaderId, refusalDue } = state;
  if (leaderId !== null) {
    if (refusalDue !== null) actions.push(refusalOf(state, leaderId, refusalDue));
    if (state.acknowledgeDue) actions.push(acknowledgementOf(state, leaderId));
  }
  if (state.callsDue && state.role === 'leader') renderCalls(state, actions);
}

function refusalOf<C, S>(
  state: State<C, S>,
  to: NodeId,
  { round, prevPosition }: { readonly round: number; readonly prevPosition: LogPosition },
): Action<C, S> {
  const message = replyOf(state, round, true, state.log.lastNotAfter(prevPosition));
  return { type: 'sendMessage', to, message };
}

function acknowledgementOf<C, S>(state: State<C, S>, to: NodeId): Action<C, S> {
  const { log } = state;
  const index = acknowledgedIndex(state);
  const position = index < log.base.index ? origin : log.positionAt(index);
  return { type: 'sendMessage', to, message: replyOf(state, state.heardRound, false, position) };
}

/** What single nodes are owed: their votes, the news of a newer term, or of their removal. */
function renderAnswers<C, S>(state: State<C, S>, actions: Action<C, S>[]): void {
  const { id: from, currentTerm: term } = state;
  for (const [to, callTerm] of state.votesDue) {
    actions.push({ type: 'sendMessage', to, message: voteOf(state, to, callTerm) });
  }
  for (const to of state.newsDue) {
    // Of no round: the caller may lead the newer term by now, and count its rounds anew.
    actions.push({ type: 'sendMessage', to, message: replyOf(state, 0, true, origin) });
  }
  for (const [to, position] of state.noticesDue) {
    const message = { type: 'removalNotice', from, term, position } as const;
    actions.push({ type: 'sendMessage', to, message });
  }
}

function settleMessages<C, S>(state: State<C, S>): void {
  state.campaignDue = false;
  if (state.isAnswerDue) settleAnswers(state);
  state.refusalDue = null;
  if (state.acknowledgeDue) state.acknowledgedIndex = acknowledgedIndex(state);
  state.acknowledgeDue = false;
  if (state.callsDue && state.role === 'leader') settleCalls(state);
}

function settleAnswers<C, S>(state: State<C, S>): void {
  state.votesDue.clear();
  state.newsDue.clear();
  state.noticesDue.clear();
}

/** "Issues RequestVote RPCs in parallel to each of the other servers" that vote (§5.2). */
function renderCampaign<C, S>(state: State<C, S>, actions: Action<C, S>[]): void {
  const { id: from, currentTerm: term, log } = state;
  const { latestConfig: config, lastPosition } = log;
  const to = uniqueNodes(config).filter((id) => id !== from && isVoter(config, id));
  if (to.length === 0) return;
  actions.push(addressed(to, { type: 'requestVoteCall', from, term, lastPosition }));
}

/** Rendered from what is durable: a vote is granted when it is this candidate's in this term. */
function voteOf<C, S>(state: State<C, S>, candidate: string, callTerm: number): RequestVoteReply {
  const { id: from, currentTerm: term, votedFor } = state;
  const voteGranted = callTerm === term && votedFor === candidate;
  return { type: 'requestVoteReply', from, term, voteGranted };
}

function replyOf<C, S>(
  state: State<C, S>,
  round: number,
  refused: boolean,
  lastPosition: LogPosition,
): AppendEntriesReply {
  const { id: from, currentTerm: term, generation } = state;
  return { type: 'appendEntriesReply', from, term, round, generation, refused, lastPosition };
}

function isPersistDue<C, S>(state: State<C, S>): boolean {
  const entries = state.cutDue || state.issuedIndex < state.log.lastIndex;
  return entries || state.hardStateDue || state.snapshotDue !== null;
}

function renderPersist<C, S>(state: State<C, S>, actions: Action<C, S>[]): void {
  const { log, issuedIndex, currentTerm, votedFor } = state;
  actions.push({
    type: 'persist',
    sequence: state.sequence + 1,
    hardState: state.hardStateDue ? { currentTerm, votedFor } : null,
    entries:
      issuedIndex < log.lastIndex
        ? log.slice(issuedIndex, log.lastIndex)
        : state.cutDue
          ? emptyEntries(log.positionAt(issuedIndex))
          : null,
    snapshot: state.snapshotDue?.snapshot ?? null,
  });
}

function settlePersist<C, S>(state: State<C, S>): void {
  const sequence = ++state.sequence;
  const { lastIndex } = state.log;
  state.writes.push({ sequence, lastIndex, snapshot: state.snapshotDue });
  if (state.hardStateDue) state.hardStateSequence = sequence;
  state.hardStateDue = state.cutDue = false;
  state.snapshotDue = null;
  state.issuedIndex = lastIndex;
}

/** May a peer be owed the snapshot? */
function isInstallationDue<C, S>(state: State<C, S>): boolean {
  return state.snapshot !== null && state.role === 'leader' && state.hardStateDurable;
}

function renderInstallations<C, S>(state: State<C, S>, actions: Action<C, S>[]): void {
  const { snapshot, currentTerm: term } = state;
  for (const { id: to, snapshotDue } of state.peers) {
    if (snapshotDue && snapshot) actions.push({ type: 'installSnapshot', to, term, snapshot });
  }
}

function settleInstallations<C, S>(state: State<C, S>): void {
  for (const peer of state.peers) {
    if (peer.snapshotDue) peer.snapshotUnderway = true;
    peer.snapshotDue = false;
  }
}

/** Can the machine be given something now? What is compacted comes with a restoration. */
function isApplyDue<C, S>(state: State<C, S>): boolean {
  const { appliedIndex: applied, commitIndex, durableIndex, restoreDue, log } = state;
  if (restoreDue !== null) return true;
  return commitIndex > applied && durableIndex > applied && applied >= log.base.index;
}

/** Where the machine stands when a restoration that is due is done. */
function applyStart<C, S>(state: State<C, S>): LogIndex {
  return state.restoreDue === null ? state.appliedIndex : state.restoreDue.position.index;
}

/** Up to here the machine may see entries now: they are committed, and durable here. */
function applyEnd<C, S>(state: State<C, S>): LogIndex {
  const start = applyStart(state);
  const end = Math.min(state.commitIndex, state.durableIndex);
  if (start < state.log.base.index || end <= start) return start;
  const { entriesPerMessage, bytesPerMessage } = state.limits;
  return Math.min(end, state.log.lastWithin(start, entriesPerMessage, bytesPerMessage));
}

function renderApply<C, S>(state: State<C, S>, actions: Action<C, S>[]): void {
  const start = applyStart(state);
  const end = (state.applyTo = applyEnd(state));
  if (state.restoreDue !== null) actions.push({ type: 'restore', snapshot: state.restoreDue });
  if (end > start) actions.push({ type: 'apply', entries: state.log.slice(start, end) });
}

/** Reads that are confirmed, and covered by what is applied then. */
function renderReads<C, S>(state: State<C, S>, actions: Action<C, S>[]): void {
  const { applyTo: index } = state;
  const count = readyReads(state, index);
  if (count === 0) return;
  const reads = state.reads.slice(0, count).map((each) => each.reads);
  actions.push({ type: 'readReady', reads, index });
}
