/**
 * The defects of the reference that are costs. Entries, calls and steps are counted, never time.
 */
import { describe, expect, it } from 'vitest';
import type { TermRun } from '../../lib/index.js';
import { emptyEntries, Node } from '../../lib/index.js';
import { Log } from '../../lib/log.js';
import { abc, at, awake, only, received, reply, settle, tell, timedOut, vote } from './alphabet.js';
import { ClusterByHand, shipped, worlds } from './cluster-by-hand.js';

const titled = 'with $voters voters, batched: $batched';

describe.each(worlds)(`S14: an entry is shipped once to each follower, ${titled}`, (world) => {
  /** `count` proposals in flight at once; their answers come late, and in some order. */
  function pipelined(count: number, order: 'inOrder' | 'reversed'): ClusterByHand {
    const cluster = new ClusterByHand(world);
    cluster.elect('a', ...cluster.ids.slice(1));
    cluster.settle();
    cluster.sent.length = 0;
    for (let number = 0; number < count; number += 1) cluster.propose('a', `x${number}`);
    cluster.persist('a');
    // Each follower answers each call by itself: the leader hears of progress `count` times.
    for (const mail of cluster.intercept({ from: 'a' })) {
      cluster.hand([mail]);
      cluster.persist(mail.to);
    }
    if (order === 'reversed') cluster.reorder();
    for (const mail of cluster.intercept({ to: 'a' })) cluster.hand([mail]);
    cluster.settle();
    for (const id of cluster.ids) expect(cluster.commands(id)).toHaveLength(count);
    return cluster;
  }

  it.each(['inOrder', 'reversed'] as const)('with 50 and 100 proposals in flight, %s', (order) => {
    for (const count of [50, 100]) {
      const cluster = pipelined(count, order);
      for (const id of cluster.ids.slice(1)) {
        const { calls, entries } = shipped(cluster.sent, { to: id });
        expect(entries).toBe(count);
        // Each proposal once, and the news of what is committed.
        expect(calls).toBeLessThanOrEqual(2 * count + 2);
      }
    }
  });

  it('also when calls are lost: what is behind the gap is shipped once more, not for each answer', () => {
    const cluster = new ClusterByHand(world);
    const [b = ''] = cluster.ids.slice(1);
    cluster.elect('a', ...cluster.ids.slice(1));
    cluster.settle();
    cluster.sent.length = 0;
    cluster.propose('a', 'lost');
    cluster.intercept({ to: b });
    for (let number = 1; number < 100; number += 1) cluster.propose('a', `x${number}`);
    // Each of the calls behind the gap is refused, and the refusals come one by one.
    for (const mail of cluster.intercept({ to: b })) cluster.hand([mail]);
    expect(cluster.mail.filter(({ from }) => from === b).length).toBeGreaterThan(50);
    for (const mail of cluster.intercept({ from: b })) cluster.hand([mail]);
    cluster.settle();
    expect(cluster.commands(b)).toHaveLength(100);
    expect(shipped(cluster.sent, { to: b }).entries).toBeLessThanOrEqual(200);
  });

  it('merged, when actions are taken after many proposals', () => {
    const cluster = new ClusterByHand({ ...world, batched: true });
    cluster.elect('a', ...cluster.ids.slice(1));
    cluster.settle();
    cluster.sent.length = 0;
    cluster.propose('a', ...Array.from({ length: 100 }, (_, number) => `x${number}`));
    const { calls, entries } = shipped(cluster.sent, { to: 'b' });
    expect([calls, entries]).toEqual([1, 100]);
  });
});

