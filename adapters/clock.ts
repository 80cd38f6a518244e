/**
 * The clock: the one device that knows durations and chance (§5.2).
 *
 * "Raft uses randomized election timeouts to ensure that split votes are rare." The core sets its
 * timer anew with every word of a leader, thousands of times a second. So nothing is started or
 * cancelled for it: one timer waits lazily, and when it fires it looks whether the deadline has
 * moved meanwhile.
 */
import type { OperatorFunction, SchedulerLike, Subscriber, Subscription } from 'rxjs';
import { Observable } from 'rxjs';
import type { ClockAction, Role } from '../lib/action.js';
import { ConfigError } from '../lib/config.js';
import type { ClockInput } from '../lib/input.js';
import { turnScheduler } from './turn-scheduler.js';

export { ConfigError } from '../lib/config.js';

export interface ClockOptions {
  /**
   * A follower or candidate hears `minimumElapsed` after `minimum`, and `timedOut` up to `spread`
   * later, drawn anew each time. Split votes are rare when the spread is many times what a message
   * and a write to disk take. Milliseconds. Default 400 and 400.
   */
  readonly electionTimeoutMs?: { readonly minimum: number; readonly spread: number };
  /** A leader hears `timedOut` after so many milliseconds. Less than the minimum. Default 75. */
  readonly heartbeatMs?: number;
  /** From 0 to 1, and different on every node. Default Math.random. */
  readonly random?: () => number;
  /** The source of time, which must be monotonic. Default `turnScheduler`. */
  readonly scheduler?: SchedulerLike;
  /**
   * Told whenever the timer has fired, with the milliseconds by which it was late: what the event
   * loop was held up. What it throws ends the stream.
   */
  readonly onLateness?: (latenessMs: number) => void;
}

/**
 * The election timer of a node. With a minimum of 4, a spread of 4 and a heartbeat of 2, where `f`
 * sets a follower's timer, `l` a leader's, and `m` is `minimumElapsed`, `t` is `timedOut`:
 *
 *     actions             f-f---------l----|
 *     inputs              ------m--t----t--|
 *
 * The newest `setElectionTimeout` wins; before a timeout is delivered, whatever input is waiting
 * has been handled and may still move the deadline. Completes, and lets its timer go, when its
 * actions complete. Throws a ConfigError for durations that can't be.
 */
export function clock(options: ClockOptions = {}): OperatorFunction<ClockAction, ClockInput> {
  const settings = settingsOf(options);
  return (action$) =>
    new Observable((subscriber) => {
      const timer = new ElectionTimer(settings, subscriber);
      subscriber.add(() => timer.stop());
      subscriber.add(
        action$.subscribe({
          next: ({ role }) => timer.start(role),
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      );
    });
}

interface Settings {
  readonly minimumMs: number;
  readonly spreadMs: number;
  readonly heartbeatMs: number;
  readonly random: () => number;
  readonly scheduler: SchedulerLike;
  readonly onLateness: ((latenessMs: number) => void) | null;
}

/** Of Node's timers: a longer one fires at once. */
const longestMs = 2 ** 31 - 1;

/**
 * Turns between the firing of the timer and the timeout. After a stall of the event loop timers
 * come first: the heartbeats that wait in the sockets are read in one turn more, and a core that
 * gathers its inputs has taken them after another.
 */
const turnsOfGrace = 2;

type Stage = 'idle' | 'minimum' | 'timeout';

class ElectionTimer {
  private stage: Stage = 'idle';
  private startedAt = 0;
  /** When the next input is due. */
  private deadline = Infinity;
  /** The one timer, and when it fires or has fired: no deadline can overtake a turn of grace. */
  private timer: Subscription | null = null;
  private firesAt = Infinity;

  constructor(
    private readonly settings: Settings,
    private readonly subscriber: Subscriber<ClockInput>,
  ) {}

  start(role: Role): void {
    const { heartbeatMs, minimumMs, scheduler } = this.settings;
    this.stage = role === 'leader' ? 'timeout' : 'minimum';
    this.startedAt = scheduler.now();
    this.deadline = this.startedAt + (role === 'leader' ? heartbeatMs : minimumMs);
    if (this.deadline < this.firesAt) this.arm(this.startedAt);
  }

  stop(): void {
    this.stage = 'idle';
    this.deadline = Infinity;
    this.timer?.unsubscribe();
    this.timer = null;
  }

  private arm(now: number): void {
    this.timer?.unsubscribe();
    this.firesAt = this.deadline;
    // Whole milliseconds: Node cuts off the fraction, and would fire early.
    const delay = Math.max(0, Math.ceil(this.deadline - now));
    this.timer = this.settings.scheduler.schedule(() => this.guarded(() => this.onFired()), delay);
  }

  private onFired(): void {
    const now = this.settings.scheduler.now();
    this.settings.onLateness?.(Math.max(0, now - this.firesAt));
    this.yieldTurns(turnsOfGrace);
  }

  private yieldTurns(turns: number): void {
    const now = this.settings.scheduler.now();
    if (now < this.deadline) {
      this.rearm(now);
    } else if (turns > 0) {
      this.timer = this.settings.scheduler.schedule(() =>
        this.guarded(() => this.yieldTurns(turns - 1)),
      );
    } else {
      this.deliver(now);
    }
  }

  private rearm(now: number): void {
    this.timer = null;
    this.firesAt = Infinity;
    if (this.deadline < Infinity) this.arm(now);
  }

  /** The state is as it shall be before anybody is told: the answer may come from within. */
  private deliver(now: number): void {
    if (this.stage === 'minimum') {
      this.stage = 'timeout';
      this.deadline = this.startedAt + this.settings.minimumMs + this.drawnMs();
      this.rearm(now);
      this.subscriber.next({ type: 'minimumElapsed' });
    } else {
      this.stage = 'idle';
      this.deadline = Infinity;
      this.rearm(now);
      this.subscriber.next({ type: 'timedOut' });
    }
  }

  private drawnMs(): number {
    const drawn = this.settings.random();
    if (!(drawn >= 0 && drawn <= 1))
      throw new ConfigError('random', `${drawn} is not within 0 to 1`);
    return drawn * this.settings.spreadMs;
  }

  /** In a timer nobody else would hear of it. */
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.subscriber.error(error);
    }
  }
}

function settingsOf(options: ClockOptions): Settings {
  const { minimum, spread } = options.electionTimeoutMs ?? { minimum: 400, spread: 400 };
  const { heartbeatMs = 75, random = Math.random, scheduler = turnScheduler } = options;
  const durations = {
    'electionTimeoutMs.minimum': minimum,
    'electionTimeoutMs.spread': spread,
    heartbeatMs,
    'electionTimeoutMs.minimum + spread': minimum + spread,
  };
  for (const [field, ms] of Object.entries(durations)) {
    if (typeof ms === 'number' && ms > 0 && ms <= longestMs) continue;
    throw new ConfigError(field, `${ms} is no duration: milliseconds above 0 and below 2^31`);
  }
  if (heartbeatMs >= minimum) {
    throw new ConfigError(
      'heartbeatMs',
      `${heartbeatMs} is not below the minimum election timeout of ${minimum}: followers would ` +
        'time out between two heartbeats',
    );
  }
  const { onLateness = null } = options;
  return { minimumMs: minimum, spreadMs: spread, heartbeatMs, random, scheduler, onLateness };
}
