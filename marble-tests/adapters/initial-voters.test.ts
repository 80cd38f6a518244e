/** "Bootstrap config is part of cluster identity" (D19): as long as a node can know it. */
import { describe, expect, it } from 'vitest';
import { initialVotersOf } from '../../adapters/initial-voters.js';
import { Node } from '../../lib/node.js';
import { emptyEntries, entriesOf } from '../../lib/entries.js';

const initialVoters = ['b', 'a'];
const first = { voters: ['a', 'b'], newVoters: [], nonVoters: [] };
const entries = entriesOf({ term: 0, index: 0 }, [
  { type: 'config', config: first },
  { type: 'term', term: 3 },
  { type: 'config', config: { ...first, nonVoters: ['c'] } },
]);

describe('the voters that a cluster began with', () => {
  it('are those of the configuration on a pristine node, and of the log afterwards (D19)', () => {
    expect(initialVotersOf({ initialVoters })).toEqual(['b', 'a']);
    expect(initialVotersOf({ initialVoters: ['a', 'b', 'c'], entries })).toEqual(['a', 'b']);
    const begun = new Node({ id: 'a', initialVoters: ['b', 'a'] });
    expect(initialVotersOf({ entries: begun.log.slice(0, 1) })).toEqual(['a', 'b']);
  });

  it.each([
    ['is to join', { initialVoters: [] }],
    ['is not told', {}],
    ['has voted before it has a log', { initialVoters, currentTerm: 1, votedFor: 'b' }],
    ['has heard of a term', { initialVoters, currentTerm: 1, entries: emptyEntries() }],
    ['has a snapshot', { entries, snapshot: { position: { term: 0, index: 0 }, config: first } }],
    [
      'has a log that begins otherwise',
      { entries: entriesOf({ term: 0, index: 0 }, [{ type: 'term', term: 1 }]) },
    ],
  ])('are not known to a node that %s', (_, history) => {
    expect(initialVotersOf(history as Parameters<typeof initialVotersOf>[0])).toBeUndefined();
  });
});
