/** What goes wrong at some moment, and for how long: event after event, each with its own name. */
import { isVoter } from '../../../lib/index.js';
import type { Replicated } from './application.js';
import type { Clients, SimulatedMember } from './clients.js';
import { changedConfig } from './changed-config.js';
import { describeConfig } from './describe.js';
import type { SimulatedNetwork } from './network.js';
import type { EventKind } from './profile.js';
import { Random } from './random.js';
import { chances, type World } from './world.js';

export class Nemesis<State, Command, Result> {
  private partitions = 0;

  constructor(
    private readonly world: World,
    private readonly members: ReadonlyMap<string, SimulatedMember<State, Command>>,
    private readonly network: SimulatedNetwork,
    private readonly clients: Clients<State, Command>,
    private readonly replicated: Replicated<State, Command, Result>,
  ) {}

  start(): void {
    const { profile, seed, time } = this.world;
    if (profile.events.length > 0) this.goOn(1);
    if (!profile.events.includes('timeout')) return;
    // The first election need not be waited for.
    const first = Random.of(seed, chances.event, 0).pick([...this.members.values()]);
    time.after(profile.writeMs, () => first?.running?.tell({ type: 'timedOut' }));
  }

  private goOn(number: number): void {
    const { time, seed, profile, decisions } = this.world;
    const random = Random.of(seed, chances.event, number);
    time.after(random.next() * 2 * profile.eventGapMs, () => {
      if (decisions.healed) return;
      const kind = random.pick(profile.events);
      const member = this.victim(random);
      if (kind !== undefined && member !== undefined) {
        const isPossible = this.isPossible(kind, member);
        if (isPossible && decisions.happens(kind, 'event', number, 2, random)) {
          this.cause(kind, member, random);
        }
      }
      this.goOn(number + 1);
    });
  }

  /** Anyone, and often a leader: there most can go wrong. */
  private victim(random: Random): SimulatedMember<State, Command> | undefined {
    const any = random.pick([...this.members.values()]);
    const leader = this.leader(random);
    return leader !== null && random.chance(0.4) ? this.members.get(leader) : any;
  }

  private leader(random: Random): string | null {
    return random.pick(this.world.witness.leaders)?.id ?? null;
  }

  private isPossible(kind: EventKind, { running, time }: SimulatedMember<State, Command>): boolean {
    if (kind === 'partition' || kind === 'one-way' || kind === 'partial') return true;
    return running !== null && (kind !== 'pause' || !time.isPaused);
  }

  /** From a moment to several election timeouts. */
  private lasting(random: Random): number {
    const { minimum, spread } = this.world.profile.electionTimeoutMs;
    return random.next() * random.oneOf(0.5, 1.5, 4) * (minimum + spread);
  }

  private cause(kind: EventKind, member: SimulatedMember<State, Command>, random: Random): void {
    switch (kind) {
      case 'partition':
      case 'one-way':
      case 'partial':
        this.part(kind, member, random);
        return;
      case 'pause':
        this.pause(member, random);
        return;
      case 'crash':
        this.crash(member, random);
        return;
      case 'power-loss':
        for (const each of this.members.values()) {
          if (each !== member && random.chance(0.3)) continue;
          each.crash();
          this.restart(each, random);
        }
        return;
      case 'stop':
        this.note(member.id, 'x', 'is stopped');
        member.time.resume();
        member.stop();
        this.restart(member, random);
        return;
      case 'clock':
        member.time.setRate(random.oneOf(0.3, 0.7, 1, 1.5, 3));
        this.note(member.id, '~', 'has a clock of another rate');
        return;
      case 'timeout':
        this.timeOut(member, random);
        return;
      case 'stalled-disk':
        member.stalledUntilMs = this.world.time.now + this.lasting(random);
        this.note(member.id, '#', 'writes nothing for a while');
        return;
      case 'membership':
        this.change(member, random);
        return;
      case 'snapshot':
        this.snapshot(member, random);
        return;
      case 'burst':
        this.note(member.id, 'b', 'is asked much at once');
        this.clients.burst(this.leader(random) ?? member.id, random.between(2, 10), random);
        return;
    }
  }

