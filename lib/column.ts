/**
 * A column of the log: one slot for each index, in chunks, so that the head is dropped and the tail
 * is cut without moving the rest. A slot that was never set is empty.
 */
import type { LogIndex } from './position.js';

const chunkSize = 1024;

/** An array, or a flat one of numbers, in which the garbage collector has nothing to read. */
interface Chunk<T> {
  [slot: number]: T;
  fill(empty: T, start: number): unknown;
  slice(start: number, end: number): unknown;
}

export class Column<T> {
  private readonly chunks: Chunk<T>[] = [];
  /** The chunk number of `chunks[0]`; -1 while there is none. */
  private first = -1;
  /** The chunk that the newest slot is in, or null when that must be looked up. */
  private newest: Chunk<T> | null = null;

  /** Of chunks that `fresh` makes, whose slots are `empty`. */
  constructor(
    private readonly fresh: (slots: number) => Chunk<T>,
    private readonly empty: T,
  ) {}

  get(index: LogIndex): T | undefined {
    return this.chunkOf(index)?.[index % chunkSize];
  }

  private chunkOf(index: LogIndex): Chunk<T> | undefined {
    return this.chunks[Math.floor(index / chunkSize) - this.first];
  }

  /** Sets the slot behind the last one. */
  push(index: LogIndex, value: T): void {
    const slot = index % chunkSize;
    if (slot === 0 || this.newest === null) this.newest = this.chunkFor(index);
    this.newest[slot] = value;
  }

  /** The chunk of an index, which is made when it is not there. */
  private chunkFor(index: LogIndex): Chunk<T> {
    const number = Math.floor(index / chunkSize);
    if (this.chunks.length === 0) this.first = number;
    return (this.chunks[number - this.first] ??= this.fresh(chunkSize));
  }

  /** Forgets all after `index`. */
  cutAfter(index: LogIndex): void {
    this.newest = null;
    if (this.chunks.length === 0) return;
    const keep = Math.max(0, Math.floor(index / chunkSize) - this.first + 1);
    this.chunks.length = Math.min(this.chunks.length, keep);
    const chunk = this.chunks[keep - 1];
    chunk?.fill(this.empty, (index % chunkSize) + 1);
  }

  /** Forgets the chunks that end at or before `index`. */
  dropUpTo(index: LogIndex): void {
    const count = Math.floor((index + 1) / chunkSize) - this.first;
    if (count <= 0) return;
    this.newest = null;
    this.chunks.splice(0, count);
    this.first += count;
  }

  /** The slots of values from `start` to `end`, both included, as a fresh array. */
  slice(start: LogIndex, end: LogIndex): (T | undefined)[] {
    const slot = start % chunkSize;
    const chunk = this.chunkOf(start);
    if (chunk !== undefined && slot + end - start < chunkSize) {
      return chunk.slice(slot, slot + end - start + 1) as T[];
    }
    const slots: (T | undefined)[] = [];
    for (let index = start; index <= end; index += 1) slots.push(this.get(index));
    return slots;
  }
}
