/** Traps of membership changes (§6). The list of all of them is `docs/TRAPS.md`. */
import { describe, expect, it } from 'vitest';
import { clusterOf, toJointConsensus } from '../../lib/index.js';
import { abc, configProposed, pristine } from './alphabet.js';
import { PromptCluster } from './prompt-cluster.js';

describe('a leader that its own change leaves out', () => {
  it('D8: tells the others that C_new is committed, also where commits are not announced (§6)', () => {
    const cluster = new PromptCluster(['a', 'b', 'c'], (id) =>
      pristine(['a', 'b', 'c'], { id, announceCommits: false }),
    );
    cluster.elect('a');
    cluster.tell('a', configProposed(1, toJointConsensus(abc, [], ['a'])));
    const { commitIndex, role } = cluster.node('a');
    expect({ role, commitIndex }).toEqual({ role: 'follower', commitIndex: 4 });
    for (const id of ['b', 'c']) {
      expect(cluster.node(id).config).toEqual(clusterOf(['b', 'c']));
      expect(cluster.node(id).commitIndex).toBe(4);
    }
  });
});
