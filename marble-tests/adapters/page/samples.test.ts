/** What the curves of the page are drawn from. */
import { expect, it } from 'vitest';
import { noLoad } from '../../../adapters/live/load.js';
import { Samples } from '../../../adapters/page/samples.js';

it('counts what was done: a request that is refused, or whose end is unknown, is none', () => {
  const samples = new Samples();
  samples.onLoad({ ...noLoad, elapsedMs: 300, answered: 90, failed: 80 });
  samples.onLoad({ ...noLoad, elapsedMs: 300, answered: 5, failed: 0 });
  samples.take();
  expect(samples.newest.rate).toBe(15);
});
