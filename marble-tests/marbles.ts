/**
 * rxjs-marbles, set up for vitest: `it('…', marbles((m) => { m.expect(…).toBeObservable('…') }))`.
 *
 * Time is virtual inside: rxjs timers and `asyncScheduler.now()` follow the diagram, promises and
 * raw timers don't. That is why a body must not be async: the driver would compare before the body
 * has said what it expects, and the test would pass without looking. Here it fails the test.
 */
import { configure, type Context } from 'rxjs-marbles';
import { expect } from 'vitest';

const configured = configure({
  run: true,
  frameworkMatcher: true,
  assertDeepEqual: (actual, expected) => {
    expect(actual).toStrictEqual(expected);
  },
});

/** A test body drawn with marbles. Throws a TypeError when the body is async. */
export function marbles(body: (m: Context) => void): () => void {
  return configured.marbles((m: Context) => {
    const returned: unknown = body(m);
    if (returned instanceof Promise) {
      returned.catch(() => undefined);
      throw new TypeError('a marble test is synchronous: what follows an await is not checked');
    }
  });
}
