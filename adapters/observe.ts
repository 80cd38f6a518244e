/**
 * A follower of a replica that is no member of its cluster: a page, a dashboard, another service.
 * It has the same state, from the same reducer at the same positions, through reconnections.
 */
import type { Observable, SchedulerLike } from 'rxjs';
import {
  asyncScheduler,
  BehaviorSubject,
  defer,
  distinctUntilChanged,
  filter,
  finalize,
  map,
  retry,
  share,
  ReplaySubject,
  startWith,
  switchMap,
  timeout,
  timer,
} from 'rxjs';
import type { LogIndex } from '../lib/position.js';
import { causeOf } from './cause.js';
import type { AnySocketClass } from './gateway/any-socket.js';
import { anyConnection, clientUrl, socketClass } from './gateway/any-socket.js';
import { isFailure } from './gateway/protocol.js';
import type { Reducer } from './machine-options.js';
import { pauseMs } from './pause.js';
import type { ReplicaUpdate } from './replica/feed.js';
import { replicaProtocol } from './replica/protocol.js';
import type { ReplicaCodecs } from './replica/replicated.js';
import { codecsOf } from './replica/replicated.js';

export interface ObserveOptions<State, Command, Result> {
  /** The one of the nodes. */
  readonly reducer: Reducer<State, Command, Result>;
  /** What `state$` says until the first state has come. Default: nothing. */
  readonly initialState?: State;
  /** Those of the nodes. */
  readonly codecs?: Partial<ReplicaCodecs<State, Command, Result>>;
  /** The cluster that is meant: a node of another one refuses. Default: any. */
  readonly cluster?: string;
  /** Default: the global one. On Node 20 pass that of `ws`. */
  readonly webSocket?: AnySocketClass;
  /**
   * The pause before the next try: doubled with every failure in a row from `minimum` to `maximum`,
   * and of that a random part between a half and all. Default 100 to 5,000.
   */
  readonly reconnectMs?: { readonly minimum: number; readonly maximum: number };
  /**
   * A node that says nothing for so long is given up; it gives a sign every 5,000. Default 15,000.
   */
  readonly silenceMs?: number;
  /**
   * So long no node may be as far as the last one was, before the state is taken from one that is
   * not: the data were set back. Default 10,000.
   */
  readonly setBackMs?: number;
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
  /** For all timers. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

export interface ObserverStatus {
  /** `waiting`: between two tries. `idle`: nobody listens to the state. */
  readonly phase: 'idle' | 'connecting' | 'live' | 'waiting';
  /** The node that is followed, or was last. */
  readonly url: string | null;
  /** Up to here the log is in the state. Null: there is none yet. */
  readonly index: LogIndex | null;
  /** Why the last connection ended, in words. Null: it is there. */
  readonly error: string | null;
}

export interface Observed<State> {
  /**
   * The state, and every newer one. It connects with the first subscription, and disconnects after
   * the last; it never errors and never completes.
   *
   *     updates          --s-e-e---x....e--      s: snapshot, e: entries, x: lost
   *     state$           --a-b-c--------d--
   */
  readonly state$: Observable<State>;
  readonly status$: Observable<ObserverStatus>;
  /** A part of the state, when it has changed. */
  readonly select: <Part>(
    selector: (state: State) => Part,
    isEqual?: (a: Part, b: Part) => boolean,
  ) => Observable<Part>;
}

/**
 * `urls`: the nodes, as `host:port` or URLs; one is followed at a time, any will do. Throws a
 * TypeError for what is no address, or when there is no WebSocket.
 */
export function observe<State, Command, Result>(
  urls: readonly string[],
  options: ObserveOptions<State, Command, Result>,
): Observed<State> {
  if (urls.length === 0) throw new TypeError('no urls: give at least one node');
  for (const url of urls) clientUrl(url);
  socketClass(options.webSocket);
  const status$ = new BehaviorSubject<ObserverStatus>({
    ...{ phase: 'idle', url: null, index: null, error: null },
  });
  const followed$ = defer(() => new Follower(urls, options, status$).state$).pipe(
    share({ connector: () => new ReplaySubject<State>(1), resetOnRefCountZero: true }),
  );
  const { initialState } = options;
  const state$ = initialState === undefined ? followed$ : followed$.pipe(startWith(initialState));
  return {
    state$,
    status$: status$.asObservable(),
    select: (selector, isEqual) => state$.pipe(map(selector), distinctUntilChanged(isEqual)),
  };
}

