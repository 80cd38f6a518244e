/**
 * Bytes for values: at the edge, once, on the way to a wire or a disk, and once on the way back.
 *
 * What is decoded comes from a stranger: decoding is total, throws nothing but a DecodeError, and
 * builds fresh values that never alias the bytes they were read from.
 */
import { Packr } from 'msgpackr';
import type { ClusterConfig } from '../lib/cluster-config.js';
import { faultOf } from '../lib/cluster-config.js';
import type { ConfigEntry, LogEntries, TermRun } from '../lib/entries.js';
import type { Snapshot } from '../lib/snapshot.js';
import { faultOfValue } from './plain-value.js';

/** Bytes that mean nothing, or too much. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** The bytes of one kind of value: a command, or the data of a snapshot. */
export interface Codec<T> {
  /** The bytes of a value, the same on every machine. Throws a TypeError on what has none. */
  encode(value: T): Uint8Array;
  /** The value of bytes, without a share in them. Throws a DecodeError, and nothing else. */
  decode(bytes: Uint8Array): T;
}

/** For values that are bytes already. */
export const byteCodec: Codec<Uint8Array> = {
  encode: (value) => value,
  decode: (bytes) => Uint8Array.from(bytes),
};

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** For text, as its UTF-8. A lone surrogate, which has none, is refused. */
export const textCodec: Codec<string> = {
  encode(value) {
    const fault = typeof value === 'string' ? faultOfValue(value, 0) : 'it is no text';
    if (fault !== null) throw new TypeError(`a text can't be encoded: ${fault}`);
    return utf8.encode(value);
  },
  decode(bytes) {
    try {
      return strictUtf8.decode(bytes);
    } catch (cause) {
      throw new DecodeError('the bytes are no UTF-8', { cause });
    }
  },
};

/** Bytes that are read once before they are believed: on the disk they would end the node. */
export function readable(read: (bytes: Uint8Array) => unknown): Codec<Uint8Array> {
  return {
    encode: (bytes) => bytes,
    decode: (bytes) => {
      const copy = byteCodec.decode(bytes);
      read(copy);
      return copy;
    },
  };
}

export interface ValueCodecOptions {
  /** Containers within containers. Default 64. */
  readonly depth?: number;
  /** Bytes of one value. Default 64 MiB. */
  readonly bytes?: number;
}

// References within a value are no values: a few of them would unfold to more than there is memory.
const plain = {
  useRecords: false,
  mapsAsObjects: true,
  useBigIntExtension: true,
  structuredClone: false,
  // A key `toJSON` is a key as any other.
  useToJSON: false,
};
const copying = new Packr({ ...plain, copyBuffers: true });
/** The other one counts keys by two bytes, always. */
const spacious = new Packr({ ...plain, copyBuffers: true, variableMapSize: true });
/** Leaves the copying of bytes to the codec within. */
const viewing = new Packr({ ...plain, copyBuffers: false });

/**
 * For plain structured values, by msgpackr: null, undefined, booleans, numbers, bigints, strings,
 * Uint8Arrays, valid Dates, arrays and plain objects of them. All else is refused with a TypeError
 * when it is encoded, and so are a lone surrogate and a key `__proto__`, which would not survive;
 * -0 becomes 0, and an object without a prototype gets that of all others.
 */
export function valueCodec<T>(options: ValueCodecOptions = {}): Codec<T> {
  const { depth = 64, bytes: limit = 64 << 20 } = options;
  return {
    encode(value) {
      const fault = faultOfValue(value, depth);
      if (fault !== null) throw new TypeError(`a value can't be encoded: ${fault}`);
      const packed = Uint8Array.from(pack(value));
      if (packed.length > limit) throw new TypeError(`a value of more than ${limit} bytes`);
      return packed;
    },
    decode(bytes) {
      if (bytes.length > limit) throw new DecodeError(`a value of more than ${limit} bytes`);
      const value = unpack(copying, bytes);
      const fault = faultOfValue(value, depth);
      if (fault !== null) throw new DecodeError(fault);
      return value as T;
    },
  };
}

/** Objects of more than 65,535 keys have a form of their own. */
function pack(value: unknown): Uint8Array {
  try {
    return copying.pack(value);
  } catch {
    return spacious.pack(value);
  }
}

/** A plain view of the bytes is unpacked: msgpackr would mark the given one, and return Buffers. */
function unpack(packr: Packr, bytes: Uint8Array): unknown {
  try {
    return packr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    throw new DecodeError('the bytes are no MessagePack value', { cause: error });
  }
}

/** The body of entries: no version and no checksum, which belong to the frame or record around. */
export function packEntries<C>(entries: LogEntries<C>, commands: Codec<C>): Uint8Array {
  const fault = faultOfEntries(entries);
  if (fault !== null) throw new RangeError(`entries can't be packed: ${fault}`);
  const { prevPosition, length, terms, configs } = entries;
  const column = entries.commands?.map((command) =>
    command === undefined ? null : commands.encode(command),
  );
  return viewing.pack([
    prevPosition.term,
    prevPosition.index,
    length,
    terms.flatMap((run) => [run.index, run.term]),
    configs.flatMap(({ index, config }) => [index, ...listsOf(config)]),
    column ?? null,
  ]);
}

