/**
 * A cluster of real nodes in a world of chance: messages are lost, doubled, delayed and reordered,
 * disks finish late, machines crash between any write and its acknowledgement, actions are taken
 * late, members come and go, snapshots are taken at any moment. Everything from one seed.
 *
 * Time plays no part in safety, so that here a timer may fire at any moment. Only when the world is
 * healed does a clock run, to see that the cluster lives.
 */
import type { Action, Input, Limits, Message, Snapshot } from '../../lib/index.js';
import {
  isJointConsensus,
  Node,
  positionedEntries,
  toJointConsensus,
  uniqueNodes,
} from '../../lib/index.js';
import { Disk } from './disk.js';
import { Breach, Witness, type Member, type State } from './invariants.js';
import { Random } from '../../adapters/testing/simulation/random.js';

export interface Options {
  readonly seed: number;
  readonly voters: number;
  readonly limits: Partial<Limits>;
  /** Inputs that a node takes in before its actions are taken: 1 takes them after each. */
  readonly batch: number;
  /** Probabilities, each for one event. */
  readonly loss: number;
  readonly duplication: number;
  readonly crash: number;
  readonly slowDisk: number;
  readonly membership: number;
  readonly snapshot: number;
  readonly partition: number;
  readonly timeout: number;
  readonly reads: number;
}

interface Packet {
  readonly from: string;
  readonly to: string;
  readonly input: Input<string, State>;
}

/** What one step of a run did, for the report of a breach. */
type Note = string;

export class RandomCluster {
  readonly members = new Map<string, Member>();
  readonly witness = new Witness(this.members);
  readonly notes: Note[] = [];
  private readonly random: Random;
  private packets: Packet[] = [];
  /** The ways on which nothing passes, as `from>to`. */
  private readonly cut = new Set<string>();
  private readonly waiting = new Map<string, number>();
  /** Where a client's command was accepted: what must not vanish once it is applied there. */
  private readonly accepted = new Map<string, string>();
  private readonly readFloors = new Map<string, number>();
  private acknowledgedIndex = 0;
  private nextCommand = 1;
  private now = 0;
  private readonly deadlines = new Map<string, { minimum: number; at: number }>();
  /** Of the run: what happened how often. */
  readonly counts = { elections: 0, commits: 0, crashes: 0, installs: 0, changes: 0, reads: 0 };

  constructor(private readonly options: Options) {
    this.random = new Random(options.seed);
    const ids = Array.from({ length: options.voters + 2 }, (_, at) => `n${at + 1}`);
    for (const id of ids) {
      this.members.set(id, {
        id,
        disk: new Disk(),
        node: null,
        applied: [],
        appliedIndex: 0,
      });
    }
    for (const id of ids) this.start(id);
  }

  private get initialVoters(): string[] {
    return [...this.members.keys()].slice(0, this.options.voters);
  }

  private member(id: string): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  private start(id: string): void {
    const member = this.member(id);
    const initial = this.initialVoters;
    member.applied = [];
    member.appliedIndex = 0;
    member.node = new Node<string, State>({
      id,
      ...member.disk.recover(),
      ...(initial.includes(id) ? { initialVoters: initial } : {}),
      limits: this.options.limits,
      sizeOf: (command) => command.length,
    });
    this.take(member);
  }

  /** One random event. */
  step(): void {
    const { random, options } = this;
    const member = this.member(random.pick([...this.members.keys()]) ?? '');
    const { node } = member;
    if (random.chance(options.partition)) this.part();
    if (node === null) {
      if (!random.chance(0.2)) return;
      this.note(`${member.id} restarts`);
      this.start(member.id);
      this.witness.check(member);
      return;
    }
    if (random.chance(options.crash)) this.crash(member);
    else if (random.chance(options.slowDisk) || !this.write(member)) this.happen(member, node);
  }

  /** Some nodes hear no others for a while, or are not heard, or both; or all hear all again. */
  private part(): void {
    const { random } = this;
    this.cut.clear();
    if (random.chance(0.3)) return;
    const [one, other] = random.pick([
      [true, true],
      [true, false],
    ]) ?? [true, true];
    const inside = new Set([...this.members.keys()].filter(() => random.chance(0.4)));
    for (const from of this.members.keys()) {
      for (const to of this.members.keys()) {
        if (one && inside.has(from) && !inside.has(to)) this.cut.add(`${from}>${to}`);
        if (other && !inside.has(from) && inside.has(to)) this.cut.add(`${from}>${to}`);
      }
    }
    this.note(`cut: ${[...this.cut].join(' ')}`);
  }

