/**
 * One node of a simulated cluster, through all its lives: the real core, circle, machine and clock.
 */
import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { map, Observable, pipe, Subject, Subscription, takeUntil } from 'rxjs';
import type { RaftConfig, Recovered, Snapshot } from '../../../lib/index.js';
import { loop } from '../../../lib/index.js';
import type { MachineInput } from '../../../lib/input.js';
import { clock } from '../../clock.js';
import type { Machine } from '../../machine.js';
import type { Store } from '../../storage.js';
import { markOfAction, markOfInput } from './describe.js';
import type { StorePlace } from './disk.js';
import type { SimulatedNetwork } from './network.js';
import { NodeTime } from './node-time.js';
import { Random } from './random.js';
import type { SimulatedAction, SimulatedInput } from './witness.js';
import { chances, type World } from './world.js';

export type Core = (
  config: RaftConfig<Uint8Array, Uint8Array>,
  turn: SchedulerLike | undefined,
) => OperatorFunction<SimulatedInput, SimulatedAction>;

/** The parts of a node that the user may bring. */
export interface Parts<State, Command, Result> {
  readonly core: Core;
  /** Opened anew for each run. A crash unsubscribes from the one before. */
  readonly openStore: (place: StorePlace) => Store<Uint8Array, Uint8Array>;
  readonly machine: (
    id: string,
    turn: SchedulerLike | undefined,
  ) => Machine<State, Command, Result, Uint8Array, Uint8Array>;
  /** A machine is about to go on from a snapshot. */
  readonly onRestore: (id: string, snapshot: Snapshot<Uint8Array>) => void;
  readonly initialVoters: readonly string[];
}

export interface Running<State, Command, Result> {
  readonly machine: Machine<State, Command, Result, Uint8Array, Uint8Array>;
  /** To unsubscribe is to crash. */
  readonly life: Subscription;
  readonly stop$: Subject<void>;
  /** What no adapter says: of a clock that is wrong, of a snapshot at an odd moment. */
  tell: (input: ToldInput) => void;
}

export type ToldInput = Extract<
  SimulatedInput,
  { type: 'minimumElapsed' | 'timedOut' | 'snapshotTaken' }
>;

const nobodyHears = (): void => undefined;

export class Member<State, Command, Result> {
  readonly time: NodeTime;
  running: Running<State, Command, Result> | null = null;
  isStopping = false;
  private isNew = true;
  /** Until then no write ends that is asked for now. */
  stalledUntilMs = 0;
  /** A crash in the midst of a turn: so many actions are still done. */
  private actionsLeft = Infinity;
  /** A crash in the midst of the next write: after this part of its time. */
  private partOfWrite: number | null = null;
  private readonly random: Random;
  // What is the same in every life.
  private readonly config: Omit<RaftConfig<Uint8Array, Uint8Array>, keyof Recovered>;
  private readonly clock: ReturnType<typeof clock>;
  private readonly place: Omit<StorePlace, 'isNew'>;

  constructor(
    readonly id: string,
    number: number,
    private readonly world: World,
    private readonly network: SimulatedNetwork,
    private readonly parts: Parts<State, Command, Result>,
  ) {
    this.time = new NodeTime(world.time);
    this.random = Random.of(world.seed, chances.node, number);
    const { profile } = world;
    const { limits, announceCommits, heartbeatMs, electionTimeoutMs } = profile;
    const isVoter = !profile.created && parts.initialVoters.includes(id);
    const sizeOf = (block: Uint8Array): number => block.length;
    const fixed = { id, limits, announceCommits, sizeOf };
    this.config = isVoter ? { ...fixed, initialVoters: parts.initialVoters } : fixed;
    const random = (): number => this.random.next();
    this.clock = clock({ heartbeatMs, electionTimeoutMs, random, scheduler: this.time });
    this.place = this.storePlace();
    if (!profile.driftingClocks) return;
    this.time.setRate(this.random.oneOf(0.5, 0.8, 1, 1.3, 2));
  }

