/**
 * The replicated state machine (§2): a store of keys and values, both of them bytes.
 *
 * It is changed in place, because a copy per command would cost in proportion to the store. So
 * nothing that leaves this file aliases it: results are words, and a snapshot is packed.
 */
import { DecodeError } from '../codec.js';
import type { NodeId } from '../../lib/position.js';
import type { AnyCommand, Command } from './commands.js';

export interface State {
  /** By the latin1 text of their keys: one character for a byte, so no key is lost or bent. */
  readonly values: Map<string, Uint8Array>;
  /** Where members live. Apart from the values: no key can reach them. */
  readonly addresses: Map<NodeId, string>;
}

export function emptyState(): State {
  return { values: new Map(), addresses: new Map() };
}

/** A put or delete that was done, a delete of nothing, a condition that does not hold. */
export type Result = 'done' | 'missing' | 'conflict';

interface Outcome {
  readonly state: State;
  readonly result: Result;
}

export function reducer(state: State, command: AnyCommand): Outcome {
  const { values, addresses } = state;
  if (command.type === 'address') {
    if (command.address === null) addresses.delete(command.id);
    else addresses.set(command.id, command.address);
    return { state, result: 'done' };
  }
  const name = nameOf(command.key);
  const current = values.get(name);
  if (!holds(command, current)) return { state, result: 'conflict' };
  if (command.type === 'put') {
    // A view would keep the whole block alive for as long as this value.
    values.set(name, copyOf(command.value));
    return { state, result: 'done' };
  }
  return { state, result: values.delete(name) ? 'done' : 'missing' };
}

/** The value of a key, never changed in place, or undefined. */
export function lookUp(state: State, key: Uint8Array): Uint8Array | undefined {
  return state.values.get(nameOf(key));
}

/** 1 had no addresses. */
const snapshotVersion = 2;
const headBytes = 5;
const lengthBytes = 8;

/**
 * `version: 1 byte, keys: 4 bytes`, and for each key `length: 4, length: 4, key, value`; then
 * `addresses: 4 bytes`, and for each `length: 4, length: 4, id, address`.
 *
 * The node does nothing else meanwhile, and must be done before its peers miss its heartbeats. So
 * the bytes are laid down in one piece of known length: four times as fast as a list of
 * MessagePack.
 */
export function save({ values, addresses }: State): Uint8Array {
  let length = headBytes + 4;
  for (const [name, value] of values) length += lengthBytes + name.length + value.length;
  const homes = [...addresses].map((pair) => pair.map((text) => Buffer.from(text)));
  for (const pair of homes) for (const bytes of pair) length += 4 + bytes.length;
  const data = new Uint8Array(length);
  const buffer = bufferOf(data);
  buffer.writeUInt8(snapshotVersion, 0);
  buffer.writeUInt32BE(values.size, 1);
  let at = headBytes;
  const writeLengths = (first: number, second: number): void => {
    buffer.writeUInt32BE(first, at);
    buffer.writeUInt32BE(second, at + 4);
    at += lengthBytes;
  };
  for (const [name, value] of values) {
    writeLengths(name.length, value.length);
    at += buffer.write(name, at, 'latin1');
    data.set(value, at);
    at += value.length;
  }
  at = buffer.writeUInt32BE(homes.length, at);
  for (const [id = Buffer.of(), address = Buffer.of()] of homes) {
    writeLengths(id.length, address.length);
    at += id.copy(buffer, at);
    at += address.copy(buffer, at);
  }
  return data;
}

/** Throws a DecodeError, which ends the node: it must not go on with half a state. */
export function load(data: Uint8Array): State {
  const buffer = bufferOf(data);
  const state = emptyState();
  let at = 1;
  const pairs = (take: (first: Uint8Array, second: Uint8Array) => void): number => {
    if (at + 4 > data.length) throw unreadable();
    const count = buffer.readUInt32BE(at);
    at += 4;
    for (let i = 0; i < count; i += 1) {
      const firstAt = at + lengthBytes;
      if (firstAt > data.length) throw unreadable();
      const secondAt = firstAt + buffer.readUInt32BE(at);
      const end = secondAt + buffer.readUInt32BE(at + 4);
      if (end > data.length) throw unreadable();
      take(data.subarray(firstAt, secondAt), data.subarray(secondAt, end));
      at = end;
    }
    return count;
  };
  const version = data[0];
  if (version !== 1 && version !== snapshotVersion) throw unreadable();
  const keys = pairs((key, value) => state.values.set(nameOf(key), copyOf(value)));
  if (version !== 1) {
    pairs((id, address) => state.addresses.set(textOf(id), textOf(address)));
  }
  if (at !== data.length || state.values.size !== keys) throw unreadable();
  return state;
}

function unreadable(): DecodeError {
  return new DecodeError(
    'the snapshot is none that this program can read: it was written by another version, start ' +
      'the node with that one',
  );
}

/** Without a condition a delete of nothing is `missing`; with one it is a conflict. */
function holds({ condition }: Command, current: Uint8Array | undefined): boolean {
  if (condition === null) return true;
  if (condition === 'absent') return current === undefined;
  return current !== undefined && Buffer.compare(current, condition) === 0;
}

function textOf(bytes: Uint8Array): string {
  return bufferOf(bytes).toString();
}

function nameOf(key: Uint8Array): string {
  return bufferOf(key).toString('latin1');
}

/** The same bytes, with the methods of a Buffer. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Small values are kept within the heap by this way of copying, and need no buffer of their own.
 */
function copyOf(value: Uint8Array): Uint8Array {
  return new Uint8Array(value);
}
