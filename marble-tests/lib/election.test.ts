/**
 * Leader election (§5.2) and the election restriction (§5.4.1).
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: t timedOut, p the next persisted, v a
 * vote, n a refused one, h a heartbeat. Actions: f, C, L roleChanged (follower, candidate, leader),
 * k configChanged, s setElectionTimeout, w persist, m a message. A node that wakes says `(fks)`.
 */
import { describe, expect, it } from 'vitest';
import { raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { Told, Wanted } from './alphabet.js';
import {
  abc,
  at,
  awake,
  broadcast,
  call,
  configChanged,
  drawing,
  dropped,
  entriesAfter,
  leading,
  markerAfter,
  minimumElapsed,
  only,
  persist,
  persisted,
  pristine,
  received,
  reply,
  restarted,
  roleChanged,
  send,
  sent,
  sentTo,
  settle,
  tell,
  timedOut,
  timer,
  vote,
  voteCall,
} from './alphabet.js';

const waking: Record<string, Wanted> = {
  f: roleChanged('follower', 1, null),
  k: configChanged(abc, 1),
  s: timer('follower'),
};

/** a with the log [1]: its next candidacy is in term 2. */
const one = restarted([1]);

const candidacy: Record<string, Wanted> = {
  ...waking,
  C: roleChanged('candidate', 2, null),
  S: timer('candidate'),
  w: persist(1, { vote: [2, 'a'] }),
  m: broadcast(['b', 'c'], voteCall('a', 2, at(1, 1))),
};

describe('a candidacy', () => {
  it(
    '"a candidate with votes of a majority becomes leader" and sends heartbeats (§5.2)',
    marbles((m) => {
      const inputs = { t: timedOut, p: persisted(1), v: received(vote('b', 2)) };
      const actions = {
        ...candidacy,
        L: roleChanged('leader', 2, 'a'),
        T: timer('leader'),
        M: broadcast(['b', 'c'], call('a', 2, { prev: at(1, 1), terms: [2] })),
        W: persist(2, { entries: markerAfter(at(1, 1), 2) }),
      };
      const input$ = m.hot('------t-----p-v-----', inputs);
      const expected = '    (fks)-(CSw)-m-(LTMW)';
      m.expect(input$.pipe(raft(one))).toBeObservable(expected, actions);
    }),
  );

  it(
    '"if many followers become candidates, votes could be split": no one wins, until a timeout (§5.2)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        t: timedOut,
        p: persisted(1),
        q: persisted(2),
        n: received(vote('b', 2, false)),
        o: received(voteCall('c', 2, at(1, 1))),
      };
      const actions = {
        ...candidacy,
        d: send('c', vote('a', 2, false)),
        D: roleChanged('candidate', 3, null),
        W: persist(2, { vote: [3, 'a'] }),
        M: broadcast(['b', 'c'], voteCall('a', 3, at(1, 1))),
      };
      const input$ = m.hot('------t-----pno--t-----q-', inputs);
      const expected = '    (fks)-(CSw)-m-d--(DSW)-M-';
      m.expect(input$.pipe(raft(one))).toBeObservable(expected, actions);
    }),
  );

  it(
    'A5: a candidate that hears the leader of its own term "returns to follower state" (§5.2)',
    marbles((m) => {
      const inputs = {
        t: timedOut,
        p: persisted(1),
        h: received(call('b', 2, { prev: at(1, 1) })),
      };
      const actions = {
        ...candidacy,
        F: roleChanged('follower', 2, 'b'),
        r: send('b', reply('a', 2, { last: at(1, 1) })),
      };
      const input$ = m.hot('------t-----p-h----', inputs);
      const expected = '    (fks)-(CSw)-m-(Fsr)';
      m.expect(input$.pipe(raft(one))).toBeObservable(expected, actions);
    }),
  );

  it(
    'A5: a call of a smaller term "is rejected, and the candidate continues" (§5.2)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        t: timedOut,
        p: persisted(1),
        o: received(call('b', 1, { round: 9, prev: at(1, 1) })),
      };
      const actions = {
        ...candidacy,
        r: send('b', reply('a', 2, { round: 0, refused: true })),
        x: dropped('b', 'staleTerm'),
      };
      const input$ = m.hot('------t-----p-o---', inputs);
      const expected = '    (fks)-(CSw)-m-(rx)';
      m.expect(input$.pipe(raft(one))).toBeObservable(expected, actions);
    }),
  );

  it('S6: a voter for the loser follows the elected leader of the term (§5.2)', () => {
    const node = awake(one);
    settle(node, received(voteCall('c', 2, at(1, 1))));
    const actions = tell(node, received(call('b', 2, { prev: at(1, 1) })));
    expect(node).toMatchObject({ role: 'follower', leaderId: 'b', votedFor: 'c' });
    expect(sentTo(actions, 'b')).toEqual([reply('a', 2, { last: at(1, 1) })]);
  });

  it.each([
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('A14: of %i voters %i are a majority, itself among them (§5.2)', (size, majority) => {
    const voters = ['a', 'b', 'c', 'd', 'e'].slice(0, size);
    const node = leading(pristine(voters), ...voters.slice(1, majority - 1));
    expect(node.role).toBe('candidate');
    tell(node, received(vote(voters[majority - 1] ?? '', 1)));
    expect(node.role).toBe('leader');
  });

  it('A14: a cluster of one elects itself, and one without voters nobody (§5.2)', () => {
    expect(leading(pristine(['a'])).role).toBe('leader');
    expect(leading({ id: 'a' }).role).toBe('follower');
  });

  it('A7: votes are of a majority "of the servers in the full cluster for the same term" (§5.2)', () => {
    const five = awake(pristine(['a', 'b', 'c', 'd', 'e']));
    settle(five, timedOut);
    settle(five, received(vote('b', 1)));
    settle(five, timedOut);
    const old = tell(five, received(vote('c', 1)));
    settle(five, received(vote('e', 2)), received(vote('e', 2)), received(vote('z', 2)));
    expect(five).toMatchObject({ role: 'candidate', currentTerm: 2 });
    expect(old).toEqual([dropped('c', 'staleTerm')]);
    settle(five, received(vote('d', 2)));
    expect(five.role).toBe('leader');
  });

  it('"RequestVote RPCs … to each of the other servers" that vote: non-voters are not asked', () => {
    const entries = entriesAfter(at(0, 0), [1], { ...abc, nonVoters: ['d'] });
    const actions = settle(awake(restarted([1], { entries })), timedOut);
    expect(sent(actions).map(([to]) => to)).toEqual(['b', 'c']);
  });

  it('a vote that comes before the own candidacy is durable waits for it (Figure 2)', () => {
    const node = awake(one);
    const [write] = only(tell(node, timedOut), 'persist');
    expect(tell(node, received(vote('b', 2)), received(vote('c', 2)))).toEqual([]);
    tell(node, persisted(write?.sequence ?? 0));
    expect(node.role).toBe('leader');
  });

  it('J2: whoever sees the leader sees its entry in the log: a command comes behind it (§8)', () => {
    const node = leading(one, 'b');
    expect(node.log.lastPosition).toEqual(at(2, 2));
    expect(node.proposeCommand('x')).toEqual(at(2, 3));
  });
});

