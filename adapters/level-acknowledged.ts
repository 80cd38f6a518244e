/**
 * A second memory of how far the database has come: the file `acknowledged` beside it.
 *
 * LevelDB leaves out damaged parts of its own log without a word when it is opened. In the middle
 * that shows, for a record is missing; at the end it looks like a write that was never finished. So
 * the number of the newest acknowledged batch is kept apart as well. It is written without a sync:
 * after a power loss it may lag behind, or be unreadable, and then says nothing. Lost together with
 * the end of the log it can't tell of it.
 */
import { constants, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { numberBytes, readNumber } from './store-records.js';

export const acknowledgedFile = 'acknowledged';

/** The batch noted last, or 0: there is no file, or it can't be read. */
export async function readAcknowledged(folder: string): Promise<number> {
  const bytes = await readFile(join(folder, acknowledgedFile)).catch(() => Buffer.alloc(0));
  const number = readNumber(bytes.subarray(0, 8));
  const intact = bytes.length === 12 && bytes.readUInt32BE(8) === crc32(bytes.subarray(0, 8));
  return intact ? number : 0;
}

/** The newest acknowledged batch, noted at once and survived by a kill of the process. */
export class Acknowledged {
  private constructor(private readonly file: FileHandle) {}

  /** Opens the file, or makes it, and notes a batch. */
  static async open(folder: string, batch: number): Promise<Acknowledged> {
    const path = join(folder, acknowledgedFile);
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o644);
    const acknowledged = new Acknowledged(file);
    try {
      acknowledged.note(batch);
    } catch (error) {
      await file.close();
      throw error;
    }
    return acknowledged;
  }

  /** Before the batch is answered for. A few microseconds: nothing waits for the disk. */
  note(batch: number): void {
    const bytes = Buffer.alloc(12);
    bytes.set(numberBytes(batch));
    bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
    const written = writeSync(this.file.fd, bytes, 0, bytes.length, 0);
    if (written !== bytes.length) throw new Error(`${acknowledgedFile}: no space left on device`);
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
