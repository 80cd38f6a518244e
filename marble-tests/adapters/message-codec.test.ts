/**
 * Messages as bytes: what is sent is what arrives, and nothing else is ever taken for a message.
 *
 * "Total decoder: never throws out of the operator, no partial state change" (H9).
 */
import fc from 'fast-check';
import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import type { Codec } from '../../adapters/codec.js';
import { byteCodec, DecodeError, valueCodec } from '../../adapters/codec.js';
import { messageCodec } from '../../adapters/message-codec.js';
import type { LogEntries, LogEntry } from '../../lib/entries.js';
import { emptyEntries, entriesOf } from '../../lib/entries.js';
import type { Message } from '../../lib/message.js';
import { origin } from '../../lib/position.js';

const codec = messageCodec(byteCodec);

const natural = fc.oneof(fc.nat(300), fc.maxSafeNat());
const id = fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme-ascii' });
const plain = { noNullPrototype: true } as const;
const position = fc.record({ term: natural, index: natural }, plain);
const entry: fc.Arbitrary<LogEntry<Uint8Array>> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((command) => ({ type: 'command' as const, command })),
  fc.uniqueArray(id, { minLength: 1, maxLength: 3 }).map((voters) => ({
    type: 'config' as const,
    config: { voters, newVoters: [], nonVoters: [] },
  })),
);
const entries: fc.Arbitrary<LogEntries<Uint8Array>> = fc
  .tuple(fc.nat(1000), fc.nat(1000), fc.array(fc.array(entry, { maxLength: 3 }), { maxLength: 3 }))
  .map(([term, index, runs]) =>
    entriesOf(
      index === 0 ? origin : { term, index },
      runs.flatMap((run, at) => [{ type: 'term' as const, term: term + at + 1 }, ...run]),
    ),
  );
const common = { from: id, term: natural };
const message: fc.Arbitrary<Message<Uint8Array>> = fc.oneof(
  fc.record({ type: fc.constant('requestVoteCall'), ...common, lastPosition: position }, plain),
  fc.record({ type: fc.constant('requestVoteReply'), ...common, voteGranted: fc.boolean() }, plain),
  fc.record({ type: fc.constant('removalNotice'), ...common, position }, plain),
  fc.record(
    {
      type: fc.constant('appendEntriesCall'),
      ...common,
      round: natural,
      commitIndex: natural,
      entries,
    },
    plain,
  ),
  fc.record(
    {
      type: fc.constant('appendEntriesReply'),
      ...common,
      round: natural,
      generation: natural,
      refused: fc.boolean(),
      lastPosition: position,
    },
    plain,
  ),
);

/** A frame with this header and tail. */
function frame(header: Uint8Array, tail = new Uint8Array(0)): Uint8Array {
  return Uint8Array.from([header.length >>> 8, header.length & 0xff, ...header, ...tail]);
}

