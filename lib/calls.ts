/**
 * The calls of a leader (§5.3): what each peer is brought now, and in which messages.
 *
 * At most one call a peer and turn, empty or with the entries that the window has room for. Peers
 * that are brought the same share one message, and the message shares its entries with the write
 * and the apply of the turn.
 */
import type { Action, NetworkAction } from './action.js';
import type { AppendEntriesCall, Message } from './message.js';
import type { Peer } from './peer.js';
import type { LogIndex, NodeId } from './position.js';
import type { State } from './state.js';

/** Nothing is sent to this peer now. */
const nothing = -1;

/** Writes down what each peer is brought now. Asked again, it says the same. */
function planCalls<C, S>(state: State<C, S>): void {
  for (const peer of state.peers) {
    const from = Math.max(peer.next - 1, state.log.base.index);
    const to = peer.probing || peer.next <= state.log.base.index ? from : windowEnd(state, peer);
    peer.sendFrom = to > from || peer.callDue ? from : nothing;
    peer.sendTo = to;
  }
}

/** The last entry that may be sent to a peer, one message and the window allowing. */
function windowEnd<C, S>(state: State<C, S>, peer: Peer): LogIndex {
  const { log, limits } = state;
  const from = peer.next - 1;
  if (from === log.lastIndex) return from;
  const entries = limits.entriesInFlight - (from - peer.acknowledged);
  const bytes = limits.bytesInFlight - log.bytesBetween(peer.acknowledged, from);
  if (entries <= 0 || bytes <= 0) return from;
  return log.lastWithin(
    from,
    Math.min(entries, limits.entriesPerMessage),
    Math.min(bytes, limits.bytesPerMessage),
  );
}

export function renderCalls<C, S>(state: State<C, S>, actions: Action<C, S>[]): void {
  planCalls(state);
  const { peers } = state;
  for (const peer of peers) {
    if (peer.sendFrom === nothing || firstOfSame(peers, peer) !== peer) continue;
    const to: NodeId[] = [];
    for (const each of peers) if (isBroughtSame(each, peer)) to.push(each.id);
    actions.push(addressed(to, callOf(state, peer)));
  }
}

function isBroughtSame(a: Peer, b: Peer): boolean {
  return a.sendFrom === b.sendFrom && a.sendTo === b.sendTo;
}

/** The first peer that is brought the same: it stands for all of them. */
function firstOfSame(peers: readonly Peer[], peer: Peer): Peer {
  for (const each of peers) if (isBroughtSame(each, peer)) return each;
  return peer;
}

function callOf<C, S>(state: State<C, S>, peer: Peer): AppendEntriesCall<C> {
  return {
    type: 'appendEntriesCall',
    from: state.id,
    term: state.currentTerm,
    round: state.round + 1,
    commitIndex: state.commitIndex,
    entries: state.log.slice(peer.sendFrom, peer.sendTo),
  };
}

/** One message, for one peer or for several. */
export function addressed<C>(to: readonly NodeId[], message: Message<C>): NetworkAction<C, never> {
  const [first] = to;
  if (to.length === 1 && first !== undefined) return { type: 'sendMessage', to: first, message };
  return { type: 'broadcastMessage', to, message };
}

/** The calls are on their way. What the windows had no room for waits, what has room goes on. */
export function settleCalls<C, S>(state: State<C, S>): void {
  state.round += 1;
  state.callsDue = false;
  for (const peer of state.peers) {
    peer.callDue = false;
    if (peer.sendTo >= peer.next) peer.next = peer.sendTo + 1;
    if (peer.probing || peer.next <= state.log.base.index) continue;
    if (windowEnd(state, peer) >= peer.next) state.callsDue = true;
  }
}
