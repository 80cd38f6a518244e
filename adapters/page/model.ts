/** The cluster as the page knows it: what its nodes have said last. */
import type { NodeId } from '../../lib/position.js';
import type { LiveFrame, StatusFrame } from '../live/protocol.js';
import type { LinkEvent, Send } from './link.js';
import { Samples } from './samples.js';
import { Timeline } from './timeline.js';

export interface NodeView {
  readonly id: NodeId;
  readonly address: string;
  /** While there is a line to it. */
  send: Send | null;
  /** What it said last, maybe before it was lost. */
  status: StatusFrame | null;
}

export class Model {
  readonly nodes = new Map<NodeId, NodeView>();
  readonly timeline = new Timeline();
  readonly samples = new Samples();

  setMembers(members: Readonly<Record<NodeId, string>>): void {
    for (const id of this.nodes.keys()) if (!Object.hasOwn(members, id)) this.nodes.delete(id);
    for (const [id, address] of Object.entries(members)) {
      if (this.nodes.get(id)?.address === address) continue;
      this.nodes.set(id, { id, address, send: null, status: null });
    }
  }

  onLink(event: LinkEvent, now: number): void {
    const node = this.nodes.get(event.id);
    if (node === undefined) return;
    if (event.type === 'up') node.send = event.send;
    else if (event.type === 'frame') this.onFrame(node, event.frame, now);
    else {
      node.send = null;
      this.timeline.onAway(node.id, now);
    }
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
      if (node.send === null || node.status?.role !== 'leader') continue;
      if (newest === null || node.status.term > (newest.status?.term ?? 0)) newest = node;
    }
    return newest;
  }

  /** To be asked: the leader, or any other node that can be reached. */
  get door(): NodeView | null {
    return this.leader ?? [...this.nodes.values()].find(({ send }) => send !== null) ?? null;
  }

  private onFrame(node: NodeView, frame: LiveFrame, now: number): void {
    if (frame.type === 'answer') return;
    const { timeline } = this;
    timeline.onClock(node.id, frame.at, now);
    if (frame.type === 'events') return timeline.onEvents(node.id, frame.events);
    node.status = frame;
    this.samples.onLoad(frame.load);
    const at = frame.at + timeline.line(node.id).offsetMs;
    timeline.onRole(node.id, at, frame.role, frame.term);
  }
}
