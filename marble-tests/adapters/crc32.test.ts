/** The checksum of zlib, and the one for where there is no zlib: the same. */
import { expect, it } from 'vitest';
import { crc32, crc32InPage } from '../../adapters/crc32.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

it.each([
  ['', 0],
  ['a', 0xe8b7be43],
  ['123456789', 0xcbf43926],
  ['The quick brown fox jumps over the lazy dog', 0x414fa339],
])('of %j is as others have it', (value, expected) => {
  expect(crc32(text(value))).toBe(expected);
  expect(crc32InPage(text(value))).toBe(expected);
});

it('goes on from the checksum of what came before', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, at) => (at * 31 + (at >>> 3)) & 255);
  for (const at of [0, 1, 499, 1000]) {
    const before = crc32InPage(bytes.subarray(0, at));
    expect(crc32InPage(bytes.subarray(at), before)).toBe(crc32(bytes));
  }
});
