/**
 * Log compaction (§7): the machine's own snapshots, a leader whose followers need them, and a
 * restart from one. The follower's side is in installation.test.ts.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: e entries, z, o, n snapshots at the
 * indexes 2, 1, 3, p persisted. Actions: w, W persist, A apply, x dropped.
 */
import { describe, expect, it } from 'vitest';
import type { ClusterConfig, RaftConfig } from '../../lib/index.js';
import { Node, raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { ByHand, Told, Wanted } from './alphabet.js';
import {
  abc,
  apply,
  at,
  awake,
  call,
  configProposed,
  drawing,
  dropped,
  entriesAfter,
  leading,
  only,
  persist,
  persisted,
  proposed,
  received,
  reply,
  restarted,
  sent,
  sentTo,
  settle,
  snapshotAt,
  snapshotTaken,
  tell,
  timedOut,
} from './alphabet.js';
import { PromptCluster } from './prompt-cluster.js';

/** A follower of b in term 3 with this log, committed and applied up to an index. */
function follower(terms: number[], commit: number, config = {}): ByHand {
  const node = awake(restarted(terms, { currentTerm: 3, ...config }));
  const index = terms.length;
  settle(node, received(call('b', 3, { prev: at(terms.at(-1) ?? 0, index), commit })));
  return node;
}

describe('a snapshot of the own machine', () => {
  it(
    'C8: "discards the entire log up through the last included index" once it is durable (§7)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        e: received(call('b', 1, { prev: at(1, 3), commit: 3 })),
        z: snapshotTaken(2),
        o: snapshotTaken(1),
        n: snapshotTaken(3),
        p: persisted(1),
      };
      const actions: Record<string, Wanted> = {
        A: apply(entriesAfter(at(0, 0), [1, 1, 1])),
        w: persist(1, { snapshot: snapshotAt(at(1, 2)) }),
        W: persist(2, { snapshot: snapshotAt(at(1, 3)) }),
        x: dropped(null, 'obsolete'),
      };
      // While one is on its way to the disk another is dropped; so is one that is no news.
      const input$ = m.hot('-e-z-n-p-o-n-', inputs);
      const expected = '    -A-w-x---x-W-';
      const said$ = input$.pipe(
        raft(restarted([1, 1, 1])),
        drawing('persist', 'restore', 'apply', 'dropped'),
      );
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it('C8: leaves the log as it is until then (§7)', () => {
    const node = follower([1, 1, 1, 1], 3);
    tell(node, snapshotTaken(2));
    expect(node.log.snapshotPosition).toEqual(at(0, 0));
    tell(node, persisted(1));
    expect(node.log.snapshotPosition).toEqual(at(1, 2));
    expect(node.log.slice(2, 4)).toEqual(entriesAfter(at(1, 2), [1, 1]));
    expect(node).toMatchObject({ commitIndex: 3, appliedIndex: 3, durableIndex: 4 });
  });

  it('S4: loses nothing of a turn in which entries are appended as well (§7)', () => {
    const node = follower([1, 1, 1], 3);
    const entries = received(call('b', 3, { round: 2, prev: at(1, 3), terms: [3, 3] }));
    const actions = tell(node, snapshotTaken(3), entries);
    expect(only(actions, 'persist')).toEqual([
      persist(1, { snapshot: snapshotAt(at(1, 3)), entries: entriesAfter(at(1, 3), [3, 3]) }),
    ]);
    expect(sent(tell(node, persisted(1)))).toEqual([
      ['b', reply('a', 3, { round: 2, last: at(3, 5) })],
    ]);
  });

  it('"covers just the committed entries", those that the machine was given (§7)', () => {
    const node = follower([1, 1, 1], 2);
    for (const index of [3, 4, NaN]) {
      expect(tell(node, snapshotTaken(index))).toEqual([dropped(null, 'invalid')]);
    }
  });

  it('C6: has "the latest configuration as of last included index", not a newer one (§7)', () => {
    const changed: ClusterConfig = { ...abc, nonVoters: ['d'] };
    const log = { ...entriesAfter(at(0, 0), [1, 1, 1]), commands: null };
    const configs = [...log.configs, { index: 3, config: changed }];
    const node = follower([1, 1, 1], 2, { entries: { ...log, configs } });
    const [write] = only(settle(node, snapshotTaken(2)), 'persist');
    expect(write?.snapshot?.config).toEqual(abc);
    expect(node.config).toEqual(changed);
    // The older one is there when the newer one is cut.
    settle(node, received(call('c', 4, { prev: at(1, 2), terms: [4] })));
    expect(node.config).toEqual(abc);
  });
});

describe('a leader whose entries are compacted', () => {
  const snapshot = snapshotAt(at(1, 3), { ...abc, nonVoters: [] });
  const compacted: RaftConfig<string, string> = { id: 'a', currentTerm: 1, snapshot };
  const probe = received(reply('c', 2, { refused: true }));

  it('C7, S19: "must send snapshots to followers that lag behind": one at a time (§7)', () => {
    const node = leading(compacted, 'b');
    const install: Wanted = { type: 'installSnapshot', to: 'c', term: 2, snapshot };
    expect(only(tell(node, probe), 'installSnapshot')).toEqual([install]);
    settle(node, timedOut);
    const again = received(reply('c', 2, { round: 2, refused: true }));
    expect(only(settle(node, again), 'installSnapshot')).toEqual([]);
    // It was lost on the way: the refusal of a later call asks for it again.
    settle(node, timedOut);
    tell(node, { type: 'snapshotSent', to: 'c' });
    const earlier = received(reply('c', 2, { round: 3, refused: true }));
    expect(tell(node, earlier)).toEqual([dropped('c', 'staleRound')]);
    settle(node, timedOut);
    const later = received(reply('c', 2, { round: 4, refused: true }));
    expect(only(settle(node, later), 'installSnapshot')).toEqual([install]);
    tell(node, { type: 'snapshotSent', to: 'c' });
    settle(node, timedOut);
    const arrived = received(reply('c', 2, { round: 5, last: at(1, 3) }));
    const calls = sentTo(settle(node, arrived), 'c');
    expect(calls).toEqual([call('a', 2, { round: 6, prev: at(1, 3), terms: [2], commit: 3 })]);
  });

  it('asks anew for who came back empty after a transfer that was never reported over (§7)', () => {
    const node = leading(compacted, 'b');
    settle(node, probe);
    settle(node, timedOut);
    settle(node, received(reply('c', 2, { round: 2, last: at(1, 3) })));
    settle(node, timedOut);
    const empty = received(reply('c', 2, { round: 3, refused: true, generation: 1 }));
    const actions = [...settle(node, empty), ...settle(node, timedOut)];
    const again = received(reply('c', 2, { round: 6, refused: true, generation: 1 }));
    expect(only([...actions, ...settle(node, again)], 'installSnapshot')).toHaveLength(1);
  });

  it('hears of a transfer that it did not ask for without harm', () => {
    const node = leading(compacted, 'b');
    expect(tell(node, { type: 'snapshotSent', to: 'c' })).toEqual([]);
    expect(tell(node, { type: 'snapshotSent', to: 'z' })).toEqual([]);
    expect(only(tell(node, probe), 'installSnapshot')).toHaveLength(1);
  });

  it('B15: asks those that its own compaction overtook where they stand (§7)', () => {
    const limits = { entriesPerMessage: 1, entriesInFlight: 1 };
    const node = leading(restarted([1, 1, 1, 1], { limits, announceCommits: false }), 'b');
    settle(node, received(reply('c', 2, { refused: true, last: at(1, 1) })));
    settle(node, received(reply('b', 2, { last: at(2, 5) })));
    const actions = settle(node, snapshotTaken(5));
    expect(node.log.snapshotPosition).toEqual(at(2, 5));
    expect(sent(actions)).toEqual([['c', call('a', 2, { round: 3, prev: at(2, 5), commit: 5 })]]);
    const behind = received(reply('c', 2, { round: 3, refused: true, last: at(1, 2) }));
    expect(only(tell(node, behind), 'installSnapshot')).toMatchObject([{ to: 'c' }]);
  });

  it('B15: has nothing to send in front of it, whatever a node that came back says it has', () => {
    const limits = { entriesPerMessage: 1 };
    const node = leading(restarted([1, 1, 1, 1], { limits, announceCommits: false }), 'b');
    settle(node, ...['b', 'c'].map((id) => received(reply(id, 2, { last: at(2, 5) }))));
    settle(node, snapshotTaken(5));
    settle(node, received(reply('c', 2, { round: 1, generation: 1 })));
    expect(sentTo(settle(node, proposed(1, 'x')), 'c')).toMatchObject([
      { entries: { prevPosition: at(2, 5), length: 1 } },
    ]);
  });

  it('brings an empty node up: snapshot, then entries (§7)', () => {
    const cluster = new PromptCluster(['a', 'b', 'c']);
    cluster.elect('a');
    cluster.tell('a', proposed(1, 'x', 'y'));
    cluster.tell('a', snapshotTaken(4, 'x, y'));
    cluster.add('d');
    cluster.tell('a', configProposed(2, { ...abc, nonVoters: ['d'] }));
    cluster.tell('a', proposed(3, 'z'));
    cluster.tell('a', timedOut);
    const restored = only(cluster.wanted.get('d') ?? [], 'restore').map(
      (each) => each.snapshot.data,
    );
    expect(restored).toEqual(['x, y']);
    expect(cluster.applied('d')).toEqual(['z']);
    expect(cluster.node('d').config.nonVoters).toEqual(['d']);
  });
});

describe('a restart', () => {
  it('J9: begins with the snapshot, and hands over what is behind it once (§7)', () => {
    const snapshot = snapshotAt(at(1, 3));
    const entries = entriesAfter(at(1, 3), [1, 1]);
    const node = awake({ id: 'a', currentTerm: 1, snapshot });
    expect(node).toMatchObject({ commitIndex: 3, appliedIndex: 3 });
    const actions = settle(
      node,
      received(call('b', 1, { round: 1, prev: at(1, 3), terms: [1, 1], commit: 4 })),
      received(call('b', 1, { round: 2, prev: at(1, 5), commit: 5 })),
    );
    expect(only(actions, 'apply')).toEqual([apply(entries)]);
    expect(only(actions, 'restore')).toEqual([]);
  });

  it('says restore before anything else is applied (§7)', () => {
    const snapshot = snapshotAt(at(1, 3));
    const entries = entriesAfter(at(1, 3), [1]);
    const node: ByHand = new Node({ id: 'a', currentTerm: 1, snapshot, entries });
    const heard = received(call('b', 1, { prev: at(1, 4), commit: 4 }));
    const types = tell(node, heard).map((action) => action.type);
    expect(types.filter((type) => type === 'restore' || type === 'apply')).toEqual([
      'restore',
      'apply',
    ]);
  });
});
