/**
 * A node in a hidden tab (I2). In the diagrams the clock has a minimum of 4, no chance and a
 * heartbeat of 2 frames.
 *
 * Actions: f, c, l set the timer of a follower, a candidate, a leader.
 * Inputs: m minimumElapsed, t timedOut.
 */
import type { Observable, SchedulerLike } from 'rxjs';
import { BehaviorSubject, NEVER, throwError, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { clock } from '../../adapters/clock.js';
import { pageHidden, withoutCandidacy } from '../../adapters/hidden-tab.js';
import { machine } from '../../adapters/machine.js';
import { memoryNetwork } from '../../adapters/memory-network.js';
import { memoryStore } from '../../adapters/memory-store.js';
import { clockAcceptance } from '../../adapters/testing/clock-acceptance.js';
import type { ClockAction, Role } from '../../lib/action.js';
import type { ClockInput } from '../../lib/input.js';
import { loop } from '../../lib/loop.js';
import { raft } from '../../lib/raft.js';
import { marbles } from '../marbles.js';

const set = (role: Role): ClockAction => ({ type: 'setElectionTimeout', role });
const actions = { f: set('follower'), c: set('candidate'), l: set('leader') };
const inputs: Record<string, ClockInput> = {
  m: { type: 'minimumElapsed' },
  t: { type: 'timedOut' },
};

describe('withoutCandidacy', () => {
  clockAcceptance(
    (name, body) => it(name, () => expect(body).not.toThrow()),
    (scheduler) => ({
      clock: withoutCandidacy(
        NEVER,
        clock({ electionTimeoutMs: { minimum: 100, spread: 50 }, heartbeatMs: 20, scheduler }),
      ),
      minimumMs: 100,
      maximumMs: 150,
      heartbeatMs: 20,
    }),
  );

  it.each([
    ['shown, it is the clock that it was given', 'f-------', 'f-', '----(mt)'],
    [
      'a hidden follower does not stand: it may vote, and no more',
      'f---------',
      't-',
      '----m-----',
    ],
    ['a hidden candidate does not stand again', 'c---------', 't-', '----m-----'],
    ['a hidden leader goes on to send heartbeats', 'l--l--l-----', 't-', '--t--t--t---'],
    ['a deposed leader that is hidden does not stand', 'l-f-------', 't-', '------m---'],
    [
      'shown again, it waits a whole timeout for a leader',
      'f---------------',
      't-------f-------',
      '----m-------(mt)',
    ],
    ['shown before its time, it waits from then on', 'f---------', 't-f-------', '------(mt)'],
    ['hidden after its minimum, and shown', 'f-------------', '----t-f-------', '----m-----(mt)'],
    [
      'so it does whatever it was told while hidden',
      'f----f---------',
      't------f-------',
      '----m------(mt)',
    ],
    ['shown while it leads, nothing changes', 'l--l--l-----', 't--f--------', '--t--t--t---'],
    ['shown before it has begun, nothing happens', '----------', 'tf--------', '----------'],
  ])('%s', (_, given, hidden, expected) => {
    marbles((m) => {
      const electionTimeoutMs = { minimum: 4, spread: 0.001 };
      const time = { scheduler: m.scheduler, random: () => 0 };
      const device = withoutCandidacy(
        m.hot(hidden, { t: true, f: false }),
        clock({ electionTimeoutMs, heartbeatMs: 2, ...time }),
      );
      m.expect(m.hot(given, actions).pipe(device)).toBeObservable(expected, inputs);
    })();
  });

  it('ends with an error of hidden$', () => {
    const ends: unknown[] = [];
    const hidden$ = throwError(() => new Error('no page'));
    const action$: Observable<ClockAction> = NEVER;
    action$
      .pipe(withoutCandidacy(hidden$, clock()))
      .subscribe({ error: (error: unknown) => ends.push(error) });
    expect(ends).toEqual([new Error('no page')]);
  });
});

/** Timers as a hidden page has them: at whole seconds, or minutes. */
function throttled(time: VirtualTimeScheduler, tab: { readonly wakeUpMs: number }): SchedulerLike {
  return {
    now: () => time.now(),
    schedule: (work: never, delay = 0) => {
      if (!(delay > 0)) return time.schedule(work, 0);
      const at = time.now() + delay;
      return time.schedule(work, Math.ceil(at / tab.wakeUpMs) * tab.wakeUpMs - time.now());
    },
  };
}

/** Three tabs, in virtual time. */
function threeTabs() {
  const time = new VirtualTimeScheduler(undefined, Infinity);
  const network = memoryNetwork<readonly number[], number>();
  const ids = ['a', 'b', 'c'];
  let seed = 1;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const tabs = ids.map((id) => {
    const tab = { id, wakeUpMs: 1, hidden$: new BehaviorSubject(false), roles: [] as string[] };
    const counter = machine({
      reducer: (sum: number, add: number) => ({ state: sum + add, result: sum + add }),
      initialState: 0,
    });
    const { recovered, storage } = memoryStore<readonly number[], number>();
    const device = clock({ scheduler: throttled(time, tab), random });
    const subscription = loop(raft({ id, initialVoters: ids, ...recovered }), {
      clock: withoutCandidacy(tab.hidden$, device),
      storage,
      network: network.node(id),
      machine: counter.adapter,
    }).subscribe((action) => {
      if (action.type === 'roleChanged') tab.roles.push(action.role);
    });
    const close = (): void => {
      subscription.unsubscribe();
      tab.roles.push('closed');
    };
    return Object.assign(tab, { close });
  });
  const run = (ms: number): void => {
    time.maxFrames = time.now() + ms;
    time.schedule(() => undefined, ms);
    time.flush();
  };
  const leaders = () => tabs.filter(({ roles }) => roles.at(-1) === 'leader');
  return { tabs, run, leaders };
}

describe('three tabs', () => {
  it.each([1000, 60_000])(
    'I2: a hidden leader with a timer every %i ms gives way to a tab that is seen, and stays behind',
    (wakeUpMs) => {
      const { tabs, run, leaders } = threeTabs();
      run(5000);
      const [old] = leaders();
      expect(leaders()).toHaveLength(1);
      if (old === undefined) return;
      const before = old.roles.length;
      old.wakeUpMs = wakeUpMs;
      old.hidden$.next(true);
      run(5 * 60_000);
      expect(old.roles.slice(before)).toEqual(['follower']);
      const [leader] = leaders();
      expect([leaders().length, leader === old]).toEqual([1, false]);
      const settled = tabs.map(({ roles }) => roles.length);
      run(5 * 60_000);
      expect(tabs.map(({ roles }) => roles.length)).toEqual(settled);
      old.wakeUpMs = 1;
      old.hidden$.next(false);
      run(60_000);
      expect(leaders()).toEqual([leader]);
      expect(tabs.map(({ roles }) => roles.length)).toEqual(settled);
    },
  );

  it('I2: all hidden keep the leader they have, and elect none when it is gone', () => {
    const { tabs, run, leaders } = threeTabs();
    run(5000);
    const [old] = leaders();
    for (const tab of tabs) {
      tab.wakeUpMs = 1000;
      tab.hidden$.next(true);
    }
    run(5 * 60_000);
    expect(leaders()).toEqual([old]);
    old?.close();
    run(5 * 60_000);
    expect(leaders()).toEqual([]);
    const [other] = tabs.filter((tab) => tab !== old);
    other?.hidden$.next(false);
    run(60_000);
    expect(leaders()).toEqual([other]);
  });
});

describe('pageHidden', () => {
  it('says whether the page is hidden or frozen, now and whenever that changes', () => {
    const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    const heard: boolean[] = [];
    const subscription = pageHidden(page as unknown as Document).subscribe((hidden) =>
      heard.push(hidden),
    );
    const happen = (name: string, state: string): void => {
      page.visibilityState = state;
      page.dispatchEvent(new Event(name));
    };
    happen('visibilitychange', 'hidden');
    happen('freeze', 'hidden');
    happen('resume', 'hidden');
    happen('visibilitychange', 'visible');
    happen('freeze', 'visible');
    happen('resume', 'visible');
    expect(heard).toEqual([false, true, false, true, false]);
    subscription.unsubscribe();
    happen('visibilitychange', 'hidden');
    expect(heard).toHaveLength(5);
  });
});