/** Entries that have all the properties of a part of a log. Throws a DecodeError. */
export function unpackEntries<C>(bytes: Uint8Array, commands: Codec<C>): LogEntries<C> {
  const [term, index, length, runs, configs, column] = tupleOf(unpack(viewing, bytes), 6);
  const slots = column === null ? null : listOf(column).map((slot) => slotOf(slot, commands));
  const entries: LogEntries<C> = {
    prevPosition: { term: countOf(term), index: countOf(index) },
    length: countOf(length),
    terms: chunksOf(runs, 2).map(termRunOf),
    configs: chunksOf(configs, 4).map(configEntryOf),
    commands: slots?.some((command) => command !== undefined) ? slots : null,
  };
  const fault = slots && slots.length !== entries.length ? 'a column' : faultOfEntries(entries);
  if (fault !== null) throw new DecodeError(`entries that can't be: ${fault}`);
  return entries;
}

/** The body of a snapshot: no version and no checksum. */
export function packSnapshot<S>(snapshot: Snapshot<S>, data: Codec<S>): Uint8Array {
  const { position, config } = snapshot;
  const fault = faultOf(config);
  if (fault !== null) throw new RangeError(`a snapshot can't be packed: ${fault}`);
  const bytes = data.encode(snapshot.data);
  return viewing.pack([position.term, position.index, ...listsOf(config), bytes]);
}

/** A snapshot with a configuration that can be. Throws a DecodeError. */
export function unpackSnapshot<S>(bytes: Uint8Array, data: Codec<S>): Snapshot<S> {
  const [term, index, voters, newVoters, nonVoters, encoded] = tupleOf(unpack(viewing, bytes), 6);
  const config = configOf([voters, newVoters, nonVoters]);
  const fault = faultOf(config);
  if (fault !== null) throw new DecodeError(`a snapshot that can't be: ${fault}`);
  return {
    position: { term: countOf(term), index: countOf(index) },
    config,
    data: decodeWith(data, encoded),
  };
}

/** What is wrong with a range, in words, or null. Costs its terms and configurations only. */
function faultOfEntries(entries: LogEntries): string | null {
  const { prevPosition, length, terms, configs, commands } = entries;
  const last = prevPosition.index + length;
  if (!Number.isSafeInteger(last)) return 'they go too far';
  let { index, term } = prevPosition;
  if (index === 0 && term !== 0) return 'a term before the first entry';
  for (const run of terms) {
    if (run.index <= index || run.index > last || run.term <= term) return 'terms out of order';
    ({ index, term } = run);
    if (commands && commands[index - prevPosition.index - 1] !== undefined)
      return 'a command where there is none';
  }
  index = prevPosition.index;
  for (const { index: at, config } of configs) {
    if (at <= index || at > last) return 'configurations out of order';
    const fault = faultOf(config);
    if (fault !== null) return fault;
    index = at;
    if (commands && commands[index - prevPosition.index - 1] !== undefined)
      return 'a command where there is none';
  }
  return commands && commands.length !== length ? 'a column of another length' : null;
}

function listsOf(config: ClusterConfig): (readonly string[])[] {
  return [config.voters, config.newVoters, config.nonVoters];
}

function configOf(lists: readonly unknown[]): ClusterConfig {
  const [voters = [], newVoters = [], nonVoters = []] = lists.map((ids) => listOf(ids).map(textOf));
  return { voters, newVoters, nonVoters };
}

function termRunOf([index, term]: readonly unknown[]): TermRun {
  return { index: countOf(index), term: countOf(term) };
}

function configEntryOf([index, ...lists]: readonly unknown[]): ConfigEntry {
  return { index: countOf(index), config: configOf(lists) };
}

function slotOf<C>(slot: unknown, commands: Codec<C>): C | undefined {
  return slot === null ? undefined : decodeWith(commands, slot);
}

function decodeWith<T>(codec: Codec<T>, bytes: unknown): T {
  if (!(bytes instanceof Uint8Array)) throw new DecodeError('no bytes');
  try {
    return codec.decode(bytes);
  } catch (error) {
    throw new DecodeError('the bytes are no value of this codec', { cause: error });
  }
}

function countOf(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)) {
    return value as number;
  }
  throw new DecodeError('no integer from 0 on');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new DecodeError('no text');
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new DecodeError('no list');
}

function tupleOf(value: unknown, length: number): readonly unknown[] {
  const list = listOf(value);
  if (list.length === length) return list;
  throw new DecodeError(`a list of ${list.length}, not of ${length}`);
}

function chunksOf(value: unknown, size: number): readonly unknown[][] {
  const list = listOf(value);
  if (list.length % size !== 0) throw new DecodeError('a list that ends too early');
  const chunks: unknown[][] = [];
  for (let at = 0; at < list.length; at += size) chunks.push(list.slice(at, at + size));
  return chunks;
}
