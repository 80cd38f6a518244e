/** "The life of an adapter is that of its actions" (law 8). */
import { concat, NEVER, of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { during } from '../../adapters/during.js';
import { marbles } from '../marbles.js';

describe('during', () => {
  const cases = [
    ['ends its sources when the actions complete', '-a-a--|', '--s-s-s-s', '--s-s-|', '^-----!'],
    ['completes when the source does', '-a-a--', '--s|', '--s|', '^--!'],
    ['passes an error of the actions', '-a-#', '--s-s', '--s#', '^--!'],
    ['passes an error of the source', '-a-a--|', '--s#', '--s#', '^--!'],
    ['says nothing when there is nothing to say', '---|', '-', '---|', '^--!'],
  ] as const;
  for (const [rule, actions, source, expected, subscription] of cases) {
    it(
      rule,
      marbles((m) => {
        const action$ = m.hot(actions);
        const source$ = m.cold(source);
        m.expect(during(action$, source$)).toBeObservable(expected);
        m.expect(source$).toHaveSubscriptions(subscription);
        m.expect(action$).toHaveSubscriptions(subscription);
      }),
    );
  }

  it(
    'lets go of both when it is unsubscribed',
    marbles((m) => {
      const action$ = m.hot('-a-a-a-');
      const source$ = m.cold('--s-s-s');
      m.expect(during(action$, source$), '^---!').toBeObservable('--s-');
      m.expect(source$).toHaveSubscriptions('^---!');
      m.expect(action$).toHaveSubscriptions('^---!');
    }),
  );

  it('does not start a source when the actions are over already', () => {
    let started = false;
    const source$ = new Subject();
    const said: string[] = [];
    during(of(1), concat(of(1), NEVER, source$)).subscribe({
      next: () => (started = true),
      complete: () => said.push('complete'),
    });
    expect([started, said]).toEqual([false, ['complete']]);
  });
});
