/**
 * What nodes say to each other: nothing that is not durable, nothing twice, nothing beyond limits.
 */
import type { Limits, LogPosition, Message } from '../../../lib/index.js';
import type { CommitWitness } from './commit-witness.js';
import type { NodeView } from './node-view.js';

export class MessageWitness {
  /** Of each node and term, the vote on its disk, and the candidate that was granted it. */
  private readonly votes = new Map<string, string>();
  private readonly grants = new Map<string, string>();
  /** Of each node, the term on its disk. */
  private readonly terms = new Map<string, number>();

  constructor(
    private readonly limits: Partial<Limits>,
    private readonly commits: CommitWitness,
    private readonly fail: (rule: string) => void,
  ) {}

  /** A write has reached the disk: terms grow, "the vote of a term is given once" (§5.2). */
  onWritten({ id, disk }: NodeView): void {
    const isGrown = disk.currentTerm >= (this.terms.get(id) ?? 0);
    this.hold(isGrown, `(6) the term of ${id} went back on its disk`);
    this.terms.set(id, disk.currentTerm);
    if (disk.votedFor === null) return;
    const key = `${id}/${disk.currentTerm}`;
    const known = this.votes.get(key) ?? disk.votedFor;
    this.hold(known === disk.votedFor, `(6) ${id} votes twice in term ${disk.currentTerm}`);
    this.votes.set(key, disk.votedFor);
  }

  /** "Persistent state, updated on stable storage before responding to RPCs" (Figure 2). */
  onSent(view: NodeView, to: readonly string[], message: Message<Uint8Array>): void {
    const { id, disk } = view;
    this.hold(!to.includes(id) && message.from === id, `(H) ${id} sends in a wrong name`);
    const { term } = message;
    this.hold(term === disk.currentTerm, `(8) ${id} speaks of a term that is not durable`);
    switch (message.type) {
      case 'requestVoteCall':
        this.hold(disk.votedFor === id, `(8) ${id} asks for votes before its own is durable`);
        return;
      case 'requestVoteReply':
        if (message.voteGranted) this.onGranted(view, to, term);
        return;
      case 'appendEntriesCall':
        this.onCall(view, message);
        return;
      case 'appendEntriesReply':
        if (message.refused) return;
        this.hold(disk.log.has(message.lastPosition), `(8) ${id} acknowledges what is not durable`);
        return;
      case 'removalNotice':
        this.onNotice(view, message.position);
        return;
    }
  }

  private onGranted({ id, disk }: NodeView, to: readonly string[], term: number): void {
    const [candidate = ''] = to;
    this.hold(disk.votedFor === candidate, `(8) ${id} grants a vote that is not durable`);
    const key = `${id}/${term}`;
    const known = this.grants.get(key) ?? candidate;
    this.hold(known === candidate, `(6) ${id} grants two votes in term ${term}`);
    this.grants.set(key, candidate);
  }

  /** A call tells what is committed before the report does. */
  private onCall(
    view: NodeView,
    { entries, commitIndex }: Extract<Message<Uint8Array>, { type: 'appendEntriesCall' }>,
  ): void {
    const { id, role } = view;
    this.hold(role === 'leader', `(1) ${id} calls without being the leader`);
    this.commits.onImplied(view, commitIndex);
    const { entriesPerMessage = Infinity, bytesPerMessage = Infinity } = this.limits;
    let bytes = 0;
    for (const command of entries.commands ?? []) bytes += command?.length ?? 0;
    const isSmall = entries.length <= 1 || bytes <= bytesPerMessage;
    const isShort = entries.length <= entriesPerMessage;
    this.hold(isSmall && isShort, `(R) ${id} sends more than the limits allow`);
  }

  /** A notice too. */
  private onNotice(view: NodeView, position: LogPosition): void {
    const { id } = view;
    this.commits.onImplied(view, position.index);
    this.hold(this.commits.has(position), `(7) ${id} removes a node before that is committed`);
  }

  onInstall({ id, role, disk }: NodeView, to: string, position: LogPosition): void {
    this.hold(role === 'leader' && to !== id, `(1) ${id} installs without being the leader`);
    this.hold(disk.log.has(position), `(8) ${id} hands over a snapshot that is not durable`);
  }

  /** A leader's commit index was committed before the call left. */
  onReceived(message: Message<Uint8Array>): void {
    if (message.type !== 'appendEntriesCall') return;
    const isKnown = message.commitIndex <= this.commits.lastIndex;
    this.hold(isKnown, `(3) ${message.from} tells of a commit that is none`);
  }

  private hold(condition: boolean, rule: string): void {
    if (!condition) this.fail(rule);
  }
}
