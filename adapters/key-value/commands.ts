/**
 * What changes the store: commands, and the block of them that is one entry of the log.
 *
 * Commands are encoded once, when the requests of a turn become a block, and decoded once on every
 * node, when the block is applied.
 */
import { Packr } from 'msgpackr';
import { faultOfNodeId } from '../../lib/cluster-config.js';
import type { NodeId } from '../../lib/position.js';
import { DecodeError } from '../codec.js';
import { unpackList } from '../gateway/protocol.js';
import { partsOfAddress } from './address-form.js';

/** The longest key, in bytes. */
export const maxKeyBytes = 64 << 10;

/** The longest value, in bytes. */
export const maxValueBytes = 1 << 20;

/** What must be true of the value that is there: nothing, that there is none, or these bytes. */
export type Condition = null | 'absent' | Uint8Array;

export type Command =
  | {
      readonly type: 'put';
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      readonly condition: Condition;
    }
  | { readonly type: 'delete'; readonly key: Uint8Array; readonly condition: Condition };

/** Where a member lives, or null when that is to be forgotten. Said by the leader alone. */
export interface AddressCommand {
  readonly type: 'address';
  readonly id: NodeId;
  readonly address: string | null;
}

/** What the machine applies. */
export type AnyCommand = Command | AddressCommand;

/** A command in a list of MessagePack: its key, its value or null, and its condition. */
export type CommandFields = readonly [Uint8Array, Uint8Array | null, Uint8Array | null | false];

/** Changes with every block that an older program would misread: it stops rather than guesses. */
const blockVersion = 1;

/** Of a block with an address in it: such blocks are looked for when a node starts. */
const addressBlockVersion = 2;

const packr = new Packr({ useRecords: false, moreTypes: false, structuredClone: false });

export function fieldsOf(command: Command): CommandFields {
  const { key, condition } = command;
  const value = command.type === 'put' ? command.value : null;
  return [key, value, condition === 'absent' ? false : condition];
}

/** The command of three fields. Throws a DecodeError. */
export function commandOf(key: unknown, value: unknown, condition: unknown): Command {
  if (!(key instanceof Uint8Array)) throw new DecodeError('a command without a key');
  if (condition !== null && condition !== false && !(condition instanceof Uint8Array)) {
    throw new DecodeError('a command with a strange condition');
  }
  const checked = condition === false ? 'absent' : condition;
  if (value === null) return { type: 'delete', key, condition: checked };
  if (value instanceof Uint8Array) return { type: 'put', key, value, condition: checked };
  throw new DecodeError('a command with a strange value');
}

/** What is too long about a command, in words, or null. */
export function faultOfCommand(command: Command): string | null {
  const { key, condition } = command;
  return (
    faultOfKey(key) ??
    (command.type === 'put' ? faultOfValue('the value', command.value) : null) ??
    (condition instanceof Uint8Array ? faultOfValue('the expected value', condition) : null)
  );
}

export function faultOfKey(key: Uint8Array): string | null {
  if (key.length <= maxKeyBytes) return null;
  return `the key has ${key.length} bytes, and the limit is ${maxKeyBytes}`;
}

function faultOfValue(name: string, value: Uint8Array): string | null {
  if (value.length <= maxValueBytes) return null;
  return `${name} has ${value.length} bytes, and the limit is ${maxValueBytes}`;
}

/** Roughly the bytes that a command takes in a block. */
export function sizeOfCommand(command: AnyCommand): number {
  if (command.type === 'address') {
    // Of text: a character may take three.
    return 16 + 3 * (command.id.length + (command.address?.length ?? 0));
  }
  const { key, condition } = command;
  const value = command.type === 'put' ? command.value.length : 0;
  return 16 + key.length + value + (condition instanceof Uint8Array ? condition.length : 0);
}

/** `[version, key, value, condition, key, value, condition, …]` */
export function packBlock(commands: readonly AnyCommand[]): Uint8Array {
  const isPlain = commands.every(({ type }) => type !== 'address');
  const fields: unknown[] = [isPlain ? blockVersion : addressBlockVersion];
  for (const command of commands) {
    if (command.type === 'address') fields.push(command.id, command.address, null);
    else fields.push(...fieldsOf(command));
  }
  return new Uint8Array(packr.pack(fields));
}

/**
 * The commands of a block, which alias it. Throws a DecodeError: this block was committed, and a
 * node that can't read it must not go on as if it were empty.
 */
export function unpackBlock(block: Uint8Array): readonly AnyCommand[] {
  const fields = unpackList(block);
  const version = fields[0];
  if (version !== blockVersion && version !== addressBlockVersion) {
    throw new DecodeError(
      'the log has a block of commands that this program can not read: it was written by another ' +
        'version, start the node with that one',
    );
  }
  const commands: AnyCommand[] = [];
  for (let at = 1; at < fields.length; at += 3) {
    const first = fields[at];
    if (version === addressBlockVersion && typeof first === 'string') {
      commands.push(addressOf(first, fields[at + 1]));
    } else commands.push(commandOf(first, fields[at + 1], fields[at + 2]));
  }
  return commands;
}

/** Is there an address in it? A look at its first bytes: blocks may be long, and many. */
export function hasAddress(block: Uint8Array): boolean {
  const [head = 0] = block;
  // A list of MessagePack of up to 15 fields, of up to 65,535, or of more.
  const at = head === 0xdd ? 5 : head === 0xdc ? 3 : 1;
  return block[at] === addressBlockVersion;
}

function addressOf(id: string, address: unknown): AddressCommand {
  if (faultOfNodeId(id) !== null) throw new DecodeError('the address of a node without an id');
  if (address !== null && (typeof address !== 'string' || partsOfAddress(address) === null)) {
    throw new DecodeError('a strange address of a node');
  }
  return { type: 'address', id, address };
}
