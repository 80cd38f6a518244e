/**
 * The defects of the reference that concern elections, each rebuilt in full with real nodes. None
 * of them may be here.
 */
import { describe, expect, it } from 'vitest';
import { at, minimumElapsed } from './alphabet.js';
import type { Mail } from './cluster-by-hand.js';
import { ClusterByHand, worlds } from './cluster-by-hand.js';

const titled = 'with $voters voters, batched: $batched';

/** Who said yes and who said no to a candidate, of the mail under way. */
function votes(mail: readonly Mail[]): Record<string, boolean> {
  const replies = mail.map(({ input }) => (input.type === 'received' ? input.message : null));
  return Object.fromEntries(
    replies
      .filter((message) => message?.type === 'requestVoteReply')
      .map((message) => [message.from, message.voteGranted]),
  );
}

describe.each(worlds)(
  `S1: a vote goes by the last term before the last index, ${titled}`,
  (world) => {
    it('a stale leader with a longer log of an older term is denied (§5.4.1)', () => {
      const cluster = new ClusterByHand(world);
      const [, b, c, ...rest] = cluster.ids as [string, string, string, ...string[]];
      cluster.elect('a', b, c, ...rest);
      // Alone with its disk: its log grows far beyond what the others will have.
      cluster.propose('a', 'x1', 'x2', 'x3', 'x4');
      cluster.settle('a');
      expect(cluster.node('a').log.lastPosition).toEqual(at(1, 6));
      // The others go on without it.
      cluster.elect('b', c, ...rest);
      cluster.propose('b', 'y');
      cluster.settle(b, c, ...rest);
      expect(cluster.node('b').commitStatus(at(2, 4))).toBe('committed');

      // The leader of term 2 is gone, and nobody has heard a leader for long enough.
      for (const id of [c, ...rest]) cluster.tell(id, minimumElapsed);
      cluster.crash('b');
      cluster.crash('a');
      // It missed term 2: its first candidacy tells it so, and the second is for term 3.
      for (const term of [2, 3]) {
        cluster.timeOut('a');
        expect(cluster.node('a').currentTerm).toBe(term);
        cluster.persist('a');
        cluster.deliver({ from: 'a' });
        for (const id of [b, c, ...rest]) cluster.persist(id);
        const expected = [b, c, ...rest].map((id) => [id, false]);
        expect(votes(cluster.mail)).toEqual(Object.fromEntries(expected));
        cluster.deliver({ to: 'a' });
      }
      expect(cluster.node('a').role).not.toBe('leader');

      // Who has the committed entry wins, and the stale leader takes it over.
      cluster.elect('c', 'a', b, ...rest);
      cluster.settle();
      for (const id of cluster.ids) {
        expect(cluster.log(id)).toEqual([
          'config',
          '#1',
          '#2',
          'y',
          `#${cluster.node(id).currentTerm}`,
        ]);
        expect(cluster.commands(id)).toEqual(['y']);
      }
    });
  },
);

/** a and b are candidates of one term, and b wins it. `loyal` voted for a. */
function splitVote(cluster: ClusterByHand, loyal: readonly string[]): void {
  const others = cluster.ids.filter((id) => id !== 'a' && id !== 'b' && !loyal.includes(id));
  cluster.timeOut('a');
  cluster.timeOut('b');
  cluster.persist('a');
  cluster.persist('b');
  for (const id of loyal) cluster.deliver({ from: 'a', to: id });
  for (const id of others) cluster.deliver({ from: 'b', to: id });
  for (const id of [...loyal, ...others]) cluster.persist(id);
  cluster.deliver({ type: 'requestVoteReply' });
  cluster.intercept({ type: 'requestVoteCall' });
}

