/**
 * A cluster that writes its trace: the real operator, circle and adapters, with memory for disks
 * and network, in virtual time. The same seed writes the same trace.
 */
import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { filter, finalize, map, pipe, Subscription, VirtualTimeScheduler } from 'rxjs';
import { clock } from '../../adapters/clock.js';
import { machine, type Machine } from '../../adapters/machine.js';
import type { MemoryNetworkOptions } from '../../adapters/memory-network.js';
import { duplication, latency, loss, memoryNetwork } from '../../adapters/memory-network.js';
import { MemoryDisk, memoryStore } from '../../adapters/memory-store.js';
import { traced } from '../../adapters/trace.js';
import type {
  Action,
  ClusterConfig,
  Limits,
  StorageAction,
  StorageInput,
} from '../../lib/index.js';
import { loop, raft, toJointConsensus } from '../../lib/index.js';
import { Random } from '../simulation/random.js';

type State = readonly string[];
type Block = readonly string[];
type List = Machine<State, string, number>;

export interface ClusterOptions {
  readonly seed?: number;
  /** They know of each other from the start. Default a, b, c. */
  readonly voters?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** Do the inputs of a moment of virtual time share a turn? */
  readonly turns?: boolean;
  readonly snapshotEvery?: number;
  /** Disks that say that they have written, and have not. */
  readonly lies?: boolean;
  /** False: the core without its observer. Default true. */
  readonly traced?: boolean;
  /** Probabilities. */
  readonly loss?: number;
  readonly duplication?: number;
  /** The longest time that a message, and a write, takes. */
  readonly latencyMs?: number;
  readonly writeMs?: number;
}

interface Running {
  readonly list: List;
  readonly subscription: Subscription;
  role: string;
  config: ClusterConfig | null;
}

export class TracedCluster {
  /** The trace of all nodes, in the order of their events. */
  readonly lines: string[] = [];
  readonly random: Random;
  /** What ended a node that nobody stopped. */
  readonly errors: unknown[] = [];
  /** All that the nodes wanted done, in order. */
  readonly actions: (readonly [string, Action<Block, State>])[] = [];
  private readonly time = new VirtualTimeScheduler();
  private readonly disks = new Map<string, MemoryDisk<Block, State>>();
  private readonly running = new Map<string, Running>();
  private readonly network;
  private away: readonly string[] = [];
  private command = 0;

  constructor(private readonly options: ClusterOptions = {}) {
    this.random = new Random(options.seed ?? 1);
    this.network = memoryNetwork<Block, State>({ link: this.link });
    for (const id of this.voters) this.start(id);
  }

  get voters(): readonly string[] {
    return this.options.voters ?? ['a', 'b', 'c'];
  }

  private readonly link: NonNullable<MemoryNetworkOptions<Block, State>['link']> = () => {
    const { options, time: scheduler } = this;
    const random = (): number => this.random.next();
    return pipe(
      loss(options.loss ?? 0, random),
      duplication(options.duplication ?? 0, random),
      latency({ minimumMs: 1, spreadMs: options.latencyMs ?? 0, random, scheduler }),
      filter(({ from, to }) => this.away.includes(from) === this.away.includes(to)),
    );
  };

