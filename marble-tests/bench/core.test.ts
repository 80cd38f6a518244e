import { describe, expect, it } from 'vitest';
import { CoreCluster } from '../../bench/core/cluster.js';
import type { CoreCase, Payload } from '../../bench/core/cases.js';
import { coreCases, coreRun } from '../../bench/core/cases.js';

const names = Object.keys(coreCases) as CoreCase[];
const payloads: readonly Payload[] = ['void', '128 bytes'];

describe('the cases of the core', () => {
  const all = names.flatMap((name) =>
    [3, 5].flatMap((size) => payloads.map((payload) => ({ name, size, payload }))),
  );

  it.each(all)('$name with $size nodes, $payload: leaves nothing uncommitted', (each) => {
    expect(coreRun(each.name, each.size, 200, each.payload)).not.toThrow();
  });
});

describe('the cluster that they run on', () => {
  it('begins with as many terms as were asked for, and a leader', () => {
    const { leader } = new CoreCluster({ size: 3, terms: 20, sizeOf: null });
    // The configuration, a marker of each term, and the leader's own.
    expect(leader.log.lastPosition).toEqual({ term: 21, index: 22 });
    expect(leader.commitIndex).toBe(22);
    expect(leader.peers).toHaveLength(2);
  });

  it('brings what is proposed to every node', () => {
    const cluster = new CoreCluster<string>({ size: 3, terms: 1, sizeOf: null });
    const position = cluster.leader.proposeCommand('one');
    cluster.act(cluster.leader);
    expect(cluster.leader.commitIndex).toBe(3);
    cluster.deliver();
    expect(position).toEqual({ term: 2, index: 4 });
    expect(cluster.leader.peers.map((peer) => peer.matchIndex)).toEqual([4, 4]);
    expect(cluster.leader.commitIndex).toBe(4);
  });
});
