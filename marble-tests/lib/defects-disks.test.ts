/**
 * The defects of the reference that concern the disk, each rebuilt in full with real
 * nodes. None of them may be here. That nothing is acknowledged before it is on disk, and that all
 * machines are given the same, is checked by the cluster at every step.
 */
import { describe, expect, it } from 'vitest';
import { Node } from '../../lib/index.js';
import type { ByHand } from './alphabet.js';
import { at, only, persisted, tell, timedOut } from './alphabet.js';
import type { Mail } from './cluster-by-hand.js';
import { ClusterByHand, worlds } from './cluster-by-hand.js';

const titled = 'with $voters voters, batched: $batched';

/** All but a, and all but a and b. */
function othersOf(cluster: ClusterByHand): [string[], string[]] {
  return [cluster.ids.slice(1), cluster.ids.slice(2)];
}

/** All calls that one node has ever sent to another. */
function callsOf(cluster: ClusterByHand, from: string, to: string): Mail[] {
  const both = cluster.sent.filter((mail) => mail.from === from && mail.to === to);
  return both.filter(
    ({ input }) => input.type === 'received' && input.message.type === 'appendEntriesCall',
  );
}

describe.each(worlds)(`S3: what is acknowledged is on disk, ${titled}`, (world) => {
  it('appends that overlap what is still to be written, from a new leader and further in front', () => {
    const cluster = new ClusterByHand(world);
    const [others, rest] = othersOf(cluster);
    const [c = ''] = rest;
    cluster.elect('a', ...others);
    cluster.settle();
    // a's entries are on their way to c, and those of the next leader b as well.
    cluster.propose('a', 'x1');
    cluster.propose('a', 'x2', 'x3');
    const older = cluster.intercept({ from: 'a', to: c });
    cluster.intercept();
    cluster.crash('a');
    cluster.elect('b', 'a', ...rest.slice(1));
    cluster.propose('b', 'y1');
    cluster.propose('b', 'y2');
    const newer = callsOf(cluster, 'b', c);
    cluster.intercept({ to: c });
    // In one turn, or one by one, and nothing is written in between.
    cluster.hand([...older, ...newer]);
    expect(cluster.log(c)).toEqual(['config', '#1', '#2', 'y1', 'y2']);
    expect(cluster.disk(c).lastIndex).toBe(2);
    // A power loss now forgets it all, and nothing of it was acknowledged (the cluster checks).
    // Each head of the writes is a log that was, and the whole of them is what is acknowledged.
    cluster.persist(c);
    expect(cluster.node(c).durableIndex).toBe(5);
    cluster.settle();
    expect(cluster.node('b').peers).toContainEqual({ id: c, matchIndex: 5, nextIndex: 6 });
    cluster.crash(c);
    expect(cluster.log(c)).toEqual(['config', '#1', '#2', 'y1', 'y2']);
  });

  it('a heartbeat behind what is still to be written acknowledges what is on disk, and no more', () => {
    const cluster = new ClusterByHand(world);
    const [others, rest] = othersOf(cluster);
    const [c = ''] = rest;
    cluster.elect('a', ...others);
    cluster.settle();
    cluster.propose('a', 'x1', 'x2');
    cluster.deliver({ to: c });
    cluster.heartbeat('a');
    cluster.deliver({ to: c });
    const [answer, ...more] = cluster.intercept({ from: c });
    expect(more).toEqual([]);
    expect(answer?.input).toMatchObject({ message: { refused: false, lastPosition: at(1, 2) } });
    cluster.persist(c);
    const answers = cluster.intercept({ from: c });
    expect(answers.at(-1)?.input).toMatchObject({ message: { lastPosition: at(1, 4) } });
  });

  it('a duplicate that begins in front of what is still to be written takes nothing away', () => {
    const cluster = new ClusterByHand(world);
    const [others, rest] = othersOf(cluster);
    const [c = ''] = rest;
    cluster.elect('a', ...others);
    cluster.settle();
    cluster.propose('a', 'x1');
    const first = cluster.intercept({ to: c });
    cluster.propose('a', 'x2');
    cluster.propose('a', 'x3');
    const more = cluster.intercept({ to: c });
    cluster.hand([...first, ...more, ...first]);
    cluster.persist(c);
    cluster.settle();
    expect(cluster.node('a').peers).toContainEqual({ id: c, matchIndex: 5, nextIndex: 6 });
    cluster.crash(c);
    expect(cluster.log(c)).toEqual(['config', '#1', 'x1', 'x2', 'x3']);
  });

  it('an old write that completes late vouches for no new entry at its index', () => {
    const cluster = new ClusterByHand(world);
    const [others, rest] = othersOf(cluster);
    const [c = ''] = rest;
    cluster.elect('a', ...others);
    cluster.settle();
    cluster.propose('a', 'x1', 'x2', 'x3');
    cluster.deliver({ from: 'a', to: c });
    cluster.intercept();
    const underway = cluster.disk(c).writes.length;
    expect(underway).toBeGreaterThan(0);
    cluster.crash('a');
    cluster.elect('b', 'a', ...rest.slice(1));
    cluster.hand(callsOf(cluster, 'b', c));
    expect(cluster.log(c)).toEqual(['config', '#1', '#2']);
    // The writes of term 1 are done, that of term 2 is not.
    cluster.persist(c, underway);
    expect(cluster.node(c).durableIndex).toBe(2);
    cluster.persist(c);
    expect(cluster.node(c).durableIndex).toBe(3);
  });
});

