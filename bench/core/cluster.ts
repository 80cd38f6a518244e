/**
 * A cluster in one process, without I/O: disks answer at once, and messages arrive in the order of
 * their sending. It does what nodes want done and nothing else, so that what is measured is the
 * core. `bench/peers/noraft` does the same, line by line.
 */
import type { Action, LogEntries, Message, RaftConfig } from '../../lib/index.js';
import { clusterOf, entriesOf, Node, origin } from '../../lib/index.js';

export interface CoreOptions<C> {
  readonly size: number;
  /** The terms that the log begins with. */
  readonly terms: number;
  /** As many limits as the core has work to do: without it bytes are not counted. */
  readonly sizeOf: ((command: C) => number) | null;
}

export class CoreCluster<C> {
  readonly leader: Node<C>;
  private readonly nodes: readonly Node<C>[];
  /** What is under way, in the order of its sending: to whom, and what. */
  private readonly to: Node<C>[] = [];
  private readonly messages: Message<C>[] = [];
  private sent = 0;

  /** With the first node as its leader. */
  constructor(options: CoreOptions<C>) {
    const ids = Array.from({ length: options.size }, (_, at) => idOf(at));
    this.nodes = ids.map((id) => new Node<C>(configOf(id, ids, options)));
    this.leader = this.node('a');
    this.leader.take();
    this.leader.timeOut();
    this.act(this.leader);
    this.deliver();
    if (this.leader.role !== 'leader') throw new Error('the first node was not elected');
  }

  /** Does what a node wants done. */
  act(node: Node<C>): void {
    let write = this.route(node.take());
    while (write > 0) {
      node.handle({ type: 'persisted', sequence: write });
      write = this.route(node.take());
    }
  }

  /** Posts what is for others; the number of the write that is wanted, or 0. */
  private route(actions: readonly Action<C>[]): number {
    let write = 0;
    for (const action of actions) {
      switch (action.type) {
        case 'persist':
          write = action.sequence;
          break;
        case 'sendMessage':
          this.post(action.to, action.message);
          break;
        case 'broadcastMessage':
          for (const to of action.to) this.post(to, action.message);
          break;
        default:
      }
    }
    return write;
  }

  private post(to: string, message: Message<C>): void {
    this.to[this.sent] = this.node(to);
    this.messages[this.sent] = message;
    this.sent += 1;
  }

  private node(id: string): Node<C> {
    return this.nodes[id.charCodeAt(0) - firstLetter] as Node<C>;
  }

  /** Until nothing is under way. */
  deliver(): void {
    for (let at = 0; at < this.sent; at += 1) {
      const node = this.to[at] as Node<C>;
      node.receive(this.messages[at] as Message<C>);
      this.act(node);
    }
    this.sent = 0;
  }
}

const firstLetter = 'a'.charCodeAt(0);

const idOf = (at: number): string => String.fromCharCode(firstLetter + at);

function configOf<C>(
  id: string,
  ids: readonly string[],
  { terms, sizeOf }: CoreOptions<C>,
): RaftConfig<C> {
  return {
    id,
    currentTerm: terms,
    entries: logOf(ids, terms),
    // The other side tells its followers with the next call, too.
    announceCommits: false,
    ...(sizeOf === null ? {} : { sizeOf }),
  };
}

/** The configuration, and a marker of each term. */
function logOf(ids: readonly string[], terms: number): LogEntries<never> {
  const markers = Array.from({ length: terms }, (_, at) => ({
    type: 'term' as const,
    term: at + 1,
  }));
  return entriesOf(origin, [{ type: 'config', config: clusterOf(ids) }, ...markers]);
}