class Follower<State, Command, Result> {
  readonly state$: Observable<State>;
  private readonly codecs: ReplicaCodecs<State, Command, Result>;
  private readonly scheduler: SchedulerLike;
  private state: State | null = null;
  private seen: LogIndex | null = null;
  private behindSince: number | null = null;
  private turn = 0;

  constructor(
    private readonly urls: readonly string[],
    private readonly options: ObserveOptions<State, Command, Result>,
    private readonly status$: BehaviorSubject<ObserverStatus>,
  ) {
    const { scheduler = asyncScheduler, silenceMs = 15_000 } = options;
    this.codecs = codecsOf(options.codecs);
    this.scheduler = scheduler;
    this.state$ = defer(() => this.updates()).pipe(
      timeout({ each: silenceMs, scheduler }),
      map((update) => this.onUpdate(update)),
      retry({ resetOnSuccess: true, delay: (error, tries) => this.onLost(error, tries) }),
      filter((isNew) => isNew),
      map(() => this.state as State),
      finalize(() => this.say({ phase: 'idle', error: null })),
    );
  }

  private updates(): Observable<ReplicaUpdate> {
    const { cluster, webSocket, scheduler } = this.options;
    const url = this.urls[this.turn % this.urls.length] as string;
    this.say({ phase: 'connecting', url });
    const wire = {
      ...(cluster !== undefined && { cluster }),
      ...(webSocket && { webSocket }),
      ...(scheduler && { scheduler }),
    };
    return anyConnection(url, replicaProtocol(this.codecs.results), wire).pipe(
      switchMap((connection) => connection.answers({ type: 'watch', after: this.seen })),
      map((answer) => {
        if (isFailure(answer)) throw new Error(answer.text);
        if (answer.type === 'snapshot' || answer.type === 'entries') return answer;
        throw new Error('a strange answer');
      }),
    );
  }

  /** Has it changed the state? Throws what makes another node worth a try. */
  private onUpdate(update: ReplicaUpdate): boolean {
    const before = this.seen;
    if (update.type === 'snapshot') {
      this.state = this.codecs.states.decode(update.state);
    } else if (before === null || update.index < before) {
      this.onBehind(update.index);
    } else {
      this.apply(update, before);
    }
    this.seen = update.index;
    this.behindSince = null;
    this.say({ phase: 'live', index: update.index, error: null });
    return update.type === 'snapshot' || update.blocks.length > 0;
  }

  private apply({ blocks }: Extract<ReplicaUpdate, { type: 'entries' }>, seen: LogIndex): void {
    // Whoever can't go on in the middle begins anew with a snapshot.
    this.seen = null;
    for (const { term, index, commands } of blocks) {
      if (index <= seen) continue;
      commands.forEach((bytes, offset) => {
        if (bytes === null) return;
        const command = this.codecs.commands.decode(bytes);
        const at = { term, index, offset };
        this.state = this.options.reducer(this.state as State, command, at).state;
      });
    }
  }

  private onBehind(index: LogIndex): never {
    const now = this.scheduler.now();
    this.behindSince ??= now;
    if (now - this.behindSince >= (this.options.setBackMs ?? 10_000)) this.seen = null;
    throw new Error(`it is at ${index}, behind what was seen before`);
  }

  private onLost(error: unknown, tries: number): Observable<unknown> {
    const { reconnectMs = { minimum: 100, maximum: 5000 }, random = Math.random } = this.options;
    this.turn += 1;
    this.say({ phase: 'waiting', error: causeOf(error) });
    return timer(pauseMs(tries, { reconnectMs, random }), this.scheduler);
  }

  private say(change: Partial<ObserverStatus>): void {
    this.status$.next({ ...this.status$.value, ...change });
  }
}
