/**
 * "One log entry may carry many client commands: the machine adapter packs the requests of a turn
 * into one block and unpacks it at `apply`."
 */
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../adapters/codec.js';
import type { AnyCommand, Command } from '../../../adapters/key-value/commands.js';
import {
  faultOfCommand,
  hasAddress,
  maxKeyBytes,
  maxValueBytes,
  packBlock,
  sizeOfCommand,
  unpackBlock,
} from '../../../adapters/key-value/commands.js';
import { addresses, commands } from './arbitraries.js';

const seeded = { seed: 20, numRuns: 200 };
const packr = new Packr({ useRecords: false });

/** Buffers and plain arrays of bytes are the same to a reader, and not to a deep comparison. */
function plain(list: readonly AnyCommand[]): unknown {
  return list.map((command) =>
    Object.fromEntries(
      Object.entries(command).map(([name, value]) => [
        name,
        value instanceof Uint8Array ? [...value] : value,
      ]),
    ),
  );
}

describe('a block', () => {
  it('gives back the commands that it was made from, byte for byte', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(commands, addresses), { maxLength: 20 }), (list) => {
        const block = packBlock(list);
        expect(plain(unpackBlock(block))).toEqual(plain(list));
        // The addresses of a log are found without reading all of it.
        expect(hasAddress(block)).toBe(list.some(({ type }) => type === 'address'));
      }),
      seeded,
    );
  });

  it.each([0, 4, 5, 6, 30_000])('of %i commands tells whether there is an address in it', (n) => {
    const list: AnyCommand[] = Array.from({ length: n }, () => ({
      ...{ type: 'delete', key: new Uint8Array([1]), condition: null },
    }));
    expect(hasAddress(packBlock(list))).toBe(false);
    const block = packBlock([...list, { type: 'address', id: 'n1', address: null }]);
    expect(hasAddress(block)).toBe(true);
    expect(unpackBlock(block).at(-1)).toEqual({ type: 'address', id: 'n1', address: null });
  });

  it('shares no memory with the next one', () => {
    const key = new Uint8Array([1]);
    const block = packBlock([{ type: 'delete', key, condition: null }]);
    expect(block.byteOffset).toBe(0);
    expect(block.buffer.byteLength).toBe(block.length);
  });

  it('that can not be read is a DecodeError: a node must not go on as if it were empty', () => {
    const key = new Uint8Array([1]);
    const bad = [
      new Uint8Array(0),
      packr.pack([]),
      packr.pack([3]),
      packr.pack([1, 'n1', '127.0.0.1:7101', null]),
      packr.pack([2, '', '127.0.0.1:7101', null]),
      packr.pack([2, 'n1', 'nowhere', null]),
      packr.pack([2, 'n1', key, null]),
      packr.pack([1, key]),
      packr.pack([1, key, null]),
      packr.pack([1, 'key', null, null]),
      packr.pack([1, key, 'value', null]),
      packr.pack([1, key, null, true]),
      packr.pack({ 0: 1 }),
    ];
    for (const block of bad) expect(() => unpackBlock(block)).toThrow(DecodeError);
    expect(unpackBlock(packr.pack([1]))).toEqual([]);
  });

  it('is either read or a DecodeError, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          unpackBlock(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      seeded,
    );
  });
});

describe('a limit', () => {
  const key = new Uint8Array(maxKeyBytes);
  const value = new Uint8Array(maxValueBytes);

  it('may be reached', () => {
    expect(faultOfCommand({ type: 'put', key, value, condition: value })).toBeNull();
  });

  it('names what is beyond it', () => {
    const longKey = new Uint8Array(maxKeyBytes + 1);
    const longValue = new Uint8Array(maxValueBytes + 1);
    const fault = (command: Command): string | null => faultOfCommand(command);
    expect(fault({ type: 'delete', key: longKey, condition: null })).toContain('the key has 65537');
    expect(fault({ type: 'put', key, value: longValue, condition: null })).toContain('the value');
    expect(fault({ type: 'delete', key, condition: longValue })).toContain('the expected value');
  });

  it('is measured by a size that is never below what the block takes', () => {
    fc.assert(
      fc.property(fc.oneof(commands, addresses), (command) => {
        expect(packBlock([command]).length).toBeLessThanOrEqual(sizeOfCommand(command) + 2);
      }),
      seeded,
    );
  });
});
