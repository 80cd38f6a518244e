/**
 * What clients asked and what came of it, in the order of the ends, and as JSON lines in a file.
 */
import { appendFileSync } from 'node:fs';
import type { Operation } from '../linearizability/history.js';

const flushLines = 500;

export class HistoryFile {
  readonly operations: Operation[] = [];
  /** Reads that need not see the newest. They are no part of the history. */
  readonly stale: Operation[] = [];
  readonly outcomes = { ok: 0, fail: 0, unknown: 0 };
  private unwritten: string[] = [];
  private writtenAt = performance.now();
  private longestMs = 0;

  constructor(readonly path: string) {}

  add(operation: Operation): void {
    this.operations.push(operation);
    this.outcomes[operation.outcome] += 1;
    if (operation.outcome === 'ok' && operation.op !== 'get') {
      this.longestMs = this.longestWithoutWriteMs;
      this.writtenAt = performance.now();
    }
    this.unwritten.push(JSON.stringify(operation));
    if (this.unwritten.length >= flushLines) this.flush();
  }

  addStale(read: Operation): void {
    this.stale.push(read);
  }

  flush(): void {
    if (this.unwritten.length > 0) appendFileSync(this.path, `${this.unwritten.join('\n')}\n`);
    this.unwritten = [];
  }

  /** Of the time since the beginning, up to now. */
  get longestWithoutWriteMs(): number {
    return Math.max(this.longestMs, performance.now() - this.writtenAt);
  }
}

/**
 * As the checker understands it: a delete that found nothing tells what a get does, and the checker
 * takes no result from a delete.
 */
export function checkable(operation: Operation): Operation {
  const { op, outcome, result } = operation;
  return op === 'delete' && outcome === 'ok' && result === null
    ? { ...operation, op: 'get' }
    : operation;
}
