/**
 * The defects of the reference that concern diverging logs, each rebuilt in full with real
 * nodes. None of them may be here. That nothing is acknowledged before it is on disk, and that all
 * machines are given the same, is checked by the cluster at every step.
 */
import { describe, expect, it } from 'vitest';
import { entriesOf, InvariantError } from '../../lib/index.js';
import { Log } from '../../lib/log.js';
import { onAppendEntriesCall } from '../../lib/replication.js';
import { State } from '../../lib/state.js';
import { at, call, dropped, entriesAfter, restarted, snapshotAt } from './alphabet.js';
import { ClusterByHand, worlds } from './cluster-by-hand.js';

const titled = 'with $voters voters, batched: $batched';

/** All but a, and all but a and b. */
function othersOf(cluster: ClusterByHand): [string[], string[]] {
  return [cluster.ids.slice(1), cluster.ids.slice(2)];
}

describe.each(worlds)(`S2: the common prefix is searched, and cut on disk, ${titled}`, (world) => {
  /** a has three entries of term 1 that nobody else has; b leads term 2, with one entry. */
  function diverged(): ClusterByHand {
    const cluster = new ClusterByHand(world);
    const [others, rest] = othersOf(cluster);
    cluster.elect('a', ...others);
    cluster.propose('a', 'shared');
    cluster.settle();
    cluster.propose('a', 'x1', 'x2', 'x3', 'x4');
    cluster.settle('a');
    cluster.elect('b', ...rest);
    cluster.propose('b', 'y');
    cluster.settle(...others);
    expect(cluster.log('a')).toEqual(['config', '#1', 'shared', 'x1', 'x2', 'x3', 'x4']);
    expect(cluster.log('b')).toEqual(['config', '#1', 'shared', '#2', 'y']);
    return cluster;
  }

  /** How many steps it takes until all agree. */
  function stepsOf(cluster: ClusterByHand): number {
    cluster.heartbeat('b');
    let steps = 0;
    while (cluster.step()) steps += 1;
    return steps;
  }

  it('a follower with a foreign suffix that crashes at any step never commits it (§5.3)', () => {
    const steps = stepsOf(diverged());
    expect(steps).toBeGreaterThan(3);
    for (let until = 0; until <= steps; until += 1) {
      for (const kept of [0, Infinity]) {
        const cluster = diverged();
        cluster.heartbeat('b');
        for (let done = 0; done < until; done += 1) cluster.step();
        cluster.crash('a', kept);
        // What it finds on its disk is the old log or the new one, and no mixture.
        expect([
          ['config', '#1', 'shared', 'x1', 'x2', 'x3', 'x4'],
          ['config', '#1', 'shared', '#2'],
          ['config', '#1', 'shared', '#2', 'y'],
        ]).toContainEqual(cluster.log('a'));
        cluster.heartbeat('b');
        cluster.settle();
        cluster.heartbeat('b');
        cluster.settle();
        expect(cluster.log('a')).toEqual(['config', '#1', 'shared', '#2', 'y']);
        for (const id of cluster.ids) expect(cluster.commands(id)).toEqual(['shared', 'y']);
      }
    }
  });

  it('the suffix is gone from the disk, also where the new log is shorter', () => {
    const cluster = diverged();
    stepsOf(cluster);
    expect(cluster.disk('a').lastIndex).toBe(5);
    cluster.crash('a');
    expect(cluster.log('a')).toEqual(['config', '#1', 'shared', '#2', 'y']);
  });

  it('what stands behind the established prefix is neither acknowledged nor committed', () => {
    const cluster = diverged();
    cluster.heartbeat('b');
    // The heartbeat of term 2 reaches a behind an index that both have, with b's commit index.
    const { log } = cluster.node('b');
    const heartbeat = call('b', 2, { round: 99, entries: log.slice(3, 3), commit: 5 });
    cluster.hand([{ from: 'b', to: 'a', input: { type: 'received', message: heartbeat } }]);
    cluster.persist('a');
    expect(cluster.node('a').commitIndex).toBe(3);
    const replies = cluster.sent
      .filter(({ from }) => from === 'a')
      .map(({ input }) => (input.type === 'received' ? input.message : null));
    expect(replies.at(-1)).toMatchObject({ type: 'appendEntriesReply', lastPosition: at(1, 3) });
  });
});

