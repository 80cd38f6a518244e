/**
 * The defects of the reference that concern members and reads, each rebuilt in full with real
 * nodes. None of them may be here.
 */
import { describe, expect, it } from 'vitest';
import { clusterOf, ConfigError, Node, toJointConsensus } from '../../lib/index.js';
import { accepted, configProposed, dropped, only, readRequested, rejected } from './alphabet.js';
import { ClusterByHand, worlds } from './cluster-by-hand.js';

const titled = 'with $voters voters, batched: $batched';

/** a leads, and everyone knows. */
function led(...args: ConstructorParameters<typeof ClusterByHand>): ClusterByHand {
  const cluster = new ClusterByHand(...args);
  cluster.elect('a', ...cluster.ids.slice(1));
  cluster.settle();
  return cluster;
}

/** A change of voters, said to the leader. */
function change(
  cluster: ClusterByHand,
  leader: string,
  adding: readonly string[],
  removing: readonly string[],
): void {
  const joint = toJointConsensus(cluster.node(leader).config, adding, removing);
  const actions = cluster.tell(leader, configProposed(99, joint));
  expect(only(actions, 'accepted')).toHaveLength(1);
}

describe.each(worlds)(`S5: shrinking to one voter, ${titled}`, (world) => {
  it('the last configuration and what follows it are committed by that one (§6)', () => {
    const cluster = led(world);
    change(cluster, 'a', [], cluster.ids.slice(1));
    // The others are gone as soon as they are not needed: no answer of theirs will move anything.
    while (cluster.node('a').config.newVoters.length > 0) cluster.step();
    expect(cluster.node('a').commitIndex).toBeLessThan(cluster.node('a').log.lastPosition.index);
    cluster.settle('a');
    expect(cluster.node('a').config).toEqual(clusterOf(['a']));
    expect(cluster.node('a').commitIndex).toBe(cluster.node('a').log.lastPosition.index);
    // Alone: there is nobody whose answer could move the commit index.
    cluster.propose('a', 'x');
    cluster.settle('a');
    expect(cluster.node('a').commitIndex).toBe(cluster.node('a').log.lastPosition.index);
    expect(cluster.commands('a')).toEqual(['x']);
    // And after a restart it elects itself.
    cluster.crash('a');
    cluster.elect('a');
    expect(cluster.commands('a')).toEqual(['x']);
  });

  it('also when the leader leaves: it steps down, and the last voter leads itself', () => {
    const cluster = led(world);
    const leaving = cluster.ids.filter((id) => id !== 'b');
    change(cluster, 'a', [], leaving);
    cluster.settle();
    expect(cluster.node('a').role).toBe('follower');
    expect(cluster.node('b').config).toEqual(clusterOf(['b']));
    expect(cluster.node('b').commitIndex).toBe(cluster.node('b').log.lastPosition.index);
    cluster.elect('b');
    cluster.propose('b', 'x');
    cluster.settle('b');
    expect(cluster.commands('b')).toEqual(['x']);
  });
});

describe('S10: a cluster without its founder', () => {
  it.each([1, 3, 5])('is refused, and the node is as pristine as before (%s voters)', (count) => {
    const others = ['b', 'c', 'd', 'e', 'f'].slice(0, count);
    const node = new Node<string, string>({ id: 'a' });
    node.take();
    expect(node.createCluster(others)).toBe('invalidConfig');
    expect(node.take()).toEqual([]);
    expect(node).toMatchObject({ role: 'follower', currentTerm: 0, votedFor: null });
    // By stream, too, and a configuration that names the founder is taken afterwards.
    node.handle({ type: 'clusterProposed', proposal: 1, voters: others });
    node.handle({ type: 'clusterProposed', proposal: 2, voters: ['a', ...others] });
    const actions = node.take();
    expect(actions).toContainEqual(rejected(1, 'invalidConfig'));
    expect(actions).toContainEqual(accepted(2, { term: 0, index: 1 }));
    expect(node).toMatchObject({ role: 'candidate', currentTerm: 1 });
    const config = { id: 'a', initialVoters: others };
    expect(() => new Node(config)).toThrow(ConfigError);
  });
});

