/**
 * Commitment (§5.3, §5.4.2), decided anew after every event that can change it: an answer, the own
 * disk, a change of members.
 */
import { onConfigCommitted } from './membership.js';
import type { LogIndex } from './position.js';
import { quorumValue } from './quorum.js';
import { heartbeat } from './rounds.js';
import type { State } from './state.js';

/**
 * "If there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N, and
 * log[N].term == currentTerm: set commitIndex = N" (Figure 2). A leader counts itself up to what
 * its own disk has, and not at all once it is no voter (§6).
 */
export function advanceCommit<C, S>(state: State<C, S>): void {
  if (state.role !== 'leader' || state.commitIndex === state.log.lastIndex) return;
  const index = quorumIndex(state);
  if (index <= state.commitIndex || index < state.termStart) return;
  state.commitIndex = index;
  onConfigCommitted(state);
  // Nothing more is coming that would carry the news.
  if (state.announceCommits && state.commitIndex === state.log.lastIndex) heartbeat(state);
}

/**
 * What a quorum of the configuration in force has on disk. What stands before an uncommitted
 * configuration is also committed by the quorum of the one before it: that overlaps with every
 * quorum that can elect a leader until the newer one is committed.
 */
function quorumIndex<C, S>(state: State<C, S>): LogIndex {
  const { log } = state;
  const has = (id: string): LogIndex =>
    id === state.id ? state.durableIndex : (state.peer(id)?.match ?? 0);
  const index = quorumValue(log.latestConfig, has);
  const configIndex = log.latestConfigIndex;
  if (configIndex <= state.commitIndex) return index;
  const before = quorumValue(log.previousConfig, has);
  return Math.max(index, Math.min(before, configIndex - 1));
}

/** "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)" */
export function followCommit<C, S>(state: State<C, S>, index: LogIndex): void {
  state.commitIndex = Math.max(state.commitIndex, index);
}
