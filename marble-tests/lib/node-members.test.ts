/** The node by hand: a cluster is created, and its members change (§6). */
import { describe, expect, it } from 'vitest';
import { clusterOf, Node, origin, toJointConsensus } from '../../lib/index.js';
import type { ByHand } from './alphabet.js';
import {
  abc,
  at,
  awake,
  broadcast,
  commandsAfter,
  configChanged,
  configProposed,
  leading,
  persist,
  persisted,
  pristine,
  received,
  rejected,
  reply,
  restarted,
  roleChanged,
  settle,
  snapshotAt,
  tell,
  timer,
  voteCall,
} from './alphabet.js';

const first = { ...commandsAfter(origin, []), length: 1, commands: null };

/** a, the leader of term 2 of {a, b, c}, with the log [1, 1, 2] of which all is committed. */
function leader(): ByHand {
  const node = leading(restarted([1, 1], { announceCommits: false }), 'b');
  settle(node, received(reply('b', 2, { last: at(2, 3) })));
  return node;
}

describe('createCluster(initialVoters)', () => {
  it('on a pristine node: writes the first configuration, and becomes a candidate at once', () => {
    const node = new Node<string, string>({ id: 'a' });
    node.take();
    expect(node.createCluster(['c', 'a', 'b'])).toEqual(at(0, 1));
    expect(node).toMatchObject({ role: 'candidate', currentTerm: 1, votedFor: 'a' });
    expect(node.config).toEqual(abc);
    const entries = { ...first, configs: [{ index: 1, config: abc }] };
    expect(node.take()).toEqual([
      roleChanged('candidate', 1, null),
      configChanged(abc, 1),
      timer('candidate'),
      persist(1, { vote: [1, 'a'], entries }),
    ]);
    // The requests leave when the candidacy is on disk.
    expect(tell(node, persisted(1))).toEqual([broadcast(['b', 'c'], voteCall('a', 1, at(0, 1)))]);
  });

  it.each<[string, ByHand]>([
    ['with a log', new Node(restarted([1, 1]))],
    ['of another cluster', new Node(pristine())],
    ['with a term', new Node({ id: 'a', currentTerm: 1 })],
    ['with a vote', new Node({ id: 'a', currentTerm: 1, votedFor: 'b' })],
    ['with a snapshot', new Node({ id: 'a', currentTerm: 1, snapshot: snapshotAt(at(1, 2)) })],
  ])('D19: is refused on a node %s', (_, node) => {
    const { currentTerm, role, config } = node;
    expect(node.createCluster(['a', 'b'])).toBe('notPristine');
    expect(node).toMatchObject({ currentTerm, role, config });
  });

  it('a second time is refused, too', () => {
    const node = new Node<string, string>({ id: 'a' });
    expect(node.createCluster(['a'])).toEqual(at(0, 1));
    expect(node.createCluster(['a'])).toBe('notPristine');
  });

  it.each([
    ['without itself', ['b', 'c']],
    ['without anyone', []],
    ['with a voter twice', ['a', 'b', 'b']],
    ['with a voter that has no name', ['a', '']],
  ])('is refused %s', (_, voters) => {
    const node = new Node<string, string>({ id: 'a' });
    node.take();
    expect(node.createCluster(voters)).toBe('invalidConfig');
    expect(node.take()).toEqual([]);
    expect(node.createCluster(['a'])).toEqual(at(0, 1));
  });
});

