/**
 * "Decode: total, throws only DecodeError; the result never aliases a receive buffer." What comes
 * back is what went in, byte by byte, and nothing that a stranger sends gets past (TRAPS G, H).
 */
import fc from 'fast-check';
import { pack, Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import {
  byteCodec,
  DecodeError,
  packEntries,
  packSnapshot,
  unpackEntries,
  unpackSnapshot,
  valueCodec,
} from '../../adapters/codec.js';
import type { Codec } from '../../adapters/codec.js';
import { chanceOf, nothing, randomWrite, remember } from '../../adapters/testing/storage-model.js';
import { clusterOf } from '../../lib/cluster-config.js';
import type { LogEntries } from '../../lib/entries.js';
import { emptyEntries, entriesOf } from '../../lib/entries.js';

const seeded = { seed: 20, numRuns: 300 };
const values = valueCodec<unknown>();

/** Decodes whatever comes, and returns the DecodeError, or what was decoded. */
function outcome(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return error;
  }
}

const text = fc.string({ unit: 'binary' }).filter((each) => each !== '__proto__');
const plainValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, undefined, true, false, Infinity, NaN),
    fc.double().map((each) => each + 0),
    fc.maxSafeInteger().map((each) => each + 0),
    fc.bigInt(),
    text,
    fc.uint8Array(),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('value')),
    fc.dictionary(text, tie('value'), { noNullPrototype: true }),
  ),
})).value;

describe('byteCodec', () => {
  it('keeps bytes, and copies what it decodes (H19)', () => {
    const bytes = Uint8Array.of(0, 1, 255);
    expect(byteCodec.encode(bytes)).toEqual(bytes);
    const decoded = byteCodec.decode(bytes);
    bytes.fill(7);
    expect(decoded).toEqual(Uint8Array.of(0, 1, 255));
  });
});

describe('valueCodec', () => {
  it('brings plain values back as they were', () => {
    fc.assert(
      fc.property(plainValue, (value) => {
        expect(values.decode(values.encode(value))).toStrictEqual(value);
      }),
      seeded,
    );
  });

  it('returns values without a share in the bytes', () => {
    const bytes = values.encode({ a: Uint8Array.of(1, 2, 3), text: 'a'.repeat(100) });
    const decoded = values.decode(bytes);
    bytes.fill(0);
    expect(decoded).toStrictEqual({ a: Uint8Array.of(1, 2, 3), text: 'a'.repeat(100) });
    expect(Object.keys(bytes)).toHaveLength(bytes.length);
  });

  it('gives bytes that share no buffer with others', () => {
    const [a, b] = [values.encode('a'), values.encode('b')];
    expect(a.buffer).not.toBe(b.buffer);
    expect(a.byteLength).toBe(a.buffer.byteLength);
  });

  class Point {
    x = 1;
  }
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  it.each<[string, unknown]>([
    ['a function', { a: () => 1 }],
    ['a symbol', [Symbol('a')]],
    ['an instance', new Point()],
    ['a Map', new Map()],
    ['a Set', [new Set()]],
    ['another typed array', new Float64Array(1)],
    ['an invalid date', new Date(NaN)],
    ['a cycle', cyclic],
    ['a lone surrogate (H19)', { a: 'x\ud800y' }],
    ['a lone surrogate in a key', { 'x\udc00': 1 }],
    ['a key __proto__ (H4)', JSON.parse('{"a":{"__proto__":{"b":1}}}')],
  ])('refuses to encode %s, which would not come back', (_, value) => {
    expect(() => values.encode(value)).toThrow(TypeError);
  });

  it('never lets a key __proto__ through to a prototype (H4)', () => {
    const bytes = values.encode({ __prot0__: { polluted: 1 } });
    bytes[bytes.indexOf(0x30)] = 0x6f; // The 0 of the key becomes an o.
    const decoded = outcome(() => values.decode(bytes)) as { polluted?: unknown };
    expect(decoded.polluted).toBeUndefined();
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('limits how deep a value is, when it is encoded and when it is decoded (H12)', () => {
    const nested = (depth: number) => {
      let value: unknown = 1;
      for (let level = 0; level < depth; level += 1) value = [value];
      return value;
    };
    expect(values.decode(values.encode(nested(64)))).toEqual(nested(64));
    expect(() => values.encode(nested(65))).toThrow(TypeError);
    expect(() => values.decode(pack(nested(65)))).toThrow(DecodeError);
    const hostile = new Uint8Array(200_001).fill(0x91);
    expect(() => values.decode(hostile)).toThrow(DecodeError);
    expect(() => valueCodec({ depth: 2 }).encode(nested(3))).toThrow(TypeError);
  });

  it('has objects of any number of keys', () => {
    const keys = Array.from({ length: 70_000 }, (_, at) => [`key ${at}`, at] as const);
    const value = Object.fromEntries(keys);
    expect(valueCodec().decode(valueCodec().encode(value))).toEqual(value);
  });

  it('has keys of any name, and asks no value how it wants to be written', () => {
    const value = { constructor: 1, toJSON: 2, hasOwnProperty: 3, then: 4 };
    expect(valueCodec().decode(valueCodec().encode(value))).toEqual(value);
  });

  it('limits how large a value is', () => {
    const small = valueCodec<string>({ bytes: 10 });
    expect(small.decode(small.encode('123456789'))).toBe('123456789');
    expect(() => small.encode('1234567890')).toThrow(TypeError);
    expect(() => small.decode(values.encode('1234567890'))).toThrow(DecodeError);
  });

  it('refuses what is truncated, what trails, and types of others', () => {
    const bytes = values.encode({ a: [1, 'two', Uint8Array.of(3)] });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => values.decode(bytes.subarray(0, length))).toThrow(DecodeError);
    }
    expect(() => values.decode(Uint8Array.of(...bytes, 0))).toThrow(DecodeError);
    const others = new Packr({ useRecords: false, moreTypes: true });
    for (const other of [new Set([1]), /a/, new Error('a'), new Float64Array(1)]) {
      expect(() => values.decode(others.pack([other]))).toThrow(DecodeError);
    }
  });

  it('throws nothing but a DecodeError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        outcome(() => values.decode(bytes));
      }),
      { ...seeded, numRuns: 3000 },
    );
    expect(outcome(() => values.decode(new Uint8Array(0)))).toBeInstanceOf(DecodeError);
  });
});

