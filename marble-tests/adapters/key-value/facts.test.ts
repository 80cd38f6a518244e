/** What a node knows of itself: who leads, what is in force, and whether it was removed (§6). */
import { describe, expect, it } from 'vitest';
import { Facts } from '../../../adapters/key-value/facts.js';
import type { ClusterConfig, NetworkInput } from '../../../lib/index.js';
import { clusterOf, noCluster } from '../../../lib/cluster-config.js';

const pristine = { generation: 1, currentTerm: 0, votedFor: null, snapshot: null, entries: null };

function facts(): { facts: Facts; isRemoved: () => boolean } {
  const all = new Facts('n1', pristine);
  return { facts: all, isRemoved: () => all.members.isRemoved$.value };
}

const config = (all: Facts, members: ClusterConfig, index: number): void =>
  all.note({ type: 'configChanged', config: members, index }, () => undefined);
const committed = (all: Facts, commitIndex: number): void =>
  all.note({ type: 'committed', commitIndex }, () => undefined);
const role = (all: Facts, name: 'leader' | 'follower'): void =>
  all.note({ type: 'roleChanged', role: name, currentTerm: 1, leaderId: 'n1' }, () => undefined);
const notice = (index: number): NetworkInput => ({
  type: 'received',
  message: { type: 'removalNotice', from: 'n2', term: 1, position: { term: 1, index } },
});

describe('what is in force', () => {
  it('is the newest in the log, and whether that is committed', () => {
    const { facts: all } = facts();
    config(all, clusterOf(['n1']), 3);
    expect(all.members.inForce$.value).toMatchObject({ index: 3, isCommitted: false });
    committed(all, 2);
    expect(all.members.inForce$.value.isCommitted).toBe(false);
    committed(all, 3);
    expect(all.members.inForce$.value.isCommitted).toBe(true);
  });
});

describe('a node', () => {
  it('that leads has left when its removal is committed (D8)', () => {
    const { facts: all, isRemoved } = facts();
    role(all, 'leader');
    config(all, clusterOf(['n2', 'n3']), 5);
    expect(isRemoved()).toBe(false);
    committed(all, 5);
    expect(isRemoved()).toBe(true);
  });

  it('that waits to be added, and learns the past, has not left', () => {
    const { facts: all, isRemoved } = facts();
    config(all, noCluster, 0);
    role(all, 'follower');
    config(all, clusterOf(['n2', 'n3']), 1);
    committed(all, 1);
    expect(isRemoved()).toBe(false);
  });

  it('that follows has left when a leader says so', () => {
    const { facts: all, isRemoved } = facts();
    config(all, clusterOf(['n1', 'n2']), 4);
    all.hear(notice(3));
    all.hear(notice(4));
    expect(isRemoved()).toBe(false);
    all.hear(notice(5));
    expect(isRemoved()).toBe(true);
  });

  it('that knows its removal, and not that it is committed, is told', () => {
    const { facts: all, isRemoved } = facts();
    config(all, clusterOf(['n2', 'n3']), 5);
    all.hear(notice(5));
    expect(isRemoved()).toBe(true);
  });

  it('that has no cluster can not leave it', () => {
    const { facts: all, isRemoved } = facts();
    all.hear(notice(5));
    expect(isRemoved()).toBe(false);
  });
});
