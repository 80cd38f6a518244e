/**
 * Log compaction (§7), the follower's side of InstallSnapshot: what a snapshot of the leader does
 * to the log, the disk and the machine.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: i a snapshot of the leader, h a heartbeat,
 * p persisted. Actions: w persist, R restore, y an acknowledgement.
 */
import { describe, expect, it } from 'vitest';
import type { RaftConfig } from '../../lib/index.js';
import { raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { ByHand, Told, Wanted } from './alphabet.js';
import {
  abc,
  at,
  awake,
  call,
  drawing,
  dropped,
  entriesAfter,
  leading,
  minimumElapsed,
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
  snapshotAt,
  snapshotReceived,
  tell,
  timedOut,
  voteCall,
} from './alphabet.js';

/** A follower of b in term 3 with this log, committed and applied up to an index. */
function follower(terms: number[], commit: number, config = {}): ByHand {
  const node = awake(restarted(terms, { currentTerm: 3, ...config }));
  const index = terms.length;
  settle(node, received(call('b', 3, { prev: at(terms.at(-1) ?? 0, index), commit })));
  return node;
}

describe('a snapshot of the leader', () => {
  const fresh: RaftConfig<string, string> = { id: 'a' };
  const joint = { voters: ['a', 'b', 'c'], newVoters: ['a', 'b', 'd'], nonVoters: [] };

  it(
    'C8: is restored, and acknowledged, when it is durable (§7)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        i: snapshotReceived('b', 3, snapshotAt(at(2, 8))),
        h: received(call('b', 3, { round: 5, prev: at(2, 8), commit: 8 })),
        p: persisted(1),
      };
      const actions: Record<string, Wanted> = {
        w: persist(1, {
          vote: [3, null],
          entries: entriesAfter(at(2, 8), []),
          snapshot: snapshotAt(at(2, 8)),
        }),
        R: { type: 'restore', snapshot: snapshotAt(at(2, 8)) },
        y: send('b', reply('a', 3, { round: 5, last: at(2, 8) })),
      };
      const input$ = m.hot('-i-h-p---', inputs);
      const expected = '    -w---(yR)';
      const said$ = input$.pipe(raft(fresh), drawing('persist', 'restore', 'apply', 'sendMessage'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it('C8: of a prefix of the log is waited for: what it covers is not there to apply (§7)', () => {
    const node = follower([1, 1, 1, 1, 1], 1);
    tell(node, snapshotReceived('b', 3, snapshotAt(at(1, 4))));
    // Nothing more is due, or a node without a scheduler would turn for ever.
    expect(node.isMoreDue).toBe(false);
    expect(only(tell(node, minimumElapsed), 'apply')).toEqual([]);
    const actions = settle(node, persisted(1));
    expect(only(actions, 'restore')).toEqual([{ type: 'restore', snapshot: snapshotAt(at(1, 4)) }]);
  });

  it('C1, S8: that is older than the log is dropped: nothing goes back (§7)', () => {
    const node = follower([1, 1, 1, 1, 1], 4);
    const actions = settle(node, snapshotReceived('b', 3, snapshotAt(at(1, 2))));
    expect(only(actions, 'dropped')).toEqual([dropped('b', 'obsolete')]);
    expect(only(actions, 'restore')).toEqual([]);
    expect(sentTo(actions, 'b')).toEqual([reply('a', 3, { last: at(1, 5) })]);
    expect(node.log.snapshotPosition).toEqual(at(0, 0));
  });

  it('C1: "entries following the snapshot are still valid and must be retained" (§7)', () => {
    const node = follower([1, 1, 1, 1, 1], 2);
    const actions = settle(node, snapshotReceived('b', 3, snapshotAt(at(1, 4))));
    expect(only(actions, 'persist')).toEqual([persist(1, { snapshot: snapshotAt(at(1, 4)) })]);
    expect(node.log.slice(4, 5)).toEqual(entriesAfter(at(1, 4), [1]));
    expect(node).toMatchObject({ commitIndex: 4, appliedIndex: 4, durableIndex: 5 });
    expect(only(actions, 'restore')).toHaveLength(1);
  });

  it('S4: loses nothing of the entries behind it that came in the same turn (§7)', () => {
    const node = follower([1, 1], 2);
    const entries = received(call('b', 3, { round: 2, prev: at(1, 2), terms: [3, 3, 3] }));
    const actions = tell(node, entries, snapshotReceived('b', 3, snapshotAt(at(3, 4))));
    expect(only(actions, 'persist')).toEqual([
      persist(1, { snapshot: snapshotAt(at(3, 4)), entries: entriesAfter(at(3, 4), [3]) }),
    ]);
    expect(sentTo(tell(node, persisted(1)), 'b')).toEqual([
      reply('a', 3, { round: 2, last: at(3, 5) }),
    ]);
  });

  it('C2: else "the follower discards its entire log": also a conflict at its end (§7)', () => {
    const node = follower([1, 1, 1, 2, 2], 2);
    settle(node, snapshotReceived('b', 3, snapshotAt(at(3, 4))));
    expect(node.log.lastPosition).toEqual(at(3, 4));
    const next = received(call('b', 3, { round: 2, prev: at(3, 4), terms: [3] }));
    expect(sentTo(settle(node, next), 'b')).toEqual([reply('a', 3, { round: 2, last: at(3, 5) })]);
  });

  it('C3: a call that begins below it is taken: what is covered is committed (§7)', () => {
    const node = follower([1, 1, 1, 1], 2);
    settle(node, snapshotReceived('b', 3, snapshotAt(at(1, 4))));
    const entries = received(call('b', 3, { round: 2, prev: at(1, 2), terms: [1, 1, 3] }));
    const actions = settle(node, entries);
    expect(only(actions, 'persist')[0]?.entries).toEqual(entriesAfter(at(1, 4), [3]));
    expect(sentTo(actions, 'b')).toEqual([reply('a', 3, { round: 2, last: at(3, 5) })]);
    // All of it covered: still a word of the leader, and a success.
    const covered = received(call('b', 3, { round: 3, prev: at(1, 1), terms: [1] }));
    expect(sentTo(settle(node, covered), 'b')).toEqual([
      reply('a', 3, { round: 3, last: at(3, 5) }),
    ]);
  });

  it('C5: brings its configuration, joint or not, into force, and keeps it over a restart (§7)', () => {
    const snapshot = snapshotAt(at(2, 8), joint);
    const node = awake(fresh);
    settle(node, snapshotReceived('b', 3, snapshot));
    expect(node.config).toEqual(joint);
    expect(node.peers.map((peer) => peer.id)).toEqual(['b', 'c', 'd']);
    const again = leading({ id: 'a', currentTerm: 3, snapshot }, 'b');
    expect(again).toMatchObject({ role: 'leader' });
    expect(again.peers.map((peer) => peer.id)).toEqual(['b', 'c', 'd']);
    // d and b are a majority of the new voters with a, of the old ones only b and a.
    expect(leading({ id: 'a', currentTerm: 3, snapshot }, 'c').role).toBe('candidate');
  });

  it('C5: a configuration in the entries that are kept stays in force (§7)', () => {
    const log = { ...entriesAfter(at(0, 0), [1, 1, 1, 1]), commands: null };
    const configs = [...log.configs, { index: 4, config: joint }];
    const node = follower([1, 1, 1, 1], 1, { entries: { ...log, configs } });
    settle(node, snapshotReceived('b', 3, snapshotAt(at(1, 3))));
    expect(node.config).toEqual(joint);
  });

  it('C5: a configuration that is compacted with them stays in force (§7)', () => {
    const log = { ...entriesAfter(at(0, 0), [1, 1, 1, 1]), commands: null };
    const configs = [...log.configs, { index: 3, config: joint }];
    const node = follower([1, 1, 1, 1], 1, { entries: { ...log, configs } });
    settle(node, snapshotReceived('b', 3, snapshotAt(at(1, 3), joint)));
    expect(node.log.snapshotPosition).toEqual(at(1, 3));
    expect(node.config).toEqual(joint);
    expect(node.log.configAt(3)).toEqual(joint);
  });

  it('is acknowledged for the call that was refused before it, when it is durable (§7)', () => {
    const node = awake(fresh);
    settle(node, received(call('b', 3, { round: 4, prev: at(2, 8), commit: 8 })));
    tell(node, snapshotReceived('b', 3, snapshotAt(at(2, 8))));
    expect(sentTo(tell(node, persisted(2)), 'b')).toEqual([
      reply('a', 3, { round: 4, last: at(2, 8) }),
    ]);
  });

  it('C16: while it is not durable the node asks for no votes', () => {
    const node = awake(restarted([1]));
    tell(node, snapshotReceived('b', 1, snapshotAt(at(1, 4))));
    tell(node, minimumElapsed, timedOut);
    expect(node.role).toBe('follower');
    tell(node, persisted(1));
    tell(node, timedOut);
    expect(node.role).toBe('candidate');
  });

  it('an old disk answer vouches for nothing behind it (Figure 2)', () => {
    const node = awake(restarted([1], { currentTerm: 3 }));
    tell(node, received(call('b', 3, { prev: at(1, 1), terms: [1, 1, 1, 1] })));
    tell(node, snapshotReceived('b', 3, snapshotAt(at(3, 4))));
    tell(node, received(call('b', 3, { round: 2, prev: at(3, 4), terms: [3] })));
    expect(sent(tell(node, persisted(1)))).toEqual([]);
    expect(node.durableIndex).toBe(0);
    expect(sent(tell(node, persisted(3)))).toEqual([
      ['b', reply('a', 3, { round: 2, last: at(3, 5) })],
    ]);
  });

  it('holds a candidacy back from the moment that it is here, whether it was taken or not (§7)', () => {
    const node = follower([1, 1], 1);
    node.handle(snapshotReceived('b', 3, snapshotAt(at(1, 4))));
    node.timeOut();
    expect(node.role).toBe('follower');
  });

  it('is dropped when it is of an old term, of a rival, of no term or no cluster', () => {
    const node = follower([1, 1], 1);
    const wrong: [Told, Wanted][] = [
      [snapshotReceived('b', 2, snapshotAt(at(1, 4))), dropped('b', 'staleTerm')],
      [snapshotReceived('c', 3, snapshotAt(at(1, 4))), dropped('c', 'invalid')],
      [snapshotReceived('b', 3, snapshotAt(at(4, 4))), dropped('b', 'invalid')],
      [
        snapshotReceived('b', 3, snapshotAt(at(1, 4), { ...abc, voters: [] })),
        dropped('b', 'invalid'),
      ],
      [snapshotReceived('a', 9, snapshotAt(at(1, 4))), dropped('a', 'fromSelf')],
    ];
    for (const [input, action] of wrong) expect(tell(node, input)).toEqual([action]);
    expect(node.currentTerm).toBe(3);
  });

  it('of a newer term is a word of its leader: the term is saved with it (§5.1)', () => {
    const node = follower([1, 1], 1);
    const [write] = only(tell(node, snapshotReceived('c', 5, snapshotAt(at(4, 9)))), 'persist');
    expect(write?.hardState).toEqual({ currentTerm: 5, votedFor: null });
    expect(node).toMatchObject({ currentTerm: 5, leaderId: 'c' });
    expect(tell(node, received(voteCall('d', 6, at(4, 9))))).toEqual([dropped('d', 'leaderAlive')]);
  });
});
