/**
 * Cluster membership changes (§6) by joint consensus: "the cluster first switches to a transitional
 * configuration we call joint consensus; once the joint consensus has been committed, the system
 * then transitions to the new configuration".
 */
import type { Refusal } from './action.js';
import type { ClusterConfig } from './cluster-config.js';
import {
  clusterOf,
  faultOf,
  isJointConsensus,
  isMember,
  sameIds,
  toFinalConfig,
  uniqueNodes,
} from './cluster-config.js';
import { becomeCandidate, becomeFollower } from './election.js';
import type { RemovalNotice } from './message.js';
import type { LogPosition, NodeId } from './position.js';
import { comparePositions, samePosition } from './position.js';
import type { State } from './state.js';

/** Said by hand to one pristine node, which then asks the others for their votes at once. */
export function onClusterProposed<C, S>(
  state: State<C, S>,
  voters: readonly NodeId[],
): LogPosition | Refusal {
  const config = clusterOf(voters);
  const refusal = refusalOfCluster(state, config);
  if (refusal !== null) return refusal;
  appendConfig(state, { ...config, voters: [...config.voters].sort() });
  becomeCandidate(state);
  return state.log.lastPosition;
}

function refusalOfCluster<C, S>(state: State<C, S>, config: ClusterConfig): Refusal | null {
  if (!state.isPristine) return 'notPristine';
  if (faultOf(config) !== null || !config.voters.includes(state.id)) return 'invalidConfig';
  return null;
}

/** A change by the leader: to a joint configuration, or of the non-voters only. */
export function onConfigProposed<C, S>(
  state: State<C, S>,
  config: ClusterConfig,
): LogPosition | Refusal {
  const refusal = refusalOfConfig(state, config);
  if (refusal !== null) return refusal;
  appendConfig(state, config);
  state.callsDue = true;
  return state.log.lastPosition;
}

function refusalOfConfig<C, S>(state: State<C, S>, config: ClusterConfig): Refusal | null {
  const { log } = state;
  const { latestConfig } = log;
  if (state.role !== 'leader') return 'notLeader';
  // Without this a change of an earlier term, not committed, can overlap with the next one: the
  // single-server bug of 2015 (thesis §4.1).
  if (state.commitIndex < state.termStart) return 'notReady';
  if (isJointConsensus(latestConfig) || log.latestConfigIndex > state.commitIndex) {
    return 'changeInProgress';
  }
  if (faultOf(config) !== null || !isChange(latestConfig, config)) return 'invalidConfig';
  const promoted = latestConfig.nonVoters.filter((id) => config.newVoters.includes(id));
  // Whoever has acknowledged nothing may not even run, however short the log is.
  const least = Math.max(1, log.lastIndex - state.limits.promotionLag);
  if (promoted.some((id) => (state.peer(id)?.match ?? 0) < least)) return 'notCaughtUp';
  return null;
}

/** The voters stay until the joint configuration is committed, and something must change. */
function isChange(from: ClusterConfig, to: ClusterConfig): boolean {
  if (!sameIds(from.voters, to.voters)) return false;
  if (isJointConsensus(to)) return !sameIds(to.voters, to.newVoters);
  return !sameIds(from.nonVoters, to.nonVoters);
}

/** "A server always uses the latest configuration in its log, regardless of whether the entry is
 * committed" (§6). */
function appendConfig<C, S>(state: State<C, S>, config: ClusterConfig): void {
  state.log.appendConfig({
    voters: [...config.voters],
    newVoters: [...config.newVoters],
    nonVoters: [...config.nonVoters],
  });
  state.refreshPeers();
}

/**
 * The configuration in force and an entry of the own term are committed. A joint one: "it is now
 * safe for the leader to create a log entry describing C_new and replicate it" (§6). A final one:
 * the removed are told, and "the leader steps down (returns to follower state) once it has
 * committed the C_new log entry" that leaves it out, after telling the others.
 */
export function onConfigCommitted<C, S>(state: State<C, S>): void {
  const { log } = state;
  const { latestConfig, latestConfigIndex } = log;
  if (state.commitIndex < latestConfigIndex || state.toldConfigIndex >= latestConfigIndex) return;
  if (isJointConsensus(latestConfig)) {
    appendConfig(state, toFinalConfig(latestConfig));
    state.callsDue = true;
    return;
  }
  state.toldConfigIndex = latestConfigIndex;
  const position = log.positionAt(latestConfigIndex);
  for (const id of uniqueNodes(log.previousConfig)) {
    if (id !== state.id && !isMember(latestConfig, id)) state.noticesDue.set(id, position);
  }
  if (state.isVoter) return;
  state.resigning = true;
  state.callsDue = true;
  for (const peer of state.peers) peer.callDue = true;
}

/**
 * A leader's word that a committed configuration leaves this node out. Believed unless the own log
 * has a newer configuration: the node asks for votes no more, until a newer
 * configuration arrives.
 */
export function onRemovalNotice<C, S>(state: State<C, S>, notice: RemovalNotice): void {
  const { log } = state;
  const own = log.positionAt(log.latestConfigIndex);
  if (comparePositions(notice.position, own) < 0) {
    state.drop(notice.from, 'obsolete');
    return;
  }
  if (samePosition(notice.position, own) && isMember(log.latestConfig, state.id)) {
    state.drop(notice.from, 'contradiction');
    return;
  }
  state.removedAt = notice.position;
  if (state.role !== 'follower') becomeFollower(state, state.currentTerm, null);
}