describe.each(worlds)(
  `S4: compacting inside of what is still to be written, ${titled}`,
  (world) => {
    it('keeps the tail behind the snapshot, and writes it before it is acknowledged (§7)', () => {
      const cluster = new ClusterByHand(world);
      const [others, rest] = othersOf(cluster);
      const majority = ['a', 'b', ...rest.slice(1)];
      const [c = ''] = rest;
      cluster.elect('a', ...others);
      cluster.settle();
      // The calls to c are slow; the others commit, and the leader compacts.
      cluster.propose('a', 'x1', 'x2', 'x3');
      cluster.propose('a', 'x4', 'x5');
      const entries = cluster.intercept({ to: c });
      cluster.settle(...majority);
      expect(cluster.node('a').commitIndex).toBe(7);
      cluster.snapshot('a', 5);
      cluster.settle(...majority);
      expect(cluster.node('a').log.snapshotPosition).toEqual(at(1, 5));
      // A heartbeat overtakes them: c has nothing of it, and is sent the snapshot.
      cluster.heartbeat('a');
      cluster.deliver({ to: c });
      cluster.deliver({ from: c });
      const snapshot = cluster.intercept({ to: c, type: 'snapshot' });
      expect(snapshot).toHaveLength(1);
      // Now both come, the slow entries first, and none of it is written in between.
      cluster.hand([...entries, ...snapshot]);
      expect(cluster.log(c)).toEqual(['x4', 'x5']);
      cluster.settle();
      expect(cluster.node('a').peers).toContainEqual({ id: c, matchIndex: 7, nextIndex: 8 });
      cluster.crash(c);
      expect(cluster.node(c).log.snapshotPosition).toEqual(at(1, 5));
      expect(cluster.log(c)).toEqual(['x4', 'x5']);
      cluster.heartbeat('a');
      cluster.settle();
      expect(cluster.commands(c)).toEqual(['x1', 'x2', 'x3', 'x4', 'x5']);
    });

    it('a crash between those writes leaves no gap (G9)', () => {
      for (const kept of [0, 1, 2, 3, 4]) {
        const cluster = new ClusterByHand(world);
        const [c = ''] = othersOf(cluster)[1];
        cluster.elect('a', ...cluster.ids.slice(1));
        cluster.settle();
        cluster.propose('a', 'x1', 'x2', 'x3', 'x4');
        cluster.settle();
        cluster.propose('a', 'x5', 'x6');
        cluster.deliver({ to: c });
        // Its own snapshot, of what it has applied, in front of what is under way.
        cluster.snapshot(c, 4);
        cluster.crash(c, kept);
        cluster.heartbeat('a');
        cluster.settle();
        expect(cluster.node(c).log.lastPosition).toEqual(at(1, 8));
        expect(cluster.commands(c)).toEqual(['x1', 'x2', 'x3', 'x4', 'x5', 'x6']);
      }
    });
  },
);

