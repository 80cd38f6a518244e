/**
 * What a store of keys and values keeps, and under which keys. Every value carries the version of
 * the format and a checksum over version, key and body, so that a value that was changed, cut or
 * moved to another key is noticed.
 *
 *     identity   whose store this is
 *     head       the newest batch: its number, term and vote, and which records are alive
 *     snapshot   the number of its batch, and the snapshot
 *     r number   the number of the record before it, and the entries of one append
 */
import type { GenericSchema } from 'valibot';
import {
  maxLength,
  maxValue,
  minValue,
  nullable,
  number,
  pipe,
  safeInteger,
  safeParse,
  strictObject,
  string,
} from 'valibot';
import type { NodeGeneration, NodeId, Term } from '../lib/position.js';
import { DecodeError, valueCodec } from './codec.js';
import { crc32 } from './crc32.js';
import { StoreError } from './storage.js';

/** Raised with every change of what is described here. */
export const formatVersion = 1;

export interface Identity {
  readonly cluster: string;
  readonly node: NodeId;
}

/** Written with every batch. Records from `firstRecord` to before `nextRecord` are alive. */
export interface Head {
  /** One more with every batch that was ever written here. */
  readonly batch: number;
  readonly generation: NodeGeneration;
  readonly currentTerm: Term;
  readonly votedFor: NodeId | null;
  readonly firstRecord: number;
  readonly nextRecord: number;
  /** The batch that brought the snapshot, or 0 without one. */
  readonly snapshotBatch: number;
}

export const pristineHead: Head = Object.freeze({
  batch: 0,
  generation: 0,
  currentTerm: 0,
  votedFor: null,
  firstRecord: 1,
  nextRecord: 1,
  snapshotBatch: 0,
});

const count = pipe(number(), safeInteger(), minValue(0));

/** Half of the numbers that there are: nobody has counted so far, one by one, and goes on. */
const counted = pipe(count, maxValue(2 ** 52));

const identitySchema = strictObject({ cluster: string(), node: string() });

const headSchema = strictObject({
  batch: counted,
  generation: counted,
  currentTerm: count,
  votedFor: nullable(pipe(string(), maxLength(64))),
  firstRecord: counted,
  nextRecord: counted,
  snapshotBatch: counted,
});

export const identityKey: Uint8Array = textKey('identity');
export const headKey: Uint8Array = textKey('head');
export const snapshotKey: Uint8Array = textKey('snapshot');

/** Where the keys of records lie, in the order of their numbers. */
export const recordRange: { readonly gte: Uint8Array; readonly lt: Uint8Array } = {
  gte: textKey('r'),
  lt: textKey('s'),
};

export function recordKey(number: number): Uint8Array {
  return concatenate([recordRange.gte, numberBytes(number)]);
}

export function recordNumberOf(key: Uint8Array): number {
  return readNumber(key.subarray(recordRange.gte.length));
}

function textKey(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const values = valueCodec<unknown>();

export function sealIdentity(identity: Identity): Uint8Array {
  return seal(identityKey, values.encode(identity));
}

export function sealHead(head: Head): Uint8Array {
  return seal(headKey, values.encode(head));
}

/** A record or a snapshot: a number that ties it to the others, and its body. */
export function sealNumbered(key: Uint8Array, number: number, body: Uint8Array): Uint8Array {
  return seal(key, numberBytes(number), body);
}

export function openIdentity(sealed: Uint8Array, culprit: string): Identity {
  return parsed(identitySchema, unseal(identityKey, sealed, culprit), culprit);
}

export function openHead(sealed: Uint8Array, culprit: string): Head {
  return parsed(headSchema, unseal(headKey, sealed, culprit), culprit);
}

export function openNumbered(
  key: Uint8Array,
  sealed: Uint8Array,
  culprit: string,
): { readonly number: number; readonly body: Uint8Array } {
  const opened = unseal(key, sealed, culprit);
  return { number: readNumber(opened.subarray(0, 8)), body: opened.subarray(8) };
}

function parsed<T>(schema: GenericSchema<T>, body: Uint8Array, culprit: string): T {
  const result = safeParse(
    schema,
    decoded(() => values.decode(body), culprit),
  );
  if (!result.success) throw damaged(culprit);
  return result.output;
}

/** What decoding returns. A DecodeError becomes a StoreError. */
export function decoded<T>(decode: () => T, culprit: string): T {
  try {
    return decode();
  } catch (cause) {
    throw cause instanceof DecodeError ? damaged(culprit, cause) : cause;
  }
}

/** The mend of whatever can't be mended. */
export const addAnew = 'remove the node from the cluster, and add it anew on an empty store';

export function damaged(culprit: string, cause?: unknown): StoreError {
  return new StoreError('damaged', culprit, `is damaged: ${addAnew}`, { cause });
}

const headerLength = 5;

/** A byte of version, four of checksum, the body. */
function seal(key: Uint8Array, ...body: readonly Uint8Array[]): Uint8Array {
  const sealed = concatenate([new Uint8Array(headerLength), ...body]);
  sealed[0] = formatVersion;
  viewOf(sealed).setUint32(1, checksum(key, sealed));
  return sealed;
}

function unseal(key: Uint8Array, sealed: Uint8Array, culprit: string): Uint8Array {
  const whole = sealed.length >= headerLength;
  if (!whole || viewOf(sealed).getUint32(1) !== checksum(key, sealed)) throw damaged(culprit);
  const [version] = sealed;
  if (version !== formatVersion) {
    const mend = `has format version ${version}, this program reads ${formatVersion}: use another`;
    throw new StoreError('version', culprit, mend);
  }
  return sealed.subarray(headerLength);
}

function checksum(key: Uint8Array, sealed: Uint8Array): number {
  return crc32(sealed.subarray(headerLength), crc32(key, crc32(sealed.subarray(0, 1))));
}

/** Eight bytes, the greatest first: they sort as the numbers do. */
export function numberBytes(number: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, BigInt(number));
  return bytes;
}

/** The number of eight bytes, or -1 for anything else. */
export function readNumber(bytes: Uint8Array): number {
  const number = bytes.length === 8 ? Number(viewOf(bytes).getBigUint64(0)) : -1;
  return Number.isSafeInteger(number) ? number : -1;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
