/**
 * What is known to be on disk ("persistent state on all servers, updated on stable storage before
 * responding to RPCs", Figure 2). The leader may send entries while its own write is under way
 * (thesis §10.2.1); whoever acknowledges, votes or counts itself waits.
 */
import { advanceCommit } from './commitment.js';
import { onSnapshotDurable } from './compaction.js';
import { countVotes } from './election.js';
import { ensure } from './invariant.js';
import type { LogIndex } from './position.js';
import type { State, Write } from './state.js';

/** The last index that is the leader's and on disk here. */
export function acknowledgedIndex<C, S>(state: State<C, S>): LogIndex {
  return Math.min(state.durableIndex, state.matchedIndex);
}

/** All writes up to `sequence` are durable. A number already known changes nothing. */
export function onPersisted<C, S>(state: State<C, S>, sequence: number): void {
  ensure(sequence <= state.sequence, () => `write ${sequence} was never issued`);
  if (!(sequence > state.persistedSequence)) return;
  state.persistedSequence = sequence;
  const { writes } = state;
  while (writes.length > 0) {
    const write = writes[0] as Write<S>;
    if (write.sequence > sequence) break;
    writes.shift();
    state.durableIndex = Math.max(state.durableIndex, write.lastIndex);
    if (write.snapshot !== null) onSnapshotDurable(state, write.snapshot);
  }
  countVotes(state);
  if (state.role === 'leader') advanceCommit(state);
  if (state.role === 'follower' && acknowledgedIndex(state) > state.acknowledgedIndex) {
    state.acknowledgeDue = true;
  }
}