  private happen(member: Member, node: Node<string, State>): void {
    const { random, options } = this;
    if (random.chance(options.membership)) this.proposeChange(member, node);
    else if (random.chance(options.snapshot)) this.takeSnapshot(member);
    else if (random.chance(0.6)) this.deliver();
    else if (random.chance(0.5)) this.propose(this.asked(member));
    else if (random.chance(options.reads)) this.read(this.asked(member));
    else if (random.chance(0.3)) this.put(member, { type: 'minimumElapsed' });
    else if (node.role === 'leader' || random.chance(options.timeout)) {
      this.put(member, { type: 'timedOut' });
    }
  }

  private crash(member: Member): void {
    const kept = this.random.below(member.disk.writes.length + 1);
    this.note(`${member.id} crashes, ${kept} of ${member.disk.writes.length} writes kept`);
    this.counts.crashes += 1;
    for (let count = 0; count < kept; count += 1) {
      member.disk.complete();
      this.witness.onWritten(member);
    }
    member.disk.crash(0);
    member.node = null;
    this.waiting.delete(member.id);
    this.deadlines.delete(member.id);
    this.witness.forget(member.id);
    for (const key of [...this.readFloors.keys()]) {
      if (key.startsWith(`${member.id}/`)) this.readFloors.delete(key);
    }
    for (const key of [...this.accepted.keys()]) {
      if (key.startsWith(`${member.id}/`)) this.accepted.delete(key);
    }
  }

  /** One or more writes are done, and acknowledged together. */
  private write(member: Member): boolean {
    const { disk } = member;
    if (disk.writes.length === 0) return false;
    let sequence = 0;
    for (let count = this.random.between(1, disk.writes.length); count > 0; count -= 1) {
      sequence = disk.complete();
      this.witness.onWritten(member);
    }
    this.put(member, { type: 'persisted', sequence });
    return true;
  }

  private deliver(): void {
    const { random, options } = this;
    const at = random.below(this.packets.length);
    const packet = this.packets[at];
    if (packet === undefined) return;
    if (!random.chance(options.duplication)) this.packets.splice(at, 1);
    const isLocal = packet.input.type === 'snapshotSent';
    const isLost = random.chance(options.loss) || this.cut.has(`${packet.from}>${packet.to}`);
    if (isLost && !isLocal) return;
    this.put(this.member(packet.to), packet.input);
  }

  private propose(member: Member): void {
    const commands = Array.from({ length: this.random.between(1, 3) }, () => this.command());
    const proposal = this.nextCommand++;
    this.put(member, { type: 'proposed', proposal, commands });
  }

  private command(): string {
    return `c${this.nextCommand++}`.padEnd(this.random.between(1, 8), '.');
  }

  /** Clients ask whom they take for the leader, and at times that one is deposed already. */
  private asked(member: Member): Member {
    const leaders = [...this.members.values()].filter((each) => each.node?.role === 'leader');
    return this.random.chance(0.2) ? member : (this.random.pick(leaders) ?? member);
  }

  private read(member: Member): void {
    const reads = this.nextCommand++;
    this.readFloors.set(`${member.id}/${reads}`, this.acknowledgedIndex);
    this.put(member, { type: 'readRequested', reads });
  }

  private takeSnapshot(member: Member): void {
    const index = this.random.between(member.appliedIndex - 3, member.appliedIndex);
    if (index <= 0) return;
    // The machine knows the state at each index: here it is the list of all texts so far.
    const data = member.applied.slice(0, index);
    this.put(member, { type: 'snapshotTaken', index, data });
  }

  private proposeChange(member: Member, node: Node<string, State>): void {
    const { random } = this;
    const { config } = node;
    const all = [...this.members.keys()];
    const voters = isJointConsensus(config) ? config.newVoters : config.voters;
    const id = random.pick(all) ?? '';
    const proposal = this.nextCommand++;
    if (!voters.includes(id) && random.chance(0.4)) {
      const nonVoters = config.nonVoters.includes(id)
        ? config.nonVoters.filter((each) => each !== id)
        : [...config.nonVoters, id];
      const changed = { ...config, nonVoters };
      this.put(member, { type: 'configProposed', proposal, config: changed });
      return;
    }
    const second = random.pick(all) ?? '';
    const adding = [id, second].filter((each) => !voters.includes(each));
    const removing = [id, second].filter((each) => voters.includes(each));
    const changed = toJointConsensus(config, adding, removing);
    this.put(member, { type: 'configProposed', proposal, config: changed });
  }

