/** "Knows a leader and is caught up": what a load balancer is told. */
import { describe, expect, it } from 'vitest';
import type { Progress } from '../../../adapters/key-value/readiness.js';
import { unreadinessOf } from '../../../adapters/key-value/readiness.js';

const follower: Progress = {
  id: 'n1',
  leader: () => 'n2',
  known: () => 7,
  applied: () => 7,
  read: () => Promise.reject(new Error('it does not lead')),
};

describe('a node', () => {
  it('is ready with a leader, and all that is committed', async () => {
    expect(await unreadinessOf(follower)).toBe(null);
    expect(await unreadinessOf({ ...follower, leader: () => 'n1', read: async () => 1 })).toBe(
      null,
    );
  });

  it('is not ready without a leader', async () => {
    expect(await unreadinessOf({ ...follower, leader: () => null })).toBe('n1 knows no leader');
  });

  it('is not ready behind its leader, and is when it has caught up', async () => {
    let applied = 3;
    const behind = { ...follower, applied: () => applied };
    expect(await unreadinessOf(behind, 50)).toContain('it has applied 3 entries of 7');
    const waiting = unreadinessOf(behind, 10_000);
    applied = 7;
    expect(await waiting).toBe(null);
  });

  it('is not ready while it leads without a majority', async () => {
    const leads = { ...follower, leader: () => 'n1' };
    expect(await unreadinessOf(leads)).toContain('no majority');
    const silent = { ...leads, read: () => new Promise(() => undefined) };
    expect(await unreadinessOf(silent, 50)).toContain('no majority');
  });
});
