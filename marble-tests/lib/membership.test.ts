/**
 * Cluster membership changes (§6) by joint consensus: who is in force, who counts, what is refused.
 * What becomes of the nodes that leave is in removal.test.ts.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: `tpvq1` leads a into term 2 with
 * everything committed; j a change to {c, d, e}, x another proposal; p … q persisted. Actions: k, K
 * configChanged, a accepted, x rejected, C, D, E committed.
 */
import { describe, expect, it } from 'vitest';
import type { ClusterConfig } from '../../lib/index.js';
import { clusterOf, raft, toFinalConfig, toJointConsensus } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { Told, Wanted } from './alphabet.js';
import {
  abc,
  accepted,
  at,
  awake,
  call,
  committed,
  configChanged,
  configProposed,
  drawing,
  entriesAfter,
  leading,
  only,
  persisted,
  pristine,
  proposed,
  received,
  rejected,
  reply,
  restarted,
  send,
  settle,
  tell,
  timedOut,
  vote,
} from './alphabet.js';
import { PromptCluster } from './prompt-cluster.js';

const joint: ClusterConfig = { voters: ['a', 'b', 'c'], newVoters: ['c', 'd', 'e'], nonVoters: [] };
const final = toFinalConfig(joint);

/** a with the log [1], without messages that only carry the news of a commit. */
const quiet = restarted([1], { announceCommits: false });

/** Answers of these nodes to the call of that round: that they have everything up to an index. */
function have(index: number, round: number, ...ids: string[]): Told[] {
  return ids.map((id) => received(reply(id, 2, { round, last: at(2, index) })));
}

describe('a change of members', () => {
  const inputs: Record<string, Told> = {
    t: timedOut,
    p: persisted(1),
    v: received(vote('b', 2)),
    q: persisted(2),
    1: received(reply('b', 2, { last: at(2, 2) })),
    j: configProposed(1, joint),
    x: configProposed(2, { ...joint, newVoters: ['a'] }),
    r: persisted(3),
    s: persisted(4),
    2: received(reply('b', 2, { round: 2, last: at(2, 3) })),
    3: received(reply('c', 2, { round: 2, last: at(2, 3) })),
    4: received(reply('d', 2, { round: 2, last: at(2, 3) })),
    5: received(reply('c', 2, { round: 3, last: at(2, 4) })),
    6: received(reply('e', 2, { round: 3, last: at(2, 4) })),
  };
  const actions: Record<string, Wanted> = {
    o: configChanged(abc, 1),
    z: committed(2),
    a: accepted(1, at(2, 3)),
    J: configChanged(joint, 3),
    C: committed(3),
    N: configChanged(final, 4),
    D: committed(4),
    n: rejected(2, 'changeInProgress', 'a'),
  };
  const types = ['configChanged', 'committed', 'accepted', 'rejected'] as const;

  it(
    '"once C_old,new has been committed, … create a log entry describing C_new" (§6)',
    marbles((m) => {
      const input$ = m.hot('-tpvq1-j--r23---4---s5-6-', inputs);
      const expected = '    o----z-(aJ)-----(NC)---D-';
      m.expect(input$.pipe(raft(quiet), drawing(...types))).toBeObservable(expected, actions);
    }),
  );

  it(
    'D2: a second one is refused until C_new is committed (§6, thesis §4.1)',
    marbles((m) => {
      const input$ = m.hot('-tpvq1-j---xr234---x-s5x6-', inputs);
      const expected = '    o----z-(aJ)n---(NC)n---nD-';
      m.expect(input$.pipe(raft(quiet), drawing(...types))).toBeObservable(expected, actions);
    }),
  );
});

