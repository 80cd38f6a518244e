/**
 * The second phase of a run: the faults end for a majority, and the cluster must live. The others
 * are down, cut off, or deaf: they hear nobody and are heard.
 */
import type { ClusterConfig } from '../../../lib/index.js';
import { noCluster } from '../../../lib/cluster-config.js';
import { isJointConsensus, isMember, uniqueNodes } from '../../../lib/index.js';
import { checkEqual } from '../check.js';
import type { Clients, SimulatedMember } from './clients.js';
import { isQuorum } from './commit-witness.js';
import type { Ledger } from './ledger.js';
import type { SimulatedNetwork } from './network.js';
import type { NodeView } from './node-view.js';
import { Random } from './random.js';
import { chances, type World } from './world.js';

/** Election timeouts within which a healed cluster must have done everything. */
const patience = 40;

export class Healing<State, Command> {
  private readonly random: Random;
  private healed: readonly string[] = [];
  private isWritten = false;
  private isWriting = false;
  isDone = false;

  constructor(
    private readonly world: World,
    private readonly members: ReadonlyMap<string, SimulatedMember<State, Command>>,
    private readonly network: SimulatedNetwork,
    private readonly clients: Clients<State, Command>,
    private readonly ledger: Ledger,
    private readonly command: (random: Random, number: number) => Command,
    private readonly first: { readonly voters: readonly string[]; readonly creator: string },
  ) {
    this.random = Random.of(world.seed, chances.heal);
  }

  start(): void {
    const { world, network, members } = this;
    const { electionTimeoutMs, heartbeatMs } = world.profile;
    world.decisions.healed = true;
    this.healed = this.choose();
    network.cut.clear();
    const sick = [...members.values()].filter(({ id }) => !this.healed.includes(id));
    world.history.add(null, '+', () => `the world heals for ${this.healed.join()}`);
    for (const member of sick) this.leave(member);
    for (const id of this.healed) this.heal(id);
    const { minimum, spread } = electionTimeoutMs;
    const endsAt = world.time.now + patience * (minimum + spread) + 15 * heartbeatMs;
    this.look(endsAt);
  }

  /** Enough for every configuration that may be in force, and now and then no more than that. */
  private choose(): string[] {
    const { random } = this;
    let chosen = [...this.members.keys()];
    if (random.chance(0.4)) return chosen;
    const configs = this.configsInForce();
    if (configs.length === 0) return chosen;
    for (const id of [...chosen]) {
      const fewer = chosen.filter((each) => each !== id);
      const isEnough = configs.every((config) => isQuorum(config, (each) => fewer.includes(each)));
      if (isEnough && random.chance(0.4)) chosen = fewer;
    }
    return chosen;
  }

  private configsInForce(): ClusterConfig[] {
    const { commits, views } = this.world.witness;
    const { index, config } = commits.latestConfig;
    // What only the creator of the cluster has may still be on no other disk.
    if (config === null) return [];
    const newer = [...views.values()].flatMap(({ log, disk }) => [
      ...log.configsAfter(index),
      ...disk.log.configsAfter(index),
    ]);
    return [config, ...newer, ...this.clients.openChanges];
  }

  private leave(member: SimulatedMember<State, Command>): void {
    const { cut } = this.network;
    const way = this.random.oneOf('down', 'cut off', 'deaf');
    this.world.history.add(member.id, '-', () => `stays ${way}`);
    member.time.setRate(1);
    member.time.resume();
    if (way === 'down') member.crash();
    else member.start();
    for (const id of this.members.keys()) {
      if (way !== 'deaf') cut.add(`${member.id}>${id}`);
      cut.add(`${id}>${member.id}`);
    }
  }

  private heal(id: string): void {
    const member = this.members.get(id);
    if (member === undefined) return;
    member.spare();
    member.stalledUntilMs = 0;
    member.time.setRate(0.95 + this.random.next() / 10);
    member.time.resume();
    if (member.isStopping) member.crash();
    member.start();
  }

