/**
 * "Client frames can never be decoded as Raft messages", nor the reverse (H20); decoding is total.
 */
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { byteCodec, DecodeError } from '../../../adapters/codec.js';
import type { Asked } from '../../../adapters/gateway/protocol.js';
import * as gateway from '../../../adapters/gateway/protocol.js';
import type { Answer, Request } from '../../../adapters/key-value/client-protocol.js';
import { keyValueProtocol as protocol } from '../../../adapters/key-value/client-protocol.js';
import { maxKeyBytes, maxValueBytes } from '../../../adapters/key-value/commands.js';
import { messageCodec } from '../../../adapters/message-codec.js';
import { emptyEntries } from '../../../lib/entries.js';
import type { Message } from '../../../lib/message.js';
import { commands, keys, values } from './arbitraries.js';

const encodeRequest = (asked: Asked<Request>) => gateway.encodeRequest(protocol, asked);
const decodeRequests = (frame: Uint8Array) => gateway.decodeRequests(protocol, frame);
const decodeRequest = (frame: Uint8Array) => decodeRequests(frame)[0]?.asked;
const encodeAnswer = (id: number, answer: Answer) => gateway.encodeAnswer(protocol, id, answer);
const decodeAnswer = (frame: Uint8Array) => gateway.decodeAnswer(protocol, frame);

const seeded = { seed: 20, numRuns: 300 };
const packr = new Packr({ useRecords: false });

const requests: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ type: fc.constant('command' as const), command: commands }),
  fc.record({ type: fc.constant('get' as const), key: keys, stale: fc.boolean() }),
  fc.constant({ type: 'status' as const }),
  fc.constantFrom<Request>(
    { type: 'add', id: 'n4', address: '127.0.0.1:7104' },
    { type: 'add', id: '__proto__', address: '[::1]:7104' },
    { type: 'remove', id: 'n4' },
    { type: 'snapshot' },
    { type: 'watch', key: new Uint8Array([0, 255]), isPrefix: true, from: null },
    { type: 'watch', key: new Uint8Array(0), isPrefix: false, from: 2 ** 53 - 1 },
  ),
);

const status = {
  ...{ id: 'n1', cluster: 'n1,n2', address: '127.0.0.1:7101', pid: 12, role: 'leader' as const },
  ...{ term: 3, leader: 'n1', commit: 8, applied: 7, keys: 2, members: { n1: '127.0.0.1:7101' } },
  ...{ voters: ['n1'], nonVoters: ['n2'] },
};

const someChanges = [
  { key: new Uint8Array([0, 255]), value: new Uint8Array([1]) },
  { key: new Uint8Array(0), value: null },
];

const answers: fc.Arbitrary<Answer> = fc.oneof(
  fc.constantFrom<Answer>({ type: 'done' }, { type: 'missing' }, { type: 'conflict' }),
  fc.record({ type: fc.constant('value' as const), value: values }),
  fc.constant<Answer>({ type: 'status', status }),
  fc.constantFrom<Answer>(
    { type: 'refused', reason: 'noLeader', text: 'nobody' },
    { type: 'refused', reason: 'overloaded', text: '' },
    { type: 'unknown', text: 'lost' },
    { type: 'changeRefused', reason: 'lastVoter', text: 'n1' },
    { type: 'snapshot', index: 7 },
    { type: 'watching', index: 0 },
    { type: 'changes', index: 8, changes: someChanges },
    { type: 'current', index: 8, isLast: false, values: [] },
    { type: 'current', index: 8, isLast: true, values: someChanges },
    { type: 'changeRefused', reason: 'noMajority', text: '' },
  ),
);

const ids = fc.maxSafeNat();

