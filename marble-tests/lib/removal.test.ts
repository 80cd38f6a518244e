/**
 * Nodes that leave a cluster (§6): the leader that removes itself, and the servers that are removed
 * and must not disrupt the others.
 *
 * The clusters here are by hand: see prompt-cluster.ts. An action in a list is told by its type.
 */
import { describe, expect, it } from 'vitest';
import { clusterOf, toJointConsensus } from '../../lib/index.js';
import type { ClusterConfig, Input } from '../../lib/index.js';
import type { Wanted } from './alphabet.js';
import {
  abc,
  at,
  awake,
  call,
  configProposed,
  dropped,
  leading,
  minimumElapsed,
  proposed,
  received,
  removalNotice,
  reply,
  restarted,
  sent,
  sentTo,
  settle,
  tell,
  timedOut,
  voteCall,
} from './alphabet.js';
import { PromptCluster } from './prompt-cluster.js';

/** A cluster of a, b and c, led by a, to which d was added. */
function four(): PromptCluster {
  const cluster = new PromptCluster(['a', 'b', 'c']);
  cluster.add('d');
  cluster.elect('a');
  cluster.tell('a', configProposed(1, toJointConsensus(abc, ['d'], [])));
  cluster.tell('a', timedOut);
  return cluster;
}

const abcd = clusterOf(['a', 'b', 'c', 'd']);

describe('a leader that its own change leaves out', () => {
  it('D8: "steps down once it has committed the C_new log entry" (§6)', () => {
    const cluster = four();
    expect(cluster.node('d').config).toEqual(abcd);
    cluster.tell('a', configProposed(2, toJointConsensus(abcd, [], ['a'])));
    expect(cluster.node('a')).toMatchObject({ role: 'follower', leaderId: null });
    for (const id of ['b', 'c', 'd']) {
      expect(cluster.node(id).config).toEqual(clusterOf(['b', 'c', 'd']));
    }
  });

  it('D8: tells the others that it is committed, with its last words (§6)', () => {
    const cluster = four();
    cluster.tell('a', configProposed(2, toJointConsensus(abcd, [], ['a'])));
    const { commitIndex, log } = cluster.node('a');
    expect(commitIndex).toBe(log.lastPosition.index);
    for (const id of ['b', 'c', 'd']) expect(cluster.node(id).commitIndex).toBe(commitIndex);
  });

  it('D8: "replicates log entries but does not count itself in majorities" (§6)', () => {
    const node = leading(restarted([1], { announceCommits: false }), 'b');
    settle(node, received(reply('b', 2, { last: at(2, 2) })));
    settle(node, configProposed(1, toJointConsensus(abc, [], ['a'])));
    const answer = (id: string, round: number, index: number): Wanted[] =>
      settle(node, received(reply(id, 2, { round, last: at(2, index) })));
    answer('b', 2, 3);
    expect(node.commitIndex).toBe(2);
    answer('c', 2, 3);
    expect(node.commitIndex).toBe(3);
    expect(node.config).toEqual(clusterOf(['b', 'c']));
    answer('b', 3, 4);
    expect(node).toMatchObject({ role: 'leader', commitIndex: 3 });
    const last = answer('c', 3, 4);
    expect(node).toMatchObject({ role: 'follower', commitIndex: 4 });
    // Its last words: that C_new is committed.
    const news = call('a', 2, { round: 4, prev: at(2, 4), commit: 4 });
    expect(sent(last)).toEqual([
      ['b', news],
      ['c', news],
    ]);
  });

  it('D8: the others elect one of them, and it campaigns no more (§6)', () => {
    const cluster = four();
    cluster.tell('a', configProposed(2, toJointConsensus(abcd, [], ['a'])));
    cluster.tell('a', timedOut);
    expect(cluster.node('a').role).toBe('follower');
    cluster.elect('c');
    expect(cluster.node('c').role).toBe('leader');
    cluster.tell('c', proposed(3, 'x'));
    expect(cluster.applied('b')).toEqual(['x']);
  });

  it('campaigns while C_new "is not committed": it may be needed (thesis §4.2.2)', () => {
    const configs = [
      { index: 1, config: abc },
      { index: 2, config: { ...abc, newVoters: ['b', 'c'] } },
      { index: 3, config: clusterOf(['b', 'c']) },
    ];
    const log = { prevPosition: at(0, 0), length: 3, terms: [{ index: 1, term: 1 }], configs };
    const node = awake(restarted([1], { entries: { ...log, commands: null } }));
    settle(node, timedOut);
    expect(node.role).toBe('candidate');
    const other = awake(restarted([1], { entries: { ...log, commands: null } }));
    settle(other, received(call('b', 1, { prev: at(1, 3), commit: 3 })), minimumElapsed);
    settle(other, timedOut);
    expect(other.role).toBe('follower');
  });
});

