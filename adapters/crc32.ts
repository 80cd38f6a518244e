/** The checksum of what is stored: CRC-32 as in zlib, on Node by zlib itself. */

type Crc32 = (bytes: Uint8Array, before?: number) => number;

const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  }
  return remainder;
});

/** For where there is no zlib. The same as `crc32`. */
export const crc32InPage: Crc32 = (bytes, before = 0) => {
  let checksum = ~before;
  for (const byte of bytes) {
    checksum = (checksum >>> 8) ^ (remainders[(checksum ^ byte) & 0xff] ?? 0);
  }
  return ~checksum >>> 0;
};

/** Asked for, not imported: a page has no such module, and a bundler would look for it. */
const zlib = globalThis.process?.getBuiltinModule?.('node:zlib');

/** The checksum of bytes, or of all before and them. From 0 to 2^32 - 1. */
export const crc32: Crc32 = zlib?.crc32 ?? crc32InPage;