  /** A node takes something in, and at times its actions are taken later, together with others'. */
  private put(member: Member, input: Input<string, State>): void {
    const { node, id } = member;
    if (node === null) return;
    this.note(`${id} ← ${textOf(input)}`);
    const before: string = node.role;
    node.handle(input);
    if (before !== node.role && node.role === 'leader') this.counts.elections += 1;
    this.witness.check(member);
    const waiting = (this.waiting.get(id) ?? 0) + 1;
    this.waiting.set(id, waiting);
    if (waiting < this.options.batch && this.random.chance(0.7)) return;
    this.waiting.set(id, 0);
    this.take(member);
  }

  private take(member: Member): void {
    const { node } = member;
    if (node === null) return;
    do {
      const actions = node.take();
      for (const action of actions) this.act(member, freeze(action));
    } while (node.isMoreDue);
    this.witness.check(member);
  }

  private act(member: Member, action: Action<string, State>): void {
    const { id, disk } = member;
    switch (action.type) {
      case 'setElectionTimeout':
        this.setTimer(id, action.role === 'leader');
        return;
      case 'persist':
        disk.writes.push(action);
        return;
      case 'sendMessage':
        this.send(member, action.to, action.message);
        return;
      case 'broadcastMessage':
        for (const to of action.to) this.send(member, to, action.message);
        return;
      case 'installSnapshot':
        this.install(id, action.to, action.term, action.snapshot);
        return;
      case 'restore':
        this.restore(member, action.snapshot);
        return;
      case 'apply':
        this.apply(member, action);
        return;
      case 'configChanged':
        this.counts.changes += 1;
        return;
      case 'accepted':
        this.accepted.set(`${id}/${action.firstPosition.index}`, `${action.firstPosition.term}`);
        return;
      case 'readReady':
        for (const reads of action.reads) this.answerRead(member, reads, action.index);
        return;
      default:
        return;
    }
  }

  private send(member: Member, to: string, message: Message<string>): void {
    this.witness.onSent(member, to, message);
    this.packets.push({ from: member.id, to, input: { type: 'received', message } });
    if (this.packets.length <= 200) return;
    const lost = this.packets.findIndex((each) => each.input.type === 'received');
    this.packets.splice(lost, 1);
  }

  private install(from: string, to: string, term: number, snapshot: Snapshot<State>): void {
    this.counts.installs += 1;
    this.packets.push({ from, to, input: { type: 'snapshotReceived', from, term, snapshot } });
    this.packets.push({ from, to: from, input: { type: 'snapshotSent', to } });
  }

  private restore(member: Member, snapshot: Snapshot<State>): void {
    const { index } = snapshot.position;
    if (index < member.appliedIndex) throw new Breach(`(5) the machine of ${member.id} went back`);
    member.applied = [...snapshot.data];
    member.appliedIndex = index;
    if (snapshot.data.length !== index) throw new Breach(`a snapshot of ${index} is not whole`);
  }

  private apply(member: Member, action: Extract<Action<string, State>, { type: 'apply' }>): void {
    this.witness.onApplied(member, action);
    for (const { position, entry } of positionedEntries(action.entries)) {
      member.applied.push(entry.type === 'command' ? entry.command : `(${entry.type})`);
      member.appliedIndex = position.index;
      this.counts.commits += 1;
      const key = `${member.id}/${position.index}`;
      if (this.accepted.get(key) === `${position.term}`) {
        this.acknowledgedIndex = Math.max(this.acknowledgedIndex, position.index);
      }
      this.accepted.delete(key);
    }
  }

  private answerRead(member: Member, reads: number, index: number): void {
    const floor = this.readFloors.get(`${member.id}/${reads}`);
    this.counts.reads += 1;
    if (floor === undefined) throw new Breach(`a read of ${member.id} that nobody asked for`);
    this.readFloors.delete(`${member.id}/${reads}`);
    if (member.appliedIndex < index || index < floor) {
      throw new Breach(`a stale read of ${member.id}: ${index}, where ${floor} was acknowledged`);
    }
  }

