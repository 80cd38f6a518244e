/**
 * Traps of elections (§5.1, §5.2, §5.4.1): how other Rafts broke, played with ours. The list of all
 * of them, and who holds which, is `docs/TRAPS.md`.
 */
import { describe, expect, it } from 'vitest';
import { clusterOf } from '../../lib/index.js';
import {
  at,
  entriesAfter,
  leading,
  only,
  persisted,
  proposed,
  received,
  rejected,
  reply,
  restarted,
  sent,
  settle,
  tell,
} from './alphabet.js';
import { PromptCluster } from './prompt-cluster.js';

describe('a leader that is answered with a higher term', () => {
  it('A8: "convert to follower": saves the term before it says anything more (§5.1)', () => {
    const leader = leading(restarted([1]), 'b');
    settle(leader, proposed(1, 'x'));
    const actions = tell(leader, received(reply('b', 5, { refused: true })), proposed(2, 'y'));
    expect(leader).toMatchObject({ role: 'follower', currentTerm: 5, votedFor: null });
    expect(only(actions, 'roleChanged')).toMatchObject([{ currentTerm: 5, leaderId: null }]);
    expect(only(actions, 'rejected')).toEqual([rejected(2, 'notLeader')]);
    expect(sent(actions)).toEqual([]);
    const [write] = only(actions, 'persist');
    expect(write?.hardState).toEqual({ currentTerm: 5, votedFor: null });
    expect(sent(tell(leader, persisted(write?.sequence ?? 0)))).toEqual([]);
  });
});

describe('who has the better log and the lower term', () => {
  it('F1: learns the term from the refusal, and is elected with the next timeout (§5.1)', () => {
    const terms: Record<string, number> = { a: 5, b: 5, c: 1 };
    const cluster = new PromptCluster(['a', 'b', 'c'], (id) =>
      restarted([1], { id, currentTerm: terms[id] ?? 0 }),
    );
    cluster.isolate('b');
    cluster.elect('c');
    expect(cluster.node('c')).toMatchObject({ role: 'follower', currentTerm: 5 });
    cluster.elect('c');
    expect(cluster.node('c')).toMatchObject({ role: 'leader', currentTerm: 6 });
    expect(cluster.node('a').leaderId).toBe('c');
  });

  it('F3: is elected, though neither half of the cluster is a quorum alone (§5.4.1)', () => {
    const six = ['a', 'b', 'c', 'd', 'e', 'f'];
    const longer = entriesAfter(at(0, 0), [1, 5, 5], clusterOf(six));
    const shorter = entriesAfter(at(0, 0), [1], clusterOf(six));
    const cluster = new PromptCluster(six, (id) =>
      id < 'd'
        ? { id, currentTerm: 5, entries: longer }
        : { id, currentTerm: 8, votedFor: 'd', entries: shorter },
    );
    cluster.elect('d');
    expect(cluster.node('d').role).toBe('candidate');
    expect(cluster.node('a').currentTerm).toBe(9);
    cluster.elect('a');
    expect(cluster.node('a')).toMatchObject({ role: 'leader', currentTerm: 10 });
    expect(cluster.node('f').log.lastPosition).toEqual(at(10, 4));
  });

  it('F3: learns the term from a refusal, and wins with the next one (§5.1)', () => {
    const six = ['a', 'b', 'c', 'd', 'e', 'f'];
    const longer = entriesAfter(at(0, 0), [1, 5, 5], clusterOf(six));
    const shorter = entriesAfter(at(0, 0), [1], clusterOf(six));
    const cluster = new PromptCluster(six, (id) =>
      id < 'd'
        ? { id, currentTerm: 5, entries: longer }
        : { id, currentTerm: 8, votedFor: 'd', entries: shorter },
    );
    cluster.elect('a');
    expect(cluster.node('a')).toMatchObject({ role: 'follower', currentTerm: 8 });
    cluster.elect('a');
    expect(cluster.node('a')).toMatchObject({ role: 'leader', currentTerm: 9 });
  });
});
