/**
 * What every clock owes the core, on virtual time: `setElectionTimeout` in, `minimumElapsed` and
 * `timedOut` out.
 */
import type { OperatorFunction, SchedulerAction, SchedulerLike, Subscription } from 'rxjs';
import { Subject, VirtualTimeScheduler } from 'rxjs';
import type { ClockAction, Role } from '../../lib/action.js';
import type { ClockInput } from '../../lib/input.js';
import { check, checkEqual } from './check.js';

/** A clock on the scheduler that it is given, and the durations it was made with. */
export interface ClockUnderTest {
  readonly clock: OperatorFunction<ClockAction, ClockInput>;
  readonly minimumMs: number;
  /** The latest election timeout, at least 20 above the minimum. */
  readonly maximumMs: number;
  readonly heartbeatMs: number;
}

/** Registers the suite with a test runner's `test` or `it`. `setup` makes a clock for each test. */
export function clockAcceptance(
  test: (name: string, body: () => void) => void,
  setup: (scheduler: SchedulerLike) => ClockUnderTest,
): void {
  for (const role of ['follower', 'candidate'] as const) {
    test(`a ${role} hears minimumElapsed at the minimum, then timedOut within the spread`, () => {
      const bench = new Bench(setup);
      bench.set(role);
      bench.run();
      const { minimumMs, maximumMs } = bench.underTest;
      const [first, second] = bench.heard;
      checkEqual(bench.types, ['minimumElapsed', 'timedOut'], 'both, in this order, and no more');
      checkEqual(first?.at, minimumMs, 'the first at the minimum');
      check(second && second.at >= minimumMs && second.at <= maximumMs, 'the second in the spread');
    });
  }

  test('a leader hears timedOut after the heartbeat interval, and nothing else', () => {
    const bench = new Bench(setup);
    bench.set('leader');
    bench.run();
    const at = bench.underTest.heartbeatMs;
    checkEqual(bench.heard, [{ type: 'timedOut', at }], 'one heartbeat is due');
  });

  test('the newest deadline wins and the older ones fall silent', () => {
    const bench = new Bench(setup);
    const { minimumMs } = bench.underTest;
    for (const each of [0, 1, 2, 3]) bench.at((each * minimumMs) / 2, () => bench.set('follower'));
    bench.run();
    checkEqual(bench.types, ['minimumElapsed', 'timedOut'], 'only the last is answered');
    checkEqual(bench.heard[0]?.at, 2.5 * minimumMs, 'counted from the last');
  });

  test('an earlier deadline overtakes a later one: a follower becomes leader', () => {
    const bench = new Bench(setup);
    bench.set('candidate');
    bench.at(1, () => bench.set('leader'));
    bench.run();
    const at = 1 + bench.underTest.heartbeatMs;
    checkEqual(bench.heard, [{ type: 'timedOut', at }], 'the heartbeat, and no election timeout');
  });

  test('a leader that steps down is given the time of a follower', () => {
    const bench = new Bench(setup);
    bench.set('leader');
    bench.at(1, () => bench.set('follower'));
    bench.run();
    checkEqual(bench.types, ['minimumElapsed', 'timedOut'], 'no heartbeat any more');
    checkEqual(bench.heard[0]?.at, 1 + bench.underTest.minimumMs, 'the whole minimum');
  });

  test('timeouts are drawn anew each time (§5.2)', () => {
    const bench = new Bench(setup, { again: 20 });
    bench.set('candidate');
    bench.run();
    const ends = bench.heard.filter(({ type }) => type === 'timedOut').map(({ at }) => at);
    const timeouts = ends.map((at, round) => at - (ends[round - 1] ?? 0));
    checkEqual(timeouts.length, 21, 'each timedOut is followed by a new one');
    check(new Set(timeouts).size > 1, `all are ${timeouts[0]} ms: votes would split for ever`);
  });

  test('input that waits is handled before a timeout is delivered', () => {
    const bench = new Bench(setup);
    bench.set('follower');
    // The timer fires first, the word of the leader is read in the same turn.
    bench.at(bench.underTest.minimumMs, () => bench.set('follower'));
    bench.run();
    checkEqual(bench.heard[0]?.at, 2 * bench.underTest.minimumMs, 'the deadline has moved');
  });

  test('completes when its actions complete, and leaves no timer', () => {
    const bench = new Bench(setup);
    bench.set('follower');
    bench.at(1, () => bench.actions.complete());
    bench.at(1, () => checkEqual(bench.end, 'complete', 'at once'));
    bench.at(1, () => checkEqual(bench.timers.size, 0, 'timers that are left'));
    bench.run();
    checkEqual(bench.heard, [], 'silent from then on');
  });

  test('unsubscribing leaves no timer', () => {
    const bench = new Bench(setup);
    bench.set('leader');
    bench.at(1, () => bench.subscription.unsubscribe());
    bench.at(1, () => checkEqual(bench.timers.size, 0, 'timers that are left'));
    bench.run();
    checkEqual(bench.heard, [], 'silent from then on');
  });

  test('an error of its actions passes, and leaves no timer', () => {
    const bench = new Bench(setup);
    bench.set('leader');
    bench.at(1, () => bench.actions.error(new Error('lost')));
    bench.at(1, () => checkEqual(bench.timers.size, 0, 'timers that are left'));
    bench.run();
    checkEqual([bench.heard, bench.end], [[], 'error: lost'], 'the error, and nothing else');
  });
}

/** A clock on virtual time, and what it says. */
class Bench {
  readonly actions = new Subject<ClockAction>();
  readonly heard: { readonly type: ClockInput['type']; readonly at: number }[] = [];
  readonly timers = new Set<Subscription>();
  readonly underTest: ClockUnderTest;
  readonly subscription: Subscription;
  end = '';
  private readonly time = new VirtualTimeScheduler();
  private failure: unknown = null;

  constructor(
    setup: (scheduler: SchedulerLike) => ClockUnderTest,
    { again = 0 }: { readonly again?: number } = {},
  ) {
    this.underTest = setup(this.watched());
    let left = again;
    this.subscription = this.underTest.clock(this.actions).subscribe({
      next: ({ type }) => {
        this.heard.push({ type, at: this.time.now() });
        if (type === 'timedOut' && left-- > 0) this.set('candidate');
      },
      error: (error: unknown) => (this.end = String(error).replace(/^Error/, 'error')),
      complete: () => (this.end = 'complete'),
    });
  }

  get types(): ClockInput['type'][] {
    return this.heard.map(({ type }) => type);
  }

  set(role: Role): void {
    this.actions.next({ type: 'setElectionTimeout', role });
  }

  /** Work for later, behind whatever is due at the same time already. */
  at(ms: number, work: () => void): void {
    this.time.schedule(() => {
      try {
        work();
      } catch (error) {
        this.failure ??= error;
      }
    }, ms);
  }

  run(): void {
    this.time.flush();
    if (this.failure !== null) throw this.failure as Error;
  }

  /** The virtual scheduler, with an eye on the timers that have neither run nor been let go. */
  private watched(): SchedulerLike {
    const { time, timers } = this;
    return {
      now: () => time.now(),
      schedule: <T>(
        work: (this: SchedulerAction<T>, state?: T) => void,
        delay?: number,
        state?: T,
      ): Subscription => {
        const timer = time.schedule<T>(
          function (this: SchedulerAction<T>, given?: T) {
            timers.delete(timer);
            work.call(this, given);
          },
          delay,
          state,
        );
        timers.add(timer);
        timer.add(() => timers.delete(timer));
        return timer;
      },
    };
  }
}
