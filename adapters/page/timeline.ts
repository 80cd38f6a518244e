/**
 * What the nodes report, laid on one axis of time. Each node tells by its own clock; a clock is
 * laid on the page's by the fastest frame that came from it, so that two lines may be off against
 * each other by what a frame takes at its best. What was lost on the way shows as sent and not
 * received.
 */
import type { Role } from '../../lib/action.js';
import type { NodeId, Term } from '../../lib/position.js';
import type { LiveEvent, MessagesSeen } from '../live/protocol.js';

/** A message on the line of its sender. Times are the page's, in milliseconds. */
export interface Marble {
  readonly key: number;
  readonly node: NodeId;
  readonly at: number;
  /** By the clock of the node. */
  readonly nodeAt: number;
  readonly seen: MessagesSeen;
  /** When each receiver had it, as it says; null while it has not said so. */
  readonly arrivals: Map<NodeId, number | null>;
}

/** What a node was from a moment on: a role in a term, or out of sight. */
export interface Stretch {
  readonly at: number;
  readonly role: Role | 'away';
  readonly term: Term;
}

export interface Mark {
  readonly at: number;
  readonly index: number;
}

export interface Line {
  readonly id: NodeId;
  /** In order; the first may have begun long ago. */
  stretches: Stretch[];
  commits: Mark[];
  /** The page's clock less the node's, by the fastest frame so far. */
  offsetMs: number;
}

interface Receipt {
  readonly at: number;
  readonly from: NodeId;
  readonly seen: MessagesSeen;
}

/** Nothing older is kept, nor more than so many. */
const keptMs = 60_000;
const maxMarbles = 6000;

/** A receipt whose message has not been told of yet waits so long. */
const receiptMs = 3000;

export class Timeline {
  readonly lines = new Map<NodeId, Line>();
  marbles: Marble[] = [];
  private receipts = new Map<NodeId, Receipt[]>();
  private keys = 0;

  line(id: NodeId): Line {
    const known = this.lines.get(id);
    if (known !== undefined) return known;
    const line: Line = { id, stretches: [], commits: [], offsetMs: Infinity };
    this.lines.set(id, line);
    return line;
  }

  /** A frame of this node, made at `nodeAt`, has arrived. */
  onClock(id: NodeId, nodeAt: number, now: number): void {
    const line = this.line(id);
    line.offsetMs = Math.min(line.offsetMs, now - nodeAt);
  }

  onRole(id: NodeId, at: number, role: Stretch['role'], term: Term): void {
    const { stretches } = this.line(id);
    const last = stretches.at(-1);
    if (last !== undefined && last.role === role && last.term === term) return;
    stretches.push({ at: Math.max(at, last?.at ?? -Infinity), role, term });
  }

  /** The clock of a node that starts again begins again. */
  onAway(id: NodeId, now: number): void {
    const line = this.line(id);
    line.offsetMs = Infinity;
    this.onRole(id, now, 'away', line.stretches.at(-1)?.term ?? 0);
  }

  onEvents(id: NodeId, events: readonly LiveEvent[]): void {
    const line = this.line(id);
    for (const event of events) {
      const at = event.at + line.offsetMs;
      if (event.type === 'role') this.onRole(id, at, event.role, event.term);
      else if (event.type === 'commit') line.commits.push({ at, index: event.index });
      else if (event.type === 'sent') this.onSent(id, at, event);
      else this.onReceived(id, at, event);
    }
  }

  /** Forgets what is older than the diagram can show, seen from `now`. */
  prune(now: number): void {
    const since = now - keptMs;
    const excess = this.marbles.length - maxMarbles;
    if (excess > 0 || (this.marbles[0]?.at ?? now) < since) {
      this.marbles = this.marbles.filter((each, at) => at >= excess && each.at >= since);
    }
    for (const line of this.lines.values()) {
      line.commits = line.commits.filter((each) => each.at >= since);
      const first = line.stretches.findIndex((_, at, all) => (all[at + 1]?.at ?? now) >= since);
      if (first > 0) line.stretches.splice(0, first);
    }
  }

  private onSent(id: NodeId, at: number, seen: MessagesSeen): void {
    const key = (this.keys += 1);
    const arrivals = new Map<NodeId, number | null>(seen.peers.map((peer) => [peer, null]));
    const marble = { key, node: id, at, nodeAt: seen.at, seen, arrivals };
    this.marbles.push(marble);
    for (const peer of seen.peers) {
      const receipt = this.receipts.get(peer)?.find((each) => belong(marble, peer, each));
      if (receipt !== undefined) arrivals.set(peer, Math.max(receipt.at, at));
    }
  }

  private onReceived(id: NodeId, at: number, seen: MessagesSeen): void {
    const receipt: Receipt = { at, from: seen.peers[0] ?? '', seen };
    // Newest first: of several that look alike the last one is meant.
    for (let each = this.marbles.length - 1; each >= 0; each -= 1) {
      const marble = this.marbles[each];
      if (marble === undefined || marble.at < at - receiptMs) break;
      if (marble.arrivals.get(id) === null && belong(marble, id, receipt)) {
        marble.arrivals.set(id, Math.max(at, marble.at));
      }
    }
    const waiting = (this.receipts.get(id) ?? []).filter((each) => each.at > at - receiptMs);
    this.receipts.set(id, [...waiting, receipt].slice(-200));
  }
}

/** May this be the receipt of that message? Several told as one have several rounds. */
function belong(marble: Marble, receiver: NodeId, { from, seen }: Receipt): boolean {
  const { kind, term, rounds } = marble.seen;
  return (
    marble.node === from &&
    marble.arrivals.has(receiver) &&
    kind === seen.kind &&
    term === seen.term &&
    rounds[0] <= seen.rounds[1] &&
    seen.rounds[0] <= rounds[1]
  );
}