/** The message of these bytes, or undefined. Anything but a DecodeError fails the test. */
function decoded(bytes: Uint8Array, by: Codec<Message> = codec): unknown {
  try {
    return by.decode(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return undefined;
  }
}

const samples: Message<Uint8Array>[] = [
  { type: 'requestVoteCall', from: 'a', term: 3, lastPosition: { term: 2, index: 9 } },
  { type: 'requestVoteReply', from: 'a', term: 3, voteGranted: false },
  { type: 'removalNotice', from: 'a', term: 3, position: { term: 2, index: 9 } },
  {
    type: 'appendEntriesReply',
    from: 'a',
    term: 3,
    round: 4,
    generation: 5,
    refused: true,
    lastPosition: { term: 2, index: 9 },
  },
  {
    type: 'appendEntriesCall',
    from: 'a',
    term: 3,
    round: 4,
    commitIndex: 5,
    entries: entriesOf({ term: 2, index: 9 }, [
      { type: 'term', term: 3 },
      { type: 'command', command: Uint8Array.of(1, 2, 3) },
      { type: 'config', config: { voters: ['a', 'b'], newVoters: ['c'], nonVoters: ['d'] } },
    ]),
  },
];

describe('messageCodec', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(message, (each) => {
        expect(codec.decode(codec.encode(each))).toStrictEqual(each);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('never aliases the bytes it was given', () => {
    const call = samples[4] as Message<Uint8Array>;
    const bytes = codec.encode(call);
    const result = codec.decode(bytes);
    bytes.fill(0xff);
    expect(result).toStrictEqual(call);
  });

  it('reads a message from the middle of a buffer', () => {
    for (const each of samples) {
      const bytes = codec.encode(each);
      const around = new Uint8Array(7 + bytes.length + 9).fill(1);
      around.set(bytes, 7);
      expect(codec.decode(around.subarray(7, 7 + bytes.length))).toStrictEqual(each);
    }
  });

  it('refuses every beginning of a message, and every message with more behind it', () => {
    for (const each of samples) {
      const bytes = codec.encode(each);
      for (let length = 0; length < bytes.length; length += 1) {
        expect(decoded(bytes.slice(0, length))).toBeUndefined();
      }
      for (const more of [0, 1, 0xc0, 0xff]) {
        expect(decoded(Uint8Array.from([...bytes, more]))).toBeUndefined();
      }
    }
  });

  it('every number is a safe integer from 0 on (H6)', () => {
    const wrong = [-1, 0.5, NaN, Infinity, 2 ** 53, '1', null, undefined, true, [], {}, 1n, -1n];
    for (const each of [...wrong, 2n ** 63n, new Date(5)]) {
      expect(decoded(frame(pack([1, 'a', each, 1, 1])))).toBeUndefined();
      expect(decoded(frame(pack([1, 'a', 1, each, 1])))).toBeUndefined();
      expect(decoded(frame(pack([1, 'a', 1, 1, each])))).toBeUndefined();
      for (const at of [2, 3, 4, 6, 7]) {
        const fields: unknown[] = [4, 'a', 1, 2, 3, true, 4, 5];
        expect(decoded(frame(pack(fields)))).toBeDefined();
        fields[at] = each;
        expect(decoded(frame(pack(fields)))).toBeUndefined();
      }
    }
  });

  it('no number is a negative zero', () => {
    const zero = [0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0];
    for (const number of [zero, [0x00]]) {
      const header = Uint8Array.of(0x94, 2, 0xa1, 0x61, ...number, 0xc3);
      expect(decoded(frame(header)) === undefined).toBe(number === zero);
    }
  });

  it('a sender that no text can show is refused like others: no error of another kind (H9)', () => {
    for (const from of [2n ** 63n + 1n, -(2n ** 63n)]) {
      const header = pack([1, from, 2, 1, 1]);
      const frame = Uint8Array.of(0, header.length, ...header);
      expect(() => codec.decode(frame)).toThrow(DecodeError);
    }
  });

  it('a sender has a node id, and a truth is true or false', () => {
    for (const each of ['', 'x'.repeat(65), 7, null, ['a'], { length: 1 }, true]) {
      expect(decoded(frame(pack([2, each, 1, true])))).toBeUndefined();
    }
    for (const each of [0, 1, 'true', null, undefined, [], {}]) {
      expect(decoded(frame(pack([2, 'a', 1, each])))).toBeUndefined();
    }
    expect(decoded(frame(pack([2, 'a', 1, true])))).toBeDefined();
  });

  it('refuses unknown kinds, missing and additional fields', () => {
    for (const kind of [0, 6, -1, 255, '1', 'requestVoteCall', null, NaN, '__proto__']) {
      expect(decoded(frame(pack([kind, 'a', 1, 1, 1])))).toBeUndefined();
    }
    for (const fields of [[], [1], [1, 'a', 1, 1], [1, 'a', 1, 1, 1, 1], [2, 'a', 1, true, null]]) {
      expect(decoded(frame(pack(fields)))).toBeUndefined();
    }
  });

  it('a header is one flat list: no map, no prototype, no nesting (H4, H12)', () => {
    const object = JSON.parse('{"__proto__":{"x":1},"type":"requestVoteCall","term":1}') as unknown;
    for (const each of [object, { 0: 1, 1: 'a', length: 5 }, 'text', 1, null, new Set([1])]) {
      expect(decoded(frame(pack(each)))).toBeUndefined();
    }
    const nested = Uint8Array.from({ length: 510 }, () => 0x91);
    expect(decoded(frame(nested))).toBeUndefined();
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('a header is short, whatever it says of itself (H10)', () => {
    const long = frame(new Uint8Array(600).fill(0x91));
    expect(() => codec.decode(long)).toThrow(new DecodeError('a message without its header'));
    const million = Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff, 1, 2, 3);
    expect(decoded(frame(million))).toBeUndefined();
  });

  it('only an append has entries, and it always has', () => {
    const tail = codec.encode(samples[4] as Message<Uint8Array>).slice(10);
    expect(decoded(frame(pack([2, 'a', 1, true]), tail))).toBeUndefined();
    expect(decoded(frame(pack([3, 'a', 1, 1, 1])))).toBeUndefined();
  });

  it('survives 20,000 mutated frames: a message that makes sense, or a DecodeError', () => {
    const random = generator(7);
    const below = (limit: number): number => Math.floor(random() * limit);
    const frames = [...samples, { ...samples[4], entries: emptyEntries() } as Message<Uint8Array>];
    let taken = 0;
    for (let run = 0; run < 20_000; run += 1) {
      const bytes = [...codec.encode(frames[below(frames.length)] as Message<Uint8Array>)];
      for (let times = 1 + below(4); times > 0; times -= 1) {
        const at = below(bytes.length);
        const kind = below(4);
        if (kind === 0) bytes[at] = below(256);
        if (kind === 1) bytes.splice(at, 1 + below(8));
        if (kind === 2) bytes.splice(at, 0, ...bytes.slice(below(bytes.length), at + 9));
        if (kind === 3) bytes.splice(at, 0, 0xc1 + below(31));
      }
      const result = decoded(Uint8Array.from(bytes));
      if (result === undefined) continue;
      taken += 1;
      expect(codec.decode(codec.encode(result as Message<Uint8Array>))).toStrictEqual(result);
    }
    expect(taken).toBeGreaterThan(100);
    expect(taken).toBeLessThan(15_000);
  });

  it('commands of any codec come through, and their faults too', () => {
    const values = messageCodec(valueCodec<{ key: string }>());
    const call: Message<{ key: string }> = {
      type: 'appendEntriesCall',
      from: 'a',
      term: 1,
      round: 1,
      commitIndex: 0,
      entries: entriesOf({ term: 1, index: 1 }, [{ type: 'command', command: { key: 'ä' } }]),
    };
    const bytes = values.encode(call);
    expect(values.decode(bytes)).toStrictEqual(call);
    const raw = codec.encode({
      ...call,
      entries: entriesOf({ term: 1, index: 1 }, [
        { type: 'command', command: Uint8Array.of(0xc1) },
      ]),
    });
    expect(decoded(raw, values as never)).toBeUndefined();
  });
});

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