describe('a configuration', () => {
  it('D3: is in force "regardless of whether the entry is committed" (§6)', () => {
    const follower = awake(restarted([1, 1]));
    const entries = {
      ...entriesAfter(at(1, 2), [1]),
      commands: null,
      configs: [{ index: 3, config: clusterOf(['a', 'd', 'e']) }],
    };
    settle(follower, received(call('b', 1, { entries })));
    expect(follower.commitIndex).toBe(0);
    expect(follower.peers.map((peer) => peer.id)).toEqual(['d', 'e']);
    settle(follower, { type: 'minimumElapsed' }, timedOut);
    settle(follower, received(vote('b', 2)), received(vote('c', 2)));
    expect(follower.role).toBe('candidate');
    settle(follower, received(vote('d', 2)));
    expect(follower.role).toBe('leader');
  });

  it('D4, J3: goes back with the entries that are cut, and the peers with it (§6)', () => {
    const log = { ...entriesAfter(at(0, 0), [1, 1, 1]), commands: null };
    const configs = [...log.configs, { index: 3, config: joint }];
    const follower = awake(restarted([1, 1, 1], { entries: { ...log, configs } }));
    expect(follower.config).toEqual(joint);
    const actions = settle(follower, received(call('b', 2, { prev: at(1, 2), terms: [2] })));
    expect(only(actions, 'configChanged')).toEqual([configChanged(abc, 1)]);
    expect(follower.peers.map((peer) => peer.id)).toEqual(['b', 'c']);
  });

  it('D4: the one before it may be the snapshot’s (§7)', () => {
    const snapshot = { position: at(1, 2), config: abc, data: 'state' };
    const entries = {
      ...entriesAfter(at(1, 2), [1]),
      commands: null,
      configs: [{ index: 3, config: joint }],
    };
    const follower = awake({ id: 'a', currentTerm: 1, snapshot, entries });
    settle(follower, received(call('b', 2, { prev: at(1, 2), terms: [2] })));
    expect(follower.config).toEqual(abc);
  });
});

describe('joint consensus', () => {
  it('D6: "agreement requires separate majorities from both": commitment (§6)', () => {
    const node = leading(quiet, 'b');
    settle(node, ...have(2, 1, 'b'));
    settle(node, configProposed(1, joint));
    settle(node, ...have(3, 2, 'd', 'e'));
    expect(node.commitIndex).toBe(2);
    settle(node, ...have(3, 2, 'c'));
    expect(node.commitIndex).toBe(3);
  });

  it('D6: and elections (§6)', () => {
    const log = { ...entriesAfter(at(0, 0), [1, 1]), commands: null };
    const configs = [...log.configs, { index: 2, config: joint }];
    const config = restarted([1, 1], { entries: { ...log, configs } });
    expect(leading(config, 'b').role).toBe('candidate');
    expect(leading(config, 'd', 'e').role).toBe('candidate');
    expect(leading(config, 'c', 'd').role).toBe('leader');
  });

  it('D7: a new leader commits an inherited C_old,new first, and leaves it once (§6)', () => {
    const log = { ...entriesAfter(at(0, 0), [1, 1]), commands: null };
    const configs = [...log.configs, { index: 2, config: joint }];
    const node = leading(restarted([1, 1], { entries: { ...log, configs } }), 'c', 'd');
    expect(node.config).toEqual(joint);
    expect(tell(node, configProposed(1, abc))).toEqual([rejected(1, 'notReady', 'a')]);
    settle(node, ...have(3, 1, 'd'));
    expect(node.config).toEqual(joint);
    settle(node, ...have(3, 1, 'c', 'b', 'e'));
    expect(node.config).toEqual(final);
    expect(node.log.slice(2, 4).configs).toEqual([{ index: 4, config: final }]);
  });

  it('B17: of one batch, what stands before a change commits by the old quorum (§6)', () => {
    const node = leading(pristine(['a'], { announceCommits: false }));
    const change = configProposed(2, { voters: ['a'], newVoters: ['a', 'b', 'c'], nonVoters: [] });
    settle(node, proposed(1, 'x'), change, proposed(3, 'y'));
    expect(node).toMatchObject({ commitIndex: 3, durableIndex: 5 });
    settle(node, received(reply('b', 1, { round: 2, last: at(1, 4) })));
    expect(node.commitIndex).toBe(4);
    expect(node.config).toEqual(clusterOf(['a', 'b', 'c']));
    settle(node, received(reply('b', 1, { round: 3, last: at(1, 6) })));
    expect(node.commitIndex).toBe(6);
  });

  it('S5: a cluster that shrinks to one voter goes on committing (§6)', () => {
    const cluster = new PromptCluster(['a', 'b', 'c']);
    cluster.elect('a');
    cluster.tell('a', configProposed(1, toJointConsensus(abc, [], ['b', 'c'])));
    cluster.isolate('a');
    cluster.tell('a', proposed(2, 'x'));
    expect(cluster.node('a').config).toEqual(clusterOf(['a']));
    expect(cluster.applied('a')).toEqual(['x']);
  });
});