const config = { voters: ['a', 'b'], newVoters: ['b', '__proto__'], nonVoters: ['\u{1f9ea}'] };
const entries: LogEntries<Uint8Array> = entriesOf<Uint8Array>({ term: 2, index: 7 }, [
  { type: 'command', command: Uint8Array.of(1) },
  { type: 'term', term: 3 },
  { type: 'config', config },
  { type: 'command', command: new Uint8Array(0) },
  { type: 'term', term: 9 },
]);

describe('entries', () => {
  it('come back as they were', () => {
    const list = [entries, emptyEntries(), emptyEntries({ term: 1, index: 3 })];
    const most = { term: 1, index: Number.MAX_SAFE_INTEGER - 1 };
    for (const each of [...list, entriesOf(most, [{ type: 'term', term: 2 ** 52 }])]) {
      expect(unpackEntries(packEntries(each, byteCodec), byteCodec)).toStrictEqual(each);
    }
    const length = 1_000_000;
    const voids = { ...entriesOf({ term: 0, index: 0 }, [{ type: 'term', term: 1 }]), length };
    const bytes = packEntries(voids, valueCodec<undefined>());
    expect(bytes.length).toBeLessThan(30);
    expect(unpackEntries(bytes, valueCodec<undefined>())).toStrictEqual(voids);
  });

  it('of any history come back as they were', () => {
    const chance = chanceOf(5);
    let memory = nothing;
    for (let step = 0; step < 500; step += 1) {
      const write = randomWrite(chance, memory);
      memory = remember(memory, write);
      if (!write.entries) continue;
      const bytes = packEntries(write.entries, byteCodec);
      expect(unpackEntries(bytes, byteCodec)).toStrictEqual(write.entries);
    }
    expect(memory.log.length).toBeGreaterThan(0);
  });

  it('have no share in the bytes', () => {
    const bytes = Uint8Array.from(packEntries(entries, byteCodec));
    const decoded = unpackEntries(bytes, byteCodec);
    bytes.fill(0);
    expect(decoded).toStrictEqual(entries);
  });

  it('a column without a value is none', () => {
    const bare = { ...entries, commands: new Array<undefined>(5).fill(undefined) };
    const decoded = unpackEntries(packEntries(bare, byteCodec), byteCodec);
    expect(decoded.commands).toBeNull();
  });

  const body = (change: Record<number, unknown>) => {
    const parts: unknown[] = [2, 7, 3, [8, 3], [9, ['a'], [], []], [null, null, Uint8Array.of(1)]];
    return pack(Object.assign(parts, change));
  };
  it.each<[string, unknown]>([
    ['a term that is no integer', { 0: 1.5 }],
    ['a negative term', { 0: -1 }],
    ['an unsafe index (H6)', { 1: 2 ** 53 }],
    ['an infinite index', { 1: Infinity }],
    ['NaN as an index', { 1: NaN }],
    ['text as an index', { 1: '7' }],
    ['a bigint as an index', { 1: 2n ** 63n }],
    ['a term before the first entry (B15)', { 1: 0, 3: [1, 3], 4: [2, ['a'], [], []] }],
    ['a length beyond safe integers', { 2: Number.MAX_SAFE_INTEGER, 5: null }],
    ['a length that is not the column’s (H9)', { 2: 4 }],
    ['terms that are no list', { 3: 8 }],
    ['half a term', { 3: [8] }],
    ['a term at or before prevPosition', { 3: [7, 3] }],
    ['a term behind the last entry', { 3: [11, 3] }],
    ['terms that do not grow (B22)', { 3: [8, 2] }],
    ['terms that go down', { 3: [8, 4, 9, 3], 4: [] }],
    ['two terms at one index', { 3: [8, 3, 8, 4] }],
    ['a configuration out of range', { 4: [11, ['a'], [], []] }],
    ['configurations out of order', { 4: [9, ['a'], [], [], 8, ['a'], [], []] }],
    ['a configuration without voters', { 4: [9, [], [], []] }],
    ['a configuration with an id twice (H9)', { 4: [9, ['a', 'a'], [], []] }],
    ['a configuration with a number for an id', { 4: [9, [1], [], []] }],
    ['a configuration with an empty id', { 4: [9, [''], [], []] }],
    ['half a configuration', { 4: [9, ['a'], []] }],
    ['a command where a term begins', { 5: [Uint8Array.of(1), null, null] }],
    ['a command where a configuration is', { 5: [null, Uint8Array.of(1), null] }],
    ['a command that is no bytes', { 5: [null, null, 'a'] }],
    ['a column that is no list', { 5: {} }],
    ['a part too many', { 6: 1 }],
  ])('with %s are refused', (_, change) => {
    const sound = unpackEntries(body({}), byteCodec);
    expect(sound).toMatchObject({ length: 3, prevPosition: { term: 2, index: 7 } });
    const bytes = body(change as Record<number, unknown>);
    expect(() => unpackEntries(bytes, byteCodec)).toThrow(DecodeError);
  });

  it('with -0 as a term are refused (H6)', () => {
    const bytes = body({ 0: 1.5, 3: [8, 3] });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    view.setFloat64(bytes.indexOf(0xcb) + 1, -0);
    expect(() => unpackEntries(bytes, byteCodec)).toThrow(DecodeError);
    view.setFloat64(bytes.indexOf(0xcb) + 1, 0);
    expect(unpackEntries(bytes, byteCodec).prevPosition).toEqual({ term: 0, index: 7 });
  });

  it('mutated, are sound or refused: nothing else is ever thrown (H9)', () => {
    const bytes = Uint8Array.from(packEntries(entries, byteCodec));
    let refused = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      for (let value = 0; value < 256; value += 1) {
        const mutated = Uint8Array.from(bytes);
        mutated[at] = value;
        const result = outcome(() => unpackEntries(mutated, byteCodec));
        if (result instanceof DecodeError) refused += 1;
        else packEntries(result as LogEntries<Uint8Array>, byteCodec);
      }
    }
    expect(refused).toBeGreaterThan(bytes.length * 100);
  });

  it('that can’t be are not packed either: what is written must be readable', () => {
    const wrong = { ...entries, configs: [{ index: 10, config: clusterOf([]) }] };
    expect(() => packEntries(wrong, byteCodec)).toThrow(RangeError);
    expect(() => packEntries({ ...entries, length: 4 }, byteCodec)).toThrow(RangeError);
  });

  it('a codec that throws anything makes a DecodeError', () => {
    const json: Codec<unknown> = {
      encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
      decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as unknown,
    };
    const bytes = packEntries(entries, byteCodec);
    expect(() => unpackEntries(bytes, json)).toThrow(DecodeError);
  });
});

describe('a snapshot', () => {
  const snapshot = { position: { term: 3, index: 9 }, config, data: { a: [1, 'x'] } };

  it('comes back as it was', () => {
    const bytes = packSnapshot(snapshot, values);
    expect(unpackSnapshot(bytes, values)).toStrictEqual(snapshot);
  });

  it.each<[string, unknown[]]>([
    ['a part too few', [3, 9, ['a'], [], []]],
    ['no voters', [3, 9, [], [], [], Uint8Array.of(1)]],
    ['voters that are no list', [3, 9, 'a', [], [], Uint8Array.of(1)]],
    ['a negative index', [3, -9, ['a'], [], [], Uint8Array.of(1)]],
    ['data that is no bytes', [3, 9, ['a'], [], [], 1]],
    ['data that is no value', [3, 9, ['a'], [], [], Uint8Array.of(0xc1, 0xc1)]],
  ])('with %s is refused', (_, parts) => {
    expect(() => unpackSnapshot(pack(parts), values)).toThrow(DecodeError);
  });

  it('without voters is not packed either', () => {
    const wrong = { ...snapshot, config: clusterOf([]) };
    expect(() => packSnapshot(wrong, values)).toThrow(RangeError);
  });
});