describe.each(worlds)(
  `S15: a diverged log is repaired in a few round trips, ${titled}`,
  (world) => {
    /** Calls until the last node has b's log: first it has `mine` entries that b has not. */
    function repair(mine: number, theirs: number): number {
      const cluster = new ClusterByHand(world);
      const away = cluster.ids.at(-1) ?? '';
      const others = cluster.ids.filter((id) => id !== away);
      cluster.elect(away, ...others);
      cluster.settle();
      cluster.propose(away, ...Array.from({ length: mine }, (_, number) => `m${number}`));
      cluster.settle(away);
      cluster.elect('b', ...others.filter((id) => id !== 'b'));
      cluster.propose('b', ...Array.from({ length: theirs }, (_, number) => `t${number}`));
      cluster.settle(...others);
      cluster.sent.length = 0;
      cluster.heartbeat('b');
      cluster.settle('b', away);
      expect(cluster.log(away)).toEqual(cluster.log('b'));
      expect(cluster.node('b').peers.find((peer) => peer.id === away)).toMatchObject({
        matchIndex: 3 + theirs,
      });
      return shipped(cluster.sent, { to: away }).calls;
    }

    it.each([
      [200, 0],
      [200, 1],
      [200, 200],
      [1, 200],
      [400, 200],
    ])('%s entries here, %s there: as many calls as for one', (mine, theirs) => {
      expect(repair(mine, theirs)).toBeLessThanOrEqual(3);
    });

    it('with conflicting terms a round trip skips a whole term', () => {
      // The last node led terms 1, 2, 3 … alone, each with 20 entries; b leads with as many again.
      const cluster = new ClusterByHand(world);
      const away = cluster.ids.at(-1) ?? '';
      const others = cluster.ids.filter((id) => id !== away);
      const terms = 5;
      for (let count = 0; count < terms; count += 1) {
        for (const [leader, mates] of [
          [away, others],
          ['b', others.filter((id) => id !== 'b')],
        ] as const) {
          // Who is elected loses everyone at once: its entries stay with itself.
          for (const id of cluster.ids) cluster.crash(id, Infinity);
          for (
            let attempt = 0;
            cluster.node(leader).role !== 'leader' && attempt < 9;
            attempt += 1
          ) {
            cluster.timeOut(leader);
            cluster.persist(leader);
            cluster.deliver({ from: leader, type: 'requestVoteCall' });
            for (const id of mates) cluster.persist(id);
            cluster.deliver({ to: leader });
          }
          cluster.propose(leader, ...Array.from({ length: 20 }, (_, at20) => `${leader}${at20}`));
          cluster.intercept();
          cluster.persist(leader);
          if (leader === 'b') cluster.settle(...others);
          cluster.intercept();
        }
      }
      const begins = (id: string): string[] =>
        cluster.log(id).filter((each) => each.startsWith('#'));
      expect(begins(away)).toEqual(['#1', '#3', '#5', '#7', '#9']);
      expect(begins('b')).toEqual(['#2', '#4', '#6', '#8', '#10']);
      expect(cluster.node('b').role).toBe('leader');
      cluster.sent.length = 0;
      cluster.heartbeat('b');
      cluster.settle('b', away);
      expect(cluster.log(away)).toEqual(cluster.log('b'));
      expect(shipped(cluster.sent, { to: away }).calls).toBeLessThanOrEqual(terms + 4);
    });
  },
);

/** Reads of elements of a list, and of nothing else. */
function counted<T>(list: T[], onRead: () => void): T[] {
  return new Proxy(list, {
    get(target, key, receiver): unknown {
      if (typeof key === 'string' && /^\d+$/.test(key)) onRead();
      return Reflect.get(target, key, receiver);
    },
  });
}

