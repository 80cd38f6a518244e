/** Nodes to be spoken to: a follower, a candidate and a leader, with a history. */
import type { Action } from '../../lib/action.js';
import { entriesOf } from '../../lib/entries.js';
import type { Input } from '../../lib/input.js';
import type { Message } from '../../lib/message.js';
import { Node } from '../../lib/node.js';
import { Violation } from './edge.js';

export type Bytes = Uint8Array;
type Core = Node<Bytes, Bytes>;

const config = { voters: ['a', 'b', 'c'], newVoters: [], nonVoters: ['d'] };
const command = (byte: number) => ({ type: 'command' as const, command: Uint8Array.of(byte) });

/** At index 1 to 7, of terms 0, 2 and 3. */
export const entries = entriesOf<Bytes>({ term: 0, index: 0 }, [
  { type: 'config', config },
  { type: 'term', term: 2 },
  command(1),
  command(2),
  { type: 'term', term: 3 },
  command(3),
  command(4),
]);

function follower(): Core {
  const node = new Node<Bytes, Bytes>({ id: 'a', currentTerm: 4, entries, sizeOf: () => 1 });
  settle(node);
  node.receive({
    ...{ type: 'appendEntriesCall', from: 'b', term: 4, round: 1, commitIndex: 5 },
    entries: {
      ...entries,
      prevPosition: { term: 3, index: 7 },
      length: 0,
      terms: [],
      configs: [],
      commands: null,
    },
  });
  settle(node);
  return node;
}

function candidate(): Core {
  const node = new Node<Bytes, Bytes>({ id: 'a', currentTerm: 4, entries, sizeOf: () => 1 });
  settle(node);
  node.timeOut();
  settle(node);
  return node;
}

function leader(): Core {
  const node = candidate();
  node.receive({ type: 'requestVoteReply', from: 'b', term: 5, voteGranted: true });
  settle(node);
  for (const byte of [5, 6, 7]) node.proposeCommand(Uint8Array.of(byte));
  settle(node);
  return node;
}

const makers = [follower, candidate, leader];

/** Does all that is due, and answers for the disk, until nothing is. */
function settle(node: Core): Action<Bytes, Bytes>[] {
  const done: Action<Bytes, Bytes>[] = [];
  for (;;) {
    const actions = node.take();
    if (actions.length === 0) return done;
    for (const action of actions) {
      done.push(action);
      if (action.type === 'persist') node.handle({ type: 'persisted', sequence: action.sequence });
    }
  }
}

function digestOf(node: Core): string {
  const { currentTerm, votedFor, commitIndex, role, log } = node;
  return JSON.stringify([currentTerm, votedFor, commitIndex, role, log.lastPosition, node.config]);
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Violation(what);
}

/** Three nodes, made anew after so many inputs: a strange term must not shut them for good. */
export class Cores {
  private nodes: Core[] = [];
  private inputs = 0;

  /**
   * What each of them makes of it: it never throws, what is dropped changes nothing, and no number
   * in a node ever ceases to be one or goes back.
   */
  hear(input: Input<Bytes, Bytes>): boolean {
    if (this.inputs % 200 === 0) this.nodes = makers.map((make) => make());
    this.inputs += 1;
    const dropped = this.nodes.map((node) => this.one(node, input));
    return !dropped.every(Boolean);
  }

  message(message: Message<Bytes>): boolean {
    return this.hear({ type: 'received', message });
  }

  private one(node: Core, input: Input<Bytes, Bytes>): boolean {
    const before = digestOf(node);
    const { currentTerm, commitIndex } = node;
    node.handle(input);
    const drops = settle(node).filter((action) => action.type === 'dropped');
    // What is of no use any more may still be the word of a leader, whose term is taken.
    const isRefused = drops.some(({ reason }) => reason !== 'obsolete');
    const after = digestOf(node);
    check(!isRefused || after === before, `dropped, and changed: ${before} → ${after}`);
    const { lastPosition } = node.log;
    const numbers = [node.currentTerm, node.commitIndex, lastPosition.index, lastPosition.term];
    for (const { matchIndex, nextIndex } of node.peers) numbers.push(matchIndex, nextIndex);
    check(numbers.every(isCount), `numbers that count nothing: ${numbers.join(' ')}`);
    check(node.currentTerm >= currentTerm, 'the term went back');
    check(node.commitIndex >= commitIndex, 'the commit index went back');
    check(node.commitIndex <= lastPosition.index, 'more is committed than there is');
    check(
      node.peers.every((peer) => peer.matchIndex <= lastPosition.index),
      'matched too much',
    );
    return drops.length > 0;
  }
}

function isCount(number: unknown): boolean {
  return Number.isSafeInteger(number) && (number as number) >= 0;
}