describe('proposeConfig', () => {
  const joint = toJointConsensus(abc, ['d'], ['c']);

  it('the joint configuration is in force at once; the final one follows by itself (§6)', () => {
    const node = leader();
    expect(node.proposeConfig(joint)).toEqual(at(2, 4));
    expect(node.config).toEqual(joint);
    expect(node.peers.map(({ id }) => id)).toEqual(['b', 'c', 'd']);
    settle(node);
    for (const id of ['b', 'd']) {
      settle(node, received(reply(id, 2, { round: 2, last: at(2, 4) })));
    }
    expect(node.commitIndex).toBe(4);
    expect(node.config).toEqual(clusterOf(['a', 'b', 'd']));
    expect(node.log.lastPosition).toEqual(at(2, 5));
    settle(node, received(reply('d', 2, { round: 3, last: at(2, 5) })));
    expect(node.commitIndex).toBe(5);
    expect(node.peers.map(({ id }) => id)).toEqual(['b', 'd']);
  });

  it('"no longer a voter": the leader steps down after the final one commits (§6)', () => {
    const node = leader();
    node.proposeConfig(toJointConsensus(abc, [], ['a']));
    settle(node);
    settle(node, received(reply('b', 2, { round: 2, last: at(2, 4) })));
    settle(node, received(reply('c', 2, { round: 2, last: at(2, 4) })));
    expect(node.config).toEqual(clusterOf(['b', 'c']));
    expect(node.role).toBe('leader');
    settle(node, received(reply('b', 2, { round: 3, last: at(2, 5) })));
    expect(node.role).toBe('leader');
    const actions = settle(node, received(reply('c', 2, { round: 3, last: at(2, 5) })));
    expect(node.commitIndex).toBe(5);
    expect(node).toMatchObject({ role: 'follower', currentTerm: 2, votedFor: 'a' });
    // The others are told first.
    const told = actions.findIndex(({ type }) => type === 'broadcastMessage');
    const stepped = actions.findIndex(({ type }) => type === 'roleChanged');
    expect(told).toBeGreaterThanOrEqual(0);
    expect(stepped).toBeGreaterThan(told);
    expect(actions[told]).toMatchObject({ to: ['b', 'c'], message: { commitIndex: 5 } });
  });

  it('refused by all but a leader', () => {
    expect(awake(restarted([1, 1])).proposeConfig(joint)).toBe('notLeader');
  });

  it('D1: refused until an entry of its own term is committed (thesis §4.1)', () => {
    const node = leading(restarted([1, 1]), 'b');
    expect(node.proposeConfig(joint)).toBe('notReady');
    settle(node, received(reply('b', 2, { last: at(2, 3) })));
    expect(node.proposeConfig(joint)).toEqual(at(2, 4));
  });

  it('D2: refused while a change is in progress, until its final configuration is committed', () => {
    const node = leader();
    node.proposeConfig(joint);
    expect(node.proposeConfig(joint)).toBe('changeInProgress');
    settle(node);
    for (const id of ['b', 'd']) settle(node, received(reply(id, 2, { round: 2, last: at(2, 4) })));
    expect(node.config).toEqual(clusterOf(['a', 'b', 'd']));
    const next = toJointConsensus(node.config, [], ['d']);
    expect(node.proposeConfig(next)).toBe('changeInProgress');
    settle(node, received(reply('b', 2, { round: 3, last: at(2, 5) })));
    expect(node.proposeConfig(next)).toEqual(at(2, 6));
  });

  it.each([
    ['other voters', { ...abc, voters: ['a', 'b', 'd'], newVoters: ['a'] }],
    ['fewer voters', { ...abc, voters: ['a', 'b'] }],
    ['no voter', { voters: [], newVoters: [], nonVoters: [] }],
    ['nothing new', abc],
    ['nothing new, in another order', { ...abc, voters: ['c', 'b', 'a'] }],
    ['new voters that are the old ones', { ...abc, newVoters: ['c', 'a', 'b'] }],
    ['a non-voter that votes', { ...abc, nonVoters: ['c'] }],
    ['a non-voter that is to vote', { ...abc, newVoters: ['a', 'd'], nonVoters: ['d'] }],
    ['a new voter twice', { ...abc, newVoters: ['a', 'd', 'd'] }],
    ['a voter without a name', { ...abc, newVoters: ['a', ''] }],
  ])('refused with %s', (_, config) => {
    const node = leader();
    expect(node.proposeConfig(config)).toBe('invalidConfig');
    expect(tell(node, configProposed(9, config))).toEqual([rejected(9, 'invalidConfig', 'a')]);
    expect(node.config).toEqual(abc);
  });

  it('a change of the non-voters only is one entry, and no joint consensus', () => {
    const node = leader();
    const config = { ...abc, nonVoters: ['d'] };
    expect(node.proposeConfig(config)).toEqual(at(2, 4));
    settle(node, received(reply('b', 2, { round: 1, last: at(2, 3) })));
    settle(node, received(reply('b', 2, { round: 2, last: at(2, 4) })));
    expect(node.commitIndex).toBe(4);
    expect(node.config).toEqual(config);
    expect(node.log.lastPosition).toEqual(at(2, 4));
    // Its acknowledgements count for nothing (D13).
    node.proposeCommand('x');
    settle(node);
    settle(node, received(reply('d', 2, { round: 3, last: at(2, 5) })));
    expect(node.commitIndex).toBe(4);
  });

  it('D14: a non-voter that is far behind is not promoted (thesis §4.2.1)', () => {
    const limits = { promotionLag: 1 };
    const node = leading(restarted([1, 1], { limits, announceCommits: false }), 'b');
    settle(node, received(reply('b', 2, { last: at(2, 3) })));
    node.proposeConfig({ ...abc, nonVoters: ['d'] });
    settle(node);
    settle(node, received(reply('b', 2, { round: 2, last: at(2, 4) })));
    const promotion = toJointConsensus(node.config, ['d'], []);
    expect(node.proposeConfig(promotion)).toBe('notCaughtUp');
    settle(node, received(reply('d', 2, { round: 2, last: at(1, 2) })));
    expect(node.proposeConfig(promotion)).toBe('notCaughtUp');
    settle(node, received(reply('d', 2, { round: 2, last: at(2, 3) })));
    expect(node.proposeConfig(promotion)).toEqual(at(2, 5));
  });

  it('what was proposed is not aliased', () => {
    const node = leader();
    const voters = ['a', 'b', 'c'];
    const nonVoters = ['d'];
    node.proposeConfig({ voters, newVoters: [], nonVoters });
    voters.length = nonVoters.length = 0;
    expect(node.config).toEqual({ ...abc, nonVoters: ['d'] });
  });
});
