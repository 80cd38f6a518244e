/**
 * The operator: one queue, turns, teardown, blame (DESIGN.md, laws 4, 5, 7, 8), and what every rxjs
 * operator owes: never, empty, error, early disposal. Determinism and data are in laws.test.ts.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: t timedOut, p … s persisted 1 …, v a vote,
 * x, y, z proposals. Actions: f, C, L roleChanged, k configChanged, s, S, T setElectionTimeout, w
 * persist, m a message. A node that wakes says `(fks)`.
 */
import { describe, expect, it } from 'vitest';
import { NEVER, Subject, of, share, take, takeUntil, tap } from 'rxjs';
import { ConfigError, InvariantError, raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { Told, Wanted } from './alphabet.js';
import {
  abc,
  accepted,
  at,
  configChanged,
  drawing,
  dropped,
  persist,
  persisted,
  pristine,
  proposed,
  received,
  rejected,
  restarted,
  roleChanged,
  timedOut,
  timer,
  vote,
} from './alphabet.js';

const one = restarted([1]);

const waking: Record<string, Wanted> = {
  f: roleChanged('follower', 1, null),
  k: configChanged(abc, 1),
  s: timer('follower'),
};

const candidacy: Record<string, Wanted> = {
  ...waking,
  C: roleChanged('candidate', 2, null),
  S: timer('candidate'),
  w: persist(1, { vote: [2, 'a'] }),
};

describe('an operator', () => {
  it(
    'is cold: each subscription is a new node, whose writes are numbered anew',
    marbles((m) => {
      const action$ = m.cold('------t----', { t: timedOut }).pipe(raft(one));
      const expected = '      (fks)-(CSw)';
      m.expect(action$).toBeObservable(expected, candidacy);
      m.expect(action$).toBeObservable(expected, candidacy);
    }),
  );

  it(
    'never completes before its inputs, and completes with them',
    marbles((m) => {
      m.expect(NEVER.pipe(raft(one))).toBeObservable('(fks)', waking);
      m.expect(m.cold<Told>('|').pipe(raft(one))).toBeObservable('(fks|)', waking);
      const late$ = m.cold<Told>('-------|');
      m.expect(late$.pipe(raft(one))).toBeObservable('(fks)--|', waking);
      m.expect(late$).toHaveSubscriptions(['^------!']);
    }),
  );

  it(
    'answers what its inputs said before they completed (law 8)',
    marbles((m) => {
      const actions = {
        ...candidacy,
        n: rejected(1, 'notLeader'),
        o: rejected(2, 'notLeader'),
      };
      const both$ = of(proposed(1, 'x'), proposed(2, 'y'));
      m.expect(both$.pipe(raft(one))).toBeObservable('(nofks|)', actions);
      const turn$ = m.hot('------(t|)', { t: timedOut });
      const expected = '   (fks)-(CSw|)';
      m.expect(turn$.pipe(raft(one))).toBeObservable(expected, actions);
      m.expect(turn$.pipe(raft(one, m.scheduler))).toBeObservable(expected, actions);
    }),
  );

  it(
    'passes an error of its inputs on, at once',
    marbles((m) => {
      const input$ = m.hot<Told>('------#', {}, new Error('lost'));
      const expected = '          (fks)-#';
      m.expect(input$.pipe(raft(one))).toBeObservable(expected, waking, new Error('lost'));
    }),
  );

  it(
    'lets go of its inputs when it is unsubscribed: a crash (law 8)',
    marbles((m) => {
      const input$ = m.hot('------t--t--', { t: timedOut });
      const stop = '        -------!';
      const expected = '    (fks)-(CSw)';
      m.expect(input$.pipe(raft(one)), stop).toBeObservable(expected, candidacy);
      m.expect(input$).toHaveSubscriptions(['^------!']);
    }),
  );

  it('says nothing after it is unsubscribed in the middle of a turn (law 8)', () => {
    const seen: string[] = [];
    const inputs = new Subject<Told>();
    inputs.pipe(raft(one), take(2)).subscribe((action) => seen.push(action.type));
    inputs.next(timedOut);
    expect(seen).toEqual(['roleChanged', 'configChanged']);
    expect(inputs.observed).toBe(false);
  });

  it('nor does it answer what had been said in that turn (law 8)', () => {
    const seen: string[] = [];
    const inputs = new Subject<Told>();
    const crash = new Subject<void>();
    const crashing = tap((action: Wanted) => {
      seen.push(action.type);
      if (action.type !== 'persist') return;
      inputs.next(persisted(action.sequence));
      crash.next();
    });
    inputs.pipe(raft(one), crashing, takeUntil(crash)).subscribe();
    inputs.next(timedOut);
    expect(seen.at(-1)).toBe('persist');
    expect(inputs.observed).toBe(false);
  });
});

describe('one queue (law 4)', () => {
  it('I7: what is said in the midst of a turn waits, and is answered after it', () => {
    const inputs = new Subject<Told>();
    const seen: string[] = [];
    const action$ = inputs.pipe(
      raft(one),
      tap((action) => {
        if (action.type === 'persist') inputs.next(persisted(action.sequence));
      }),
      share(),
    );
    action$.subscribe((action) => seen.push(`1 ${action.type}`));
    action$.subscribe((action) => seen.push(`2 ${action.type}`));
    inputs.next(timedOut);
    // Of a turn every subscriber has seen every action before the next turn begins.
    expect(seen.slice(3)).toEqual(
      ['roleChanged', 'setElectionTimeout', 'persist', 'broadcastMessage'].flatMap((type) => [
        `1 ${type}`,
        `2 ${type}`,
      ]),
    );
  });

  it('answers what answers its first actions', () => {
    const inputs = new Subject<Told>();
    const seen: string[] = [];
    const answering = tap((action: Wanted) => {
      if (action.type === 'setElectionTimeout' && action.role === 'follower') inputs.next(timedOut);
    });
    inputs.pipe(raft(one), answering).subscribe((action) => seen.push(action.type));
    expect(seen.slice(0, 3)).toEqual(['roleChanged', 'configChanged', 'setElectionTimeout']);
    expect(seen.slice(3)).toEqual(['roleChanged', 'setElectionTimeout', 'persist']);
  });

  it('handles together what came together', () => {
    const inputs = new Subject<Told>();
    const turns: number[] = [];
    const eager = tap((action: Wanted) => {
      if (action.type === 'persist') inputs.next(persisted(action.sequence));
      if (action.type === 'roleChanged' && action.role === 'leader') {
        for (let number = 0; number < 10; number += 1) inputs.next(proposed(number, 'x'));
      }
      if (action.type === 'apply') turns.push(action.entries.length);
    });
    inputs.pipe(raft(pristine(['a'])), eager).subscribe();
    inputs.next(timedOut);
    expect(turns).toEqual([2, 10]);
  });

  it('a chain of 100,000 synchronous answers does not grow the stack', () => {
    const inputs = new Subject<Told>();
    let commits = 0;
    const chain = tap((action: Wanted) => {
      if (action.type === 'persist') inputs.next(persisted(action.sequence));
      if (action.type !== 'committed') return;
      commits += 1;
      if (commits < 50_000) inputs.next(proposed(commits, 'x'));
    });
    const subscription = inputs.pipe(raft(pristine(['a'])), chain).subscribe();
    inputs.next(timedOut);
    // Each commit is two answers: persisted and the next proposal.
    expect(commits).toBe(50_000);
    subscription.unsubscribe();
  });

  it('J2: a proposal made when leadership is announced comes behind the leader’s own entry', () => {
    const inputs = new Subject<Told>();
    const places: Wanted[] = [];
    const eager = tap((action: Wanted) => {
      if (action.type === 'persist') inputs.next(persisted(action.sequence));
      if (action.type === 'roleChanged' && action.role === 'leader') inputs.next(proposed(1, 'x'));
      if (action.type === 'accepted') places.push(action);
    });
    inputs.pipe(raft(pristine(['a'])), eager).subscribe();
    inputs.next(timedOut);
    expect(places).toEqual([accepted(1, at(1, 3))]);
  });
});

describe('blame (law 7)', () => {
  it(
    'I10: a broken invariant is the error of the stream: the node dies rather than lies',
    marbles((m) => {
      const input$ = m.hot('------q--', { q: persisted(1) });
      const expected = '    (fks)-#';
      const error = new InvariantError('write 1 was never issued');
      m.expect(input$.pipe(raft(one))).toBeObservable(expected, waking, error);
      m.expect(input$).toHaveSubscriptions(['^-----!']);
    }),
  );

  it(
    'I10: a bad message changes nothing but is told of',
    marbles((m) => {
      const inputs = { a: received(vote('a', 9)), b: received(vote('b', 0)) };
      const actions = { x: dropped('a', 'fromSelf'), y: dropped('b', 'staleTerm') };
      const input$ = m.hot('-a-b-', inputs);
      const expected = '    -x-y-';
      m.expect(input$.pipe(raft(one), drawing('dropped'))).toBeObservable(expected, actions);
    }),
  );

  it('a configuration that no node can be made from is refused at once, by its name', () => {
    expect(() => raft({ id: '' })).toThrow(ConfigError);
    expect(() => raft({ id: 'a', initialVoters: ['b'] })).toThrow('initialVoters');
  });
});
