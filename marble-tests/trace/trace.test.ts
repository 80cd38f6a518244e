/**
 * Traces of real clusters, replayed against the model: operator, circle and adapters in virtual
 * time. What Raft permits is accepted, as one process wrote it and as the traces of single nodes
 * merged.
 */
import { describe, expect, it } from 'vitest';
import type { Line } from './line.js';
import { parseLine } from './line.js';
import { replay } from './model.js';
import { randomRun } from './random-run.js';
import { replayNodes } from './replay.js';
import { Violation } from './rules.js';
import type { ClusterOptions } from './traced-cluster.js';
import { TracedCluster } from './traced-cluster.js';

type Count = (event: Line['event']) => number;

/** Replays a trace whole, and again as the traces of the single nodes. */
function accepted({ lines, errors }: TracedCluster): Count {
  expect(errors).toEqual([]);
  const { events } = replay(lines);
  expect(replayNodes(byNode(lines))).toEqual({ lines: lines.length, events });
  return (event) => events.get(event) ?? 0;
}

function byNode(lines: readonly string[]): string[][] {
  const nodes = new Map<string, string[]>();
  for (const line of lines) {
    const { node } = JSON.parse(line) as { node: string };
    const known = nodes.get(node);
    if (known === undefined) nodes.set(node, [line]);
    else known.push(line);
  }
  // The last to speak first: the order of the files says nothing.
  return [...nodes.values()].reverse();
}

function proposeMany(cluster: TracedCluster, id: string, count: number): void {
  for (let number = 0; number < count; number += 1) {
    cluster.propose(id);
    cluster.run(20);
  }
}

const ways: [string, ClusterOptions][] = [
  ['at once', {}],
  ['by turns', { turns: true }],
  ['with windows of one entry', { limits: { entriesPerMessage: 1, entriesInFlight: 1 } }],
  ['with loss and slow disks', { loss: 0.1, duplication: 0.2, latencyMs: 30, writeMs: 50 }],
];

describe.each(ways)('the trace of a cluster, %s', (_, options) => {
  it('that elects a leader and replicates', () => {
    const cluster = new TracedCluster(options);
    proposeMany(cluster, cluster.leader(), 10);
    cluster.run(2000);
    const count = accepted(cluster);
    for (const id of cluster.voters) expect(cluster.applied(id).length, id).toBeGreaterThan(5);
    expect(count('becomeCandidate')).toBeGreaterThan(0);
    expect(count('becomeLeader')).toBeGreaterThan(0);
    expect(count('receive')).toBeGreaterThan(20);
    expect(count('apply')).toBeGreaterThan(10);
  });

  it('whose leader is cut off with entries of its own, and finds others in their place', () => {
    const cluster = new TracedCluster({ ...options, seed: 2 });
    const old = cluster.leader();
    proposeMany(cluster, old, 2);
    cluster.isolate(old);
    for (let count = 0; count < 5; count += 1) cluster.propose(old);
    cluster.run(3000);
    const next = cluster.leader();
    expect(next).not.toBe(old);
    proposeMany(cluster, next, 5);
    cluster.isolate();
    cluster.run(4000);
    accepted(cluster);
    const cuts = cluster.lines.map(parseLine).filter((line, at, lines) => {
      const before = lines
        .slice(0, at)
        .filter((each) => each.node === line.node)
        .at(-1);
      return line.event === 'append' && line.entries.after.index < (before?.last.index ?? 0);
    });
    expect(cuts.map((line) => line.node)).toContain(old);
    expect(cluster.applied(old)).toEqual(cluster.applied(next));
  });

  it('that compacts its logs, and brings a node back by a snapshot', () => {
    const cluster = new TracedCluster({ ...options, seed: 3, snapshotEvery: 4 });
    const leader = cluster.leader();
    const away = cluster.voters.find((id) => id !== leader) ?? '';
    cluster.crash(away);
    proposeMany(cluster, leader, 20);
    cluster.run(1000);
    cluster.start(away);
    cluster.run(4000);
    const count = accepted(cluster);
    expect(cluster.applied(away).length).toBeGreaterThan(10);
    expect(count('snapshot')).toBeGreaterThan(3);
    expect(count('receiveSnapshot')).toBeGreaterThan(0);
    expect(count('restore')).toBeGreaterThan(0);
  });

  it('whose members change, the leader among them', () => {
    const cluster = new TracedCluster({ ...options, seed: 4 });
    const leader = cluster.leader();
    proposeMany(cluster, leader, 5);
    cluster.listen(leader, ['d']);
    cluster.run(2000);
    cluster.change(cluster.leader(), ['d'], [cluster.leader()]);
    cluster.run(6000);
    proposeMany(cluster, cluster.leader(), 5);
    cluster.run(2000);
    const count = accepted(cluster);
    expect(count('configuration')).toBeGreaterThan(8);
    expect(cluster.lines.some((line) => line.includes('"removalNotice"'))).toBe(true);
    expect(cluster.applied('d').length).toBeGreaterThan(5);
  });

  it('in which a node is added in the turn of a command, and first told of what is behind it', () => {
    // Calls are made in the order of names: `a` is told before the others.
    const voters = ['b', 'c', 'd'];
    const cluster = new TracedCluster({ ...options, seed: 6, turns: true, voters });
    const leader = cluster.leader();
    proposeMany(cluster, leader, 3);
    cluster.listen(leader, ['a']);
    for (let count = 0; count < 3; count += 1) cluster.propose(leader);
    cluster.run(4000);
    accepted(cluster);
    expect(cluster.applied('a')).toEqual(cluster.applied(leader));
  });

  it('that is begun by hand, and all of which crashes and comes back', () => {
    const cluster = new TracedCluster({ ...options, seed: 5, voters: [] });
    for (const id of ['a', 'b', 'c']) cluster.start(id);
    cluster.create('a', ['a', 'b', 'c']);
    for (let round = 0; round < 3; round += 1) {
      proposeMany(cluster, cluster.leader(), 5);
      for (let count = 0; count < 5; count += 1) cluster.propose(cluster.leader());
      for (const id of ['a', 'b', 'c']) cluster.crash(id);
      for (const id of ['a', 'b', 'c']) cluster.start(id);
    }
    cluster.run(3000);
    expect(accepted(cluster)('start')).toBe(12);
    expect(cluster.applied('a').length).toBeGreaterThan(5);
  });
});

