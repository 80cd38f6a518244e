/**
 * The newest commands that were applied, for those who follow from outside. Only what had an
 * effect: a command that was refused, or answered before, is a gap in its block.
 */
import type { LogIndex, Term } from '../../lib/position.js';
import type { CommandPosition } from '../machine.js';

export interface TailBlock {
  readonly term: Term;
  readonly index: LogIndex;
  /** In their order; null is none. */
  readonly commands: readonly (Uint8Array | null)[];
}

/**
 * So many blocks are kept, and so many bytes, the newest block at the least. Whoever is further
 * behind gets a snapshot.
 */
export const tailBlocks = 8192;
export const tailBytes = 8 << 20;

interface Kept extends TailBlock {
  readonly commands: (Uint8Array | null)[];
  bytes: number;
}

export class Tail {
  /** Everything behind this index is here. */
  startIndex: LogIndex = 0;
  private blocks: Kept[] = [];
  private first = 0;
  private bytes = 0;

  add({ term, index, offset }: CommandPosition, command: Uint8Array | null): void {
    let block = this.blocks.at(-1);
    if (block?.index !== index) {
      block = { term, index, commands: [], bytes: 16 };
      this.blocks.push(block);
      this.bytes += block.bytes;
    }
    block.commands[offset] = command;
    const bytes = 8 + (command?.length ?? 0);
    block.bytes += bytes;
    this.bytes += bytes;
    this.shorten();
  }

  /** A snapshot stands for everything up to `index`. */
  reset(index: LogIndex): void {
    this.blocks = [];
    this.first = this.bytes = 0;
    this.startIndex = index;
  }

  /** Blocks behind `after`, of about so many bytes, one at the least. */
  behind(after: LogIndex, maxBytes: number): readonly TailBlock[] {
    let low = this.first;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.blocks[middle]?.index ?? Infinity) <= after) low = middle + 1;
      else high = middle;
    }
    let end = low;
    for (let bytes = 0; end < this.blocks.length && bytes < maxBytes; end += 1) {
      bytes += this.blocks[end]?.bytes ?? 0;
    }
    return this.blocks.slice(low, end);
  }

  private shorten(): void {
    while (this.blocks.length - this.first > tailBlocks || this.bytes > tailBytes) {
      const oldest = this.blocks[this.first];
      // More may come to the newest one.
      if (oldest === undefined || oldest === this.blocks.at(-1)) break;
      this.first += 1;
      this.bytes -= oldest.bytes;
      this.startIndex = oldest.index;
    }
    // Now and then, so that it costs nothing each time.
    if (this.first < tailBlocks) return;
    this.blocks = this.blocks.slice(this.first);
    this.first = 0;
  }
}
