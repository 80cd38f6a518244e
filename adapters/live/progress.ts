/** How far a leader has brought its peers (Figure 2), as its calls and their answers show it. */
import { lastIndex } from '../../lib/entries.js';
import type { AppendEntriesCall, AppendEntriesReply } from '../../lib/message.js';
import type { LogIndex, NodeGeneration, NodeId, Term } from '../../lib/position.js';
import type { PeerProgress } from './protocol.js';

interface Peer {
  term: Term;
  matchIndex: LogIndex;
  nextIndex: LogIndex;
  generation: NodeGeneration | null;
}

export class Progress {
  private readonly byId = new Map<NodeId, Peer>();

  get peers(): readonly PeerProgress[] {
    return [...this.byId]
      .map(([id, { matchIndex, nextIndex }]) => ({ id, matchIndex, nextIndex }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  onCall(to: readonly NodeId[], { term, entries }: AppendEntriesCall): void {
    const nextIndex = lastIndex(entries) + 1;
    for (const id of to) {
      const peer = this.byId.get(id);
      if (peer?.term === term) peer.nextIndex = nextIndex;
      else this.byId.set(id, { term, matchIndex: 0, nextIndex, generation: null });
    }
  }

  onReply({ from, term, refused, generation, lastPosition }: AppendEntriesReply): void {
    const peer = this.byId.get(from);
    if (peer?.term !== term) return;
    // It has restarted: what it had acknowledged is to be seen again.
    if (peer.generation !== generation) peer.matchIndex = 0;
    peer.generation = generation;
    if (refused) return;
    peer.matchIndex = Math.max(peer.matchIndex, lastPosition.index);
    peer.nextIndex = Math.max(peer.nextIndex, peer.matchIndex + 1);
  }

  clear(): void {
    this.byId.clear();
  }
}
