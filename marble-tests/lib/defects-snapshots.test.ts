/**
 * The defects of the reference that concern snapshots, each rebuilt in full with real nodes. None
 * of them may be here.
 */
import { describe, expect, it } from 'vitest';
import { at, dropped, snapshotReceived } from './alphabet.js';
import { ClusterByHand, worlds } from './cluster-by-hand.js';

const titled = 'with $voters voters, batched: $batched';

/**
 * a leads; the last node has heard nothing since, and the others have committed `count` commands.
 */
function lagging(cluster: ClusterByHand, count: number): [string[], string] {
  const away = cluster.ids.at(-1) ?? '';
  const here = cluster.ids.slice(0, -1);
  cluster.elect('a', ...here.slice(1));
  for (let number = 1; number <= count; number += 1) cluster.propose('a', `x${number}`);
  cluster.settle(...here);
  return [here, away];
}

/** The leader compacts its log up to an index. */
function compact(cluster: ClusterByHand, index: number): void {
  cluster.snapshot('a', index);
  cluster.persist('a');
  expect(cluster.node('a').log.snapshotPosition).toEqual(at(1, index));
}

/** A heartbeat that the node refuses, and what the leader does about it. */
function refuse(cluster: ClusterByHand, id: string): void {
  cluster.heartbeat('a');
  cluster.deliver({ to: id });
  cluster.persist(id);
  cluster.deliver({ from: id });
}