describe.each(worlds)(`S11: a removed voter deposes nobody, ${titled}`, (world) => {
  it('though it was never told, and nobody has opted for a guard (§6, thesis §4.2.3)', () => {
    const cluster = led(world);
    const removed = cluster.ids.at(-1) ?? '';
    const here = cluster.ids.slice(0, -1);
    change(cluster, 'a', [], [removed]);
    cluster.settle(...here);
    expect(cluster.node('a').config).toEqual(clusterOf(here));
    expect(cluster.node(removed).config).toEqual(clusterOf(cluster.ids));
    // It hears nothing, and asks for votes in term after term; it reaches all but the leader.
    for (let attempt = 0; attempt < 10; attempt += 1) {
      cluster.timeOut(removed);
      cluster.settle(removed, ...here.slice(1));
      cluster.heartbeat('a');
      cluster.settle(...here);
      expect(cluster.node('a')).toMatchObject({ role: 'leader', currentTerm: 1 });
      for (const id of here) expect(cluster.node(id).currentTerm).toBe(1);
    }
    expect(cluster.node(removed).currentTerm).toBe(11);
    expect(cluster.actions('b', 'dropped').at(-1)).toEqual(dropped(removed, 'leaderAlive'));
    // It reaches the leader as well, and is told: it falls silent.
    cluster.timeOut(removed);
    cluster.settle();
    expect(cluster.node(removed).role).toBe('follower');
    const { currentTerm } = cluster.node(removed);
    const before = cluster.sent.length;
    for (let attempt = 0; attempt < 5; attempt += 1) cluster.timeOut(removed);
    expect(cluster.sent).toHaveLength(before);
    expect(cluster.node(removed).currentTerm).toBe(currentTerm);
    expect(cluster.node('a')).toMatchObject({ role: 'leader', currentTerm: 1 });
    // It comes back in a later configuration, and the others take over its term.
    change(cluster, 'a', [removed], []);
    cluster.settle();
    expect(cluster.node(removed).config).toEqual(clusterOf(cluster.ids));
  });
});

describe.each(worlds)(`S17: promotion, and a change that leaves no voter, ${titled}`, (world) => {
  it('a non-voter is promoted, counts and can lead (§6)', () => {
    const cluster = led(world);
    cluster.join('n');
    const { config } = cluster.node('a');
    cluster.tell('a', configProposed(1, { ...config, nonVoters: ['n'] }));
    cluster.propose('a', 'x');
    cluster.settle();
    expect(cluster.commands('n')).toEqual(['x']);
    // A non-voter does nothing when its timer fires.
    cluster.timeOut('n');
    expect(cluster.node('n')).toMatchObject({ role: 'follower', currentTerm: 1 });

    change(cluster, 'a', ['n'], []);
    cluster.settle();
    const promoted = clusterOf([...cluster.ids, 'n']);
    for (const id of [...cluster.ids, 'n']) expect(cluster.node(id).config).toEqual(promoted);
    cluster.elect('n', ...cluster.ids.slice(1));
    cluster.propose('n', 'y');
    cluster.settle();
    for (const id of [...cluster.ids, 'n']) expect(cluster.commands(id)).toEqual(['x', 'y']);
  });

  it('a change that removes all voters is refused, and changes nothing', () => {
    const cluster = led(world);
    const { config, log } = cluster.node('a');
    const empty = toJointConsensus(config, [], cluster.ids);
    expect(empty.newVoters).toEqual([]);
    const actions = cluster.tell('a', configProposed(1, empty));
    expect(actions).toEqual([rejected(1, 'invalidConfig', 'a')]);
    expect(cluster.node('a').log.lastPosition).toEqual(log.lastPosition);
    // Nor is a change that leaves only listeners.
    const listeners = { voters: [], newVoters: [], nonVoters: cluster.ids };
    expect(cluster.node('a').proposeConfig(listeners)).toBe('invalidConfig');
    expect(cluster.node('a').config).toEqual(config);
  });
});

