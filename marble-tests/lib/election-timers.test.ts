/**
 * Terms and timers of an election: who is heeded, who is ignored, and when the clock starts anew
 * (§5.1, §5.2; thesis §4.2.3).
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: t timedOut, e minimumElapsed, p the next
 * persisted, h a heartbeat of b, v a vote request of c. Actions: s, S, T setElectionTimeout
 * (follower, candidate, leader), x dropped, g a vote granted, d denied, r an acknowledgement.
 */
import { describe, expect, it } from 'vitest';
import { raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { Told, Wanted } from './alphabet.js';
import {
  at,
  awake,
  call,
  drawing,
  dropped,
  entriesAfter,
  leading,
  minimumElapsed,
  only,
  persisted,
  received,
  reply,
  restarted,
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

/** a with the log [1]: its next candidacy is in term 2. */
const one = restarted([1]);

const timers: Record<string, Wanted> = {
  s: timer('follower'),
  S: timer('candidate'),
  T: timer('leader'),
};

describe('the election timer', () => {
  it(
    'A10: "if election timeout elapses: start new election", each with a new timeout (§5.2)',
    marbles((m) => {
      const input$ = m.hot('-t-t-t-', { t: timedOut });
      const expected = '    sS-S-S-';
      const said$ = input$.pipe(raft(one), drawing('setElectionTimeout'));
      m.expect(said$).toBeObservable(expected, timers);
    }),
  );

  it(
    'a leader asks for its heartbeats, again and again (§5.2)',
    marbles((m) => {
      const inputs = { t: timedOut, p: persisted(1), v: received(vote('b', 2)) };
      const input$ = m.hot('-tpv-t-t-', inputs);
      const expected = '    sS-T-T-T-';
      const said$ = input$.pipe(raft(one), drawing('setElectionTimeout'));
      m.expect(said$).toBeObservable(expected, timers);
    }),
  );

  it(
    '"receiving AppendEntries RPC from current leader or granting vote" starts it anew (§5.2)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        v: received(voteCall('c', 2, at(1, 1))),
        h: received(call('b', 3, { prev: at(1, 1) })),
        i: received(call('b', 3, { round: 2, prev: at(2, 7) })),
      };
      const input$ = m.hot('-v-h-i-', inputs);
      const expected = '    ss-s-s-';
      const said$ = input$.pipe(raft(one), drawing('setElectionTimeout'));
      m.expect(said$).toBeObservable(expected, timers);
    }),
  );

  it(
    'S16: a vote that is refused does not, whatever its term: who can win is not held up (§5.2)',
    marbles((m) => {
      const inputs = {
        v: received(voteCall('c', 8, at(0, 9))),
        o: received(call('b', 1, { prev: at(1, 1) })),
      };
      const input$ = m.hot('-v-o-', inputs);
      const expected = '    s----';
      const said$ = input$.pipe(raft(one), drawing('setElectionTimeout'));
      m.expect(said$).toBeObservable(expected, timers);
    }),
  );

  it('what an old timer says in the turn of a newer one is stale (§5.2)', () => {
    const node = awake(one);
    const heard = received(call('b', 1, { prev: at(1, 1) }));
    expect(tell(node, heard, timedOut, minimumElapsed)).toEqual([
      { type: 'roleChanged', role: 'follower', currentTerm: 1, leaderId: 'b' },
      timer('follower'),
      send('b', reply('a', 1, { last: at(1, 1) })),
    ]);
    expect(tell(node, received(voteCall('c', 2, at(1, 1))))).toEqual([dropped('c', 'leaderAlive')]);
  });

  it('a leader that steps down asks for a follower’s timer (§5.1)', () => {
    const node = leading(one, 'b');
    expect(only(tell(node, received(reply('b', 9))), 'setElectionTimeout')).toEqual([
      timer('follower'),
    ]);
  });
});

