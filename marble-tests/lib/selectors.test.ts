/**
 * The selectors: what an application wants to know of a node's actions.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Actions: f, C, L, F roleChanged, a an apply, c a
 * committed, r a restore. Values: 1 … 4 entries, f, c, l roles.
 */
import { describe, it } from 'vitest';
import type { PositionedEntry } from '../../lib/index.js';
import {
  ofType,
  selectCommitIndex,
  selectCommitted,
  selectLeader,
  selectRole,
} from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { Wanted } from './alphabet.js';
import {
  abc,
  apply,
  at,
  committed,
  entriesAfter,
  logOf,
  roleChanged,
  snapshotAt,
  timer,
} from './alphabet.js';

const actions: Record<string, Wanted> = {
  f: roleChanged('follower', 1, null),
  C: roleChanged('candidate', 2, null),
  D: roleChanged('candidate', 3, null),
  L: roleChanged('leader', 3, 'a'),
  F: roleChanged('follower', 4, 'b'),
  s: timer('follower'),
  a: apply(logOf(1, 1)),
  b: apply(entriesAfter(at(1, 5), [2, 2])),
  r: { type: 'restore', snapshot: snapshotAt(at(1, 5)) },
  c: committed(2),
  d: committed(7),
};

describe('a selector', () => {
  it(
    'ofType: the actions of these types, and the end and the error of their stream',
    marbles((m) => {
      const types = ofType<Wanted, 'apply' | 'committed'>('apply', 'committed');
      const action$ = m.hot('-(fs)-a-c-F|', actions);
      const expected = '     ------a-c--|';
      m.expect<Wanted>(action$.pipe(types)).toBeObservable(expected, actions);
      m.expect<Wanted>(m.hot('-s-#', actions).pipe(types)).toBeObservable('---#', actions);
      m.expect<Wanted>(m.hot('-s--', actions).pipe(ofType())).toBeObservable('----');
    }),
  );

  it(
    'selectRole: each time that it changes',
    marbles((m) => {
      const roles = { f: 'follower', c: 'candidate', l: 'leader' } as const;
      const action$ = m.hot('-f-s-C-D-L-F-|', actions);
      const expected = '     -f---c---l-f-|';
      m.expect(action$.pipe(selectRole())).toBeObservable(expected, roles);
    }),
  );

  it(
    'selectLeader: each time that it changes, null while there is none',
    marbles((m) => {
      const leaders = { 0: null, a: 'a', b: 'b' };
      const action$ = m.hot('-f-s-C-D-L-F-|', actions);
      const expected = '     -0-------a-b-|';
      m.expect(action$.pipe(selectLeader())).toBeObservable(expected, leaders);
    }),
  );

  it(
    'selectCommitIndex: each time that it grows',
    marbles((m) => {
      const action$ = m.hot('-f-c-a-d-|', actions);
      const expected = '     ---2---7-|';
      m.expect(action$.pipe(selectCommitIndex())).toBeObservable(expected, { 2: 2, 7: 7 });
    }),
  );

  it(
    'selectCommitted: the entries one by one, and after a restore those behind the snapshot',
    marbles((m) => {
      const entries: Record<string, PositionedEntry<string>> = {
        1: { position: at(1, 1), entry: { type: 'config', config: abc } },
        2: { position: at(1, 2), entry: { type: 'command', command: '1.2' } },
        3: { position: at(2, 6), entry: { type: 'term', term: 2 } },
        4: { position: at(2, 7), entry: { type: 'command', command: '2.7' } },
      };
      const action$ = m.hot('-f-a----r-b----|', actions);
      const expected = '     ---(12)---(34)-|';
      m.expect(action$.pipe(selectCommitted<string>())).toBeObservable(expected, entries);
    }),
  );
});
