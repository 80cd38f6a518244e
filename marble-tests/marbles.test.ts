/** A marble test must be able to fail: each way in which a stream can differ from its diagram. */
import { describe, expect, it } from 'vitest';
import { marbles } from './marbles.js';

describe('a marble test fails', () => {
  it('when a value, a frame, an error or a subscription differs', () => {
    const a: Record<string, { x: number; y?: unknown }> = { a: { x: 1 } };
    const b = { a: { x: 1, y: undefined } };
    const wrong = [
      marbles((m) => m.expect(m.hot('-a|', a)).toBeObservable('-a|', { a: { x: 2 } })),
      marbles((m) => m.expect(m.hot('-a|', a)).toBeObservable('-a|', b)),
      marbles((m) => m.expect(m.hot('-a|', a)).toBeObservable('--a|', a)),
      marbles((m) => m.expect(m.hot('-#', {}, new Error('a'))).toBeObservable('-#', {}, 'a')),
      marbles((m) => {
        const cold$ = m.cold('-|');
        m.expect(cold$).toBeObservable('-|');
        m.expect(cold$).toHaveSubscriptions('^--!');
      }),
    ];
    for (const test of wrong) expect(test).toThrow(/to strictly equal/);
    expect(marbles((m) => m.expect(m.hot('-a|', a)).toBeObservable('-a|', a))).not.toThrow();
  });

  it('when its body is async, for what follows an await is not checked', () => {
    const body = (): void => Promise.resolve() as unknown as undefined;
    expect(marbles(body)).toThrow(TypeError);
  });
});
