/**
 * Log compaction (§7): the machine's own snapshots, and those that a leader sends to a follower for
 * which it has no entries any more. A snapshot counts when it is durable: only then is the log
 * compacted behind it, is it restored, and is it acknowledged.
 */
import { followCommit } from './commitment.js';
import { faultOf } from './cluster-config.js';
import type { LogIndex, NodeId, Term } from './position.js';
import { isSafePosition } from './position.js';
import { hearLeader } from './replication.js';
import type { Snapshot } from './snapshot.js';
import type { DueSnapshot, State } from './state.js';

/** No log gets there: what claims to be so far is damaged. */
const indexesEnd = 2 ** 52;

/** "Each server takes snapshots independently, covering just the committed entries in its log." */
export function onSnapshotTaken<C, S>(state: State<C, S>, index: LogIndex, data: S): void {
  const { log } = state;
  const underway = state.snapshotDue !== null || state.writes.some((each) => each.snapshot);
  if (underway || index <= log.base.index) {
    state.drop(null, 'obsolete');
    return;
  }
  if (!(index <= state.appliedIndex)) {
    state.drop(null, 'invalid');
    return;
  }
  const snapshot = { position: log.positionAt(index), config: log.configAt(index), data };
  state.snapshotDue = { snapshot, installed: false };
}

/**
 * "If the follower receives a snapshot that describes a prefix of its log, then log entries
 * covered by the snapshot are deleted but entries following the snapshot are still valid and must
 * be retained", else "the follower discards its entire log" (§7).
 */
export function onSnapshotReceived<C, S>(
  state: State<C, S>,
  from: NodeId,
  term: Term,
  snapshot: Snapshot<S>,
): void {
  // Behind it there must be room for a log: an index where numbers end can't be followed by one.
  const isSafe = isSafePosition(snapshot.position) && snapshot.position.index < indexesEnd;
  if (!Number.isSafeInteger(term) || !isSafe) {
    state.drop(from, 'invalid');
    return;
  }
  if (term < state.currentTerm) {
    state.drop(from, 'staleTerm');
    return;
  }
  const rival = term === state.currentTerm && state.leaderId !== null && state.leaderId !== from;
  if (rival || snapshot.position.term > term || faultOf(snapshot.config) !== null) {
    state.drop(from, 'invalid');
    return;
  }
  hearLeader(state, from, term);
  state.acknowledgeDue = true;
  const { position } = snapshot;
  if (position.index <= state.commitIndex) {
    state.drop(from, 'obsolete');
    return;
  }
  install(state, snapshot);
  followCommit(state, position.index);
  state.matchedIndex = Math.max(state.matchedIndex, position.index);
}

function install<C, S>(state: State<C, S>, snapshot: Snapshot<S>): void {
  const { log } = state;
  const { position, config } = snapshot;
  state.snapshotDue = { snapshot, installed: true };
  if (log.contains(position)) {
    log.compact(position.index);
  } else {
    log.reset(position, config);
    state.cutDue = true;
    state.durableIndex = state.acknowledgedIndex = 0;
    for (const write of state.writes) write.lastIndex = 0;
  }
  state.issuedIndex = state.cutDue ? position.index : Math.max(state.issuedIndex, position.index);
  if (state.members !== log.latestConfig) state.refreshPeers();
}

/** A snapshot is durable: the own log ends behind it, or the machine begins with it. */
export function onSnapshotDurable<C, S>(state: State<C, S>, due: DueSnapshot<S>): void {
  const { snapshot, installed } = due;
  const { index } = snapshot.position;
  if (index < state.log.base.index) return;
  if (!installed && index > state.log.base.index) state.log.compact(index);
  if (installed) state.restoreDue = snapshot;
  state.snapshot = snapshot;
  probeOvertaken(state);
}

/** Peers whose next entries are compacted now are asked where they stand: a snapshot may be due. */
function probeOvertaken<C, S>(state: State<C, S>): void {
  if (state.role !== 'leader') return;
  for (const peer of state.peers) {
    if (peer.next > state.log.base.index || peer.probing) continue;
    peer.probing = peer.callDue = state.callsDue = true;
  }
}

/** The transfer to a peer is over. The answer to the next heartbeat tells whether it arrived. */
export function onSnapshotSent<C, S>(state: State<C, S>, to: NodeId): void {
  const peer = state.peer(to);
  if (peer === undefined || !peer.snapshotUnderway) return;
  peer.snapshotUnderway = false;
  peer.refusalFloor = state.round;
}