describe.each(worlds)(
  `S21: what is committed here is not cut, whoever says so, ${titled}`,
  (world) => {
    /** A majority has lost its disks, which must never happen, and made up another history. */
    function forgers(compacted: boolean): [ClusterByHand, string] {
      const cluster = new ClusterByHand(world);
      const [others] = othersOf(cluster);
      const honest = others.at(-1) ?? '';
      const wiped = cluster.ids.slice(0, (world.voters + 1) / 2);
      cluster.elect('a', ...others);
      cluster.propose('a', 'x1', 'x2');
      cluster.settle();
      cluster.heartbeat('a');
      cluster.settle();
      expect(cluster.node(honest).commitIndex).toBe(4);
      if (compacted) {
        cluster.snapshot(honest, 4);
        cluster.persist(honest);
      }
      cluster.intercept();
      for (const id of wiped) cluster.wipe(id);
      // Its first terms find nobody: it leads in term 3.
      cluster.timeOut('a');
      cluster.settle('a');
      cluster.timeOut('a');
      cluster.settle('a');
      return [cluster, honest];
    }

    it.each([false, true])(
      'a contradiction is dropped before any effect (compacted: %s)',
      (compacted) => {
        const [cluster, honest] = forgers(compacted);
        const wiped = cluster.ids.slice(1, (world.voters + 1) / 2);
        const before = cluster.node(honest);
        const kept = cluster.log(honest);
        const state = (): unknown => [
          before.currentTerm,
          before.votedFor,
          before.leaderId,
          before.commitIndex,
          before.log.lastPosition,
          before.log.snapshotPosition,
        ];
        const unchanged = state();
        cluster.elect('a', ...wiped);
        expect(cluster.node('a').currentTerm).toBe(3);
        // Its log goes beyond what the honest node has, with other entries at the same places.
        cluster.propose('a', 'f1', 'f2', 'f3', 'f4');
        const { log } = cluster.node('a');
        expect(log.lastPosition.index).toBeGreaterThan(4);
        for (const from of compacted ? [4, 3, 2] : [1, 2, 3, 4]) {
          const message = call('a', 3, {
            round: from,
            entries: log.slice(from, log.lastPosition.index),
          });
          const actions = cluster.tell(honest, { type: 'received', message });
          expect(actions).toEqual([dropped('a', 'contradiction')]);
          expect(state()).toEqual(unchanged);
          expect(cluster.log(honest)).toEqual(kept);
          expect(cluster.disk(honest).writes).toEqual([]);
        }
      },
    );
  },
);

describe('S21: and nothing of ours can cut it', () => {
  it('a log throws when it is cut in front of its snapshot', () => {
    const log = new Log<string>(null);
    log.reset(at(2, 5), snapshotAt(at(2, 5)).config);
    log.appendEntries(entriesOf(at(2, 5), [{ type: 'command', command: 'x' }]), 0);
    expect(() => {
      log.cutAfter(4);
    }).toThrow(new InvariantError('index 4 is compacted'));
    expect(log.lastIndex).toBe(6);
    log.cutAfter(5);
    expect(log.lastPosition).toEqual(at(2, 5));
  });

  it('a node throws when it is about to cut in front of its commit index', () => {
    const state = new State<string, string>(restarted([1, 1, 1]));
    // As if the refusal of a contradiction had been lost: it sees nothing committed, the cut does.
    let asked = 0;
    Object.defineProperty(state, 'commitIndex', { get: () => (asked++ === 0 ? 0 : 2) });
    const conflict = call('b', 2, { entries: entriesAfter(at(1, 1), [2]) });
    expect(() => {
      onAppendEntriesCall(state, conflict);
    }).toThrow(new InvariantError('committed entries after index 1 would be cut'));
    expect(state.log.lastPosition).toEqual(at(1, 3));
  });
});
