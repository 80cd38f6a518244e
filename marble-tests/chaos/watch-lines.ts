/** The lines of `rxraft watch --json`, taken together: a line is one key of an entry. */
import type { Pair, Told } from '../watches/recording.js';

interface Line {
  readonly index: number;
  readonly type: 'put' | 'delete' | 'compacted' | 'current';
  readonly key?: string;
  readonly value?: string;
}

/** What is told last is complete when something else is told, or at an orderly end. */
export class CommandLines {
  private last: { readonly index: number; readonly isContent: boolean; pairs: Pair[] } | null =
    null;

  constructor(
    private readonly tell: (told: Told) => void,
    private readonly onFault: (text: string) => void,
  ) {}

  hear(text: string): void {
    const line = parsed(text);
    if (line === null) {
      this.onFault(`a strange line of a watch: ${text.slice(0, 200)}`);
      return;
    }
    const { index, type, key, value } = line;
    const isContent = type === 'compacted' || type === 'current';
    const { last } = this;
    const isNew = type === 'compacted' || last?.index !== index || last.isContent !== isContent;
    if (isNew) {
      this.end(true);
      this.last = { index, isContent, pairs: [] };
      if (type === 'current') this.onFault(`values as they are, and nothing that says so: ${text}`);
    }
    if (key !== undefined) this.last?.pairs.push([key, value ?? null]);
  }

  end(isComplete: boolean): void {
    const { last } = this;
    this.last = null;
    if (last === null || !isComplete) return;
    const { index, isContent, pairs } = last;
    if (isContent) this.tell({ type: 'current', index, isLast: true, pairs });
    else this.tell({ type: 'changes', index, pairs });
  }
}

function parsed(text: string): Line | null {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}