describe('a leader that is alive', () => {
  it(
    'D11: "within the minimum election timeout of hearing from a current leader" no vote (§6)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        h: received(call('b', 1, { prev: at(1, 1) })),
        v: received(voteCall('c', 2, at(1, 1))),
        e: minimumElapsed,
        p: persisted(1),
      };
      const actions = {
        r: send('b', reply('a', 1, { last: at(1, 1) })),
        x: dropped('c', 'leaderAlive'),
        g: send('c', vote('a', 2)),
      };
      const input$ = m.hot('-h-v-e-v-p-', inputs);
      const expected = '    -r-x-----g-';
      const said$ = input$.pipe(raft(one), drawing('sendMessage', 'dropped'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it('D11: "it does not update its term": nor is the term’s own candidate answered (§6)', () => {
    const node = awake(one);
    tell(node, received(call('b', 1, { prev: at(1, 1) })));
    tell(node, received(voteCall('c', 7, at(1, 1))));
    expect(node).toMatchObject({ currentTerm: 1, leaderId: 'b' });
    expect(tell(node, received(voteCall('c', 1, at(0, 9))))).toEqual([
      send('c', vote('a', 1, false)),
    ]);
  });

  it('a term that has a leader gets no other: its vote is not given away any more (§5.2)', () => {
    const node = awake(restarted([1], { currentTerm: 2 }));
    tell(node, received(call('b', 2, { prev: at(1, 1) })), minimumElapsed);
    expect(tell(node, received(voteCall('c', 2, at(1, 9))))).toEqual([
      send('c', vote('a', 2, false)),
    ]);
    expect(node.votedFor).toBeNull();
  });

  it('D11: a leader hears itself: vote requests of higher terms do not depose it (§6)', () => {
    const node = leading(one, 'b');
    settle(node, minimumElapsed);
    expect(tell(node, received(voteCall('c', 7, at(1, 9))))).toEqual([dropped('c', 'leaderAlive')]);
    expect(node).toMatchObject({ role: 'leader', currentTerm: 2 });
  });

  it('F8: "if a leader discovers that its term is out of date": it is told by a refusal (§5.1)', () => {
    const leader = leading(one, 'b');
    const rejoiner = awake(restarted([1], { id: 'c', currentTerm: 9 }));
    const heartbeat = sentTo(tell(leader, timedOut), 'c');
    const answers = sentTo(settle(rejoiner, ...heartbeat.map(received)), 'a');
    expect(answers).toEqual([reply('c', 9, { round: 0, refused: true })]);
    settle(leader, ...answers.map(received));
    expect(leader).toMatchObject({ role: 'follower', currentTerm: 9, leaderId: null });
  });

  it('stale callers in one turn are told up to a bound', () => {
    const node = awake(restarted([1], { currentTerm: 5 }));
    const many = Array.from({ length: 70 }, (_, number) => received(call(`n${number}`, 4)));
    expect(sent(tell(node, ...many, received(call('n0', 4, { round: 2 }))))).toHaveLength(64);
  });
});

describe('a higher term', () => {
  it('A8: "if one server’s current term is smaller, it updates its current term" (§5.1)', () => {
    const node = leading(one, 'b');
    settle(node, { type: 'proposed', proposal: 1, commands: ['x'] });
    const [role, ...rest] = tell(node, received(reply('b', 5, { refused: true })));
    expect(role).toMatchObject({ role: 'follower', currentTerm: 5, leaderId: null });
    const [write] = only(rest, 'persist');
    expect(write?.hardState).toEqual({ currentTerm: 5, votedFor: null });
    // Not a word before that is durable, and none of term 2 afterwards.
    expect(sent(rest)).toEqual([]);
    expect(sent(tell(node, received(call('c', 5, { prev: at(5, 9) }))))).toEqual([]);
    const late = tell(node, persisted(write?.sequence ?? 0));
    expect(sent(late).map(([, message]) => message.term)).toEqual([5]);
  });

  it('A8: of a vote, of a call, of a reply; a node that is no member is not believed (§5.1)', () => {
    const follower = awake(one);
    tell(follower, received(vote('b', 4, false)));
    expect(follower.currentTerm).toBe(4);
    tell(follower, received(call('c', 6)));
    expect(follower.currentTerm).toBe(6);
    expect(tell(follower, received(vote('z', 8, false)))).toEqual([dropped('z', 'notMember')]);
    expect(tell(follower, received(reply('z', 8)))).toEqual([dropped('z', 'notMember')]);
    expect(follower.currentTerm).toBe(6);
  });

  it('D12: a candidate need not be known: its configuration may not have arrived here (§6)', () => {
    const node = awake(one);
    expect(sent(settle(node, received(voteCall('z', 2, at(1, 1)))))).toEqual([['z', vote('a', 2)]]);
  });
});

describe('who steps down owes nothing to the past', () => {
  it('no votes are asked for when a leader was heard before the candidacy was saved (§5.2)', () => {
    const node = awake(one);
    tell(node, timedOut);
    tell(node, received(call('b', 2, { prev: at(1, 1) })));
    expect(sent(tell(node, persisted(1)))).toEqual([['b', reply('a', 2, { last: at(1, 1) })]]);
  });

  it('neither an acknowledgement nor a refusal for the leader before this one (§5.1)', () => {
    const old = received(call('b', 1, { round: 4, prev: at(1, 1) }));
    const oldGap = received(call('b', 1, { round: 5, prev: at(1, 9) }));
    const next = received(call('c', 2, { prev: at(1, 1) }));
    const nextGap = received(call('c', 2, { prev: at(1, 9) }));
    expect(sent(settle(awake(one), old, oldGap, next))).toEqual([
      ['c', reply('a', 2, { last: at(1, 1) })],
    ]);
    expect(sent(settle(awake(one), old, oldGap, nextGap))).toEqual([
      ['c', reply('a', 2, { refused: true, last: at(1, 1) })],
    ]);
  });

  it('what the leader before had acknowledged holds up no acknowledgement to this one', () => {
    const node = awake(restarted([1, 1, 1, 1]));
    tell(node, received(call('b', 1, { round: 9, prev: at(1, 4) })));
    const said = settle(node, received(call('c', 2, { prev: at(1, 1), terms: [2, 2] })));
    expect(sent(said)).toEqual([['c', reply('a', 2, { last: at(2, 3) })]]);
  });
});

describe('a node without a vote', () => {
  const config = { voters: ['b', 'c'], newVoters: [], nonVoters: ['a'] };
  const nonVoter = restarted([1], { entries: entriesAfter(at(0, 0), [1], config) });

  it('D13: never campaigns: "they are not considered for voting" (§6)', () => {
    const node = awake(nonVoter);
    expect(tell(node, timedOut)).toEqual([timer('follower')]);
    node.timeOut();
    expect(node.role).toBe('follower');
  });

  it('D12: yet votes: the configuration that promotes it may be on its way (§6)', () => {
    const node = awake(nonVoter);
    expect(sent(settle(node, received(voteCall('c', 2, at(1, 1)))))).toEqual([['c', vote('a', 2)]]);
  });

  it('holds its leader for lost when its own timeout elapses, as every node does (§6)', () => {
    const node = awake(nonVoter);
    tell(node, received(call('b', 1, { prev: at(1, 1) })));
    expect(tell(node, received(voteCall('c', 2, at(1, 1))))).toEqual([dropped('c', 'leaderAlive')]);
    settle(node, timedOut);
    expect(sent(settle(node, received(voteCall('c', 2, at(1, 1)))))).toEqual([['c', vote('a', 2)]]);
  });

  it('an empty node waits to be added', () => {
    expect(tell(awake({ id: 'a' }), timedOut)).toEqual([timer('follower')]);
  });

  it('a message that comes from the node itself is no message', () => {
    const node = awake(one);
    expect(tell(node, received(vote('a', 9)))).toEqual([dropped('a', 'fromSelf')]);
    expect(node.currentTerm).toBe(1);
  });
});