describe('a change is refused', () => {
  it('D1, J4: "not until the leader has committed an entry from its own term" (thesis §4.1)', () => {
    const node = leading(quiet, 'b');
    expect(tell(node, configProposed(1, joint))).toEqual([rejected(1, 'notReady', 'a')]);
    settle(node, ...have(2, 1, 'b'));
    expect(tell(node, configProposed(2, joint))[0]).toEqual(accepted(2, at(2, 3)));
  });

  it('by who does not lead (§8)', () => {
    const node = awake(restarted([1]));
    expect(tell(node, configProposed(1, joint))).toEqual([rejected(1, 'notLeader')]);
  });

  it('D14, S17: a non-voter is promoted when it "has caught up with the rest" (§6)', () => {
    const config = { ...abc, nonVoters: ['d'] };
    const entries = entriesAfter(at(0, 0), [1, 1, 1, 1], config);
    const limits = { promotionLag: 1 };
    const node = leading(restarted([1, 1, 1, 1], { entries, limits }), 'b');
    settle(node, ...have(5, 1, 'b'));
    const promotion = configProposed(1, toJointConsensus(config, ['d'], []));
    settle(node, received(reply('d', 2, { refused: true, last: at(1, 2) })));
    settle(node, received(reply('d', 2, { round: 3, last: at(1, 3) })));
    expect(tell(node, promotion)).toEqual([rejected(1, 'notCaughtUp', 'a')]);
    settle(node, received(reply('d', 2, { round: 3, last: at(1, 4) })));
    expect(tell(node, promotion)[0]).toEqual(accepted(1, at(2, 6)));
    expect(node.config).toEqual({
      voters: abc.voters,
      newVoters: ['a', 'b', 'c', 'd'],
      nonVoters: [],
    });
  });

  it('D14: a non-voter that has acknowledged nothing is not promoted: it may not even run', () => {
    const config = { ...abc, nonVoters: ['d'] };
    const node = leading(restarted([1], { entries: entriesAfter(at(0, 0), [1], config) }), 'b');
    settle(node, ...have(2, 1, 'b'));
    const promotion = configProposed(1, toJointConsensus(config, ['d'], []));
    expect(tell(node, promotion)).toEqual([rejected(1, 'notCaughtUp', 'a')]);
    settle(node, received(reply('d', 2, { round: 1, last: at(1, 1) })));
    expect(tell(node, promotion)[0]).toEqual(accepted(1, at(2, 3)));
  });

  it.each<[string, Partial<ClusterConfig>]>([
    ['nothing to change', {}],
    ['the same voters once more', { newVoters: ['c', 'b', 'a'] }],
    ['other voters without a joint configuration', { voters: ['a', 'b'] }],
    ['other voters beside new ones', { voters: ['a', 'b', 'd'], newVoters: ['a', 'd'] }],
    ['no voters', { voters: [], newVoters: ['a'] }],
    ['an id twice', { newVoters: ['a', 'b', 'b'] }],
    ['no id at all', { newVoters: ['a', ''] }],
    ['a voter that is none', { nonVoters: ['a'] }],
    ['an id too long', { nonVoters: ['x'.repeat(65)] }],
  ])('D16: %s', (_, wrong) => {
    const node = leading(quiet, 'b');
    settle(node, ...have(2, 1, 'b'));
    expect(tell(node, configProposed(1, { ...abc, ...wrong }))).toEqual([
      rejected(1, 'invalidConfig', 'a'),
    ]);
    expect(node.config).toEqual(abc);
    expect(node.log.lastPosition).toEqual(at(2, 2));
  });

  it('D20: an isolated old leader never commits one, and after healing it is gone', () => {
    const cluster = new PromptCluster(['a', 'b', 'c']);
    cluster.elect('a');
    cluster.isolate('a');
    cluster.tell('a', configProposed(1, toJointConsensus(abc, [], ['c'])));
    expect(cluster.node('a').config.newVoters).toEqual(['a', 'b']);
    cluster.elect('b');
    cluster.heal();
    cluster.tell('b', proposed(2, 'x'));
    expect(cluster.node('a')).toMatchObject({ role: 'follower', config: abc });
    expect(cluster.applied('a')).toEqual(['x']);
  });
});