describe('a vote', () => {
  it(
    '"each server will vote for at most one candidate in a given term, first-come-first-served" (§5.2)',
    marbles((m) => {
      const inputs = {
        b: received(voteCall('b', 2, at(1, 1))),
        p: persisted(1),
        c: received(voteCall('c', 2, at(1, 1))),
      };
      const actions = {
        g: send('b', vote('a', 2)),
        d: send('c', vote('a', 2, false)),
      };
      const input$ = m.hot('-b--p-c-b---', inputs);
      const expected = '    ----g-d-g---';
      const said$ = input$.pipe(raft(one), drawing('sendMessage'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it('A1: "the log with the later term is more up-to-date", whatever its length (§5.4.1)', () => {
    const long = awake(restarted([1, 1, 1, 1], { currentTerm: 2 }));
    const late = awake(restarted([1, 1, 2], { currentTerm: 2 }));
    expect(sent(settle(late, received(voteCall('b', 3, at(1, 4)))))).toEqual([
      ['b', vote('a', 3, false)],
    ]);
    expect(sent(settle(long, received(voteCall('b', 3, at(2, 3)))))).toEqual([['b', vote('a', 3)]]);
  });

  it.each([
    [at(2, 2), false],
    [at(2, 3), true],
    [at(2, 4), true],
  ])('A1: of the same last term "whichever log is longer", here %o (§5.4.1)', (last, granted) => {
    const node = awake(restarted([1, 1, 2], { currentTerm: 2 }));
    const actions = settle(node, received(voteCall('b', 3, last)));
    expect(sent(actions)).toEqual([['b', vote('a', 3, granted)]]);
  });

  it('A4: a leader that steps down in its own term keeps its vote: no second leader (§5.2)', () => {
    const node = leading(restarted([1], { limits: { heartbeatsAlone: 1 } }), 'b');
    settle(node, timedOut);
    expect(node).toMatchObject({ role: 'follower', currentTerm: 2, votedFor: 'a' });
    expect(sent(settle(node, received(voteCall('c', 2, at(1, 9)))))).toEqual([
      ['c', vote('a', 2, false)],
    ]);
  });

  it('A4: nor does a candidate that hears the leader vote again in that term (§5.2)', () => {
    const node = awake(one);
    settle(node, timedOut);
    settle(node, received(call('b', 2, { prev: at(1, 1) })));
    expect(node.votedFor).toBe('a');
    expect(sent(settle(node, minimumElapsed, received(voteCall('c', 2, at(1, 9)))))).toEqual([
      ['c', vote('a', 2, false)],
    ]);
  });

  it('J6: term and vote outlive a restart: the same candidate again, and no other (Figure 2)', () => {
    const config = restarted([1], { currentTerm: 2, votedFor: 'b' });
    expect(sent(settle(awake(config), received(voteCall('c', 2, at(1, 9)))))).toEqual([
      ['c', vote('a', 2, false)],
    ]);
    expect(sent(settle(awake(config), received(voteCall('b', 2, at(1, 1)))))).toEqual([
      ['b', vote('a', 2)],
    ]);
  });

  it('a request of an old term is answered with the newer one, and changes nothing (§5.1)', () => {
    const node = awake(restarted([1], { currentTerm: 5, votedFor: 'b' }));
    expect(tell(node, received(voteCall('b', 4, at(1, 9))))).toEqual([
      send('b', vote('a', 5, false)),
    ]);
  });

  it('of a candidate whose log is already of its term is invalid: terms begin with votes (§5.2)', () => {
    const node = awake(one);
    expect(tell(node, received(voteCall('b', 2, at(2, 5))))).toEqual([dropped('b', 'invalid')]);
    expect(node.currentTerm).toBe(1);
  });

  it('more requests in one turn than a cluster can have are dropped', () => {
    const node = awake(one);
    const many = Array.from({ length: 70 }, (_, number) =>
      received(voteCall(`n${number}`, 2, at(1, 1))),
    );
    // Who has asked already may ask again.
    const actions = settle(node, ...many, received(voteCall('n0', 2, at(1, 1))));
    expect(sent(actions)).toHaveLength(64);
    expect(only(actions, 'dropped')).toHaveLength(6);
    expect(only(actions, 'dropped')[0]).toEqual(dropped('n64', 'overloaded'));
  });
});