  /** A pristine node, or one that comes back with its disk. */
  start(id: string): void {
    if (this.running.has(id)) return;
    const { time: scheduler } = this;
    const { turns = false, traced: isTraced = true, writeMs: longestMs = 1 } = this.options;
    const random = (): number => this.random.next();
    const disk = this.disks.get(id) ?? new MemoryDisk<Block, State>();
    this.disks.set(id, disk);
    const writeMs = (): number => 1 + Math.floor(random() * longestMs);
    const survivors = (count: number): number => this.random.below(count + 1);
    const store = memoryStore(disk, { writeMs, scheduler, survivors });
    const list: List = machine({
      reducer: (state: State, command: string) => ({
        state: [...state, command],
        result: state.length,
      }),
      initialState: [],
      snapshotEvery: { entries: this.options.snapshotEvery ?? Infinity, bytes: Infinity },
    });
    const config = {
      ...store.recovered,
      id,
      limits: { promotionLag: 5, ...this.options.limits },
      ...(this.voters.includes(id) ? { initialVoters: this.voters } : {}),
    };
    const turn: SchedulerLike | undefined = turns ? scheduler : undefined;
    const write = (line: string): number => this.lines.push(line);
    const options = isTraced ? { ...config, write } : null;
    const core = traced(raft<Block, State>(config, turn), options);
    const adapters = {
      clock: clock({ random, scheduler }),
      storage: this.options.lies === true ? lyingDisk : store.storage,
      network: this.network.node(id),
      machine: list.adapter,
    };
    const subscription = new Subscription();
    // It is there before it is subscribed: its first actions come from within.
    this.running.set(id, { list, subscription, role: 'follower', config: null });
    subscription.add(
      loop(core, adapters)
        .pipe(finalize(() => this.running.delete(id)))
        .subscribe({
          next: (action) => this.onAction(id, action),
          error: (error: unknown) => this.errors.push(error),
        }),
    );
  }

  private onAction(id: string, action: Action<Block, State>): void {
    this.actions.push([id, action]);
    const running = this.running.get(id);
    if (running === undefined) return;
    if (action.type === 'roleChanged') running.role = action.role;
    if (action.type === 'configChanged') running.config = action.config;
  }

  crash(id: string): void {
    this.running.get(id)?.subscription.unsubscribe();
    this.running.delete(id);
  }

  isUp(id: string): boolean {
    return this.running.has(id);
  }

  /** These nodes, and the others, hear only each other from now on. */
  isolate(...ids: readonly string[]): void {
    this.away = ids;
  }

  /** Lets so much time go by. */
  run(ms: number): void {
    this.time.maxFrames = this.time.frame + ms;
    this.time.flush();
    this.time.frame = this.time.maxFrames;
  }

  get leaders(): string[] {
    return [...this.running].filter(([, { role }]) => role === 'leader').map(([id]) => id);
  }

  /** The one leader, as soon as there is one. */
  leader(): string {
    for (let count = 0; count < 200; count += 1) {
      const [leader] = this.leaders;
      if (leader !== undefined && this.leaders.length === 1) return leader;
      this.run(50);
    }
    throw new Error('no leader in 10 seconds');
  }

  /** A command for this node, which may refuse it. */
  propose(id: string): void {
    const command = `command ${(this.command += 1)}`;
    this.running.get(id)?.list.dispatch(command).catch(ignore);
  }

  /** A new cluster, said to one pristine node. */
  create(id: string, voters: readonly string[]): void {
    this.running.get(id)?.list.createCluster(voters).catch(ignore);
  }

  /** Voters come and go; a node that is new is started first. */
  change(id: string, adding: readonly string[], removing: readonly string[]): void {
    for (const each of adding) this.start(each);
    const { list, config } = this.running.get(id) ?? {};
    if (list === undefined || !config) return;
    list.changeConfig(toJointConsensus(config, adding, removing)).catch(ignore);
  }

  listen(id: string, nonVoters: readonly string[]): void {
    for (const each of nonVoters) this.start(each);
    const { list, config } = this.running.get(id) ?? {};
    if (list === undefined || !config) return;
    list.changeConfig({ ...config, nonVoters }).catch(ignore);
  }

  applied(id: string): State {
    return this.running.get(id)?.list.state ?? [];
  }

  stop(): void {
    for (const id of [...this.running.keys()]) this.crash(id);
  }
}

const lyingDisk: OperatorFunction<StorageAction<Block, State>, StorageInput> = map(
  ({ sequence }) => ({ type: 'persisted', sequence }),
);

function ignore(): void {
  // What becomes of a request shows in the trace.
}