/** 3,000 have been accepted, each of 150 steps. */
const seeds = Number(process.env['RXRAFT_TRACES'] ?? 12);

describe('traces of chance', () => {
  it(`of ${seeds} runs with crashes, partitions, changes and snapshots are accepted`, () => {
    const counts: Record<string, number> = {};
    for (let seed = 1; seed <= seeds; seed += 1) {
      const cluster = randomRun(seed, 80);
      try {
        const count = accepted(cluster);
        for (const event of ['becomeLeader', 'sendSnapshot', 'restore', 'configuration'] as const) {
          counts[event] = (counts[event] ?? 0) + count(event);
        }
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      } finally {
        cluster.stop();
      }
    }
    expect(counts['becomeLeader']).toBeGreaterThan(20);
    expect(counts['sendSnapshot']).toBeGreaterThan(10);
    expect(counts['restore']).toBeGreaterThan(10);
    expect(counts['configuration']).toBeGreaterThan(80);
  });
});

describe('the trace of a cluster that is no Raft', () => {
  it('because its disks lie, is refused when a node comes back', () => {
    const cluster = new TracedCluster({ lies: true });
    proposeMany(cluster, cluster.leader(), 3);
    const { length } = cluster.lines;
    expect(replay(cluster.lines).lines).toBe(length);
    cluster.crash('a');
    cluster.start('a');
    expect(() => replay(cluster.lines)).toThrow(/^recovery: a begins with/);
  });

  it('because two nodes have one name, is refused', () => {
    const [one, other] = [new TracedCluster({ seed: 1 }), new TracedCluster({ seed: 2 })];
    for (const cluster of [one, other]) proposeMany(cluster, cluster.leader(), 3);
    expect(() => replay([...one.lines, ...other.lines])).toThrow(/^recovery: a is in run 1 again/);
  });
});

describe('traces of single nodes', () => {
  it('of which a part is missing do not become one', () => {
    const cluster = new TracedCluster();
    proposeMany(cluster, cluster.leader(), 3);
    const traces = byNode(cluster.lines);
    const shortened = traces.map((trace, at) => (at === 0 ? trace.slice(0, 8) : trace));
    expect(() => replayNodes(shortened)).toThrow(Violation);
  });
});
