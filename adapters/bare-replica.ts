/**
 * A replicated reducer without a disk, a network or a server of its own: bring them. It runs in
 * browsers and in tests as well. `rxraft/adapters/replica` is one that has them, for Node.
 */
import type { Observable } from 'rxjs';
import {
  BehaviorSubject,
  defer,
  distinctUntilChanged,
  endWith,
  firstValueFrom,
  ignoreElements,
  lastValueFrom,
  map,
  merge,
  pipe,
  filter,
  ReplaySubject,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { faultOfNodeId } from '../lib/cluster-config.js';
import { ConfigError } from '../lib/config.js';
import { loop } from '../lib/loop.js';
import type { LogIndex, NodeId } from '../lib/position.js';
import { raft } from '../lib/raft.js';
import { causeOf } from './cause.js';
import { ChangeRefused } from './change-refused.js';
import { clock } from './clock.js';
import { failureError } from './gateway/failure-error.js';
import type { Forwarding } from './gateway/forwarding.js';
import { forwarding } from './gateway/forwarding.js';
import type { Failure } from './gateway/protocol.js';
import { isFailure } from './gateway/protocol.js';
import { lateNews } from './late-news.js';
import type { Machine } from './machine.js';
import { machine, NotApplied, OutcomeUnknown } from './machine.js';
import { defaultLimits, refuseNoReducer } from './machine-options.js';
import { maxTimerMs } from './network-settings.js';
import { Answered } from './replica/answered.js';
import { Facts } from './replica/facts.js';
import type { ReplicaUpdate, Source } from './replica/feed.js';
import { replicaUpdates } from './replica/feed.js';
import type { Logged } from './replica/logged.js';
import { faultOfRequestId, packBlock, sizeOfLogged, unpackBlock } from './replica/logged.js';
import type { ReplicaAnswer, ReplicaRequest } from './replica/protocol.js';
import { faultOfCommand, faultOfVoters, replicaProtocol } from './replica/protocol.js';
import type { ReplicaCodecs, Replicated } from './replica/replicated.js';
import { codecsOf, load, replicatedReducer, save } from './replica/replicated.js';
import { Tail } from './replica/tail.js';
import { Voters } from './replica/voters.js';
import type {
  BareReplica,
  BareReplicaOptions,
  DispatchOptions,
  ReadOptions,
} from './replica-options.js';
import type { Store } from './storage.js';
import { traced } from './trace.js';
import { turnScheduler } from './turn-scheduler.js';
import { Room } from './waiters.js';

export { ConfigError } from '../lib/config.js';
export { ChangeRefused } from './change-refused.js';
export type { ChangeFault } from './change-refused.js';
export {
  CommandFailed,
  MachineError,
  NotApplied,
  NotLeader,
  OutcomeUnknown,
  Overloaded,
} from './machine-errors.js';
export type { Outcome } from './machine-errors.js';
export type { BareReplica, BareReplicaOptions, Replica } from './replica-options.js';

/**
 * Starts a node. Throws a ConfigError for options that can't be; what goes wrong later ends
 * `state$`, `status$` and `stop()` with its error.
 */
export function bareReplica<State, Command, Result>(
  options: BareReplicaOptions<State, Command, Result>,
): BareReplica<State, Command, Result> {
  const node = new ReplicaNode(options);
  const { status$ } = node.facts;
  return {
    id: options.id,
    state$: node.state$.asObservable(),
    get state() {
      return node.state;
    },
    role$: part(status$, ({ role }) => role),
    leader$: part(status$, ({ leaderId }) => leaderId),
    isLeader$: part(status$, ({ role }) => role === 'leader'),
    status$: status$.asObservable(),
    select: (selector, isEqual) => part(node.state$, selector, isEqual),
    dispatch: (command, how) => node.dispatch(command, how),
    dispatch$: (command, how) => defer(() => node.dispatch(command, how)),
    read: (selector, how) => node.read(selector, how),
    changeVoters: (voters) => node.changeVoters(voters),
    stop: () => node.stop(),
    requests: {
      answer: (request, forwarded) => node.requests.answer(request, forwarded),
      watch: (request, signal) => node.watch(request, signal),
    },
  };
}

function part<T, Part>(
  source$: Observable<T>,
  selector: (value: T) => Part,
  isEqual?: (a: Part, b: Part) => boolean,
): Observable<Part> {
  return source$.pipe(map(selector), distinctUntilChanged(isEqual));
}

/** Throws a ConfigError. */
function refuseNothing<Options>(options: Options, names: readonly (keyof Options & string)[]) {
  const missing = names.find((name) => options[name] === undefined);
  if (missing !== undefined) throw new ConfigError(missing, 'it is missing');
}

class ReplicaNode<State, Command, Result> {
  readonly facts: Facts;
  readonly state$: BehaviorSubject<State>;
  readonly requests: Forwarding<ReplicaRequest, ReplicaAnswer<Result>>;
  private readonly codecs: ReplicaCodecs<State, Command, Result>;
  private readonly machine: Machine<Replicated<State>, Logged, Result, Uint8Array, Uint8Array>;
  private readonly tail = new Tail();
  private readonly voters: Voters;
  private readonly patienceMs: number;
  private readonly stop$ = new ReplaySubject<void>(1);
  private readonly ended: Promise<void>;
  private readonly room: Room;
  private isOver = false;
  /** What ended it, if anything has. */
  private fault: Error | null = null;

  constructor(private readonly options: BareReplicaOptions<State, Command, Result>) {
    const { id, initialState, patienceMs = 5000 } = options;
    const fault = faultOfNodeId(id);
    if (fault !== null) throw new ConfigError('id', fault);
    refuseNoReducer(options.reducer);
    refuseNothing(options, ['initialVoters', 'store', 'network']);
    if (!(patienceMs >= 0 && patienceMs <= maxTimerMs)) {
      throw new ConfigError('patienceMs', `${patienceMs} is not from 0 to ${maxTimerMs}`);
    }
    this.codecs = codecsOf(options.codecs);
    try {
      this.codecs.states.encode(initialState);
    } catch (error) {
      throw new ConfigError('initialState', causeOf(error));
    }
    this.patienceMs = patienceMs;
    this.room = new Room({ ...defaultLimits, ...options.limits });
    this.facts = new Facts(id);
    this.state$ = new BehaviorSubject(initialState);
    this.machine = this.machineOf();
    const { leader$, heard$, members } = this.facts;
    const { inForce$ } = members;
    this.voters = new Voters({ id, machine: this.machine, inForce$, leader$, heard$ });
    this.requests = forwarding({
      ...{ id, patienceMs, leader$: this.facts.leader$ },
      protocol: replicaProtocol(this.codecs.results),
      connect: options.connect ?? (() => Promise.reject(new Error('there is no way to others'))),
      here: () => null,
      lead: (request) => this.lead(request),
    });
    this.ended = this.run();
    // Told by the streams as well: nobody has to ask how it ended.
    this.ended.catch(() => undefined);
  }

  async dispatch(command: Command, { requestId }: DispatchOptions = {}): Promise<Result> {
    const fault = requestId === undefined ? null : faultOfRequestId(requestId);
    if (fault !== null) throw new NotApplied(fault);
    const bytes = this.encoded(command);
    const request = { type: 'dispatch', requestId: requestId ?? null, command: bytes } as const;
    const answer = await this.ask(request);
    if (answer.type === 'result') return answer.result;
    throw new OutcomeUnknown('a strange answer');
  }

  async read<Part>(selector: (state: State) => Part, options: ReadOptions = {}): Promise<Part> {
    if (options.consistency !== 'stale') {
      const answer = await this.ask({ type: 'readIndex' });
      if (answer.type === 'readIndex') await this.reached(answer.index);
    }
    return selector(this.state);
  }

  async changeVoters(voters: readonly NodeId[]): Promise<void> {
    const fault = faultOfVoters(voters);
    if (fault !== null) throw new NotApplied(fault);
    const answer = await this.ask({ type: 'changeVoters', voters });
    if (answer.type === 'changeRefused') throw new ChangeRefused(answer.reason, answer.text);
  }

  /** What a follower is sent. Null: the request is none of a follower. */
  watch(request: ReplicaRequest, signal: AbortSignal): AsyncIterable<ReplicaUpdate> | null {
    if (request.type !== 'watch') return null;
    const source: Source = {
      tail: this.tail,
      appliedIndex: () => this.machine.appliedIndex,
      snapshot: () => this.codecs.states.encode(this.state),
      applied$: this.facts.applied$,
    };
    return replicaUpdates(source, request.after, signal);
  }

  stop(): Promise<void> {
    if (!this.isOver) this.facts.retire();
    this.stop$.next();
    return this.ended;
  }

  private machineOf(): Machine<Replicated<State>, Logged, Result, Uint8Array, Uint8Array> {
    const { options, codecs } = this;
    const { scheduler = turnScheduler, limits, snapshotEvery } = options;
    const replicated = machine<Replicated<State>, Logged, Result, Uint8Array, Uint8Array>({
      reducer: replicatedReducer(options.reducer, codecs, (at, bytes) => this.tail.add(at, bytes)),
      initialState: { state: options.initialState, answered: new Answered() },
      pack: packBlock,
      unpack: unpackBlock,
      save: (state) => this.saved(state),
      load: (data) => load(data, codecs.states),
      sizeOf: sizeOfLogged,
      ...(limits && { limits }),
      ...(snapshotEvery !== undefined && { snapshotEvery }),
      ...(scheduler && { scheduler }),
    });
    replicated.state$.subscribe(({ state }) => {
      if (state !== this.state$.value) this.state$.next(state);
    });
    return replicated;
  }

  /** One state that can't be saved must not end all nodes, and again after each start. */
  private saved(state: Replicated<State>): Uint8Array | undefined {
    try {
      const data = save(state, this.codecs.states);
      this.facts.noteSnapshot(null);
      return data;
    } catch (error) {
      this.facts.noteSnapshot(causeOf(error));
      return undefined;
    }
  }

  private async run(): Promise<void> {
    const fail = (error: unknown): never => {
      this.fault ??= error instanceof Error ? error : new Error(String(error));
      throw error;
    };
    try {
      const store = await this.options.store;
      try {
        await this.circle(store).catch(fail);
      } finally {
        this.isOver = true;
        this.requests.close();
        await store.close();
      }
    } catch (error) {
      fail(error);
    } finally {
      const { fault } = this;
      this.isOver = true;
      this.requests.close();
      this.facts.end(fault);
      if (fault === null) this.state$.complete();
      else this.state$.error(fault);
    }
  }

  private async circle({ recovered, storage }: Store<Uint8Array, Uint8Array>): Promise<unknown> {
    const { id, initialVoters, network, scheduler = turnScheduler, trace } = this.options;
    const sizeOf = (block: Uint8Array): number => block.length;
    const founders = initialVoters.length > 0 ? { initialVoters } : {};
    const config = { ...recovered, id, ...founders, sizeOf };
    const core = raft<Uint8Array, Uint8Array>(config, scheduler ?? undefined);
    const patient = traced(
      scheduler === null ? core : lateNews(core, scheduler),
      trace ? { ...config, write: trace } : null,
    );
    const node$ = loop(pipe(takeUntil(this.stop$), patient), {
      clock: this.options.clock ?? clock(),
      storage,
      network: pipe(
        network,
        tap((input) => this.facts.hear(input)),
      ),
      machine: this.machine.adapter,
    });
    const noted$ = node$.pipe(
      tap((action) => {
        if (action.type === 'restore') this.tail.reset(action.snapshot.position.index);
        this.facts.note(action, this.machine.appliedIndex);
      }),
      ignoreElements(),
    );
    return lastValueFrom(noted$, { defaultValue: undefined });
  }

  private async lead(request: ReplicaRequest): Promise<ReplicaAnswer<Result>> {
    if (request.type === 'dispatch') {
      const result = await this.machine.dispatch(request);
      // With an id it was encoded when it was applied.
      if (request.requestId === null) this.refuseResult(result);
      return { type: 'result', result };
    }
    if (request.type === 'changeVoters') return this.leadChange(request.voters);
    await this.machine.read();
    return { type: 'readIndex', index: this.machine.appliedIndex };
  }

  /** What no other node could be told is told to nobody: else a lone node would hide it. */
  private refuseResult(result: Result): void {
    try {
      this.codecs.results.encode(result);
    } catch (cause) {
      const text = `the command was applied, and its result can't be encoded: ${causeOf(cause)}`;
      throw new OutcomeUnknown(text, { cause });
    }
  }

  private async leadChange(voters: readonly NodeId[]): Promise<ReplicaAnswer<Result>> {
    try {
      await this.voters.lead(voters);
      return { type: 'votersChanged' };
    } catch (error) {
      if (!(error instanceof ChangeRefused)) throw error;
      return { type: 'changeRefused', reason: error.reason, text: error.message };
    }
  }

  private async ask(request: ReplicaRequest): Promise<ReplicaAnswer<Result>> {
    if (this.isOver) throw this.over();
    const answer = await this.bounded(request);
    if (!isFailure(answer)) return answer;
    // Nobody leads a node that has ended: why it has is worth more.
    const isForWant = answer.type === 'refused' && answer.reason === 'noLeader';
    throw isForWant && this.fault !== null ? this.over() : failureError(answer, this.leaderId);
  }

  /** By the limits of the machine, which knows nothing of those who wait for a leader. */
  private bounded(request: ReplicaRequest): Promise<ReplicaAnswer<Result> | Failure> {
    const bytes = request.type === 'dispatch' ? sizeOfLogged(request) : 0;
    return this.room.wait(bytes, (waiter) => {
      void this.requests.answer(request, false).then((answer) => waiter.resolve(answer));
    });
  }

  private over(): NotApplied {
    const { fault } = this;
    if (fault === null) return new NotApplied('the node has stopped');
    return new NotApplied(`the node has ended: ${causeOf(fault)}`, { cause: fault });
  }

  /** Resolves when everything up to `index` is in the state. */
  private async reached(index: LogIndex): Promise<void> {
    if (this.machine.appliedIndex >= index) return;
    const reached$ = this.facts.applied$.pipe(
      filter((applied) => applied >= index),
      // A node that has stopped applies no more.
      endWith(null),
    );
    const late$ = timer(this.patienceMs).pipe(map(() => null));
    const outcome = await firstValueFrom(merge(reached$, late$));
    if (outcome !== null) return;
    const where = `${this.options.id} is at ${this.machine.appliedIndex}`;
    throw new NotApplied(`${where}, and a linearizable state begins at ${index}`);
  }

  private encoded(command: Command): Uint8Array {
    let bytes: Uint8Array;
    try {
      bytes = this.codecs.commands.encode(command);
    } catch (cause) {
      throw new NotApplied(`the command can't be encoded: ${causeOf(cause)}`, { cause });
    }
    const fault = faultOfCommand(bytes);
    if (fault !== null) throw new NotApplied(fault);
    return bytes;
  }

  /** Also when `state$` is over. */
  get state(): State {
    return this.machine.state.state;
  }

  private get leaderId(): NodeId | null {
    return this.facts.leader$.value;
  }
}
