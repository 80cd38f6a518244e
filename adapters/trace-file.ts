/** A file for a trace: each line is with the system before the node goes on, and old ones go. */
import { closeSync, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs';

/** Where a trace goes, and how much of it is kept. */
export interface TraceFileOptions {
  /**
   * Lines are appended to it; it is made if it is not there. A pipe or a device will do as well: a
   * pipe is waited for until somebody reads it.
   */
  readonly path: string;
  /**
   * Bytes that this file and the one before it have together, at most, but for the length of one
   * line: at half of that the file is renamed, with `.1` behind its name, and a new one is begun.
   * From 2 on; Infinity for one file without end. Default 256 MiB. Pipes and devices know no limit.
   */
  readonly limitBytes?: number;
  /**
   * The system has refused a line, as when the disk is full: the trace ends here, once and for all,
   * perhaps in the midst of a line. The node goes on without it.
   */
  readonly onEnded?: (cause: Error) => void;
}

/** A file that can't be had. Says which, why, and what to do. */
export class TraceFileError extends Error {
  override readonly name = 'TraceFileError';

  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const mend = 'choose a file that this user may write, in a folder that is there';
    super(`the trace can't be written to ${path}: ${mend} (${why})`, { cause });
  }
}

/** What `traced` writes to: `{ ...config, write: file.write }`. */
export interface TraceFile {
  /** Hands the line, and a line end, to the system. Throws nothing. */
  readonly write: (line: string) => void;
  /** Nothing is written any more. May be called again. */
  readonly close: () => void;
}

/**
 * Opens the file. Throws a TraceFileError, and a RangeError for a limit that is none.
 *
 * A line costs one call of the system, and is in its hands when `write` returns: a trace has lost
 * nothing when its process is killed. It is not synced, so that a machine that fails loses some of
 * it; and it is written where the node runs, so that a disk that hangs holds up the node: give it
 * another disk than the log if that matters.
 */
export function traceFile(options: TraceFileOptions): TraceFile {
  const { path, limitBytes = 256 << 20, onEnded = () => undefined } = options;
  if (!(limitBytes >= 2)) throw new RangeError(`limitBytes: ${limitBytes} is not 2 or more`);
  try {
    return new OpenFile(path, limitBytes / 2, onEnded);
  } catch (error) {
    throw new TraceFileError(path, error);
  }
}

const lineEnd = 0x0a;

class OpenFile implements TraceFile {
  private file: number | null = null;
  private isRegular = false;
  private sizeBytes = 0;

  constructor(
    private readonly path: string,
    private readonly fullBytes: number,
    private readonly onEnded: (cause: Error) => void,
  ) {
    this.open();
    // The process before was killed in the midst of a line: that one is to stand alone.
    if (this.sizeBytes > 0 && lastByte(path, this.sizeBytes) !== lineEnd) this.append('\n');
  }

  readonly write = (line: string): void => {
    if (this.file === null) return;
    try {
      if (this.isRegular && this.sizeBytes + line.length >= this.fullBytes) this.rotate();
      this.append(`${line}\n`);
    } catch (error) {
      this.close();
      this.onEnded(error as Error);
    }
  };

  readonly close = (): void => {
    const { file } = this;
    this.file = null;
    if (file === null) return;
    try {
      closeSync(file);
    } catch {
      // A disk may say now that it is full. What it took is there, and the file is closed.
    }
  };

  private open(): void {
    this.file = openSync(this.path, 'a');
    const found = fstatSync(this.file);
    this.isRegular = found.isFile();
    this.sizeBytes = this.isRegular ? found.size : 0;
  }

  private rotate(): void {
    if (this.sizeBytes === 0) return;
    this.close();
    renameSync(this.path, `${this.path}.1`);
    this.open();
  }

  private append(text: string): void {
    const { file } = this;
    if (file === null) return;
    const bytes = Buffer.from(text);
    // A full disk takes a part of it, and says so only when it is asked for the rest.
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    this.sizeBytes += bytes.length;
  }
}

function lastByte(path: string, size: number): number | undefined {
  const file = openSync(path, 'r');
  try {
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, size - 1);
    return byte[0];
  } finally {
    closeSync(file);
  }
}