describe.each(worlds)(`S6: the loser of a split vote follows the winner, ${titled}`, (world) => {
  it('so does who voted for the loser: the vote is not the leader (§5.2)', () => {
    const cluster = new ClusterByHand(world);
    const loyal = world.voters === 5 ? ['d'] : [];
    splitVote(cluster, loyal);
    expect(cluster.node('b').role).toBe('leader');
    expect(cluster.node('a').role).toBe('candidate');

    cluster.propose('b', 'x');
    cluster.settle();
    for (const id of cluster.ids) {
      const node = cluster.node(id);
      expect(node).toMatchObject({ leaderId: 'b', currentTerm: 1 });
      expect(node.votedFor).toBe(id === 'a' || loyal.includes(id) ? 'a' : 'b');
      expect(cluster.commands(id)).toEqual(['x']);
    }
    // Each of its calls starts their timers anew, so that none of them deposes it.
    for (const id of ['a', ...loyal]) {
      const before = cluster.actions(id, 'setElectionTimeout').length;
      cluster.heartbeat('b');
      cluster.settle();
      expect(cluster.actions(id, 'setElectionTimeout').length).toBe(before + 1);
    }
    expect(cluster.node('b')).toMatchObject({ role: 'leader', currentTerm: 1 });
  });
});

describe.each(worlds)(`S7: a vote is for a whole term, ${titled}`, (world) => {
  /** a leads term 1; of b's rival candidacy of term 1 only a has not heard. */
  function rivalry(cluster: ClusterByHand): Mail[] {
    const [, , c = '', d = ''] = cluster.ids;
    cluster.timeOut('a');
    cluster.timeOut('b');
    cluster.persist('a');
    cluster.persist('b');
    cluster.deliver({ from: 'a', to: c });
    if (world.voters === 5) {
      cluster.deliver({ from: 'a', to: d });
      cluster.deliver({ from: 'b', to: 'e' });
    }
    for (const id of cluster.ids.slice(2)) cluster.persist(id);
    cluster.deliver({ type: 'requestVoteReply' });
    const rival = cluster.intercept({ from: 'b', to: 'a', type: 'requestVoteCall' });
    cluster.intercept();
    expect(cluster.node('a').role).toBe('leader');
    expect(cluster.node('b').role).toBe('candidate');
    expect(rival).toHaveLength(1);
    return rival;
  }

  it('a leader that steps down in its term does not vote again in it (Election Safety)', () => {
    const cluster = new ClusterByHand(world, { limits: { heartbeatsAlone: 2 } });
    const rival = rivalry(cluster);
    // Nobody answers its heartbeats: it steps down of its own accord, in its own term.
    for (let beat = 0; cluster.node('a').role === 'leader' && beat < 4; beat += 1) {
      cluster.timeOut('a');
      cluster.intercept();
    }
    expect(cluster.node('a')).toMatchObject({ role: 'follower', currentTerm: 1, votedFor: 'a' });
    // Its vote would make b the second leader of term 1.
    cluster.hand(rival);
    cluster.persist('a');
    expect(votes(cluster.mail)).toEqual({ a: false });
    cluster.settle('a', 'b');
    expect(cluster.node('b').role).toBe('candidate');
  });

  it('nor after a restart', () => {
    const cluster = new ClusterByHand(world);
    const rival = rivalry(cluster);
    cluster.crash('a');
    expect(cluster.node('a').votedFor).toBe('a');
    cluster.hand(rival);
    cluster.persist('a');
    expect(votes(cluster.mail)).toEqual({ a: false });
  });

  it('nor does a candidate that follows the leader of its term', () => {
    const cluster = new ClusterByHand(world);
    const rival = rivalry(cluster);
    // b hears the leader of its term, and a late copy of a's request reaches it again.
    cluster.heartbeat('a');
    cluster.deliver({ from: 'a', to: 'b' });
    expect(cluster.node('b')).toMatchObject({ role: 'follower', leaderId: 'a', votedFor: 'b' });
    cluster.intercept();
    const copy = cluster.sent.filter(({ from, to }) => from === 'a' && to === 'b').slice(0, 1);
    cluster.hand(copy);
    cluster.persist('b');
    expect(votes(cluster.mail)).toEqual({ b: false });
    cluster.hand(rival);
    expect(cluster.node('a').role).toBe('leader');
  });
});

