/** Traps of the runtime: timers. The list of all of them is `docs/TRAPS.md`. */
import type { SchedulerLike } from 'rxjs';
import { of, NEVER, concat, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { clock } from '../../adapters/clock.js';
import type { ClockAction } from '../../lib/action.js';

describe('an election timeout', () => {
  it('I6: counts from one origin: what a timer is late does not add up', () => {
    const time = new VirtualTimeScheduler();
    /** Every timer fires 30 ms late. */
    const late: SchedulerLike = {
      now: () => time.now(),
      schedule: (work: never, delay = 0) => time.schedule(work, delay > 0 ? delay + 30 : 0),
    };
    const heard: string[] = [];
    const follower: ClockAction = { type: 'setElectionTimeout', role: 'follower' };
    const options = { electionTimeoutMs: { minimum: 100, spread: 100 }, heartbeatMs: 20 };
    const device = clock({ ...options, random: () => 1, scheduler: late });
    const run = device(concat(of(follower), NEVER)).subscribe(({ type }) =>
      heard.push(`${type} at ${time.now()}`),
    );
    time.flush();
    expect(heard).toEqual(['minimumElapsed at 130', 'timedOut at 230']);
    run.unsubscribe();
  });
});