describe('S18: a step costs what it carries, not what the log has of terms and configurations', () => {
  /**
   * A log of `count` terms, two entries each, the second of which is a command or a configuration;
   * every read of a run or a configuration counts.
   */
  function longLog(
    count: number,
    second: 'command' | 'config' = 'command',
  ): { log: Log<string>; reads: () => number } {
    const log = new Log<string>(null);
    log.appendConfig(abc);
    for (let term = 1; term <= count; term += 1) {
      log.appendTerm(term);
      if (second === 'config') log.appendConfig(abc);
      else log.appendCommands(['x']);
    }
    let reads = 0;
    const onRead = (): void => {
      reads += 1;
    };
    const inner = log as unknown as { runs: TermRun[]; configs: unknown[] };
    inner.runs = counted(inner.runs, onRead);
    inner.configs = counted(inner.configs, onRead);
    return {
      log,
      reads: () => {
        const sum = reads;
        reads = 0;
        return sum;
      },
    };
  }

  const steps: Record<string, (log: Log<string>) => unknown> = {
    'a slice at the end': (log) => log.slice(log.lastIndex - 4, log.lastIndex),
    'a slice in the middle': (log) => log.slice(log.lastIndex >> 1, (log.lastIndex >> 1) + 4),
    'the term at an index': (log) => log.termAt(log.lastIndex >> 1),
    'the consistency check': (log) => log.contains(at(3, 7)),
    'a hint': (log) => log.lastNotAfter(at(log.lastTerm >> 1, log.lastIndex)),
    'an append': (log) => {
      log.appendCommands(['y']);
    },
    'the append of a leader': (log) => {
      log.appendEntries({ ...emptyEntries(log.lastPosition), length: 2, commands: ['y', 'z'] }, 0);
    },
    'the configuration in force': (log) => [log.latestConfig, log.latestConfigIndex],
    'the configuration at an index': (log) => log.configAt(log.lastIndex >> 1),
    'a cut': (log) => {
      log.cutAfter(log.lastIndex - 1);
    },
  };

  it.each(
    Object.entries(steps).flatMap(([name, step]) => [
      [`${name}, of commands`, step, 'command'] as const,
      [`${name}, of configurations`, step, 'config'] as const,
    ]),
  )('%s', (_, step, second) => {
    const small = longLog(1000, second);
    const large = longLog(16_000, second);
    step(small.log);
    step(large.log);
    const [few, more] = [small.reads(), large.reads()];
    // Sixteen times the log: each of a handful of bisections reads four more runs.
    expect(more - few).toBeLessThanOrEqual(6 * 4);
    expect(more).toBeLessThanOrEqual(80);
  });

  it('a slice has the terms that begin in it, and shares what it can', () => {
    const { log } = longLog(10_000);
    const { lastIndex } = log;
    expect(log.slice(lastIndex - 1, lastIndex)).toEqual({
      prevPosition: at(10_000, lastIndex - 1),
      length: 1,
      terms: [],
      configs: [],
      commands: ['x'],
    });
    expect(log.slice(lastIndex - 4, lastIndex).terms).toEqual([
      { index: lastIndex - 3, term: 9999 },
      { index: lastIndex - 1, term: 10_000 },
    ]);
    // The message, the write and the apply of one turn have one and the same.
    expect(log.slice(lastIndex - 4, lastIndex)).toBe(log.slice(lastIndex - 4, lastIndex));
  });

  it('a node with 10,000 terms in its log says and writes only what is new', () => {
    const log = longLog(10_000).log;
    const entries = log.slice(0, log.lastIndex);
    const config = { id: 'a', currentTerm: 10_000, entries };
    const node = awake(config);
    settle(node, timedOut);
    settle(node, received(vote('b', 10_001)));
    settle(node, received(reply('b', 10_001, { last: node.log.lastPosition })));
    expect(node).toMatchObject({ role: 'leader', commitIndex: log.lastIndex + 1 });
    const actions = tell(node, { type: 'proposed', proposal: 1, commands: ['y'] });
    const [call] = only(actions, 'broadcastMessage');
    const [write] = only(actions, 'persist');
    expect(call?.message).toMatchObject({
      entries: { length: 1, terms: [], configs: [], commands: ['y'] },
    });
    expect(write?.entries).toMatchObject({ length: 1, terms: [], configs: [], commands: ['y'] });
    expect(new Node(config).log.lastPosition).toEqual(log.lastPosition);
  });
});
