/**
 * A cluster by hand: nodes whose disks answer at once, and a network that delivers in order, or not
 * at all between sides. No time and no chance: timeouts are said by the test. Everything that a
 * node is told or wants done is frozen, so that a node that kept or edited it would throw (law 3).
 */
import type { Message, RaftConfig } from '../../lib/index.js';
import type { ByHand, Told, Wanted } from './alphabet.js';
import {
  awake,
  only,
  pristine,
  received,
  sent,
  snapshotReceived,
  tell,
  persisted,
} from './alphabet.js';

/** The value, and all that it holds, can't be changed any more. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value) as unknown[]) frozen(part);
  return value;
}

interface Parcel {
  readonly from: string;
  readonly to: string;
  readonly input: Told;
}

export class PromptCluster {
  readonly nodes = new Map<string, ByHand>();
  /** All that each node has wanted done. */
  readonly wanted = new Map<string, Wanted[]>();
  private line: Parcel[] = [];
  private away = new Set<string>();

  constructor(
    ids: readonly string[],
    config: (id: string) => RaftConfig<string, string> = (id) => pristine(ids, { id }),
  ) {
    for (const id of ids) this.add(id, config(id));
  }

  add(id: string, config: RaftConfig<string, string> = { id }): void {
    this.nodes.set(id, awake(config));
    this.wanted.set(id, []);
  }

  node(id: string): ByHand {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  /** These nodes hear and are heard by each other only. */
  isolate(...ids: readonly string[]): void {
    this.away = new Set(ids);
  }

  heal(): void {
    this.away.clear();
  }

  /** Tells a node these facts, and delivers all that follows until the cluster is quiet. */
  tell(id: string, ...inputs: readonly Told[]): Wanted[] {
    const actions = this.turn(id, inputs);
    for (let next = this.line.shift(); next !== undefined; next = this.line.shift()) {
      const { from, to, input } = next;
      if (this.away.has(from) === this.away.has(to) && this.nodes.has(to)) this.turn(to, [input]);
    }
    return actions;
  }

  /** Makes a node the leader: it times out, and the others have forgotten the leader before it. */
  elect(id: string): void {
    for (const other of this.nodes.keys()) this.turn(other, [{ type: 'minimumElapsed' }]);
    this.tell(id, { type: 'timedOut' });
  }

  /** The commands that the machine of a node was given, in order. */
  applied(id: string): string[] {
    return only(this.wanted.get(id) ?? [], 'apply').flatMap((action) =>
      (action.entries.commands ?? []).filter((command) => command !== undefined),
    );
  }

  private turn(id: string, inputs: readonly Told[]): Wanted[] {
    const node = this.node(id);
    const all: Wanted[] = [];
    let next = inputs;
    do {
      const actions = frozen(tell(node, ...next.map(frozen)));
      all.push(...actions);
      next = only(actions, 'persist').map((write) => persisted(write.sequence));
    } while (next.length > 0 || node.isMoreDue);
    this.wanted.get(id)?.push(...all);
    for (const [to, message] of sent(all)) this.post(id, to, message);
    for (const { to, term, snapshot } of only(all, 'installSnapshot')) {
      this.line.push({ from: id, to, input: snapshotReceived(id, term, snapshot) });
      this.line.push({ from: id, to: id, input: { type: 'snapshotSent', to } });
    }
    return all;
  }

  private post(from: string, to: string, message: Message<string>): void {
    this.line.push({ from, to, input: received(message) });
  }
}