describe('a change of the non-voters only', () => {
  it('needs no joint consensus: the quorums stay as they are (thesis §4.2.1)', () => {
    const node = leading(quiet, 'b');
    settle(node, ...have(2, 1, 'b'));
    const config = { ...abc, nonVoters: ['d'] };
    const actions = settle(node, configProposed(1, config));
    expect(only(actions, 'configChanged')).toEqual([configChanged(config, 3)]);
    settle(node, ...have(3, 2, 'c'));
    expect(node.commitIndex).toBe(3);
    // d is empty, and is brought up from where it stands.
    const told = settle(node, received(reply('d', 2, { round: 2, refused: true })));
    const entries = node.log.slice(0, 3);
    expect(only(told, 'sendMessage')).toEqual([
      send('d', call('a', 2, { round: 3, commit: 3, entries })),
    ]);
  });

  it('I12: is copied: the asker may do with its own object what it wants (law 3)', () => {
    const node = leading(quiet, 'b');
    settle(node, ...have(2, 1, 'b'));
    const nonVoters = ['d'];
    settle(node, configProposed(1, { ...abc, nonVoters }));
    nonVoters.push('e');
    expect(node.config.nonVoters).toEqual(['d']);
  });
});

describe('a new cluster', () => {
  const create = (voters: string[]): Told => ({ type: 'clusterProposed', proposal: 1, voters });

  it('is proposed to one pristine node, which asks for votes at once (§5.2)', () => {
    const node = awake({ id: 'a' });
    const actions = settle(node, create(['c', 'a', 'b']));
    expect(actions[0]).toEqual(accepted(1, at(0, 1)));
    expect(node).toMatchObject({ role: 'candidate', currentTerm: 1, config: abc });
    settle(node, received(vote('b', 1)));
    expect(node.role).toBe('leader');
  });

  it('D19: twice is refused, and so is one on a node with a log, a term or a vote', () => {
    const used = [{ currentTerm: 1 }, { currentTerm: 1, votedFor: 'b' }, { initialVoters: ['a'] }];
    for (const config of used) {
      const node = awake({ id: 'a', ...config });
      expect(tell(node, create(['a']))).toEqual([rejected(1, 'notPristine')]);
    }
    const node = awake({ id: 'a' });
    settle(node, create(['a']));
    expect(tell(node, create(['a']))).toEqual([rejected(1, 'notPristine', 'a')]);
  });

  it('S10, D16: without itself, without anyone, or with an id twice is refused', () => {
    for (const voters of [['b', 'c'], [], ['a', 'a'], ['a', '']]) {
      const node = awake({ id: 'a' });
      expect(tell(node, create(voters))).toEqual([rejected(1, 'invalidConfig')]);
      expect(node.log.lastPosition).toEqual(at(0, 0));
    }
  });
});
