/**
 * Rounds: a leader numbers its calls, and what a quorum has answered of them tells it that it leads
 * still. One number serves heartbeats, linearizable reads (§8) and the check of the quorum (thesis
 * §6.2).
 */
import { quorumValue } from './quorum.js';
import type { State } from './state.js';

/** A call to every peer, with whatever there is to bring. */
export function heartbeat<C, S>(state: State<C, S>): void {
  state.callsDue = true;
  for (const peer of state.peers) peer.callDue = true;
}

/** The newest round that a quorum has answered; a leader answers itself at once. */
export function quorumRound<C, S>(state: State<C, S>): number {
  return quorumValue(state.log.latestConfig, (id) =>
    id === state.id ? Infinity : (state.peer(id)?.ackRound ?? 0),
  );
}

/**
 * "A leader in Raft steps down if an election timeout elapses without a successful round of
 * heartbeats to a majority of its cluster" (thesis §6.2), counted here in heartbeats; and so does
 * one whose own disk answers no longer. Asked once an interval.
 */
export function isAlone<C, S>(state: State<C, S>): boolean {
  const round = quorumRound(state);
  const heard = round > state.quorumRoundSeen;
  const written = state.writes.length === 0 || state.persistedSequence !== state.persistedSeen;
  if (heard) state.quorumRoundSeen = Math.min(round, state.round);
  state.persistedSeen = state.persistedSequence;
  state.heartbeatsAlone = heard && written ? 0 : state.heartbeatsAlone + 1;
  return state.heartbeatsAlone >= state.limits.heartbeatsAlone;
}
