/** Keys and values as they are given on the command line: byte for byte. */
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { causeOf } from '../cause.js';
import { maxValueBytes } from './commands.js';

/** What the user has to put differently: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What can't be done as it stands: exit code 1. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** The bytes of a key: of its text, or of its hexadecimal digits. Throws a UsageError. */
export function keyOf(text: string, isHex: boolean): Uint8Array {
  if (!isHex) return Buffer.from(text);
  if (text.length % 2 === 0 && /^[0-9a-f]*$/i.test(text)) return Buffer.from(text, 'hex');
  throw new UsageError(`${JSON.stringify(text)} is not hexadecimal: two digits for each byte`);
}

export interface ValueSource {
  /** `-` for the standard input. */
  readonly text?: string | undefined;
  readonly file?: string | undefined;
  readonly stdin: Readable;
}

/**
 * The bytes of a value. Rejects with a UsageError or an InputError, after no more than the limit.
 */
export async function valueOf({ text, file, stdin }: ValueSource): Promise<Uint8Array> {
  if (file !== undefined && text !== undefined) {
    throw new UsageError('a VALUE and --file exclude each other: give one of them');
  }
  if (file !== undefined) return readFile(file);
  if (text === undefined) throw new UsageError('there is no VALUE: give one, or - or --file');
  return text === '-' ? readAll(stdin, 'the standard input') : Buffer.from(text);
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    return await readAll(file.createReadStream(), path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path} can't be read: ${causeOf(error)}`, { cause: error });
  }
}

async function readAll(stream: Readable, name: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= maxValueBytes) continue;
    stream.destroy();
    throw new InputError(`${name} has too many bytes: the limit of a value is ${maxValueBytes}`);
  }
  return Buffer.concat(chunks);
}
