/**
 * A cluster by hand: real nodes, and every disk and mailbox in the hands of the test. Nothing is
 * written, delivered or timed out unless the test says so.
 *
 * What must hold in every scenario is checked at every step: at most one leader a term (§5.2), no
 * message before what it depends on is on disk (Figure 2), and the same command at the same index
 * on every machine (§5.4.3, State Machine Safety).
 */
import type { LogEntry, NetworkInput, NodeId, RaftConfig } from '../../lib/index.js';
import { Node, positionedEntries } from '../../lib/index.js';
import { Disk } from '../simulation/disk.js';
import type { ByHand, Told, Wanted } from './alphabet.js';
import { minimumElapsed, persisted, proposed, snapshotTaken, timedOut } from './alphabet.js';

export interface Options {
  readonly voters: 1 | 3 | 5;
  /** Take after all inputs that come together, or after each. */
  readonly batched: boolean;
}

/** The worlds in which a scenario is run: `describe.each(worlds)('… ($voters, $batched)', …)`. */
export const worlds: readonly Options[] = [
  { voters: 3, batched: false },
  { voters: 3, batched: true },
  { voters: 5, batched: false },
  { voters: 5, batched: true },
];

/** A message, or a snapshot, on its way. */
export interface Mail {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly input: NetworkInput<string, string>;
}

/** Which mail: all that agrees with every field given. `type` is the message's, or 'snapshot'. */
export interface Which {
  readonly from?: NodeId;
  readonly to?: NodeId;
  readonly type?: string;
}

interface Command {
  readonly index: number;
  readonly command: string;
}

interface Place {
  node: ByHand;
  disk: Disk<string, string>;
  /** What the machine was handed in this run. */
  machine: readonly Command[];
  /** All that the node has wanted, in all of its runs. */
  readonly actions: Wanted[];
}

/** Steps after which a cluster that is left alone should be quiet. */
const patience = 10_000;

export class ClusterByHand {
  readonly ids: readonly NodeId[];
  /** On its way, oldest first. */
  mail: Mail[] = [];
  /** All that was ever sent. */
  readonly sent: Mail[] = [];
  private readonly places = new Map<NodeId, Place>();
  private readonly leaders = new Map<number, NodeId>();
  private readonly decided = new Map<number, string>();
  private proposals = 0;

  constructor(
    private readonly options: Options,
    private readonly config: Partial<RaftConfig<string, string>> = {},
  ) {
    this.ids = ['a', 'b', 'c', 'd', 'e'].slice(0, options.voters);
    for (const id of this.ids) this.start(id, { initialVoters: this.ids });
  }

  /** A pristine node that waits to be added. */
  join(id: NodeId): void {
    this.start(id, {});
  }

  /**
   * The node has lost its disk, which must never happen, and begins as at first. What was decided
   * may be decided otherwise.
   */
  wipe(id: NodeId): void {
    this.decided.clear();
    this.start(id, { initialVoters: this.ids });
  }

  private start(id: NodeId, config: Partial<RaftConfig<string, string>>): void {
    const node: ByHand = new Node({ ...this.config, ...config, id });
    const actions = this.places.get(id)?.actions ?? [];
    this.places.set(id, { node, disk: new Disk(), machine: [], actions });
    this.take(id);
    this.persist(id);
  }

  /** Of the writes under way the `kept` oldest arrive. The node starts anew from its disk. */
  crash(id: NodeId, kept = 0): void {
    const place = this.place(id);
    place.disk.crash(kept);
    place.node = new Node({ ...this.config, ...place.disk.recover(), id });
    place.machine = [];
    this.take(id);
  }

  node(id: NodeId): ByHand {
    return this.place(id).node;
  }

  disk(id: NodeId): Disk<string, string> {
    return this.place(id).disk;
  }

  /** All actions of a type that the node has wanted, in all of its runs. */
  actions<T extends Wanted['type']>(id: NodeId, type: T): Extract<Wanted, { readonly type: T }>[] {
    return this.place(id).actions.filter(
      (action): action is Extract<Wanted, { readonly type: T }> => action.type === type,
    );
  }

  /** The node's log behind its snapshot: markers as `#term`, configurations as `config`. */
  log(id: NodeId): string[] {
    const { log } = this.node(id);
    const entries = log.slice(log.snapshotPosition.index, log.lastPosition.index);
    return [...positionedEntries(entries)].map(({ entry }) => labelOf(entry));
  }

