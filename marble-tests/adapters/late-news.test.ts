/**
 * The news of a commitment waits for a call that carries it.
 *
 * Actions: e a call with an entry that is not committed, n, N, M calls with nothing but the news of
 * a commitment, each of a newer one, s one for b alone, S one with an entry for c alone, a one that
 * asks where the log of b ends, h a call with nothing new, E one with an entry and the news of
 * N, w a write, R a change of the role. Inputs: p a proposal, t timedOut, q readRequested.
 */
import type { Observable } from 'rxjs';
import { filter, ignoreElements, merge, NEVER, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { lateNews } from '../../adapters/late-news.js';
import { raft } from '../../lib/raft.js';
import {
  at,
  broadcast,
  call,
  commandsAfter,
  drawing,
  persist,
  persisted,
  proposed,
  readRequested,
  received,
  reply,
  restarted,
  roleChanged,
  send,
  timedOut,
  vote,
} from '../lib/alphabet.js';
import type { Told, Wanted } from '../lib/alphabet.js';
import { marbles } from '../marbles.js';

const to = ['b', 'c'];
const news = (commit: number): Wanted =>
  broadcast(to, call('a', 2, { prev: at(2, commit), commit }));
const entries = commandsAfter(at(2, 4), ['x']);

const actions: Record<string, Wanted> = {
  e: broadcast(to, call('a', 2, { entries, commit: 1 })),
  n: news(2),
  N: news(3),
  M: news(4),
  h: broadcast(to, call('a', 2, { prev: at(2, 4), commit: 1 })),
  s: send('b', call('a', 2, { prev: at(2, 2), commit: 2 })),
  S: send('c', call('a', 2, { entries, commit: 3 })),
  a: send('b', call('a', 2, { prev: at(2, 1), commit: 2 })),
  E: broadcast(to, call('a', 2, { entries, commit: 3 })),
  w: persist(1, {}),
  R: roleChanged('follower', 3, null),
};
const inputs: Record<string, Told> = { t: timedOut, q: readRequested(1) };

/** A core that says what is drawn, whatever it is told. */
const saying =
  (action$: Observable<Wanted>) =>
  (input$: Observable<Told>): Observable<Wanted> =>
    merge(action$, input$.pipe(ignoreElements()));

describe('lateNews, with a wait of three frames', () => {
  it.each([
    ['what is no news leaves at once', 'ewhR--|', 'ewhR--|'],
    ['news waits, and leaves alone when nothing follows', '-n------|', '----n---|'],
    ['news for one peer does so too', '-s------|', '----s---|'],
    ['news that a call has overtaken is left out', '-n-E----|', '---E----|'],
    ['and told before, where the call is for others', '-s-S----|', '---(sS)-|'],
    ['who is asked where its log ends does not wait for an end', '-a------|', '-a------|'],
    ['what is no call does not carry it', '-nw-----|', '--w-n---|'],
    ['newer news takes the place of older', '-nN-------|', '-------N--|'],
    ['one timer serves all: what is younger than it waits once more', '-nEM------|', '--E----M--|'],
    ['the next news finds the timer free', '-n-E-M----|', '---E----M-|'],
    ['the last news of a leader leaves with its role', '-n(MR)----|', '--(MR)----|'],
    ['and with the end of the node', '-n-(N|)', '---(N|)'],
  ])('%s', (_, said, expected) => {
    marbles((m) => {
      const late = lateNews(saying(m.cold(said, actions)), m.scheduler, 3);
      m.expect(m.cold<Told>('|').pipe(late)).toBeObservable(expected, actions);
    })();
  });

  it.each([
    ['a heartbeat', '-t-------'],
    ['a read', '-q-------'],
  ])('what %s has asked for does not wait, and what comes later does', (_, asked) => {
    marbles((m) => {
      const said = '        --n-N----';
      const expected = '    --n----N-';
      const late = lateNews(saying(m.cold(said, actions)), m.scheduler, 3);
      m.expect(m.hot(asked, inputs).pipe(late)).toBeObservable(expected, actions);
    })();
  });

  it(
    'an error passes, and nothing follows it',
    marbles((m) => {
      const late = lateNews(saying(m.cold('-n#', actions)), m.scheduler, 3);
      m.expect(m.cold<Told>('------|').pipe(late)).toBeObservable('--#', actions);
    }),
  );

  it('leaves no timer behind: not when it is unsubscribed, and one at a time', () => {
    const virtual = new VirtualTimeScheduler();
    const said$ = new Subject<Wanted>();
    const late = lateNews(saying(said$), virtual, 3);
    const heard: Wanted[] = [];
    const run = late(NEVER).subscribe((action) => heard.push(action));
    said$.next(news(2));
    said$.next(news(3));
    expect(virtual.actions).toHaveLength(1);
    run.unsubscribe();
    expect(virtual.actions).toEqual([]);
    expect(heard).toEqual([]);
  });
});

describe('a leader whose news is late', () => {
  it(
    'tells its followers with the next entries, and of the last ones a little later (§5.3)',
    marbles((m) => {
      const input$ = m.hot('-tpvq-b-xrB---------', {
        t: timedOut,
        p: persisted(1),
        v: received(vote('b', 2)),
        q: persisted(2),
        b: received(reply('b', 2, { round: 1, last: at(2, 2) })),
        x: proposed(1, 'x'),
        r: persisted(3),
        B: received(reply('b', 2, { round: 3, last: at(2, 3) })),
      });
      const expected = '    ---h----x-------n---';
      const core = lateNews(raft(restarted([1])), m.scheduler, 5);
      const calls$ = core(input$).pipe(
        drawing('broadcastMessage'),
        filter((action) => 'message' in action && action.message.type === 'appendEntriesCall'),
      );
      const x = { round: 3, commit: 2, entries: commandsAfter(at(2, 2), ['x']) };
      m.expect(calls$).toBeObservable(expected, {
        h: broadcast(to, call('a', 2, { prev: at(1, 1), terms: [2] })),
        x: broadcast(to, call('a', 2, x)),
        n: broadcast(to, call('a', 2, { round: 4, prev: at(2, 3), commit: 3 })),
      });
    }),
  );
});
