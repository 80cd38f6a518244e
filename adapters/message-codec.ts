/**
 * Messages as bytes: a short header of scalars, and behind it the entries of an append.
 *
 *     | header length: 2 bytes | header: msgpack | entries |
 *
 * The header is one flat list, `[kind, from, term, …]`, and so short that nothing in it can grow,
 * nest or repeat. A decoded message is built anew from its fields: no key comes from outside.
 */
import { Packr } from 'msgpackr';
import { faultOfNodeId } from '../lib/cluster-config.js';
import type { Message } from '../lib/message.js';
import type { LogPosition, NodeId } from '../lib/position.js';
import { type Codec, DecodeError, packEntries, unpackEntries } from './codec.js';

export { DecodeError } from './codec.js';

const kindOf = {
  requestVoteCall: 1,
  requestVoteReply: 2,
  appendEntriesCall: 3,
  appendEntriesReply: 4,
  removalNotice: 5,
} as const satisfies { [T in Message['type']]: number };

/** A node id of 64 characters and the numbers of any kind need less. */
const maxHeaderBytes = 512;

/** Only ever given short lists of scalars. */
const packr = new Packr({ useRecords: false, moreTypes: false, structuredClone: false });

const nothing = new Uint8Array(0);

/**
 * The codec of messages whose commands have this one. Decoding is total and strict: every kind has
 * its fields exactly, terms and indexes are safe integers from 0 on, ids are node ids, entries are
 * those of `unpackEntries`, and nothing is left over. Anything else is a DecodeError. What the
 * fields say to each other (is this term over, are these entries ours) is for the core to judge.
 */
export function messageCodec<C>(commands: Codec<C>): Codec<Message<C>> {
  return {
    encode(message) {
      const entries =
        message.type === 'appendEntriesCall' ? packEntries(message.entries, commands) : nothing;
      const header = packr.pack(headerOf(message));
      const bytes = new Uint8Array(2 + header.length + entries.length);
      bytes[0] = header.length >>> 8;
      bytes[1] = header.length & 0xff;
      bytes.set(header, 2);
      bytes.set(entries, 2 + header.length);
      return bytes;
    },
    decode(bytes) {
      const length = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
      if (length === 0 || length > maxHeaderBytes || bytes.length < 2 + length) {
        throw new DecodeError('a message without its header');
      }
      return messageOf(fieldsOf(bytes, 2 + length), bytes, 2 + length, commands);
    },
  };
}

function headerOf(message: Message): readonly (string | number | boolean)[] {
  const { from, term } = message;
  const common = [kindOf[message.type], from, term] as const;
  switch (message.type) {
    case 'requestVoteCall':
      return [...common, message.lastPosition.term, message.lastPosition.index];
    case 'requestVoteReply':
      return [...common, message.voteGranted];
    case 'appendEntriesCall':
      return [...common, message.round, message.commitIndex];
    case 'appendEntriesReply': {
      const { round, generation, refused, lastPosition } = message;
      return [...common, round, generation, refused, lastPosition.term, lastPosition.index];
    }
    case 'removalNotice':
      return [...common, message.position.term, message.position.index];
  }
}

/** Of a view of the bytes: msgpackr leaves a mark on what it reads. */
function fieldsOf(bytes: Uint8Array, end: number): readonly unknown[] {
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, end);
  let fields: unknown;
  try {
    fields = packr.unpack(view, { start: 2 });
  } catch (error) {
    throw new DecodeError('a header that is not msgpack', { cause: error });
  }
  if (!Array.isArray(fields)) throw new DecodeError('a header that is no list');
  return fields as unknown[];
}

function messageOf<C>(
  fields: readonly unknown[],
  bytes: Uint8Array,
  end: number,
  commands: Codec<C>,
): Message<C> {
  const [kind, sender, era, ...rest] = fields;
  const from = nodeId(sender);
  const term = natural(era);
  if (kind !== kindOf.appendEntriesCall && bytes.length > end) {
    throw new DecodeError(`${bytes.length - end} bytes behind the message`);
  }
  switch (kind) {
    case kindOf.requestVoteCall: {
      const [lastTerm, lastIndex] = exactly(2, rest);
      const lastPosition = position(lastTerm, lastIndex);
      return { type: 'requestVoteCall', from, term, lastPosition };
    }
    case kindOf.requestVoteReply: {
      const [granted] = exactly(1, rest);
      return { type: 'requestVoteReply', from, term, voteGranted: truth(granted) };
    }
    case kindOf.appendEntriesCall: {
      const [round, commitIndex] = exactly(2, rest).map(natural) as [number, number];
      const entries = unpackEntries(bytes.subarray(end), commands);
      return { type: 'appendEntriesCall', from, term, round, commitIndex, entries };
    }
    case kindOf.appendEntriesReply: {
      const [round, generation, refused, lastTerm, lastIndex] = exactly(5, rest);
      return {
        type: 'appendEntriesReply',
        from,
        term,
        round: natural(round),
        generation: natural(generation),
        refused: truth(refused),
        lastPosition: position(lastTerm, lastIndex),
      };
    }
    case kindOf.removalNotice: {
      const [configTerm, configIndex] = exactly(2, rest);
      return { type: 'removalNotice', from, term, position: position(configTerm, configIndex) };
    }
    default:
      throw new DecodeError('a message of no known kind');
  }
}

function exactly(count: number, rest: readonly unknown[]): readonly unknown[] {
  if (rest.length !== count) throw new DecodeError(`${rest.length} fields instead of ${count}`);
  return rest;
}

function position(term: unknown, index: unknown): LogPosition {
  return { term: natural(term), index: natural(index) };
}

function natural(value: unknown): number {
  const good = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  if (!good || Object.is(value, -0)) throw new DecodeError('a number that counts nothing');
  return value;
}

function truth(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new DecodeError('neither true nor false');
  return value;
}

function nodeId(value: unknown): NodeId {
  if (faultOfNodeId(value) !== null) throw new DecodeError('a sender without a node id');
  return value as NodeId;
}
