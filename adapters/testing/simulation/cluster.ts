/** A whole simulated cluster, from the first node's start to the last one's end. */
import type { SchedulerLike } from 'rxjs';
import { raft } from '../../../lib/index.js';
import type { Store } from '../../storage.js';
import type { Application } from './application.js';
import { Replicated } from './application.js';
import type { SimulatedMember } from './clients.js';
import { Clients } from './clients.js';
import type { StorePlace } from './disk.js';
import { Disk, diskStore } from './disk.js';
import type { FaultKind } from './faults.js';
import { Decisions } from './faults.js';
import { Healing } from './healing.js';
import { History } from './history.js';
import { Ledger } from './ledger.js';
import type { Core } from './member.js';
import { Member } from './member.js';
import { Nemesis } from './nemesis.js';
import { SimulatedNetwork } from './network.js';
import { profileOf } from './profile.js';
import { VirtualTime } from './virtual-time.js';
import { Witness } from './witness.js';
import type { World } from './world.js';

export interface ClusterPlan<State, Command, Result> {
  readonly seed: number;
  /** Voters at first. Two more nodes wait to be added. */
  readonly nodes: number;
  readonly steps: number;
  readonly faults: readonly FaultKind[];
  /** Names of decisions that are not taken: see `Decisions`. */
  readonly without: readonly string[];
  /** Is its history told if it breaks a rule? */
  readonly hasWords: boolean;
  readonly application: Application<State, Command, Result>;
  readonly core: Core | null;
  readonly openStore: ((place: StorePlace) => Store<Uint8Array, Uint8Array>) | null;
}

/** Steps that a healing world may take: more of them would be a storm. */
const longestHealing = 100_000;

export class SimulatedCluster<State, Command, Result> {
  readonly world: World;
  readonly network: SimulatedNetwork;
  readonly ledger: Ledger;
  /** The first rule that was broken. */
  broken: string | null = null;
  stepsTaken = 0;
  private readonly members = new Map<string, SimulatedMember<State, Command>>();
  private readonly all: readonly SimulatedMember<State, Command>[];
  private readonly clients: Clients<State, Command>;
  private readonly nemesis: Nemesis<State, Command, Result>;
  private readonly healing: Healing<State, Command>;
  private readonly disks = new Map<string, Disk>();
  private readonly voters: readonly string[];

  constructor(private readonly plan: ClusterPlan<State, Command, Result>) {
    const { seed, nodes, application } = plan;
    const ids = Array.from({ length: nodes + 2 }, (_, at) => `n${at + 1}`);
    this.voters = ids.slice(0, nodes);
    const time = new VirtualTime();
    const profile = profileOf(seed, plan.faults);
    const history = new History(time, plan.hasWords);
    const fail = (rule: string): void => {
      if (this.broken === null) history.add(null, '!', () => rule);
      this.broken ??= rule;
    };
    const decisions = new Decisions(plan.faults, plan.without, plan.hasWords);
    const witness = new Witness(ids, profile.limits, fail);
    this.world = { seed, profile, time, history, decisions, witness, fail };
    this.network = new SimulatedNetwork(this.world, ids);
    this.ledger = new Ledger(fail);
    const replicated = new Replicated(application, this.ledger, profile, fail);
    const parts = {
      core: plan.core ?? raft,
      openStore: plan.openStore ?? ((place: StorePlace) => this.openStore(place)),
      machine: (id: string, turn: SchedulerLike | undefined) => replicated.machine(id, turn),
      onRestore: (
        id: string,
        snapshot: { data: Uint8Array; position: { term: number; index: number } },
      ) => replicated.onRestore(id, snapshot.data, snapshot.position),
      initialVoters: this.voters,
    };
    ids.forEach((id, number) => {
      this.members.set(id, new Member(id, number, this.world, this.network, parts));
    });
    this.all = [...this.members.values()];
    const { world, members, network, ledger } = this;
    this.clients = new Clients(world, members, ledger, application.command);
    this.nemesis = new Nemesis(world, members, network, this.clients, replicated);
    const first = { voters: this.voters, creator: ids[0] ?? '' };
    this.healing = new Healing(
      ...([world, members, network, this.clients, ledger, application.command, first] as const),
    );
  }

  private openStore(place: StorePlace): Store<Uint8Array, Uint8Array> {
    const disk = this.disks.get(place.id) ?? new Disk();
    this.disks.set(place.id, disk);
    return diskStore(disk, place);
  }

  /** Both phases. Ends early when a rule is broken. */
  async run(): Promise<void> {
    const { healing, world, plan } = this;
    for (const member of this.all) member.start();
    if (world.profile.created) this.create();
    this.clients.start();
    this.nemesis.start();
    this.settle();
    await this.goOn(() => this.stepsTaken >= plan.steps);
    if (this.broken === null) {
      healing.start();
      this.settle();
      const end = this.stepsTaken + longestHealing;
      await this.goOn(() => healing.isDone || this.stepsTaken >= end);
      if (!healing.isDone) world.fail('(L) the cluster finds no rest');
    }
    await this.end();
  }

  private create(): void {
    const { time, decisions, profile } = this.world;
    const creator = this.voters[0] ?? '';
    const again = (): void => {
      if (decisions.healed || this.world.witness.view(creator).log.latestConfig !== null) return;
      this.clients.change(creator, { voters: this.voters, newVoters: [], nonVoters: [] }, true);
      time.after(profile.heartbeatMs, again);
    };
    time.after(profile.writeMs, again);
  }

  /** Event after event, until it is enough, or a rule is broken, or nothing is due any more. */
  private async goOn(isEnough: () => boolean): Promise<void> {
    const { core, openStore } = this.plan;
    const isForeign = core !== null || openStore !== null;
    while (!isEnough() && this.step()) {
      // Promises, of clients and of what is the user's own, come before anything else happens.
      if (isForeign || this.ledger.isOpen) await Promise.resolve();
      this.settle();
      if (this.broken !== null) return;
    }
  }

  /** One event, with everything that follows from it at once. False when none is due. */
  private step(): boolean {
    try {
      if (!this.world.time.step()) return false;
    } catch (error) {
      this.world.fail(`(T) an event ends with ${String(error)}`);
    }
    this.stepsTaken += 1;
    return true;
  }

  /** "Afterwards nothing of the node is left" (law 8), among other things. */
  private settle(): void {
    this.world.witness.settle();
    for (const member of this.all) {
      if (member.running !== null || member.time.waiting === 0) continue;
      this.world.fail(`(T) ${member.id} has ended, and its timers go on`);
    }
  }

  /** All nodes go down, and everyone who waits is told. */
  private async end(): Promise<void> {
    for (const member of this.all) {
      try {
        member.crash();
      } catch (error) {
        this.world.fail(`(T) ${member.id} ends with ${String(error)}`);
      }
    }
    await Promise.resolve();
    const open = this.ledger.openOperations.map(({ id }) => id);
    if (open.length > 0) this.world.fail(`(E4) operations ${open.join()} outlive their node`);
  }
}