describe('a server that is removed', () => {
  it('D11: is told so when C_new is committed, and asks for votes no more (§6)', () => {
    const cluster = four();
    cluster.tell('a', configProposed(2, toJointConsensus(abcd, [], ['d'])));
    expect(cluster.node('a').config).toEqual(abc);
    const { currentTerm } = cluster.node('d');
    cluster.tell('d', minimumElapsed);
    cluster.tell('d', timedOut);
    expect(cluster.node('d')).toMatchObject({ role: 'follower', currentTerm });
  });

  it('D11: is told once, not with every commit from there on (§6)', () => {
    const cluster = four();
    cluster.tell('a', configProposed(2, toJointConsensus(abcd, [], ['d'])));
    for (const proposal of [3, 4]) cluster.tell('a', proposed(proposal, 'x'));
    const told = sentTo(cluster.wanted.get('a') ?? [], 'd').map((message) => message.type);
    expect(told.filter((type) => type === 'removalNotice')).toHaveLength(1);
  });

  it('D11, S11: that was not told asks for votes once, and is told then (§6)', () => {
    const cluster = four();
    cluster.isolate('d');
    cluster.tell('a', configProposed(2, toJointConsensus(abcd, [], ['d'])));
    cluster.tell('d', minimumElapsed);
    cluster.tell('d', timedOut);
    expect(cluster.node('d').role).toBe('candidate');
    cluster.heal();
    cluster.tell('d', timedOut);
    expect(cluster.node('d').role).toBe('follower');
    const { currentTerm } = cluster.node('d');
    cluster.tell('d', timedOut);
    expect(cluster.node('d').currentTerm).toBe(currentTerm);
    expect(cluster.node('a')).toMatchObject({ role: 'leader', currentTerm: 1 });
    expect(cluster.node('b').currentTerm).toBe(1);
  });

  it('D18: is counted no more: its acknowledgement is of no member (§6)', () => {
    const cluster = four();
    cluster.tell('a', configProposed(2, toJointConsensus(abcd, [], ['d'])));
    const leader = cluster.node('a');
    const ack = received(reply('d', 1, { round: 1, last: leader.log.lastPosition }));
    expect(tell(leader, ack)).toEqual([dropped('d', 'notMember')]);
  });

  it('comes back with a newer configuration: the notice is of the past (§6)', () => {
    const cluster = four();
    cluster.tell('a', configProposed(2, toJointConsensus(abcd, [], ['d'])));
    cluster.tell('a', configProposed(3, toJointConsensus(abc, ['d'], [])));
    cluster.tell('a', timedOut);
    cluster.tell('d', minimumElapsed);
    cluster.tell('d', timedOut);
    expect(cluster.node('d').role).toBe('candidate');
  });

  it('does not believe a notice that is older than what it has (§6)', () => {
    const configs = [{ index: 2, config: abc }];
    const terms = [{ index: 2, term: 1 }];
    const entries = { prevPosition: at(0, 0), length: 2, terms, configs, commands: null };
    const node = awake(restarted([1], { entries }));
    expect(tell(node, received(removalNotice('b', 1, at(1, 1))))).toEqual([
      dropped('b', 'obsolete'),
    ]);
    settle(node, timedOut);
    expect(node.role).toBe('candidate');
    settle(node, received(removalNotice('b', 3, at(2, 9))));
    expect(node.role).toBe('follower');
    settle(node, timedOut);
    expect(node.role).toBe('follower');
  });

  it('stays quiet while it learns older configurations, and the one that leaves it out (§6)', () => {
    const node = awake(restarted([1]));
    settle(node, received(removalNotice('b', 2, at(2, 4))));
    const bringing = (index: number, config: ClusterConfig): Input<string, string> => {
      const terms = index === 2 ? [{ index, term: 2 }] : [];
      const configs = [{ index, config }];
      const prevPosition = at(index === 2 ? 1 : 2, index - 1);
      const entries = { prevPosition, length: 1, terms, configs, commands: null };
      return received(call('b', 2, { entries }));
    };
    settle(node, bringing(2, { ...abc, nonVoters: ['e'] }), bringing(3, abc));
    settle(node, timedOut);
    expect(node).toMatchObject({ role: 'follower', config: abc });
    settle(node, bringing(4, clusterOf(['b', 'c'])), bringing(5, abc));
    settle(node, timedOut);
    expect(node.role).toBe('candidate');
  });

  it('is told with 63 others in one turn at most', () => {
    const node = leading(restarted([1], { announceCommits: false }), 'b');
    settle(node, received(reply('b', 2, { last: at(2, 2) })));
    const many = Array.from({ length: 70 }, (_, number) =>
      received(voteCall(`n${number}`, 9, at(1, 1))),
    );
    expect(sent(settle(node, ...many))).toHaveLength(64);
  });

  it('is told by a leader only, of a committed configuration only (§6)', () => {
    const node = leading(restarted([1], { announceCommits: false }), 'b');
    const request = received(voteCall('z', 9, at(1, 1)));
    settle(node, received(reply('b', 2, { last: at(2, 2) })));
    expect(sentTo(tell(node, request), 'z')).toEqual([removalNotice('a', 2, at(1, 1))]);
    settle(node, configProposed(1, { ...abc, nonVoters: ['e'] }));
    expect(tell(node, request)).toEqual([dropped('z', 'leaderAlive')]);
    const follower = awake(restarted([1]));
    settle(follower, received(call('b', 1, { prev: at(1, 1), commit: 1 })));
    expect(tell(follower, request)).toEqual([dropped('z', 'leaderAlive')]);
    const deposed = leading(restarted([1], { announceCommits: false }), 'b');
    settle(deposed, received(reply('b', 2, { last: at(2, 2) })));
    expect(sentTo(settle(deposed, request, received(reply('b', 5))), 'z')).toEqual([]);
  });
});