  private setTimer(id: string, isLeader: boolean): void {
    const wait = isLeader ? 10 : 50 + this.random.below(50);
    this.deadlines.set(id, { minimum: isLeader ? Infinity : this.now + 50, at: this.now + wait });
  }

  /**
   * The world heals: no loss, quick disks, timers that keep time. Within 40 election timeouts there
   * are one leader, a commit of a new command, and convergence of all its members.
   */
  heal(): void {
    this.cut.clear();
    for (const member of this.members.values()) if (member.node === null) this.start(member.id);
    for (const member of this.members.values()) this.take(member);
    for (const id of this.members.keys()) if (!this.deadlines.has(id)) this.setTimer(id, false);
    let proposed: string | null = null;
    for (const end = this.now + 4000; this.now < end;) {
      this.settle();
      const leader = this.leader();
      if (proposed === null && leader !== null) {
        const command = this.command();
        leader.node?.handle({
          type: 'proposed',
          proposal: this.nextCommand++,
          commands: [command],
        });
        this.take(leader);
        proposed = command;
      } else if (proposed !== null && leader !== null && this.hasConverged(leader, proposed)) {
        return;
      } else if (leader?.appliedIndex === leader?.node?.log.lastPosition.index) {
        // It was refused, or lost with an older leader.
        if (leader?.applied.includes(proposed ?? '') === false) proposed = null;
      }
      this.tick();
    }
    throw new Breach(`no convergence: ${this.describe()}`);
  }

  private leader(): Member | null {
    const leaders = [...this.members.values()].filter((each) => each.node?.role === 'leader');
    leaders.sort((a, b) => (b.node?.currentTerm ?? 0) - (a.node?.currentTerm ?? 0));
    return leaders[0] ?? null;
  }

  private hasConverged(leader: Member, command: string): boolean {
    const { node } = leader;
    if (node === null || isJointConsensus(node.config) || !leader.applied.includes(command)) {
      return false;
    }
    return uniqueNodes(node.config).every((id) => {
      const { node: other, applied } = this.member(id);
      const caughtUp = applied.length === leader.applied.length;
      return other !== null && caughtUp && other.currentTerm === node.currentTerm;
    });
  }

  /** All that is under way arrives. */
  private settle(): void {
    for (let count = 0; count < 5000; count += 1) {
      const packet = this.packets.shift();
      if (packet !== undefined) this.put(this.member(packet.to), packet.input);
      let wrote = false;
      for (const member of this.members.values()) {
        this.take(member);
        if (member.disk.writes.length > 0) wrote = this.write(member) || wrote;
      }
      if (packet === undefined && !wrote) return;
    }
    throw new Breach(`no rest: ${this.describe()}`);
  }

  /** The next timer goes off. */
  private tick(): void {
    const next = Math.min(
      ...[...this.deadlines.values()].map(({ minimum, at }) => Math.min(minimum, at)),
    );
    this.now = Math.max(this.now, next);
    for (const [id, deadline] of this.deadlines) {
      const member = this.member(id);
      if (deadline.minimum <= this.now) {
        deadline.minimum = Infinity;
        this.put(member, { type: 'minimumElapsed' });
        this.take(member);
      } else if (deadline.at <= this.now) {
        this.deadlines.delete(id);
        this.put(member, { type: 'timedOut' });
        this.take(member);
        return;
      }
    }
  }

  describe(): string {
    return [...this.members.values()]
      .map(({ id, node, appliedIndex }) =>
        node === null
          ? `${id} down`
          : `${id} ${node.role} t${node.currentTerm} c${node.commitIndex} a${appliedIndex} ` +
            `l${node.log.lastPosition.index} ${JSON.stringify(node.config)}`,
      )
      .join('; ');
  }

  private note(note: Note): void {
    this.notes.push(note);
    if (this.notes.length > 60) this.notes.shift();
  }
}

function textOf(input: Input<string, State>): string {
  if (input.type !== 'received') return JSON.stringify(input);
  const { message } = input;
  if (message.type !== 'appendEntriesCall') return JSON.stringify(message);
  const { entries, ...rest } = message;
  const { prevPosition, length, terms } = entries;
  return JSON.stringify({ ...rest, prevPosition, length, terms });
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
  return value;
}
