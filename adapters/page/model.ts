/** The cluster as the page knows it: what its nodes have said last. */
import { noCluster } from '../../lib/cluster-config.js';
import type { NodeId } from '../../lib/position.js';
import { hasQuorum } from '../../lib/quorum.js';
import type { LiveFrame, StatusFrame } from '../live/protocol.js';
import type { LinkEvent, Send } from './link.js';
import { Samples } from './samples.js';
import { Timeline } from './timeline.js';

/** A node tells its status three times a second: after so long without a word it is silent. */
const silentMs = 2000;

/** The page watches some times a second; beyond this it stood still itself, and heard nobody. */
const stillMs = 1000;

export interface NodeView {
  readonly id: NodeId;
  readonly address: string;
  /** While there is a line to it. */
  send: Send | null;
  /** What it said last, maybe before it was lost. */
  status: StatusFrame | null;
  /** The page's time of its last word. */
  heardAt: number;
  /** Without a word for too long, though the line to it may be open: it is stopped, or cut off. */
  isSilent: boolean;
}

/** Is what this node said last what it is now? Else nothing of it may be shown as if it were. */
export function isHeard(node: NodeView): node is NodeView & { send: Send; status: StatusFrame } {
  return node.send !== null && node.status !== null && !node.isSilent;
}

export class Model {
  readonly nodes = new Map<NodeId, NodeView>();
  readonly timeline = new Timeline();
  readonly samples = new Samples();
  private watchedAt = 0;

  setMembers(members: Readonly<Record<NodeId, string>>): void {
    for (const id of this.nodes.keys()) if (!Object.hasOwn(members, id)) this.nodes.delete(id);
    for (const [id, address] of Object.entries(members)) {
      if (this.nodes.get(id)?.address === address) continue;
      this.nodes.set(id, { id, address, send: null, status: null, heardAt: 0, isSilent: false });
    }
  }

  onLink(event: LinkEvent, now: number): void {
    // Also of a node that is no member any more: it may come again, as another process.
    if (event.type === 'down') this.timeline.onAway(event.id, now);
    const node = this.nodes.get(event.id);
    if (node === undefined) return;
    if (event.type === 'up') {
      node.send = event.send;
      node.heardAt = now;
    } else if (event.type === 'frame') this.onFrame(node, event.frame, now);
    else node.send = null;
  }

  /** Some times a second: who has fallen silent? */
  watch(now: number): void {
    const stoodMs = now - this.watchedAt;
    this.watchedAt = now;
    for (const node of this.nodes.values()) {
      if (stoodMs > stillMs) node.heardAt = Math.min(now, node.heardAt + stoodMs);
      if (node.isSilent || !isHeard(node) || now - node.heardAt <= silentMs) continue;
      node.isSilent = true;
      this.timeline.onRole(node.id, node.heardAt, 'away', node.status.term);
    }
  }

  get heard(): readonly (NodeView & { send: Send; status: StatusFrame })[] {
    return [...this.nodes.values()].filter(isHeard);
  }

  get order(): readonly NodeId[] {
    return [...this.nodes.keys()].sort((a, b) => {
      const [left, right] = [a, b].map((id) => Number(/\d+$/.exec(id)?.[0] ?? NaN));
      return (left ?? 0) - (right ?? 0) || (a < b ? -1 : 1);
    });
  }

  /** Who leads, by its own word: of several, the one of the latest term (§5.1). */
  get leader(): NodeView | null {
    let newest: NodeView | null = null;
    for (const node of this.nodes.values()) {
      if (!isHeard(node) || node.status.role !== 'leader') continue;
      if (newest === null || node.status.term > (newest.status?.term ?? 0)) newest = node;
    }
    return newest;
  }

  /**
   * Of those that answer and hear a leader, the one of the latest term, while that leader itself is
   * not heard here: the page may be cut off from it, or the others don't know yet. Who hears none
   * says nothing of it, in whatever term: cut off from it, a node stands again and again.
   */
  get witness(): { readonly id: NodeId; readonly leader: NodeId } | null {
    if (this.leader !== null) return null;
    const { heard } = this;
    const led = heard.flatMap(({ id, status: { term, leader } }) =>
      leader === null ? [] : [{ id, term, leader }],
    );
    const [newest] = led.sort((a, b) => b.term - a.term);
    if (newest === undefined || heard.some(({ id }) => id === newest.leader)) return null;
    return { id: newest.id, leader: newest.leader };
  }

  /** Do so many answer that they could decide, by the newest configuration that is known (§6)? */
  get hasQuorum(): boolean {
    const { heard } = this;
    const [newest] = [...heard].sort(
      ({ status: { log: a } }, { status: { log: b } }) =>
        b.last.term - a.last.term || b.last.index - a.last.index,
    );
    const config = newest?.status.config ?? noCluster;
    return hasQuorum(config, (id) => heard.some((node) => node.id === id));
  }

  /** To be asked: the leader, or any other node that answers. */
  get door(): NodeView | null {
    return this.leader ?? this.heard[0] ?? null;
  }

  private onFrame(node: NodeView, frame: LiveFrame, now: number): void {
    node.heardAt = now;
    if (frame.type === 'answer') return;
    const { timeline } = this;
    timeline.onClock(node.id, frame.at, now);
    if (frame.type === 'events') return timeline.onEvents(node.id, frame.events);
    // Not before: what it was until then is old by now.
    node.isSilent = false;
    node.status = frame;
    this.samples.onLoad(frame.load);
    const at = frame.at + timeline.line(node.id).offsetMs;
    timeline.onRole(node.id, at, frame.role, frame.term);
  }
}
