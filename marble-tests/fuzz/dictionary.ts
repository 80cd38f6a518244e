/** What has broken decoders before: the cases of section H of the traps. */

const pollution = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];

/** H6: what is no count, or one of the last. */
export const numbers: readonly number[] = [
  ...[NaN, Infinity, -Infinity, -0, -1, 0.5, 1e308, 5e-324],
  ...[2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 2 ** 63, 2 ** 64],
  ...[0, 1, 2, 3, 4, 5, 7, 10, 127, 128, 255, 256, 65_535, 65_536, 1 << 20, (1 << 20) + 1],
];

/** H4 and H19. */
export const texts: readonly string[] = [
  ...pollution,
  ...['', 'a', 'b', 'c', 'z', '10', '9', ' ', '\0', '\n', '\ud800', '\udfff\ud800', '𝄞', '\u202e'],
  ...['x'.repeat(64), 'x'.repeat(65), 'x'.repeat(257), '€'.repeat(64), '1e400', 'NaN', '../..'],
  ...['%', '%zz', '%00', '%2f', '%ff', '=', ',', '127.0.0.1:1', '[::1]:1', 'a=b:1', '--', '-1'],
];

/** H4, H9 and H12, as MessagePack and structured clones have them. */
export const values: readonly unknown[] = [
  ...numbers,
  ...texts,
  ...[null, undefined, true, false, [], {}, [[]], [null], [[[[[[[[]]]]]]]], 2n ** 64n, -1n],
  ...[new Uint8Array(0), new Uint8Array(3), new Date(0), new Date(NaN)],
  ...pollution.map((key) => new Map([[key, new Map([['x', 1]])]])),
  new Map<unknown, unknown>([['length', 2 ** 32]]),
  Array.from({ length: 300 }, (_, i) => i),
];

/** H9, H10 and H12 as bytes: claims of length, kinds that few know, ends that never come. */
export const tokens: readonly Uint8Array[] = [
  ...[0xc6, 0xdb, 0xdd, 0xdf, 0xc9].map((kind) => [kind, 0xff, 0xff, 0xff, 0xff]),
  ...[0xc6, 0xdd, 0xdf].map((kind) => [kind, 0x7f, 0xff, 0xff, 0xff]),
  ...[0xdd, 0xdf].map((kind) => [kind, 0x00, 0x10, 0x00, 0x00]),
  ...[0xc5, 0xda, 0xdc, 0xde].map((kind) => [kind, 0xff, 0xff]),
  ...[0x72, 0x74, 0x70, 0x69, 0x78, 0x65, 0x62, 0x42, 0xff, 0x00].map((kind) => [0xd4, kind, 0x40]),
  ...[0xff, 0x72, 0x70].map((kind) => [0xd6, kind, 0, 0, 0, 1]),
  ...[[0xc1], [0xc0], [0xc2], [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], [0xcf, 1, 0, 0, 0, 0, 0, 0, 0]],
  ...[Array<number>(64).fill(0x91), Array<number>(4000).fill(0x91), Array<number>(64).fill(0x81)],
  ...['__proto__', '{"__proto__":', '[[[[', '1e400', '"\\ud800"', '\r\n\r\n'].map((text) =>
    Buffer.from(text),
  ),
].map((bytes) => Uint8Array.from(bytes));
