/**
 * What a replica writes into the log: the commands of a turn as one block of bytes. They are
 * encoded once, where they are dispatched, and decoded once on every node, when they are applied.
 */
import { Packr } from 'msgpackr';
import { DecodeError } from '../codec.js';
import { unpackList } from '../gateway/protocol.js';

export interface Logged {
  readonly requestId: string | null;
  /** As its codec has it. */
  readonly command: Uint8Array;
}

/** The longest request id, in characters. */
export const maxRequestIdLength = 128;

/** Changes with every block that an older program would misread: it stops rather than guesses. */
const blockVersion = 1;

const packr = new Packr({ useRecords: false, moreTypes: false, structuredClone: false });

/** Roughly the bytes that a command takes in a block. */
export function sizeOfLogged({ requestId, command }: Logged): number {
  return 8 + (requestId?.length ?? 0) + command.length;
}

/** `[version, requestId, command, requestId, command, …]` */
export function packBlock(commands: readonly Logged[]): Uint8Array {
  const fields: unknown[] = [blockVersion];
  for (const { requestId, command } of commands) fields.push(requestId, command);
  return new Uint8Array(packr.pack(fields));
}

/**
 * The commands of a block, which alias it. Throws a DecodeError: this block was committed, and a
 * node that can't read it must not go on as if it were empty. No block at all is no command.
 */
export function unpackBlock(block: Uint8Array | undefined): readonly Logged[] {
  if (block === undefined) return [];
  const fields = unpackList(block);
  if (fields[0] !== blockVersion) {
    throw new DecodeError(
      'the log has a block of commands that this program can not read: it was written by another ' +
        'version, start the node with that one',
    );
  }
  const commands: Logged[] = [];
  for (let at = 1; at < fields.length; at += 2) {
    commands.push(loggedOf(fields[at], fields[at + 1]));
  }
  return commands;
}

/** Throws a DecodeError. */
export function loggedOf(requestId: unknown, command: unknown): Logged {
  if (!(command instanceof Uint8Array)) throw new DecodeError('a command that is no bytes');
  if (requestId !== null && faultOfRequestId(requestId) !== null) {
    throw new DecodeError('a strange request id');
  }
  return { requestId: requestId as string | null, command };
}

/** What is wrong with a request id, in words, or null. */
export function faultOfRequestId(id: unknown): string | null {
  const isText = typeof id === 'string' && id.length > 0 && id.length <= maxRequestIdLength;
  // Half a character has no bytes: read again it is another text, and perhaps a longer one.
  if (isText && !/\p{Surrogate}/u.test(id)) return null;
  return `a request id is a text of 1 to ${maxRequestIdLength} characters, such as a UUID`;
}