  /** Looks after it again and again: it is done, or asked for more, or it took too long. */
  private look(endsAt: number): void {
    const { world } = this;
    const leader = this.leader();
    if (leader === null) this.create();
    else if (!this.isWritten) this.write(leader.id);
    if (leader !== null && this.hasConverged(leader)) {
      this.isDone = true;
    } else if (world.time.now > endsAt) {
      world.fail(`(L) ${this.complaint(leader)}`);
    } else {
      world.time.after(world.profile.heartbeatMs, () => this.look(endsAt));
    }
  }

  private leader(): NodeView | null {
    const { leaders } = this.world.witness;
    return leaders.filter(({ id }) => this.healed.includes(id)).at(-1) ?? null;
  }

  /** The word that makes the cluster may have been lost with its first node. */
  private create(): void {
    const { creator, voters } = this.first;
    if (!this.world.profile.created) return;
    if (this.world.witness.view(creator).log.latestConfig !== null) return;
    this.clients.change(creator, { voters, newVoters: [], nonVoters: [] }, true);
  }

  private write(id: string): void {
    const machine = this.members.get(id)?.running?.machine;
    if (machine === undefined || this.isWriting) return;
    this.isWriting = true;
    this.clients.write(id, machine, this.command(this.random, 0), (error) => {
      this.isWriting = false;
      this.isWritten = error === null;
    });
  }

  private hasConverged(leader: NodeView): boolean {
    const config = leader.log.latestConfig;
    if (!this.isWritten || config === null || isJointConsensus(config)) return false;
    if (this.openIds(leader).length > 0) return false;
    const followers = uniqueNodes(config).filter((id) => this.healed.includes(id));
    const states = followers.map((id) => this.members.get(id)?.running?.machine);
    const isEverywhere = followers.every((id, at) => {
      const view = this.world.witness.view(id);
      const isAsFar = states[at]?.appliedIndex === leader.log.lastIndex;
      return view.isUp && view.term === leader.term && isAsFar;
    });
    if (!isEverywhere) return false;
    for (const machine of states) {
      if (machine?.state.count === this.ledger.applied) {
        this.compare(states[0]?.state.inner, machine.state.inner);
      } else {
        this.world.fail('(4) machines that applied the whole log have not applied all commands');
      }
    }
    return true;
  }

  private compare(one: unknown, other: unknown): void {
    try {
      checkEqual(other, one, 'the states of two nodes differ: is the reducer pure?');
    } catch (error) {
      this.world.fail(`(4) ${String(error)}`);
    }
  }

  /**
   * Requests that should have ended. Who made a cluster that it left without having heard of it
   * waits until it is stopped.
   */
  private openIds({ log }: NodeView): number[] {
    const isMissed = (node: string): boolean =>
      !this.healed.includes(node) || !isMember(log.latestConfig ?? noCluster, node);
    return this.ledger.openOperations
      .filter(({ kind, node }) => kind !== 'create' || !isMissed(node))
      .map(({ id }) => id);
  }

  private complaint(leader: NodeView | null): string {
    if (leader === null) return 'no leader, though the world is healed';
    if (!this.isWritten) return 'no commit, though the world is healed';
    const open = this.openIds(leader);
    if (open.length > 0) return `operations ${open.join()} never end`;
    return `no convergence, though the world is healed: ${this.describe(leader)}`;
  }

  private describe({ id, term, log }: NodeView): string {
    const others = uniqueNodes(log.latestConfig ?? noCluster)
      .filter((each) => this.healed.includes(each) && each !== id)
      .map((each) => {
        const view = this.world.witness.view(each);
        const applied = this.members.get(each)?.running?.machine.appliedIndex ?? 'nothing';
        return `${each} has applied ${applied} in term ${view.term}`;
      });
    return [`leader ${id} has ${log.lastIndex} in term ${term}`, ...others].join(', ');
  }
}
