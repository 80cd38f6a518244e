/** "Everything that can grow has a limit": for a limit in bytes a value must have some. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valueCodec } from '../../adapters/codec.js';
import { faultOfValue, sizeOfValue } from '../../adapters/plain-value.js';

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withNullPrototype: true,
  stringUnit: 'binary',
  maxDepth: 4,
});

describe('the size of a value', () => {
  it('is never less than what the codec makes of it', () => {
    const codec = valueCodec<unknown>();
    fc.assert(
      fc.property(anything, (value) => {
        const list = [value];
        fc.pre(faultOfValue(list, 64) === null);
        expect(sizeOfValue(list)).toBeGreaterThanOrEqual(codec.encode(list).length);
      }),
    );
  });

  it.each([
    ['text', 'abc', 3],
    ['text of two, three and four bytes', 'é€𝄞', 9],
    ['bytes', new Uint8Array(7), 7],
  ])('of %s is exact', (_, value, bytes) => {
    expect(sizeOfValue(value)).toBe(bytes);
  });

  it('is counted no further than the limit: what contains itself has no end', () => {
    const loop: unknown[] = ['x'];
    loop.push(loop, loop);
    expect(sizeOfValue(loop, 1000)).toBeGreaterThan(1000);
    expect(sizeOfValue(loop, 1000)).toBeLessThan(1100);
  });
});
