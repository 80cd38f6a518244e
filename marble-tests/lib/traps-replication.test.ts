/**
 * Traps of replication (§5.3, §5.5). The list of all of them, and who holds which, is
 * `docs/TRAPS.md`.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePositions } from '../../lib/index.js';
import { minimumElapsed, timedOut } from './alphabet.js';
import type { Mail } from './cluster-by-hand.js';
import { ClusterByHand, worlds } from './cluster-by-hand.js';

/** Three leaders, a conflict, a snapshot and two restarts: what all of them ever said. */
function story(): { cluster: ClusterByHand; mail: readonly Mail[] } {
  const cluster = new ClusterByHand({ voters: 3, batched: false });
  cluster.elect('a', 'b', 'c');
  cluster.propose('a', 'u', 'v');
  cluster.settle();
  cluster.propose('a', 'lost');
  cluster.crash('c');
  cluster.elect('b', 'c');
  cluster.propose('b', 'w');
  cluster.settle('b', 'c');
  cluster.snapshot('b', cluster.node('b').commitIndex);
  cluster.settle('b', 'c');
  cluster.heartbeat('b');
  cluster.settle();
  cluster.crash('a');
  cluster.elect('c', 'a');
  cluster.propose('c', 'x');
  cluster.settle();
  return { cluster, mail: [...cluster.sent] };
}

const ids = ['a', 'b', 'c'] as const;

/** Who has the best log is elected, after at most one timeout for the term and one to win. */
function elected(cluster: ClusterByHand): string {
  const better = (a: string, b: string): string => {
    const [first, second] = [a, b].map((id) => cluster.node(id).log.lastPosition);
    return first && second && comparePositions(first, second) >= 0 ? a : b;
  };
  const best = ids.reduce(better, 'a');
  for (let tries = 0; tries < 2 && cluster.node(best).role !== 'leader'; tries += 1) {
    for (const id of ids) cluster.tell(id, minimumElapsed);
    cluster.timeOut(best);
    cluster.settle();
  }
  return best;
}

describe('messages', () => {
  it('B23: "idempotent": any of them again, in any order, at any later time, do no harm (§5.5)', () => {
    const again = fc.nat().map((number) => ({ type: 'again', number }) as const);
    const crash = fc.constantFrom(...ids).map((id) => ({ type: 'crash', id }) as const);
    const timeout = fc.constantFrom(...ids).map((id) => ({ type: 'timeout', id }) as const);
    const step = fc.constant({ type: 'step' } as const);
    const events = fc.oneof(
      { weight: 12, arbitrary: again },
      { weight: 6, arbitrary: step },
      { weight: 1, arbitrary: crash },
      { weight: 1, arbitrary: timeout },
    );
    fc.assert(
      fc.property(fc.array(events, { minLength: 20, maxLength: 120 }), (list) => {
        const { cluster, mail } = story();
        for (const event of list) {
          if (event.type === 'step') cluster.step();
          if (event.type === 'crash') cluster.crash(event.id);
          if (event.type === 'timeout') cluster.tell(event.id, timedOut);
          const old = event.type === 'again' ? mail[event.number % mail.length] : undefined;
          if (old !== undefined) cluster.hand([structuredClone(old)]);
        }
        cluster.settle();
        cluster.propose(elected(cluster), 'y');
        cluster.settle();
        for (const id of ids) expect(cluster.commands(id)).toEqual(['u', 'v', 'w', 'x', 'y']);
      }),
      { seed: 23, numRuns: 150 },
    );
  });
});

describe.each(worlds)('a node that lost its disk ($voters voters, $batched)', (world) => {
  it('B11: of the same generation is brought everything, and is not called for ever (§5.3)', () => {
    const cluster = new ClusterByHand(world);
    const others = cluster.ids.slice(1);
    cluster.elect('a', ...others);
    cluster.propose('a', 'x', 'y');
    cluster.settle();
    // It begins anew, as every store does at first: nothing but what it says tells of the loss.
    const { generation } = cluster.node('b');
    cluster.wipe('b');
    expect(cluster.node('b').generation).toBe(generation);
    cluster.heartbeat('a');
    cluster.settle();
    expect(cluster.log('b')).toEqual(cluster.log('a'));
    cluster.propose('a', 'z');
    cluster.settle();
    expect(cluster.commands('b')).toEqual(['x', 'y', 'z']);
  });
});

describe.each([false, true])('a follower whose disk hangs (messages are lost: %s)', (isLossy) => {
  it('G13: holds no more than a window that is not on its disk, and gets the rest later', () => {
    const limits = { entriesInFlight: 10, entriesPerMessage: 4 };
    const cluster = new ClusterByHand({ voters: 3, batched: false }, { limits });
    cluster.elect('a', 'b', 'c');
    const isBusy = (): boolean => cluster.mail.length + cluster.disk('c').writes.length > 0;
    for (let turn = 0; turn < 100; turn += 1) {
      cluster.propose('a', `x${turn}`);
      if (turn % 5 === 0) cluster.heartbeat('a');
      if (isLossy && turn % 7 === 0) cluster.intercept({ to: 'b' });
      while (isBusy()) {
        for (const id of ['a', 'c']) cluster.persist(id);
        cluster.deliver();
      }
    }
    expect(cluster.node('a').commitIndex).toBe(102);
    const { log, durableIndex } = cluster.node('b');
    expect(log.lastPosition.index - durableIndex).toBeLessThanOrEqual(10);
    cluster.settle();
    cluster.heartbeat('a');
    cluster.settle();
    expect(cluster.commands('b')).toEqual(cluster.commands('a'));
  });
});
