/** Snapshots on any network (§7): to one peer one after the other, to several side by side. */
import { describe, it } from 'vitest';
import { type InstallSnapshot, transfers } from '../../adapters/transfers.js';
import { at, snapshotAt } from '../lib/alphabet.js';
import { marbles } from '../marbles.js';

type Install = InstallSnapshot<string, string>;

const snapshot = snapshotAt(at(1, 2));
const to = (id: string): Install => ({ type: 'installSnapshot', to: id, term: 1, snapshot });
const installs = { b: to('b'), c: to('c') };
const sent = {
  B: { type: 'snapshotSent', to: 'b' },
  C: { type: 'snapshotSent', to: 'c' },
} as const;

describe('transfers of three frames', () => {
  it.each([
    ['each that ran ends once', '-b-----b|', '----B-----(B|)'],
    [
      'S19: what is asked for while one runs to the same peer is ignored',
      '-bbb-b--|',
      '----B---(B|)',
    ],
    ['those to two peers run side by side', '-bc----|', '----BC-|'],
  ])('%s', (_, asked, ended) => {
    marbles((m) => {
      const sent$ = transfers(m.hot(asked, installs), () => m.cold<never>('---|'));
      m.expect(sent$).toBeObservable(ended, sent);
    })();
  });

  it(
    'one that fails is the error of all',
    marbles((m) => {
      const sent$ = transfers(m.hot('-b-c', installs), () => m.cold<never>('---#'));
      m.expect(sent$).toBeObservable('----#');
    }),
  );
});