  /** Ways are cut: between two halves, from one of them to the other, or here and there. */
  private part(
    kind: 'partition' | 'one-way' | 'partial',
    member: SimulatedMember<State, Command>,
    random: Random,
  ): void {
    const { cut } = this.network;
    cut.clear();
    const ids = [...this.members.keys()];
    const inside = new Set(ids.filter((id) => id === member.id || random.chance(0.25)));
    for (const from of ids) {
      for (const to of ids) {
        const isCut =
          kind === 'partial'
            ? from < to && random.chance(0.35)
            : inside.has(from) && !inside.has(to);
        if (!isCut) continue;
        cut.add(`${from}>${to}`);
        if (kind !== 'one-way') cut.add(`${to}>${from}`);
      }
    }
    const cuts = [...cut];
    this.world.history.add(null, '/', () => `nothing passes ${cuts.join(' ')}`);
    if (random.chance(0.5)) this.usurp(inside, random);
    const partition = (this.partitions += 1);
    this.world.time.after(this.lasting(random), () => {
      if (this.world.decisions.healed || partition !== this.partitions) return;
      cut.clear();
      this.note(null, '=', 'everything passes');
    });
  }

  /** Some have forgotten their leader, and one of them asks for votes. */
  private timeOut(member: SimulatedMember<State, Command>, random: Random): void {
    for (const each of this.members.values()) {
      if (each === member || random.chance(0.5)) this.tell(each, 'minimumElapsed');
    }
    this.tell(member, 'timedOut');
  }

  /** Those outside do not wait until they miss the others: soon there are two leaders. */
  private usurp(away: ReadonlySet<string>, random: Random): void {
    if (!this.world.profile.events.includes('timeout')) return;
    const others = [...this.members.values()].filter(({ id }) => !away.has(id));
    for (const other of others) this.tell(other, 'minimumElapsed');
    const { views } = this.world.witness;
    const isVoting = (id: string): boolean => {
      const config = views.get(id)?.log.latestConfig ?? null;
      return config !== null && isVoter(config, id);
    };
    const usurper = random.pick(others.filter(({ id, running }) => running && isVoting(id)));
    if (usurper === undefined) return;
    this.tell(usurper, 'timedOut');
    const { time, profile } = this.world;
    for (let count = 1; count <= 6; count += 1) {
      time.after(count * profile.heartbeatMs, () => this.clients.straddle(random));
    }
  }

  private tell(member: SimulatedMember<State, Command>, type: 'minimumElapsed' | 'timedOut'): void {
    member.time.enter(() => member.running?.tell({ type }));
  }

  private pause(member: SimulatedMember<State, Command>, random: Random): void {
    member.time.pause();
    this.note(member.id, 'Z', 'stands still');
    if (random.chance(0.5)) this.usurp(new Set([member.id]), random);
    this.world.time.after(this.lasting(random), () => {
      if (!member.time.isPaused) return;
      this.note(member.id, 'z', 'goes on');
      member.time.resume();
      // Before it has heard of anything that happened meanwhile (E6).
      this.clients.burst(member.id, random.below(3), random);
    });
  }

  /** Now, or between two actions of a turn, or between a write and its acknowledgement. */
  private crash(member: SimulatedMember<State, Command>, random: Random): void {
    const when = random.oneOf('now', 'action', 'write');
    if (when === 'now') member.crash();
    else if (when === 'action') member.crashAfter(random.between(1, 6));
    else member.crashInWrite(random.next());
    this.restart(member, random);
  }

  private restart(member: SimulatedMember<State, Command>, random: Random): void {
    this.world.time.after(this.lasting(random), () => {
      if (this.world.decisions.healed) return;
      // An orderly stop that takes too long, or a crash that has not come yet.
      member.crash();
      this.note(member.id, 'R', 'starts again');
      member.start();
    });
  }

  /** Whoever takes itself for the leader is asked for other members. */
  private change({ id }: SimulatedMember<State, Command>, random: Random): void {
    const leader = random.pick(this.world.witness.leaders);
    const config = leader?.log.latestConfig ?? null;
    if (leader === undefined || config === null) return;
    const second = random.chance(0.3) ? leader.id : (random.pick([...this.members.keys()]) ?? id);
    const changed = changedConfig(config, id, second, random);
    this.note(leader.id, 'm', `is asked for the members ${describeConfig(changed)}`);
    this.clients.change(leader.id, changed);
  }

  /** A snapshot of the machine as it is now, which is ready somewhat later. */
  private snapshot(member: SimulatedMember<State, Command>, random: Random): void {
    const { running } = member;
    if (running === null || running.machine.appliedIndex === 0) return;
    const index = running.machine.appliedIndex;
    const data = this.replicated.save(running.machine.state);
    const { heartbeatMs } = this.world.profile;
    this.world.time.after(random.next() * random.oneOf(0, 1, 8) * heartbeatMs, () => {
      if (member.running !== running) return;
      member.time.enter(() => running.tell({ type: 'snapshotTaken', index, data }));
    });
  }

  private note(node: string | null, mark: string, text: string): void {
    this.world.history.add(node, mark, () => text);
  }
}
