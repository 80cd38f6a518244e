/**
 * Turns (DESIGN.md, law 5): all inputs of a turn give one persist, at most one message per peer,
 * one apply. A turn is a step of a scheduler; here it is the test's own, so that coalescing is
 * drawn.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: `tpvq` leads a into term 2, x, y, z are
 * proposals. Actions: c vote requests, h the first heartbeat, m, n, o, M, P, N calls with these
 * proposals. A node that wakes says `(fks)`.
 */
import { describe, expect, it } from 'vitest';
import type { SchedulerAction, SchedulerLike, Subscription } from 'rxjs';
import { Subject, VirtualTimeScheduler } from 'rxjs';
import type { RaftConfig } from '../../lib/index.js';
import { raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { Told, Wanted } from './alphabet.js';
import {
  abc,
  apply,
  at,
  broadcast,
  call,
  commandsAfter,
  configChanged,
  drawing,
  entriesAfter,
  persisted,
  proposed,
  received,
  restarted,
  roleChanged,
  timedOut,
  timer,
  vote,
  voteCall,
} from './alphabet.js';

const one = restarted([1]);

const waking: Record<string, Wanted> = {
  f: roleChanged('follower', 1, null),
  k: configChanged(abc, 1),
  s: timer('follower'),
};

/** A turn that takes so many frames. Each step that is asked for is written down. */
function every(
  scheduler: SchedulerLike,
  frames: number,
  steps: Subscription[] = [],
): SchedulerLike {
  return {
    now: () => scheduler.now(),
    schedule: <T>(work: (this: SchedulerAction<T>, state?: T) => void): Subscription => {
      const step = scheduler.schedule(work, frames);
      steps.push(step);
      return step;
    },
  };
}

describe('turns (law 5)', () => {
  const leader: RaftConfig<string, string> = { ...one, announceCommits: false };
  const inputs: Record<string, Told> = {
    t: timedOut,
    p: persisted(1),
    v: received(vote('b', 2)),
    q: persisted(2),
    x: proposed(1, 'x'),
    y: proposed(2, 'y'),
    z: proposed(3, 'z'),
  };
  const to = ['b', 'c'];
  const said: Record<string, Wanted> = {
    c: broadcast(to, voteCall('a', 2, at(1, 1))),
    h: broadcast(to, call('a', 2, { prev: at(1, 1), terms: [2] })),
    m: broadcast(to, call('a', 2, { round: 2, entries: commandsAfter(at(2, 2), ['x']) })),
    n: broadcast(to, call('a', 2, { round: 3, entries: commandsAfter(at(2, 3), ['y']) })),
    o: broadcast(to, call('a', 2, { round: 4, entries: commandsAfter(at(2, 4), ['z']) })),
    M: broadcast(to, call('a', 2, { round: 2, entries: commandsAfter(at(2, 2), ['x', 'y', 'z']) })),
    P: broadcast(to, call('a', 2, { round: 2, entries: commandsAfter(at(2, 2), ['x', 'y']) })),
    N: broadcast(to, call('a', 2, { round: 3, entries: commandsAfter(at(2, 4), ['z']) })),
  };

  it(
    'without a scheduler every input is answered synchronously',
    marbles((m) => {
      const input$ = m.hot('-tpvq-(xyz)-', inputs);
      const expected = '    --ch--(mno)-';
      const said$ = input$.pipe(raft(leader), drawing('broadcastMessage'));
      m.expect(said$).toBeObservable(expected, said);
    }),
  );

  it(
    'with one, all inputs of a turn are answered together: one call to every peer',
    marbles((m) => {
      const input$ = m.hot('-tpvq-(xyz)-', inputs);
      const expected = '    --ch--M-----';
      const said$ = input$.pipe(raft(leader, m.scheduler), drawing('broadcastMessage'));
      m.expect(said$).toBeObservable(expected, said);
    }),
  );

  it(
    'of a slow turn, three frames long, all that comes meanwhile is the next',
    marbles((m) => {
      const input$ = m.hot('-t----p---v---xy--z---', inputs);
      const expected = '    ---------c---h---P---N';
      const said$ = input$.pipe(raft(leader, every(m.scheduler, 3)), drawing('broadcastMessage'));
      m.expect(said$).toBeObservable(expected, said);
    }),
  );

  it(
    'what is more than a turn may hold follows by itself: at once, in steps, or before the end',
    marbles((m) => {
      const config = restarted([1, 1, 1, 1, 1], { limits: { entriesPerMessage: 2 } });
      const heartbeat = { h: received(call('b', 1, { prev: at(1, 5), commit: 5 })) };
      const pieces: Record<string, Wanted> = {
        A: apply(entriesAfter(at(0, 0), [1, 1])),
        B: apply(entriesAfter(at(1, 2), [1, 1])),
        C: apply(entriesAfter(at(1, 4), [1])),
      };
      const open$ = m.hot('-h----------', heartbeat);
      const atOnce = '     -(ABC)------';
      const inSteps = '    ----A--B--C-';
      m.expect(open$.pipe(raft(config), drawing('apply'))).toBeObservable(atOnce, pieces);
      const step = every(m.scheduler, 3);
      m.expect(open$.pipe(raft(config, step), drawing('apply'))).toBeObservable(inSteps, pieces);
      const ending$ = m.hot('-(h|)', heartbeat);
      const end = '          -(ABC|)';
      m.expect(ending$.pipe(raft(config, step), drawing('apply'))).toBeObservable(end, pieces);
    }),
  );

  it(
    'a step that was asked for is not taken after unsubscription',
    marbles((m) => {
      const input$ = m.hot('------t--', { t: timedOut });
      const stop = '        -------!-';
      m.expect(input$.pipe(raft(one, every(m.scheduler, 2))), stop).toBeObservable(
        '(fks)----',
        waking,
      );
    }),
  );

  it('a step that has been taken is held no longer, whatever the scheduler (law 6)', () => {
    const virtual = new VirtualTimeScheduler();
    const steps: Subscription[] = [];
    const counting = every(virtual, 0, steps);
    const input$ = new Subject<Told>();
    const subscription = input$.pipe(raft(one, counting)).subscribe();
    for (let turn = 0; turn < 100; turn += 1) {
      input$.next(proposed(turn, 'x'));
      virtual.flush();
    }
    expect(steps).toHaveLength(100);
    expect(steps.filter((step) => !step.closed).length).toBeLessThanOrEqual(1);
    subscription.unsubscribe();
    expect(steps.filter((step) => !step.closed)).toEqual([]);
  });
});