/** Bytes as plain lists: a Buffer is as good as any. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      each instanceof Uint8Array
        ? [...each]
        : (each as { type?: string } | null)?.type === 'Buffer'
          ? (each as { data: unknown }).data
          : each,
    ),
  );

describe('a frame', () => {
  it('gives back the request that it was made from', () => {
    fc.assert(
      fc.property(ids, fc.boolean(), requests, (id, forwarded, request) => {
        const asked = { id, forwarded, request };
        expect(plain(decodeRequest(encodeRequest(asked)))).toEqual(plain(asked));
      }),
      seeded,
    );
  });

  it('gives back the answer that it was made from', () => {
    fc.assert(
      fc.property(ids, answers, (id, answer) => {
        expect(plain(decodeAnswer(encodeAnswer(id, answer)))).toEqual(plain({ id, answer }));
      }),
      seeded,
    );
  });

  it('of the longest request fits, with room to spare', () => {
    const key = new Uint8Array(maxKeyBytes);
    const value = new Uint8Array(maxValueBytes);
    const command = { type: 'put', key, value, condition: value } as const;
    const request: Request = { type: 'command', command };
    expect(protocol.faultOf(request)).toBeNull();
    const id = Number.MAX_SAFE_INTEGER;
    expect(encodeRequest({ id, forwarded: true, request }).length).toBeLessThan(
      protocol.maxFrameBytes,
    );
  });

  it('is never a message of Raft, and a message never a request or an answer', () => {
    const codec = messageCodec(byteCodec);
    fc.assert(
      fc.property(ids, requests, answers, (id, request, answer) => {
        const frame = encodeRequest({ id, forwarded: false, request });
        expect(() => codec.decode(frame)).toThrow(DecodeError);
        expect(() => codec.decode(encodeAnswer(id, answer))).toThrow(DecodeError);
      }),
      seeded,
    );
    const from = { from: 'n1', term: 3 };
    const lastPosition = { term: 2, index: 9 };
    const messages: Message<Uint8Array>[] = [
      { type: 'requestVoteCall', ...from, lastPosition },
      { type: 'requestVoteReply', ...from, voteGranted: true },
      {
        ...{ type: 'appendEntriesCall', ...from, round: 1, commitIndex: 1 },
        entries: emptyEntries(lastPosition),
      },
      { type: 'removalNotice', ...from, position: lastPosition },
    ];
    for (const message of messages) {
      expect(() => decodeRequest(codec.encode(message))).toThrow(DecodeError);
      expect(() => decodeAnswer(codec.encode(message))).toThrow(DecodeError);
    }
  });
});

describe('a stranger', () => {
  const key = new Uint8Array([1]);

  it.each([
    ['nothing', []],
    ['no number', [-1, false, 3]],
    ['a number beyond all', [2 ** 53, false, 3]],
    ['no origin', [1, 0, 3]],
    ['no kind', [1, false, 9]],
    ['a status of something', [1, false, 3, key]],
    ['a get without a key', [1, false, 2]],
    ['a get of a text', [1, false, 2, 'key', false]],
    ['a get with more', [1, false, 2, key, false, 1]],
    ['a put without a condition', [1, false, 1, key, key]],
    ['a put of a number', [1, false, 1, key, 7, null]],
    ['a node to add without an id', [1, false, 4, '', '127.0.0.1:7104']],
    ['a node to add nowhere', [1, false, 4, 'n4', 'nowhere']],
    ['a node to add with more', [1, false, 4, 'n4', '127.0.0.1:7104', 1]],
    ['a node to remove by number', [1, false, 5, 4]],
    ['an address, which only a leader may say', [1, false, 1, 'n4', '127.0.0.1:7104', null]],
    ['a watch from a broken index', [1, false, 7, key, true, 1.5]],
    ['a watch from below', [1, false, 7, key, true, -1]],
    ['a watch of a text', [1, false, 7, 'key', true, null]],
    ['a watch of neither one nor many', [1, false, 7, key, null, null]],
    ['a snapshot of something', [1, false, 6, key]],
    ['a list in a list', [1, false, 1, [[[]]], key, null]],
  ])('who says %s gets a DecodeError', (_, words) => {
    expect(() => decodeRequest(packr.pack(words))).toThrow(DecodeError);
  });

  it('can not make the decoder throw anything else, nor spoil the next frame', () => {
    const honest = encodeRequest({ id: 1, forwarded: false, request: { type: 'status' } });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      // A good frame with some bytes changed.
      fc.tuple(requests, fc.nat(40), fc.nat(255)).map(([request, at, byte]) => {
        const frame = encodeRequest({ id: 7, forwarded: false, request }).slice();
        frame[at % frame.length] = byte;
        return frame;
      }),
    );
    fc.assert(
      fc.property(bytes, (frame) => {
        for (const decode of [decodeRequest, decodeAnswer]) {
          try {
            decode(frame);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }
        expect(decodeRequest(honest)).toEqual({
          ...{ id: 1, forwarded: false, request: { type: 'status' } },
        });
      }),
      { ...seeded, numRuns: 2000 },
    );
  });

  it('can not exhaust the stack with lists in lists', () => {
    const deep = new Uint8Array(1 << 20).fill(0x91);
    expect(() => decodeRequest(deep)).toThrow(DecodeError);
    const honest = encodeRequest({ id: 1, forwarded: false, request: { type: 'status' } });
    expect(decodeRequest(honest)?.id).toBe(1);
  });

  it('who claims a status must give all of it', () => {
    const bad = { ...status, pid: 'x' };
    for (const text of ['', '{}', JSON.stringify(bad), JSON.stringify({ ...status, extra: 1 })]) {
      expect(() => decodeAnswer(packr.pack([1, 0, 5, text]))).toThrow(DecodeError);
    }
  });
});