  start(): void {
    if (this.running !== null) return;
    const { id, parts, time, world } = this;
    const { profile, witness } = world;
    const turn = profile.turns ? time : undefined;
    const store = parts.openStore({ ...this.place, isNew: this.isNew });
    this.isNew = false;
    witness.onStart(id, store.recovered);
    const machine = parts.machine(id, turn);
    const [life, stop$] = [new Subscription(), new Subject<void>()];
    const running: Running<State, Command, Result> = { machine, life, stop$, tell: nobodyHears };
    this.running = running;
    this.isStopping = false;
    const core = parts.core({ ...this.config, ...store.recovered }, turn);
    // As `tap` does it, and cheaper: everything comes by here.
    const observed = pipe(
      map((input: SimulatedInput) => this.onInput(input)),
      takeUntil(stop$),
      core,
      map((action) => this.onAction(action)),
    );
    const life$ = loop<Uint8Array, Uint8Array>(observed, {
      clock: this.clock,
      storage: store.storage,
      network: this.network.adapter(id, (work) => time.enter(work)),
      machine: (action$) =>
        new Observable((subscriber) => {
          running.tell = (input) => subscriber.next(input as MachineInput<Uint8Array, Uint8Array>);
          return machine.adapter(action$).subscribe(subscriber);
        }),
    });
    life.add(
      life$.subscribe({
        next: () => this.onDone(),
        error: (error: unknown) => this.world.fail(`${id} died: ${String(error)}`),
        complete: () => this.onEnd(),
      }),
    );
  }

  /** The disk. */
  private storePlace(): Omit<StorePlace, 'isNew'> {
    const { id, random, time, world } = this;
    const { profile, decisions } = world;
    const writeMs = (): number => {
      const ms = durationMs();
      if (this.partOfWrite !== null) this.crashSoon(ms * this.partOfWrite);
      this.partOfWrite = null;
      return ms;
    };
    const durationMs = (): number => {
      if (decisions.healed) return 1;
      const stalledMs = this.stalledUntilMs - world.time.now;
      if (stalledMs > 0) return stalledMs;
      const quick = random.next() * profile.writeMs;
      const slow = random.next() * profile.slowWriteMs;
      const isSlow = decisions.happens('slow-disk', id, world.time.now, profile.slowWrite, random);
      return isSlow ? slow : quick;
    };
    const survivors = (count: number): number => random.below(count + 1);
    const torn = (bytes: Uint8Array): Uint8Array | null => {
      const { now } = world.time;
      if (!decisions.happens('torn-write', id, now, profile.tornWrite, random)) return null;
      const from = random.below(bytes.length);
      if (random.chance(0.5)) return bytes.slice(0, from);
      return bytes.map((byte, at) => (at >= from && at < from + 16 ? 0 : byte));
    };
    const writes = { writeMs: profile.instantDisk ? null : writeMs, survivors, torn };
    return { id, scheduler: time, ...writes };
  }

  private crashSoon(ms: number): void {
    const { running, world } = this;
    world.time.after(ms, () => {
      if (this.running === running && !world.decisions.healed) this.crash();
    });
  }

  private onInput(input: SimulatedInput): SimulatedInput {
    const { id, world } = this;
    world.witness.onInput(id, input);
    const mark = markOfInput(input);
    if (mark !== null) world.history.add(id, mark[0], mark[1]);
    return input;
  }

  private onAction(action: SimulatedAction): SimulatedAction {
    const { id, world } = this;
    world.witness.onAction(id, action);
    const mark = markOfAction(action);
    if (mark !== null) world.history.add(id, mark[0], mark[1]);
    if (action.type === 'persist') world.history.digest.add(action.sequence);
    if (action.type === 'restore') this.parts.onRestore(id, action.snapshot);
    return action;
  }

  /** An action is with its device. */
  private onDone(): void {
    this.actionsLeft -= 1;
    if (this.actionsLeft === 0) this.crash();
  }

  /** Dies now. */
  crash(): void {
    const { running } = this;
    if (running === null) return;
    this.onEnd();
    running.life.unsubscribe();
  }

  /** Dies after so many actions more. */
  crashAfter(actions: number): void {
    if (this.running !== null) this.actionsLeft = actions;
  }

  /** Dies between the issue of the next write and its acknowledgement, after a part of its time. */
  crashInWrite(part: number): void {
    if (this.running !== null) this.partOfWrite = part;
  }

  /** A crash that has not come yet does not come. */
  spare(): void {
    this.actionsLeft = Infinity;
    this.partOfWrite = null;
  }

  /** An orderly stop: what was asked for is finished first. */
  stop(): void {
    if (this.running === null) return;
    this.isStopping = true;
    this.running.stop$.next();
  }

  private onEnd(): void {
    const { id, time, world } = this;
    this.running = null;
    this.spare();
    time.end();
    world.witness.onEnd(id);
    world.history.add(id, 'X', () => 'is down');
  }
}
