/**
 * The clock (§5.2), drawn. A minimum of 4, a spread of 4 and a heartbeat of 2 frames; the chance is
 * given with each diagram.
 *
 * Actions: f, c, l set the timer of a follower, a candidate, a leader.
 * Inputs: m minimumElapsed, t timedOut.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Observable, SchedulerLike } from 'rxjs';
import { Subject, VirtualTimeScheduler } from 'rxjs';
import type { Context } from 'rxjs-marbles';
import { describe, expect, it, vi } from 'vitest';
import type { ClockOptions } from '../../adapters/clock.js';
import { clock } from '../../adapters/clock.js';
import { clockAcceptance } from '../../adapters/testing/clock-acceptance.js';
import { turnScheduler } from '../../adapters/turn-scheduler.js';
import type { ClockAction, Role } from '../../lib/action.js';
import { ConfigError } from '../../lib/config.js';
import type { ClockInput } from '../../lib/input.js';
import { marbles } from '../marbles.js';

const set = (role: Role): ClockAction => ({ type: 'setElectionTimeout', role });
const actions = { f: set('follower'), c: set('candidate'), l: set('leader') };
const inputs: Record<string, ClockInput> = {
  m: { type: 'minimumElapsed' },
  t: { type: 'timedOut' },
};
const electionTimeoutMs = { minimum: 4, spread: 4 };

/** Draws these, one after the other, and then the last one for ever. */
function drawing(...numbers: number[]): () => number {
  return () => (numbers.length > 1 ? numbers.shift() : numbers[0]) as number;
}

function clockOf(m: Context, options: ClockOptions = {}): ReturnType<typeof clock> {
  const { scheduler } = m;
  return clock({ electionTimeoutMs, heartbeatMs: 2, scheduler, random: () => 0.5, ...options });
}

describe('clock', () => {
  clockAcceptance(
    (name, body) => it(name, () => expect(body).not.toThrow()),
    (scheduler) => ({
      clock: clock({ electionTimeoutMs: { minimum: 100, spread: 50 }, heartbeatMs: 20, scheduler }),
      minimumMs: 100,
      maximumMs: 150,
      heartbeatMs: 20,
    }),
  );

  const diagrams = [
    ['a follower times out after the minimum and a random part', 'f', '----m-t', [0.5]],
    ['so does a candidate', 'c', '----m-t', [0.5]],
    [
      'the random part is drawn anew each time',
      'f--------c--------',
      '----m-t------m---t',
      [0.5, 1],
    ],
    ['it may be nothing: still in this order', 'f', '----(mt)', [0]],
    ['a leader hears its heartbeats only', 'l--l----', '--t--t--', [0.5]],
    ['the newest deadline wins', 'f--f---f-----', '-----------m-t', [0.5]],
    ['between the two inputs as well', 'f----f-------', '----m----m-t', [0.5]],
    ['a candidate becomes leader', 'c--l---', '-----t', [0.5]],
    ['a leader steps down', 'lf------', '-----m-t', [0.5]],
    ['a timeout that was answered by nothing is the last', 'f------------', '----m-t---', [0.5]],
    ['completes when its actions complete', 'f-----|', '----m-|', [1]],
    ['passes an error of its actions', 'f-#', '--#', [0.5]],
  ] as const;
  for (const [rule, drawn, expected, chance] of diagrams) {
    it(
      rule,
      marbles((m) => {
        const action$ = m.hot(drawn, actions);
        const input$ = action$.pipe(clockOf(m, { random: drawing(...chance) }));
        m.expect(input$).toBeObservable(expected, inputs);
      }),
    );
  }

  it(
    'says nothing after it is unsubscribed',
    marbles((m) => {
      const input$ = m.hot('f-----', actions).pipe(clockOf(m));
      m.expect(input$, '^-----!').toBeObservable('----m', inputs);
    }),
  );

  it(
    'can be subscribed many times: each has its own timer',
    marbles((m) => {
      const device = clockOf(m);
      m.expect(m.hot('f-----', actions).pipe(device)).toBeObservable('----m-t', inputs);
      m.expect(m.hot('-l----', actions).pipe(device)).toBeObservable('---t', inputs);
    }),
  );

  it('one lazy timer: a hundred thousand words of a leader start and cancel none', () => {
    const time = new VirtualTimeScheduler();
    const schedule = vi.spyOn(time, 'schedule');
    const action$ = new Subject<ClockAction>();
    const device = clock({ scheduler: time, random: () => 0 });
    const heard: string[] = [];
    device(action$).subscribe(({ type }) => heard.push(`${type} at ${time.now()}`));
    for (let i = 0; i < 100_000; i += 1) action$.next(actions.f);
    expect(schedule).toHaveBeenCalledTimes(1);
    time.schedule(() => {
      for (let i = 0; i < 100_000; i += 1) action$.next(actions.f);
    }, 300);
    time.flush();
    expect(heard).toEqual(['minimumElapsed at 700', 'timedOut at 700']);
    expect(schedule.mock.calls.length).toBeLessThan(12);
  });
});