describe(`S9: the leader counts itself when its own disk has the entry`, () => {
  it.each([false, true])(
    'a solo voter commits nothing before its write is done (%s)',
    (batched) => {
      const cluster = new ClusterByHand({ voters: 1, batched });
      cluster.timeOut('a');
      // The candidacy first (term and vote are not on disk), then its marker, then the command.
      expect(cluster.node('a').role).toBe('candidate');
      cluster.persist('a');
      expect(cluster.node('a').role).toBe('leader');
      expect(cluster.node('a').commitIndex).toBe(0);
      cluster.settle();
      expect(cluster.node('a').commitIndex).toBe(2);
      const actions = cluster.propose('a', 'x');
      expect(only(actions, 'committed')).toEqual([]);
      expect(cluster.node('a').commitStatus(at(1, 3))).toBe('inProgress');
      // A power loss forgets it, and nobody was told otherwise.
      cluster.crash('a');
      expect(cluster.log('a')).toEqual(['config', '#1']);
      cluster.elect('a');
      cluster.propose('a', 'y');
      cluster.settle();
      expect(cluster.node('a').commitStatus(at(2, 4))).toBe('committed');
      expect(cluster.commands('a')).toEqual(['y']);
    },
  );

  it('its vote for itself counts when that one is on disk, not when an older write is', () => {
    const node: ByHand = new Node({ id: 'a', initialVoters: ['a'] });
    const [configuration] = only(tell(node), 'persist');
    const [candidacy] = only(tell(node, timedOut), 'persist');
    expect(candidacy?.hardState).toEqual({ currentTerm: 1, votedFor: 'a' });
    tell(node, persisted(configuration?.sequence ?? 0));
    expect(node.role).toBe('candidate');
    tell(node, persisted(candidacy?.sequence ?? 0));
    expect(node.role).toBe('leader');
  });

  describe.each(worlds)(titled, (world) => {
    it('one acknowledgement short of a majority, its own write under way is not the missing one', () => {
      const cluster = new ClusterByHand(world);
      const [others] = othersOf(cluster);
      const half = (world.voters - 1) / 2;
      cluster.elect('a', ...others);
      cluster.settle();
      cluster.propose('a', 'x');
      const acknowledging = others.slice(0, half);
      for (const id of acknowledging) {
        cluster.deliver({ to: id });
        cluster.persist(id);
      }
      cluster.deliver({ to: 'a' });
      expect(cluster.node('a').commitIndex).toBe(2);
      // "Its own disk" is as good as another's (thesis §10.2.1): either completes the majority.
      const [next = ''] = others.slice(half);
      cluster.deliver({ to: next });
      cluster.persist(next);
      cluster.deliver({ to: 'a' });
      expect(cluster.node('a').commitIndex).toBe(3);
      expect(cluster.commands('a')).toEqual([]);
      // It loses the entry, and can't win against those who have it.
      cluster.crash('a');
      expect(cluster.log('a')).toEqual(['config', '#1']);
      expect(() => {
        cluster.elect('a', ...acknowledging, next);
      }).toThrow('a is not elected');
      cluster.elect('b', ...cluster.ids.filter((id) => id !== 'b'));
      cluster.settle();
      for (const id of cluster.ids) expect(cluster.commands(id)).toEqual(['x']);
    });

    it('its own write completes the majority as well', () => {
      const cluster = new ClusterByHand(world);
      const [others] = othersOf(cluster);
      cluster.elect('a', ...others);
      cluster.settle();
      cluster.propose('a', 'x');
      for (const id of others.slice(0, (world.voters - 1) / 2)) {
        cluster.deliver({ to: id });
        cluster.persist(id);
      }
      cluster.deliver({ to: 'a' });
      expect(cluster.node('a').commitIndex).toBe(2);
      cluster.persist('a');
      expect(cluster.node('a').commitIndex).toBe(3);
      expect(cluster.commands('a')).toEqual(['x']);
    });
  });
});
