/**
 * Linearizable reads (§8, thesis §6.4): the commit index of the request, a round of the quorum that
 * began after it, and the machine at that index.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: R, S requests 1, 2, t timedOut, p, q
 * persisted 1, 2, v a vote, numbers: an answer of b to this round. Actions: R readReady of 1, S of
 * 2, B of both.
 */
import { describe, expect, it } from 'vitest';
import { raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { ByHand, Told, Wanted } from './alphabet.js';
import {
  abc,
  at,
  awake,
  call,
  configProposed,
  drawing,
  entriesAfter,
  leading,
  only,
  persisted,
  pristine,
  proposed,
  readReady,
  readRefused,
  readRequested,
  received,
  reply,
  restarted,
  settle,
  tell,
  timedOut,
  vote,
} from './alphabet.js';

/** Leads term 2 after `tpvq`; its marker at index 2 is committed by b's answer to round 1. */
const quiet = restarted([1], { announceCommits: false });
const committedMarker = received(reply('b', 2, { last: at(2, 2) }));

/** An answer of b to a round, that it has everything up to the marker. */
function answer(round: number, id = 'b'): Told {
  return received(reply(id, 2, { round, last: at(2, 2) }));
}

const inputs: Record<string, Told> = {
  R: readRequested(1),
  S: readRequested(2),
  t: timedOut,
  p: persisted(1),
  v: received(vote('b', 2)),
  q: persisted(2),
  1: committedMarker,
  2: answer(2),
  3: answer(3),
};
const actions: Record<string, Wanted> = {
  R: readReady([1], 2),
  S: readReady([2], 2),
  B: readReady([1, 2], 2),
};

describe('a read', () => {
  it(
    'is answered after "exchanging heartbeat messages with a majority of the cluster" (§8)',
    marbles((m) => {
      const input$ = m.hot('-tpvq1-R---2--', inputs);
      const expected = '    -----------R--';
      m.expect(input$.pipe(raft(quiet), drawing('readReady'))).toBeObservable(expected, actions);
    }),
  );

  it(
    'is answered by any round that began after it, with all that wait (thesis §6.4)',
    marbles((m) => {
      const input$ = m.hot('-tpvq1-R-S----3-', inputs);
      const expected = '    --------------B-';
      m.expect(input$.pipe(raft(quiet), drawing('readReady'))).toBeObservable(expected, actions);
    }),
  );

  it(
    'E3: only answers to calls that began after the request count (thesis §6.4)',
    marbles((m) => {
      const input$ = m.hot('-tpvq1-t--R-2--3-', inputs);
      const expected = '    ---------------R-';
      m.expect(input$.pipe(raft(quiet), drawing('readReady'))).toBeObservable(expected, actions);
    }),
  );

  it(
    'E2: an answer that was withheld confirms no later read: rounds are never repeated',
    marbles((m) => {
      const input$ = m.hot('-tpvq1-R-2--S--2-2--3-', inputs);
      const expected = '    ---------R----------S-';
      m.expect(input$.pipe(raft(quiet), drawing('readReady'))).toBeObservable(expected, actions);
    }),
  );

  it(
    'E1: waits until the leader "has committed an entry from its term" (§8)',
    marbles((m) => {
      const held: Record<string, Told> = {
        ...inputs,
        2: received(reply('b', 2, { round: 2, last: at(1, 1) })),
        3: received(reply('b', 2, { round: 3, last: at(2, 2) })),
      };
      const input$ = m.hot('-tpvq-R-2-t-3-', held);
      const expected = '    ------------R-';
      m.expect(input$.pipe(raft(quiet), drawing('readReady'))).toBeObservable(expected, actions);
    }),
  );
});

describe('a read is counted', () => {
  const joint = { ...abc, newVoters: ['a', 'd', 'e'] };

  it('D6: by both majorities during a change (§6)', () => {
    const node = leading(quiet, 'b');
    settle(node, committedMarker, configProposed(1, joint));
    settle(node, readRequested(1));
    expect(only(settle(node, answer(3), answer(3, 'c')), 'readReady')).toEqual([]);
    expect(only(settle(node, answer(3, 'd')), 'readReady')).toEqual([readReady([1], 2)]);
  });

  it('E3, D18: without non-voters and nodes that are no members (thesis §6.4)', () => {
    const config = { ...abc, nonVoters: ['d', 'e'] };
    const entries = entriesAfter(at(0, 0), [1], config);
    const node = leading(restarted([1], { announceCommits: false, entries }), 'b');
    settle(node, committedMarker);
    settle(node, readRequested(1));
    const others = [answer(2, 'd'), answer(2, 'e'), answer(2, 'z')];
    expect(only(settle(node, ...others), 'readReady')).toEqual([]);
    expect(only(settle(node, answer(2)), 'readReady')).toEqual([readReady([1], 2)]);
  });

  it('without anyone else, alone in its cluster, once its marker is applied (§8)', () => {
    const node = awake(pristine(['a']));
    tell(node, timedOut);
    tell(node, persisted(2));
    expect(tell(node, readRequested(1))).toEqual([]);
    expect(only(tell(node, persisted(3)), 'readReady')).toEqual([readReady([1], 2)]);
    expect(tell(node, readRequested(2))).toEqual([readReady([2], 2)]);
  });
});

describe('a read waits for the machine', () => {
  it('E9: at the commit index of its request: what was acknowledged before is seen (§8)', () => {
    const node: ByHand = leading(quiet, 'b');
    settle(node, committedMarker);
    const [write] = only(tell(node, proposed(1, 'x')), 'persist');
    const both = ['b', 'c'].map((id) => received(reply(id, 2, { round: 2, last: at(2, 3) })));
    tell(node, ...both);
    expect(node).toMatchObject({ commitIndex: 3, appliedIndex: 2 });
    tell(node, readRequested(1));
    expect(only(tell(node, answer(3)), 'readReady')).toEqual([]);
    const late = tell(node, persisted(write?.sequence ?? 0));
    expect(late.map((action) => action.type)).toEqual(['apply', 'readReady']);
  });
});

describe('a read that can’t be answered', () => {
  it('E4: is refused by who does not lead, with the leader’s name (§8)', () => {
    const node = awake(quiet);
    expect(tell(node, readRequested(1))).toEqual([readRefused([1], 'notLeader')]);
    tell(node, received(call('b', 1, { prev: at(1, 1) })));
    expect(tell(node, readRequested(2))).toEqual([readRefused([2], 'notLeader', 'b')]);
  });

  it('E4: is refused over the limit, and waits no longer than the leadership', () => {
    const node = leading({ ...quiet, limits: { waitingReads: 2 } }, 'b');
    const many = [1, 2, 3].map(readRequested);
    expect(only(tell(node, ...many), 'readRefused')).toEqual([readRefused([3], 'overloaded', 'a')]);
    const deposed = tell(node, received(call('c', 5, { prev: at(2, 2) })));
    expect(only(deposed, 'readRefused')).toEqual([readRefused([1, 2], 'notLeader', 'c')]);
    settle(node, timedOut);
    settle(node, received(vote('b', 6)));
    const again = settle(node, received(reply('b', 6, { round: 3, last: at(6, 3) })));
    expect(node).toMatchObject({ role: 'leader', commitIndex: 3 });
    expect(only(again, 'readReady')).toEqual([]);
  });
});