describe('before it delivers a timeout', () => {
  it(
    '"one more turn": input that waits may still move the deadline (I1)',
    marbles((m) => {
      const action$ = new Subject<ClockAction>();
      m.expect(action$.pipe(clockOf(m))).toBeObservable('--------m-t', inputs);
      m.scheduler.schedule(() => {
        action$.next(actions.f);
        // Behind the timer, in the frame in which it fires.
        m.scheduler.schedule(() => action$.next(actions.f), 4);
      });
    }),
  );

  it(
    'and another for a core that gathers its inputs with the same scheduler (I1)',
    marbles((m) => {
      const { scheduler } = m;
      const action$ = new Subject<ClockAction>();
      m.expect(action$.pipe(clockOf(m))).toBeObservable('--------m-t', inputs);
      scheduler.schedule(() => {
        action$.next(actions.f);
        scheduler.schedule(() => void scheduler.schedule(() => action$.next(actions.f)), 4);
      });
    }),
  );

  it('reports by how much the timer was late (I1)', () => {
    const lateness: number[] = [];
    const { time, slow } = stalled(7);
    const action$ = new Subject<ClockAction>();
    const heard: string[] = [];
    const onLateness = (ms: number): void => void lateness.push(ms);
    const options = { electionTimeoutMs, heartbeatMs: 2, scheduler: slow, onLateness };
    clock(options)(action$).subscribe(({ type }) => heard.push(`${type} at ${time.now()}`));
    action$.next(actions.l);
    time.flush();
    expect(heard).toEqual(['timedOut at 9']);
    expect(lateness).toEqual([7]);
  });

  it('a stalled event loop causes no election while heartbeats wait in the socket (I1)', async () => {
    const { near, far, close } = await sockets();
    const action$ = new Subject<ClockAction>();
    const order: string[] = [];
    const lateness: number[] = [];
    const subscription = clock({
      electionTimeoutMs: { minimum: 50, spread: 1 },
      heartbeatMs: 10,
      onLateness: (ms) => void lateness.push(ms),
    })(action$).subscribe(({ type }) => order.push(type));
    const word = new Promise<void>((done) => {
      near.on('data', () => {
        order.push('word of the leader');
        // A core that gathers: it takes its input in the next turn.
        turnScheduler.schedule(() => {
          action$.next(actions.f);
          done();
        });
      });
    });
    action$.next(actions.f);
    await new Promise<void>((done) => {
      setImmediate(() => {
        far.write('x');
        const end = performance.now() + 120;
        while (performance.now() < end);
        done();
      });
    });
    await word;
    subscription.unsubscribe();
    close();
    expect(order).toEqual(['word of the leader']);
    expect(lateness[0]).toBeGreaterThan(20);
  });
});

describe('on real time', () => {
  it('ticks on turnScheduler, whatever the wall clock does (I5)', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const heard: string[] = [];
    const action$ = new Subject<ClockAction>();
    await new Promise<void>((done) => {
      const device = clock({ electionTimeoutMs: { minimum: 10, spread: 5 }, heartbeatMs: 5 });
      const subscription = device(action$).subscribe(({ type }) => {
        heard.push(type);
        if (type === 'minimumElapsed') vi.setSystemTime(Date.now() - 7_200_000);
        if (type !== 'timedOut') return;
        subscription.unsubscribe();
        done();
      });
      action$.next(actions.f);
      vi.setSystemTime(Date.now() + 3_600_000);
    });
    vi.useRealTimers();
    expect(heard).toEqual(['minimumElapsed', 'timedOut']);
  });
});

describe('what it is made from', () => {
  const wrong: [string, ClockOptions][] = [
    ['electionTimeoutMs.minimum', { electionTimeoutMs: { minimum: 0, spread: 1 } }],
    ['electionTimeoutMs.minimum', { electionTimeoutMs: { minimum: NaN, spread: 1 } }],
    ['electionTimeoutMs.minimum', { electionTimeoutMs: { minimum: '5' as never, spread: 1 } }],
    ['electionTimeoutMs.spread', { electionTimeoutMs: { minimum: 400, spread: -1 } }],
    ['electionTimeoutMs.spread', { electionTimeoutMs: { minimum: 400, spread: 2 ** 31 } }],
    ['electionTimeoutMs.minimum + spread', { electionTimeoutMs: { minimum: 2e9, spread: 2e9 } }],
    ['heartbeatMs', { heartbeatMs: Infinity }],
    ['heartbeatMs', { heartbeatMs: 400 }],
  ];
  it.each(wrong)('names the culprit: %s (I3)', (field, options) => {
    expect(() => clock(options)).toThrow(ConfigError);
    expect(() => clock(options)).toThrow(`${field}: `);
  });

  it(
    'a random function that is none ends the stream',
    marbles((m) => {
      const action$ = m.hot('f', actions);
      const input$: Observable<ClockInput> = action$.pipe(clockOf(m, { random: () => NaN }));
      const error = new ConfigError('random', 'NaN is not within 0 to 1');
      m.expect(input$).toBeObservable('----#', {}, error);
    }),
  );

  it(
    'a report that throws ends the stream (I10)',
    marbles((m) => {
      const onLateness = (): void => {
        throw new Error('no logger');
      };
      const input$ = m.hot('f', actions).pipe(clockOf(m, { onLateness }));
      m.expect(input$).toBeObservable('----#', {}, new Error('no logger'));
    }),
  );
});

/** Virtual time whose timers are late by so much. */
function stalled(ms: number): { time: VirtualTimeScheduler; slow: SchedulerLike } {
  const time = new VirtualTimeScheduler();
  const slow: SchedulerLike = {
    now: () => time.now(),
    schedule: (work: never, delay = 0) => time.schedule(work, delay > 0 ? delay + ms : 0),
  };
  return { time, slow };
}

/** Two ends of a connection. */
async function sockets(): Promise<{ near: Socket; far: Socket; close: () => void }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const accepted = new Promise<Socket>((done) => server.once('connection', done));
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const far = await accepted;
  const close = (): void => {
    near.destroy();
    far.destroy();
    server.close();
  };
  return { near, far, close };
}
