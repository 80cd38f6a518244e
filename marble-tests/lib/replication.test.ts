/**
 * Log replication (§5.3), the follower's side: the consistency check, conflicts, acknowledgements.
 * The leader's side is in calls.test.ts.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: h a heartbeat, e entries, p the next
 * persisted. Actions: w persist, y an acknowledgement, n a refusal, x dropped.
 */
import { describe, expect, it } from 'vitest';
import { raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { ByHand, Told, Wanted } from './alphabet.js';
import {
  at,
  awake,
  call,
  commandsAfter,
  drawing,
  dropped,
  entriesAfter,
  only,
  persist,
  persisted,
  received,
  reply,
  restarted,
  send,
  sent,
  sentTo,
  settle,
  tell,
  timer,
} from './alphabet.js';

/** The terms of a node's log, as the paper draws it. */
function drawn(node: ByHand): number[] {
  const { index } = node.log.lastPosition;
  return Array.from({ length: index }, (_, slot) => node.log.positionAt(slot + 1)?.term ?? 0);
}

describe('a follower', () => {
  it(
    'appends "any new entries not already in the log", and acknowledges them when durable (Figure 2)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        e: received(call('b', 1, { prev: at(1, 1), terms: [1, 1] })),
        p: persisted(1),
        h: received(call('b', 1, { round: 2, prev: at(1, 3) })),
      };
      const actions: Record<string, Wanted> = {
        w: persist(1, { entries: entriesAfter(at(1, 1), [1, 1]) }),
        y: send('b', reply('a', 1, { last: at(1, 3) })),
        Y: send('b', reply('a', 1, { round: 2, last: at(1, 3) })),
      };
      const input$ = m.hot('-e--p--h-', inputs);
      const expected = '    -w--y--Y-';
      const said$ = input$.pipe(raft(restarted([1])), drawing('persist', 'sendMessage'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it(
    '"reply false if log doesn’t contain an entry at prevLogIndex whose term matches" (Figure 2)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        s: received(call('b', 3, { round: 4, prev: at(2, 9), terms: [3] })),
        o: received(call('b', 3, { round: 5, prev: at(2, 3), terms: [3] })),
      };
      const actions: Record<string, Wanted> = {
        // The hint is the last position that is not after prevPosition, in term and in index.
        n: send('b', reply('a', 3, { round: 4, refused: true, last: at(1, 4) })),
        N: send('b', reply('a', 3, { round: 5, refused: true, last: at(1, 3) })),
      };
      const input$ = m.hot('-s-o-', inputs);
      const expected = '    -n-N-';
      const log = restarted([1, 1, 1, 1], { currentTerm: 3 });
      m.expect(input$.pipe(raft(log), drawing('persist', 'sendMessage'))).toBeObservable(
        expected,
        actions,
      );
    }),
  );

  it(
    '"delete the existing entry and all that follow it": on disk too, in one batch (Figure 2)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        e: received(call('b', 3, { prev: at(1, 2), terms: [1, 3] })),
        p: persisted(1),
      };
      const actions: Record<string, Wanted> = {
        w: persist(1, { entries: markerOfThree }),
        y: send('b', reply('a', 3, { last: at(3, 4) })),
      };
      const input$ = m.hot('-e-p-', inputs);
      const expected = '    -w-y-';
      const log = restarted([1, 1, 1, 2, 2, 2], { currentTerm: 3 });
      const said$ = input$.pipe(raft(log), drawing('persist', 'sendMessage'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );
  const markerOfThree = entriesAfter(at(1, 3), [3]);

  it('S2: searches the end of the common prefix, and cuts nothing of it (Figure 2, rule 3)', () => {
    const node = awake(restarted([1, 1, 2, 2, 3, 3], { currentTerm: 5 }));
    const [write] = only(
      tell(node, received(call('b', 5, { prev: at(1, 1), terms: [1, 2, 4, 4, 5] }))),
      'persist',
    );
    expect(drawn(node)).toEqual([1, 1, 2, 4, 4, 5]);
    expect(write?.entries).toEqual(entriesAfter(at(2, 3), [4, 4, 5]));
  });

  it('S2: a conflict may begin where the own log changes its term, not the call (Figure 2)', () => {
    const node = awake(restarted([1, 1, 2, 2], { currentTerm: 3 }));
    settle(node, received(call('b', 3, { prev: at(1, 1), terms: [1, 1, 3] })));
    expect(drawn(node)).toEqual([1, 1, 1, 3]);
  });

  it('B5, J7: a short or old call never truncates on anything but a conflict (Figure 2, rule 3)', () => {
    const node = awake(restarted([1, 1, 1, 1, 1]));
    tell(node, received(call('b', 1, { round: 5, prev: at(1, 5), commit: 5 })));
    const actions = tell(
      node,
      received(call('b', 1, { round: 3, prev: at(1, 1), terms: [1], commit: 2 })),
    );
    expect(actions).toEqual([
      timer('follower'),
      send('b', reply('a', 1, { round: 5, last: at(1, 5) })),
    ]);
    expect(node).toMatchObject({ commitIndex: 5, durableIndex: 5 });
    expect(drawn(node)).toEqual([1, 1, 1, 1, 1]);
  });

  it('J7: a late heartbeat behind the commit index truncates nothing, and is heard (§5.2)', () => {
    const node = awake(restarted([1, 1, 1, 1, 1]));
    tell(node, received(call('b', 1, { round: 5, prev: at(1, 5), commit: 5 })));
    const actions = tell(node, received(call('b', 1, { round: 6, prev: at(1, 3), commit: 5 })));
    expect(actions).toEqual([
      timer('follower'),
      send('b', reply('a', 1, { round: 6, last: at(1, 5) })),
    ]);
  });

  it('B7: acknowledges what the call established, never the garbage behind it (Figure 2)', () => {
    const node = awake(restarted([1, 1, 1], { currentTerm: 2 }));
    const actions = tell(node, received(call('b', 2, { prev: at(1, 2) })));
    expect(sent(actions)).toEqual([['b', reply('a', 2, { last: at(1, 2) })]]);
  });

  it('B7: nor does a later disk answer vouch for it (Figure 2)', () => {
    const node = awake(restarted([1, 1]));
    tell(node, received(call('b', 1, { prev: at(1, 2), terms: [1] })));
    tell(node, received(call('c', 2, { prev: at(1, 2) })));
    const written = [persisted(1), persisted(2)].flatMap((input) => sent(tell(node, input)));
    expect(written).toEqual([['c', reply('a', 2, { last: at(1, 2) })]]);
  });

  it('acknowledges many calls of one turn with one message, and the newest round (§5.3)', () => {
    const node = awake(restarted([1]));
    const calls = [2, 3, 4].map((index, slot) =>
      received(call('b', 1, { round: slot + 1, prev: at(1, index - 1), terms: [1] })),
    );
    expect(sent(settle(node, ...calls))).toEqual([
      ['b', reply('a', 1, { round: 3, last: at(1, 4) })],
    ]);
  });

  it('refuses many calls of one turn with one message: that of the newest (§5.3)', () => {
    const node = awake(restarted([1]));
    const calls = [3, 5, 4].map((round) =>
      received(call('b', 1, { round, prev: at(1, round), terms: [1] })),
    );
    expect(sent(tell(node, ...calls))).toEqual([
      ['b', reply('a', 1, { round: 5, refused: true, last: at(1, 1) })],
    ]);
  });

  it('B23: "if a follower receives a request it already has, it ignores it" (§5.5)', () => {
    const node = awake(restarted([1]));
    const entries = received(call('b', 1, { prev: at(1, 1), terms: [1, 1] }));
    settle(node, entries);
    const again = tell(node, entries, entries);
    expect(only(again, 'persist')).toEqual([]);
    expect(sent(again)).toEqual([['b', reply('a', 1, { last: at(1, 3) })]]);
    expect(drawn(node)).toEqual([1, 1, 1]);
  });

  it('while a repeated call is not durable yet it is not acknowledged (Figure 2)', () => {
    const node = awake(restarted([1]));
    const entries = received(call('b', 1, { prev: at(1, 1), terms: [1, 1] }));
    tell(node, entries);
    expect(sent(tell(node, entries))).toEqual([]);
    expect(sent(tell(node, persisted(1)))).toEqual([['b', reply('a', 1, { last: at(1, 3) })]]);
  });
});

describe('a hint', () => {
  it('S15: skips a whole conflicting term, "one AppendEntries RPC per term" (§5.3)', () => {
    const node = awake(restarted([1, 1, 2, 2, 2, 4, 4], { currentTerm: 5 }));
    const hint = (prev: ReturnType<typeof at>): unknown =>
      sentTo(tell(node, received(call('b', 5, { prev }))), 'b').map(
        (message) => message.type === 'appendEntriesReply' && message.lastPosition,
      );
    expect(hint(at(3, 7))).toEqual([at(2, 5)]);
    expect(hint(at(1, 4))).toEqual([at(1, 2)]);
    expect(hint(at(5, 20))).toEqual([at(4, 7)]);
  });

  it('B15: "a missing entry" matches no term, and index 0 only term 0 (Figure 2)', () => {
    const node = awake({ id: 'a' });
    // In term 0 is what a cluster begins with: a node that joins must not seem to have it.
    [at(1, 3), at(0, 3), at(0, 1)].forEach((prev, round) => {
      expect(sent(settle(node, received(call('b', 2, { round, prev, terms: [2] }))))).toEqual([
        ['b', reply('a', 2, { round, refused: true })],
      ]);
    });
    settle(node, received(call('b', 2, { round: 3, terms: [1, 1, 2] })));
    expect(drawn(node)).toEqual([1, 1, 2]);
  });
});

describe('a call that contradicts itself changes nothing', () => {
  const node = (): ByHand => awake(restarted([1, 1]));
  const sound = entriesAfter(at(1, 2), [1, 1, 2]);

  it.each([
    [
      'terms that go down',
      {
        terms: [
          { index: 3, term: 2 },
          { index: 4, term: 1 },
        ],
      },
    ],
    [
      'the same term twice',
      {
        terms: [
          { index: 3, term: 2 },
          { index: 4, term: 2 },
        ],
      },
    ],
    ['a term before the first entry', { terms: [{ index: 2, term: 2 }] }],
    ['a term behind the last entry', { terms: [{ index: 6, term: 2 }] }],
    [
      'places that go back',
      {
        terms: [
          { index: 4, term: 2 },
          { index: 3, term: 3 },
        ],
      },
    ],
    ['an entry of a later term than the call', { terms: [{ index: 3, term: 4 }] }],
    ['too few commands', { commands: ['x'] }],
    ['a negative length', { length: -1, terms: [], commands: null }],
    ['a length that is no number of entries', { length: 0.5, terms: [], commands: null }],
    ['a term that begins within an entry', { terms: [{ index: 3.5, term: 2 }] }],
    ['a term that is no whole number', { terms: [{ index: 3, term: 1.5 }] }],
    [
      'a configuration within an entry',
      { configs: [{ index: 3.5, config: { voters: ['a'], newVoters: [], nonVoters: [] } }] },
    ],
    [
      'a place within an entry',
      { prevPosition: at(1, 1.5), length: 1.5, terms: [], commands: null },
    ],
  ])('B22: %s', (_, wrong) => {
    const follower = node();
    const entries = { ...sound, ...wrong };
    expect(tell(follower, received(call('b', 3, { entries })))).toEqual([dropped('b', 'invalid')]);
    expect(follower).toMatchObject({ currentTerm: 1, leaderId: null });
    expect(drawn(follower)).toEqual([1, 1]);
  });

  it('a second leader in one term: "at most one leader can be elected" (Figure 3)', () => {
    const follower = node();
    tell(follower, received(call('b', 2, { prev: at(1, 2), terms: [2] })));
    expect(tell(follower, received(call('c', 2, { prev: at(1, 1), terms: [2] })))).toEqual([
      dropped('c', 'invalid'),
    ]);
    expect(drawn(follower)).toEqual([1, 1, 2]);
  });

  it('S21: a conflict with what is committed: one of the two has lost or forged entries', () => {
    const follower = awake(restarted([1, 1, 1]));
    tell(follower, received(call('b', 1, { prev: at(1, 3), commit: 2 })));
    const forged = received(call('c', 3, { prev: at(1, 1), terms: [3] }));
    expect(tell(follower, forged)).toEqual([dropped('c', 'contradiction')]);
    expect(drawn(follower)).toEqual([1, 1, 1]);
    // Behind the commit index it is a conflict as any other.
    const sane = received(call('c', 3, { prev: at(1, 2), terms: [3] }));
    settle(follower, sane);
    expect(drawn(follower)).toEqual([1, 1, 3]);
  });

  it('commands without a value are commands (Log Matching, §5.3)', () => {
    const follower = node();
    const void1 = { ...commandsAfter(at(1, 2), []), length: 2, commands: null };
    settle(follower, received(call('b', 1, { entries: void1 })));
    expect(drawn(follower)).toEqual([1, 1, 1, 1]);
    expect(follower.log.slice(2, 4)).toEqual(void1);
  });
});