describe.each(worlds)(
  `S8: an installation moves everything on, and never back, ${titled}`,
  (world) => {
    it('commitIndex follows, and a late older snapshot changes nothing (§7)', () => {
      const cluster = new ClusterByHand(world);
      const [here, away] = lagging(cluster, 6);
      compact(cluster, 5);
      refuse(cluster, away);
      const older = cluster.intercept({ type: 'snapshot' });
      expect(older).toHaveLength(1);
      // That transfer is given up, and the next one is of a newer snapshot.
      cluster.tell('a', { type: 'snapshotSent', to: away });
      compact(cluster, 8);
      refuse(cluster, away);
      const newer = cluster.intercept({ type: 'snapshot' });
      expect(newer).toHaveLength(1);
      cluster.hand(newer);
      expect(cluster.node(away).commitIndex).toBe(8);
      // Late, while the newer one is being written, and once more when it is.
      cluster.hand(older);
      cluster.persist(away);
      cluster.hand(older);
      cluster.persist(away);
      expect(cluster.actions(away, 'dropped')).toEqual([
        dropped('a', 'obsolete'),
        dropped('a', 'obsolete'),
      ]);
      const node = cluster.node(away);
      expect(node.log.snapshotPosition).toEqual(at(1, 8));
      expect(node).toMatchObject({ commitIndex: 8, appliedIndex: 8, durableIndex: 8 });
      expect(cluster.actions(away, 'restore').map((each) => each.snapshot.position)).toEqual([
        at(1, 8),
      ]);
      expect(cluster.commands(away)).toEqual(['x1', 'x2', 'x3', 'x4', 'x5', 'x6']);

      // It goes on from there, and after a restart as well.
      cluster.settle();
      cluster.propose('a', 'x7');
      cluster.settle();
      expect(cluster.log(away)).toEqual(['x7']);
      expect(cluster.node(away).commitIndex).toBe(9);
      cluster.crash(away);
      expect(cluster.node(away).log.snapshotPosition).toEqual(at(1, 8));
      expect(cluster.node(away).commitIndex).toBe(8);
      cluster.heartbeat('a');
      cluster.settle();
      for (const id of [...here, away]) {
        expect(cluster.commands(id)).toEqual(['x1', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7']);
      }
    });

    it('a snapshot of what the node has committed leaves its log alone (§7)', () => {
      const cluster = new ClusterByHand(world);
      const [, away] = lagging(cluster, 3);
      compact(cluster, 4);
      refuse(cluster, away);
      const late = cluster.intercept({ type: 'snapshot' });
      cluster.duplicate();
      cluster.hand(late);
      cluster.settle();
      cluster.propose('a', 'x4', 'x5');
      cluster.settle();
      const { lastPosition } = cluster.node(away).log;
      cluster.hand(late);
      expect(cluster.actions(away, 'dropped').at(-1)).toEqual(dropped('a', 'obsolete'));
      expect(cluster.node(away).log.lastPosition).toEqual(lastPosition);
      expect(cluster.disk(away).writes).toEqual([]);
      // It is an answer to the leader all the same: it stands farther than that.
      const replies = cluster.intercept({ from: away });
      expect(replies.at(-1)?.input).toMatchObject({ message: { refused: false, lastPosition } });
    });
  },
);

describe.each(worlds)(`S12: a vote is for the term that it was asked for, ${titled}`, (world) => {
  /** b's request of term 2 is on its way to the last node; a leads term 3 and has compacted. */
  function twoTerms(): [ClusterByHand, string] {
    const cluster = new ClusterByHand(world);
    const away = cluster.ids.at(-1) ?? '';
    const here = cluster.ids.slice(0, -1);
    cluster.elect('a', ...here.slice(1));
    cluster.propose('a', 'x1', 'x2');
    cluster.settle(...here);
    for (const id of cluster.ids) cluster.crash(id);
    cluster.timeOut('b');
    cluster.persist('b');
    const request = cluster.intercept({ from: 'b', to: away });
    expect(request).toHaveLength(1);
    cluster.intercept();
    cluster.timeOut('a');
    cluster.settle('a');
    cluster.elect('a', ...here.slice(1));
    expect(cluster.node('a').currentTerm).toBe(3);
    cluster.settle(...here);
    cluster.snapshot('a', 4);
    cluster.persist('a');
    cluster.mail = [...request];
    return [cluster, away];
  }

  function votesOf(cluster: ClusterByHand, id: string): unknown[] {
    return cluster.sent
      .filter(({ from }) => from === id)
      .map(({ input }) => (input.type === 'received' ? input.message : null))
      .filter((message) => message?.type === 'requestVoteReply' && message.voteGranted);
  }

  it('a vote that waits for the disk does not leave as one of the term of a snapshot', () => {
    const [cluster, away] = twoTerms();
    const { snapshot } = cluster.disk('a');
    if (snapshot === null) throw new Error('a has compacted');
    const [request] = cluster.intercept({ from: 'b' });
    if (request === undefined) throw new Error('the request is on its way');
    // The vote of term 2 and the snapshot of term 3: in one turn, or with the vote being written.
    cluster.tell(away, request.input, snapshotReceived('a', 3, snapshot));
    cluster.persist(away);
    expect(cluster.node(away)).toMatchObject({ currentTerm: 3, votedFor: null, leaderId: 'a' });
    expect(votesOf(cluster, away)).toEqual([]);
    cluster.settle();
    expect(cluster.node('a')).toMatchObject({ role: 'leader', currentTerm: 3 });
    expect(cluster.commands(away)).toEqual(['x1', 'x2']);
  });

  it('nor as one of the term of a call, nor of a later request', () => {
    for (const after of ['call', 'request']) {
      const [cluster, away] = twoTerms();
      const [request] = cluster.intercept({ from: 'b' });
      if (request === undefined) throw new Error('the request is on its way');
      if (after === 'call') {
        cluster.heartbeat('a');
      } else {
        cluster.crash('a');
        cluster.timeOut('a');
        cluster.persist('a');
      }
      const mail = cluster.intercept({ from: 'a', to: away });
      expect(mail).toHaveLength(1);
      cluster.hand([request, ...mail]);
      cluster.persist(away);
      const { currentTerm } = cluster.node('a');
      expect(cluster.node(away).currentTerm).toBe(currentTerm);
      // The only vote that leaves, if any, is a's, and of a's term.
      for (const vote of votesOf(cluster, away)) expect(vote).toMatchObject({ term: currentTerm });
      const toB = cluster.mail.filter(({ from, to }) => from === away && to === 'b');
      expect(toB.map(({ input }) => input)).toEqual([
        {
          type: 'received',
          message: { type: 'requestVoteReply', from: away, term: currentTerm, voteGranted: false },
        },
      ]);
    }
  });
});

describe.each(worlds)(`S19: one transfer of a snapshot at a time, ${titled}`, (world) => {
  it('however often the follower says that it is behind', () => {
    const cluster = new ClusterByHand(world);
    const [here, away] = lagging(cluster, 6);
    compact(cluster, 6);
    const asked = (): number => cluster.actions('a', 'installSnapshot').length;
    for (let beat = 0; beat < 10; beat += 1) {
      cluster.propose('a', `y${beat}`);
      cluster.duplicate({ to: away, type: 'appendEntriesCall' });
      refuse(cluster, away);
      cluster.settle(...here);
      expect(asked()).toBe(1);
    }
    // It did not arrive: it is asked for again, once.
    cluster.intercept();
    cluster.tell('a', { type: 'snapshotSent', to: away });
    for (let beat = 0; beat < 3; beat += 1) {
      refuse(cluster, away);
      expect(asked()).toBe(2);
    }
    // It arrives: the rest follows as entries.
    cluster.settle();
    cluster.heartbeat('a');
    cluster.settle();
    expect(asked()).toBe(2);
    expect(cluster.commands(away)).toEqual(cluster.commands('a'));
    expect(cluster.commands(away)).toHaveLength(16);
  });
});