describe.each(worlds)(`S13: who knows a clock elects at once, ${titled}`, (world) => {
  it('after a crash of the leader one timeout is enough: the others only waited the minimum', () => {
    const cluster = new ClusterByHand(world);
    const others = cluster.ids.filter((id) => id !== 'a' && id !== 'b');
    cluster.elect('a', 'b', ...others);
    cluster.settle();
    // Within the minimum election timeout of hearing from a leader nobody votes (§6).
    cluster.timeOut('b');
    cluster.settle('b', ...others);
    expect(cluster.node('b')).toMatchObject({ role: 'candidate', currentTerm: 2 });
    for (const id of others) {
      expect(cluster.node(id)).toMatchObject({ currentTerm: 1, leaderId: 'a' });
    }
    // After it everyone does, without a timeout of its own.
    for (const id of others) cluster.tell(id, minimumElapsed);
    cluster.timeOut('b');
    cluster.settle('b', ...others);
    expect(cluster.node('b')).toMatchObject({ role: 'leader', currentTerm: 3 });
    for (const id of others) expect(cluster.node(id).votedFor).toBe('b');
  });

  it('after a crash of all the first timeout elects: who restarts has heard no leader', () => {
    const cluster = new ClusterByHand(world);
    cluster.elect('a', ...cluster.ids.slice(1));
    for (const id of cluster.ids) cluster.crash(id);
    cluster.timeOut('b');
    cluster.settle();
    expect(cluster.node('b')).toMatchObject({ role: 'leader', currentTerm: 2 });
    expect(cluster.actions('b', 'roleChanged').filter((each) => each.role === 'candidate')).toEqual(
      [{ type: 'roleChanged', role: 'candidate', currentTerm: 2, leaderId: null }],
    );
  });
});

describe.each(worlds)(`S16: only a granted vote starts the timer anew, ${titled}`, (world) => {
  it('a stale candidate that asks again and again silences nobody (§5.2)', () => {
    const cluster = new ClusterByHand(world);
    const others = cluster.ids.filter((id) => id !== 'a');
    // Everyone but a has an entry of term 1.
    cluster.elect('b', ...others.filter((id) => id !== 'b'));
    for (const id of cluster.ids) cluster.crash(id);
    const timers = (id: string): number => cluster.actions(id, 'setElectionTimeout').length;
    const before = others.map(timers);
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      cluster.timeOut('a');
      cluster.settle();
      expect(cluster.node('a').role).not.toBe('leader');
    }
    // They take over its terms, deny it their votes, and their own timers go on.
    const { currentTerm } = cluster.node('a');
    expect(currentTerm).toBeGreaterThanOrEqual(5);
    for (const id of others) {
      expect(cluster.node(id)).toMatchObject({ currentTerm, votedFor: null, role: 'follower' });
    }
    expect(others.map(timers)).toEqual(before);
    // One that may be granted does start them anew.
    cluster.timeOut('c');
    cluster.settle();
    expect(cluster.node('c').role).toBe('leader');
    expect(timers('b')).toBeGreaterThan(before[0] ?? Infinity);
  });

  it('nor does news of a higher term, in a request or in an answer, at a candidate', () => {
    const cluster = new ClusterByHand(world);
    const others = cluster.ids.filter((id) => id !== 'a');
    cluster.elect('b', ...others.filter((id) => id !== 'b'));
    for (const id of cluster.ids) cluster.crash(id);
    const timers = (id: string): number => cluster.actions(id, 'setElectionTimeout').length;
    // c becomes a candidate of term 2, and what it asks is on its way.
    cluster.timeOut('c');
    cluster.persist('c');
    const asked = cluster.intercept({ from: 'c', to: 'a' });
    // Meanwhile a, without the entry of term 1, gets to term 4 by itself.
    for (let attempt = 0; cluster.node('a').currentTerm < 4; attempt += 1) {
      cluster.timeOut('a');
      cluster.settle('a');
    }
    const before = timers('c');
    cluster.hand(asked);
    cluster.settle('a', 'c');
    expect(cluster.node('c')).toMatchObject({ role: 'follower', currentTerm: 4, votedFor: null });
    expect(timers('c')).toBe(before);
    // Once more, and by a request that it must deny.
    cluster.timeOut('c');
    cluster.persist('c');
    cluster.intercept();
    expect(timers('c')).toBe(before + 1);
    cluster.timeOut('a');
    cluster.settle('a');
    cluster.timeOut('a');
    cluster.settle('a', 'c');
    expect(cluster.node('c')).toMatchObject({ role: 'follower', currentTerm: 6, votedFor: null });
    expect(timers('c')).toBe(before + 1);
  });
});