  /** The commands that the machine holds. */
  commands(id: NodeId): string[] {
    return this.place(id).machine.map(({ command }) => command);
  }

  // Inputs.

  tell(id: NodeId, ...inputs: readonly Told[]): Wanted[] {
    const { node } = this.place(id);
    if (this.options.batched) {
      for (const input of inputs) node.handle(input);
      return this.take(id);
    }
    return inputs.flatMap((input) => {
      node.handle(input);
      return this.take(id);
    });
  }

  /** Each command as a proposal of its own. */
  propose(id: NodeId, ...commands: readonly string[]): Wanted[] {
    return this.tell(id, ...commands.map((command) => proposed(++this.proposals, command)));
  }

  timeOut(id: NodeId): Wanted[] {
    return this.tell(id, timedOut);
  }

  /** A call of a leader to everyone. */
  heartbeat(id: NodeId): Wanted[] {
    this.node(id).heartbeat();
    return this.take(id);
  }

  /** The machine hands over its state as of an index. */
  snapshot(id: NodeId, index: number): Wanted[] {
    const state = this.place(id).machine.filter((each) => each.index <= index);
    return this.tell(id, snapshotTaken(index, JSON.stringify(state)));
  }

  /** The oldest writes under way are durable: all of them, unless a number is given. */
  persist(id: NodeId, count = this.disk(id).writes.length): Wanted[] {
    const { disk } = this.place(id);
    const inputs: Told[] = [];
    for (let left = count; left > 0 && disk.writes.length > 0; left -= 1) {
      inputs.push(persisted(disk.complete()));
    }
    return this.tell(id, ...(this.options.batched ? inputs.slice(-1) : inputs));
  }

  // Mail.

  /** Takes mail out of the mailbox: it is lost, or kept to be handed over later. */
  intercept(which: Which = {}): Mail[] {
    const taken = this.mail.filter((mail) => matches(mail, which));
    this.mail = this.mail.filter((mail) => !taken.includes(mail));
    return taken;
  }

  /** Hands mail over, in this order. Whoever sent a snapshot hears that the transfer is over. */
  hand(mail: readonly Mail[]): void {
    for (const group of this.options.batched ? byReceiver(mail) : mail.map((each) => [each])) {
      const [first] = group;
      if (first !== undefined) this.tell(first.to, ...group.map((each) => each.input));
    }
    for (const { from, to, input } of mail) {
      if (input.type === 'snapshotReceived') this.tell(from, { type: 'snapshotSent', to });
    }
  }

  deliver(which: Which = {}): void {
    this.hand(this.intercept(which));
  }

  /** The mail will arrive once more. */
  duplicate(which: Which = {}): void {
    this.mail.push(...this.mail.filter((mail) => matches(mail, which)));
  }

  /** The newest mail will arrive first. */
  reorder(): void {
    this.mail.reverse();
  }

  // The cluster as a whole.

  /**
   * Something that is under way among these nodes is done: a write, or mail. What crosses their
   * border is lost. False when all is quiet.
   */
  step(...ids: readonly NodeId[]): boolean {
    const here = ids.length === 0 ? [...this.places.keys()] : ids;
    this.mail = this.mail.filter((mail) => here.includes(mail.to) && here.includes(mail.from));
    const writer = here.find((id) => this.disk(id).writes.length > 0);
    if (writer !== undefined) {
      this.persist(writer, this.options.batched ? undefined : 1);
      return true;
    }
    const [next] = this.mail;
    if (next === undefined) return false;
    if (this.options.batched) this.deliver({ to: next.to });
    else this.hand([this.mail.shift() ?? next]);
    return true;
  }

  /** Everything under way among these nodes is done, and all that comes of it. */
  settle(...ids: readonly NodeId[]): void {
    for (let steps = 0; this.step(...ids); steps += 1) {
      if (steps > patience) throw new Error('the cluster never falls silent');
    }
  }

  /**
   * The node becomes leader by the votes of these. They have not heard a leader for long enough.
   */
  elect(id: NodeId, ...electors: readonly NodeId[]): void {
    for (const elector of electors) this.tell(elector, minimumElapsed);
    this.timeOut(id);
    this.settle(id, ...electors);
    if (this.node(id).role !== 'leader') throw new Error(`${id} is not elected`);
  }