describe.each(worlds)(`S20: linearizable reads, ${titled}`, (world) => {
  it('a new leader answers when an entry of its own term is committed (§8)', () => {
    const cluster = led(world, { announceCommits: false });
    const others = cluster.ids.slice(1);
    // x is committed, and its client was told so; b has it, and does not know that it is committed.
    cluster.propose('a', 'x');
    cluster.settle();
    expect(cluster.commands('a')).toEqual(['x']);
    expect(cluster.node('b').commitIndex).toBe(2);
    // b is elected, and asked before any answer to its first calls has come.
    for (const id of others) cluster.tell(id, { type: 'minimumElapsed' });
    cluster.timeOut('b');
    for (let steps = 0; cluster.node('b').role !== 'leader' && steps < 100; steps += 1) {
      cluster.step(...others);
    }
    expect(cluster.node('b').commitIndex).toBe(2);
    cluster.tell('b', readRequested(7));
    expect(cluster.actions('b', 'readReady')).toEqual([]);
    // A quorum answers a round that began after the request, before its marker is on any disk.
    cluster.deliver({ from: 'b' });
    cluster.deliver({ to: 'b' });
    expect(cluster.actions('b', 'readReady')).toEqual([]);
    cluster.settle(...others);
    const [ready, ...more] = cluster.actions('b', 'readReady');
    expect(more).toEqual([]);
    expect(ready).toMatchObject({ reads: [7] });
    expect(ready?.index).toBeGreaterThanOrEqual(4);
    expect(cluster.commands('b')).toEqual(['x']);
  });

  it('the index is that of the request: what was committed before it is seen', () => {
    const cluster = led(world);
    const half = cluster.ids.slice(1, (world.voters + 1) / 2);
    cluster.propose('a', 'x1', 'x2');
    // Committed by the others; the leader's own disk is slow, so its machine has not seen it.
    for (const id of cluster.ids.slice(1)) {
      cluster.deliver({ to: id });
      cluster.persist(id);
    }
    cluster.deliver({ to: 'a' });
    expect(cluster.node('a').commitIndex).toBe(4);
    expect(cluster.commands('a')).toEqual([]);
    cluster.tell('a', readRequested(1));
    // Its round is answered by a quorum, and yet the read waits for its index to be applied.
    for (const id of half) cluster.deliver({ to: id });
    cluster.deliver({ to: 'a' });
    expect(cluster.actions('a', 'readReady')).toEqual([]);
    const actions = cluster.persist('a');
    const types = actions.map(({ type }) => type);
    expect(cluster.actions('a', 'readReady')).toEqual([
      { type: 'readReady', reads: [1], index: 4 },
    ]);
    expect(types.indexOf('readReady')).toBeGreaterThan(types.lastIndexOf('apply'));
    expect(cluster.commands('a')).toEqual(['x1', 'x2']);
  });

  it('E6: a leader that was deposed behind its back answers nothing, whatever was answered before', () => {
    const cluster = led(world);
    const others = cluster.ids.slice(1);
    // The answers to a round before the request are still on their way.
    cluster.heartbeat('a');
    for (const id of others) cluster.deliver({ to: id });
    const answers = cluster.intercept({ to: 'a' });
    expect(answers).toHaveLength(others.length);
    cluster.elect('b', ...others.slice(1));
    cluster.propose('b', 'y');
    cluster.settle(...others);
    expect(cluster.commands('b')).toEqual(['y']);
    // It believes that it leads: the read must not be answered from its machine, without y.
    cluster.tell('a', readRequested(1));
    cluster.hand(answers);
    cluster.hand(answers);
    cluster.settle('a');
    expect(cluster.actions('a', 'readReady')).toEqual([]);
    cluster.heartbeat('a');
    cluster.settle();
    expect(cluster.actions('a', 'readReady')).toEqual([]);
    expect(cluster.actions('a', 'readRefused')).toMatchObject([
      { reads: [1], reason: 'notLeader' },
    ]);
  });
});
