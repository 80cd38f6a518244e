/**
 * Messages as they pass, gathered: of those of one kind between the same nodes that pass between
 * two frames, the first is told with their number. However many there are, what is told is bounded.
 */
import { lastIndex } from '../../lib/entries.js';
import type { Message } from '../../lib/message.js';
import type { NodeId, Term } from '../../lib/position.js';
import type { MessageKind, MessagesSeen } from './protocol.js';

/** More groups between two frames are counted only. */
const maxGroups = 128;

interface Seen {
  readonly kind: MessageKind;
  readonly term: Term;
  readonly round: number;
  readonly entries: number;
  readonly index: number;
}

type Group = { -readonly [K in keyof MessagesSeen]: MessagesSeen[K] };

export class MessageGroups {
  private readonly groups = new Map<string, Group>();
  private untold = 0;

  add(type: 'sent' | 'received', at: number, peers: readonly NodeId[], seen: Seen): void {
    const { kind, term, round, entries, index } = seen;
    const key = `${type} ${kind} ${term} ${peers.join()}`;
    const group = this.groups.get(key);
    if (group !== undefined) {
      group.count += 1;
      group.rounds = [group.rounds[0], round];
      group.entries += entries;
      group.index = index;
    } else if (this.groups.size < maxGroups) {
      const rounds = [round, round] as const;
      this.groups.set(key, { type, at, kind, peers, term, count: 1, rounds, entries, index });
    } else {
      this.untold += 1;
    }
  }

  take(): { readonly events: readonly MessagesSeen[]; readonly untold: number } {
    const events = [...this.groups.values()];
    const { untold } = this;
    this.groups.clear();
    this.untold = 0;
    return { events, untold };
  }
}

/** What is told of a message. */
export function seenOf(message: Message): Seen {
  const { term } = message;
  switch (message.type) {
    case 'requestVoteCall': {
      const { index } = message.lastPosition;
      return { kind: 'voteCall', term, round: 0, entries: 0, index };
    }
    case 'requestVoteReply': {
      const kind = message.voteGranted ? 'voteGranted' : 'voteDenied';
      return { kind, term, round: 0, entries: 0, index: 0 };
    }
    case 'appendEntriesCall': {
      const { entries, round } = message;
      const kind = entries.length > 0 ? 'append' : 'heartbeat';
      return { kind, term, round, entries: entries.length, index: lastIndex(entries) };
    }
    case 'appendEntriesReply': {
      const kind = message.refused ? 'refused' : 'acknowledged';
      const { index } = message.lastPosition;
      return { kind, term, round: message.round, entries: 0, index };
    }
    case 'removalNotice':
      return { kind: 'removal', term, round: 0, entries: 0, index: message.position.index };
  }
}
