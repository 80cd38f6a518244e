/**
 * Commitment (§5.3, §5.4.2): what is counted, from when on it counts, and who learns of it.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: t timedOut, p, q, r persisted 1, 2, 3, v a
 * vote, x a proposal, b, c an answer. Actions: C committed, A apply.
 */
import { describe, expect, it } from 'vitest';
import { raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { ByHand, Told, Wanted } from './alphabet.js';
import {
  abc,
  apply,
  at,
  awake,
  call,
  committed,
  configProposed,
  drawing,
  entriesAfter,
  leading,
  logOf,
  only,
  persisted,
  pristine,
  proposed,
  received,
  reply,
  restarted,
  sent,
  settle,
  tell,
  timedOut,
  vote,
} from './alphabet.js';

const five = { voters: ['a', 'b', 'c', 'd', 'e'], newVoters: [], nonVoters: [] };

/** Answers of these nodes that they have all up to a place, each to the leader's newest call. */
function have(place: ReturnType<typeof at>, ...ids: string[]): Told[] {
  return ids.map((id) => received(reply(id, place.term, { last: place })));
}

describe('a leader', () => {
  it(
    '"once a majority of the servers has it, an entry is committed", and applied (§5.3)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        t: timedOut,
        p: persisted(1),
        v: received(vote('b', 2)),
        q: persisted(2),
        x: proposed(1, '2.3'),
        b: received(reply('b', 2, { round: 1, last: at(2, 2) })),
        r: persisted(3),
        c: received(reply('c', 2, { round: 2, last: at(2, 3) })),
      };
      const actions: Record<string, Wanted> = {
        A: apply(logOf(1, 2)),
        C: committed(2),
        B: apply(entriesAfter(at(2, 2), [2])),
        D: committed(3),
      };
      const input$ = m.hot('-tpvqxb---rc---', inputs);
      const expected = '    ------(AC)-(BD)';
      const said$ = input$.pipe(raft(restarted([1])), drawing('apply', 'committed'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it('B3: "only log entries from the leader’s current term are committed by counting" (§5.4.2)', () => {
    // Figure 8 (c): S1 leads in term 4, and its entry of term 2 is on three of five.
    const config = { currentTerm: 3, entries: entriesAfter(at(0, 0), [1, 2], five) };
    const s1 = leading(restarted([1, 2], config), 'b', 'c');
    expect(s1.log.lastPosition).toEqual(at(4, 3));
    settle(s1, received(reply('b', 4, { refused: true, last: at(1, 1) })));
    settle(s1, received(reply('b', 4, { round: 1, last: at(2, 2) })));
    settle(s1, received(reply('c', 4, { round: 1, last: at(2, 2) })));
    expect(s1.peers.filter((peer) => peer.matchIndex >= 2)).toHaveLength(2);
    expect(s1.commitIndex).toBe(0);
    // Figure 8 (e): its entry of term 4 is on a majority, and with it all before it.
    settle(s1, received(reply('b', 4, { round: 1, last: at(4, 3) })));
    expect(s1.commitIndex).toBe(0);
    settle(s1, received(reply('c', 4, { round: 1, last: at(4, 3) })));
    expect(s1.commitIndex).toBe(3);
  });

  it('B3: Figure 8 (d): what was on three of five may be overwritten, and nobody applied it', () => {
    const log = entriesAfter(at(0, 0), [1, 2], five);
    const s2 = awake(restarted([1, 2], { currentTerm: 4, entries: log }));
    settle(s2, received(call('e', 5, { prev: at(1, 1), terms: [3, 5], commit: 3 })));
    expect(s2).toMatchObject({ commitIndex: 3, appliedIndex: 3 });
    expect(s2.log.positionAt(2)).toEqual(at(3, 2));
  });

  it('B4: "a blank no-op entry at the start of its term" commits what was there before (§8)', () => {
    const node = leading(restarted([1, 1, 1]), 'b');
    const actions = settle(node, ...have(at(2, 4), 'b'));
    expect(only(actions, 'committed')).toEqual([committed(4)]);
    expect(only(actions, 'apply')).toEqual([apply(logOf(1, 1, 1, 2))]);
  });

  it('A14: of four, a majority of matchIndex is what three have, itself among them (Figure 2)', () => {
    const node = leading(pristine(['a', 'b', 'c', 'd']), 'b', 'c');
    settle(node, proposed(1, 'x', 'y', 'z', 'v', 'w'));
    const places = [at(1, 7), at(1, 3), at(1, 3)];
    ['b', 'c', 'd'].forEach((id, slot) => {
      const last = places[slot] ?? at(0, 0);
      settle(node, received(reply(id, 1, { round: 2, last })));
    });
    expect(node.commitIndex).toBe(3);
  });

  it('B16: indexes are compared as numbers: of 10, 9 and 1 the majority has 9', () => {
    const node = leading(restarted([1]), 'b');
    settle(node, proposed(1, ...Array<string>(8).fill('x')));
    expect(node).toMatchObject({ durableIndex: 10 });
    settle(node, received(reply('b', 2, { round: 2, last: at(2, 9) })));
    expect(node.commitIndex).toBe(9);
  });

  it('D13: "non-voting members are not considered for commitment" (§6)', () => {
    const config = { ...abc, nonVoters: ['d', 'e'] };
    const node = leading(restarted([1], { entries: entriesAfter(at(0, 0), [1], config) }), 'b');
    settle(node, ...have(at(2, 2), 'd', 'e'));
    expect(node).toMatchObject({ role: 'leader', commitIndex: 0 });
  });

  it('A11: alone in its cluster it waits for its own disk: leadership, then commitment', () => {
    const node: ByHand = awake(pristine(['a']));
    const [candidacy] = only(tell(node, timedOut), 'persist');
    expect(node.role).toBe('candidate');
    const [marker] = only(tell(node, persisted(candidacy?.sequence ?? 0)), 'persist');
    expect(node).toMatchObject({ role: 'leader', commitIndex: 0 });
    tell(node, persisted(marker?.sequence ?? 0));
    expect(node.commitIndex).toBe(2);
    const actions = tell(node, proposed(1, 'x'));
    expect(only(actions, 'apply')).toEqual([]);
    expect(node.commitIndex).toBe(2);
    expect(only(tell(node, persisted(4)), 'committed')).toEqual([committed(3)]);
  });

  it('S9, B2: counts itself only up to what its own disk has (thesis §10.2.1)', () => {
    const node = leading(restarted([1]), 'b');
    settle(node, ...have(at(2, 2), 'b'));
    const [write] = only(tell(node, proposed(1, 'x')), 'persist');
    tell(node, received(reply('b', 2, { round: 3, last: at(2, 3) })));
    expect(node.commitIndex).toBe(2);
    tell(node, persisted(write?.sequence ?? 0));
    expect(node.commitIndex).toBe(3);
  });

  it('B2: commits by the disks of the others, and applies what its own has (thesis §10.2.1)', () => {
    const node = leading(restarted([1]), 'b');
    settle(node, ...have(at(2, 2), 'b'));
    const [write] = only(tell(node, proposed(1, 'x')), 'persist');
    const [next] = only(tell(node, proposed(2, 'y', 'z')), 'persist');
    const replies = ['b', 'c'].map((id) => received(reply(id, 2, { round: 4, last: at(2, 5) })));
    const actions = tell(node, ...replies);
    expect(only(actions, 'committed')).toEqual([committed(5)]);
    expect(only(actions, 'apply')).toEqual([]);
    const applied = (sequence = 0): unknown[] =>
      only(tell(node, persisted(sequence)), 'apply').map(({ entries }) => entries.commands);
    expect(applied(write?.sequence)).toEqual([['x']]);
    expect(applied(next?.sequence)).toEqual([['y', 'z']]);
  });

  it('any answer commits what the members suffice for since they have changed (§6)', () => {
    const node = leading(pristine(five.voters), 'b', 'c');
    settle(node, ...have(at(1, 2), 'b', 'c'));
    settle(node, configProposed(1, { ...five, newVoters: ['a', 'b', 'c'] }), proposed(2, 'x'));
    const behind = received(reply('c', 1, { round: 2, last: at(1, 3) }));
    tell(node, received(reply('b', 1, { round: 2, last: at(1, 4) })), behind);
    expect(node).toMatchObject({ commitIndex: 3, config: { voters: ['a', 'b', 'c'] } });
    tell(node, behind);
    expect(node.commitIndex).toBe(4);
  });
});

describe('a follower', () => {
  const follower = (): ByHand => awake(restarted([1, 1, 1, 1], { currentTerm: 2 }));

  it('B8: "commitIndex = min(leaderCommit, index of last new entry)" (Figure 2)', () => {
    const node = follower();
    const actions = settle(node, received(call('b', 2, { prev: at(1, 2), commit: 4 })));
    expect(only(actions, 'committed')).toEqual([committed(2)]);
    settle(node, received(call('b', 2, { round: 2, prev: at(1, 2), terms: [1], commit: 9 })));
    expect(node.commitIndex).toBe(3);
  });

  it('B9: a commit index on a call that does not fit is not taken, and nothing breaks', () => {
    const node = follower();
    const actions = settle(node, received(call('b', 2, { prev: at(1, 9), commit: 9 })));
    expect(only(actions, 'committed')).toEqual([]);
    expect(sent(actions)).toEqual([['b', reply('a', 2, { refused: true, last: at(1, 4) })]]);
  });

  it('never takes its commit index back (Figure 2)', () => {
    const node = follower();
    settle(node, received(call('b', 2, { prev: at(1, 4), commit: 4 })));
    settle(node, received(call('b', 2, { round: 2, prev: at(1, 4), commit: 1 })));
    expect(node).toMatchObject({ commitIndex: 4, appliedIndex: 4 });
  });

  it('G12: knows no commit beyond its log: a lost tail stays uncommitted until it is back', () => {
    const node = awake(restarted([1], { currentTerm: 2 }));
    settle(node, received(call('b', 2, { prev: at(1, 1), commit: 9 })));
    expect(node).toMatchObject({ commitIndex: 1, appliedIndex: 1 });
  });

  it('J9: hands each entry to the machine once, in order, in pieces that have a limit', () => {
    const node = awake(restarted([1, 1, 1, 1, 1], { limits: { entriesPerMessage: 2 } }));
    const actions = settle(
      node,
      received(call('b', 1, { prev: at(1, 5), commit: 3 })),
      received(call('b', 1, { round: 2, prev: at(1, 5), commit: 5 })),
    );
    expect(only(actions, 'apply').map((each) => each.entries)).toEqual([
      logOf(1, 1),
      entriesAfter(at(1, 2), [1, 1]),
      entriesAfter(at(1, 4), [1]),
    ]);
  });

  it('the machine sees only what is committed and durable here (Figure 2)', () => {
    const node = awake(restarted([1]));
    const entries = received(call('b', 1, { prev: at(1, 1), terms: [1, 1], commit: 3 }));
    const actions = tell(node, entries);
    expect(only(actions, 'committed')).toEqual([committed(3)]);
    expect(only(actions, 'apply')).toEqual([apply(logOf(1))]);
    expect(only(tell(node, persisted(1)), 'apply')).toEqual([
      apply(entriesAfter(at(1, 1), [1, 1])),
    ]);
  });
});

describe('the news of a commit', () => {
  it('waits for the next entries while there are such', () => {
    const node = leading(restarted([1]), 'b');
    settle(node, proposed(1, 'x'));
    expect(sent(settle(node, ...have(at(2, 2), 'b')))).toEqual([]);
    expect(node.commitIndex).toBe(2);
  });

  it('travels at once when nothing else will carry it, unless it is told to wait', () => {
    for (const announceCommits of [true, false]) {
      const node = leading(restarted([1], { announceCommits }), 'b');
      const said = sent(settle(node, ...have(at(2, 2), 'b')));
      const news = call('a', 2, { round: 2, prev: at(2, 2), commit: 2 });
      const expected = ['b', 'c'].map((id) => [id, news]);
      expect(said).toEqual(announceCommits ? expected : []);
    }
  });
});