  // What the devices do with an action, and what must hold of it.

  take(id: NodeId): Wanted[] {
    const { node, actions } = this.place(id);
    const taken: Wanted[] = [];
    do taken.push(...node.take());
    while (node.isMoreDue);
    for (const action of taken) this.route(id, structuredClone(action));
    actions.push(...taken);
    if (node.role === 'leader') this.checkLeader(id, node.currentTerm);
    return taken;
  }

  private route(id: NodeId, action: Wanted): void {
    const place = this.place(id);
    if (action.type === 'persist') place.disk.writes.push(action);
    if (action.type === 'restore') place.machine = JSON.parse(action.snapshot.data) as Command[];
    if (action.type === 'apply') this.apply(id, action);
    if (action.type === 'sendMessage' || action.type === 'broadcastMessage') this.send(id, action);
    if (action.type !== 'installSnapshot') return;
    const { to, term, snapshot } = action;
    this.post({ from: id, to, input: { type: 'snapshotReceived', from: id, term, snapshot } });
  }

  private send(
    from: NodeId,
    action: Extract<Wanted, { type: 'sendMessage' | 'broadcastMessage' }>,
  ): void {
    const { message } = action;
    const { disk } = this.place(from);
    check(message.term === disk.currentTerm, `${from} speaks of a term that is not on disk`);
    if (message.type === 'requestVoteCall') {
      check(disk.votedFor === from, `${from} asks for votes before its own is on disk`);
    }
    for (const to of [action.to].flat()) {
      if (message.type === 'requestVoteReply' && message.voteGranted) {
        check(disk.votedFor === to, `the vote of ${from} for ${to} is not on disk`);
      }
      if (message.type === 'appendEntriesReply' && !message.refused) {
        check(disk.has(message.lastPosition), `${from} acknowledges what is not on disk`);
      }
      this.post({ from, to, input: { type: 'received', message: structuredClone(message) } });
    }
  }

  private post(mail: Mail): void {
    check(mail.from !== mail.to, `${mail.from} speaks to itself`);
    this.mail.push(mail);
    this.sent.push(mail);
  }

  private apply(id: NodeId, action: Extract<Wanted, { type: 'apply' }>): void {
    const place = this.place(id);
    for (const { position, entry } of positionedEntries(action.entries)) {
      const label = `${labelOf(entry)} of term ${position.term}`;
      const decided = this.decided.get(position.index) ?? label;
      check(label === decided, `${id} applies ${label} at ${position.index}, not ${decided}`);
      check(place.disk.has(position), `${id} applies what is not on its disk`);
      this.decided.set(position.index, decided);
      if (entry.type !== 'command') continue;
      place.machine = [...place.machine, { index: position.index, command: entry.command }];
    }
  }

  private checkLeader(id: NodeId, term: number): void {
    const leader = this.leaders.get(term) ?? id;
    check(leader === id, `${leader} and ${id} lead in term ${term}`);
    this.leaders.set(term, id);
  }

  private place(id: NodeId): Place {
    const place = this.places.get(id);
    if (place === undefined) throw new Error(`there is no node ${id}`);
    return place;
  }
}

/** Mail, counted: the calls to one node, the entries in them, and the snapshots. */
export function shipped(mail: readonly Mail[], which: Which): { calls: number; entries: number } {
  let calls = 0;
  let entries = 0;
  for (const { input } of mail.filter((each) => matches(each, which))) {
    if (input.type !== 'received' || input.message.type !== 'appendEntriesCall') continue;
    calls += 1;
    entries += input.message.entries.length;
  }
  return { calls, entries };
}

function matches(mail: Mail, { from, to, type }: Which): boolean {
  const { input } = mail;
  const own = input.type === 'received' ? input.message.type : 'snapshot';
  const fromFits = from === undefined || from === mail.from;
  return fromFits && (to === undefined || to === mail.to) && (type === undefined || type === own);
}

function byReceiver(mail: readonly Mail[]): Mail[][] {
  const groups = new Map<NodeId, Mail[]>();
  for (const each of mail) groups.set(each.to, [...(groups.get(each.to) ?? []), each]);
  return [...groups.values()];
}

function labelOf(entry: LogEntry<string>): string {
  if (entry.type === 'term') return `#${entry.term}`;
  return entry.type === 'config' ? 'config' : entry.command;
}

function check(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}
