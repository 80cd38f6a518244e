/** The lines of `rxraft watch --json`, taken together: a line is one key of an entry. */
import type { Pair, Told } from '../watches/recording.js';

interface Line {
  readonly index: number;
  readonly type: 'put' | 'delete' | 'compacted' | 'current' | 'complete';
  readonly key?: string;
  readonly value?: string;
}

/** An entry is complete when something else is told, or at an orderly end. */
export class CommandLines {
  private rest = '';
  /** Of one entry. */
  private index = 0;
  private pairs: Pair[] = [];
  /** Of a content that is not complete yet. Null: there is none. */
  private values: Pair[] | null = null;

  constructor(
    private readonly tell: (told: Told) => void,
    private readonly onFault: (text: string) => void,
  ) {}

  hear(text: string): void {
    const lines = `${this.rest}${text}`.split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.hearLine(line);
  }

  /** Nothing comes any more. `isWhole`: nothing has been cut off. */
  end(isWhole: boolean): void {
    if (isWhole && this.rest !== '') this.onFault(`a part of a line: ${this.rest.slice(0, 200)}`);
    if (isWhole) this.finish();
    this.pairs = [];
    this.rest = '';
  }

  private hearLine(text: string): void {
    const line = parsed(text);
    if (line === null) {
      this.onFault(`a strange line of a watch: ${text.slice(0, 200)}`);
      return;
    }
    const { index, type, key = '', value = null } = line;
    if (type === 'put' || type === 'delete') {
      // A content that has not been completed was cut by the loss of a node.
      this.values = null;
      if (index !== this.index) this.finish();
      this.index = index;
      this.pairs.push([key, value]);
      return;
    }
    this.finish();
    if (type === 'compacted') this.values = [];
    else if (this.values === null) this.onFault(`${type}, and nothing was compacted: ${text}`);
    else if (type === 'current') this.values.push([key, value]);
    else {
      this.tell({ type: 'current', index, isLast: true, pairs: this.values });
      this.values = null;
    }
  }

  /** Nothing has come for long: there is no more of this entry. */
  flush(): void {
    if (this.rest === '') this.finish();
  }

  private finish(): void {
    if (this.pairs.length > 0) this.tell({ type: 'changes', index: this.index, pairs: this.pairs });
    this.pairs = [];
  }
}

function parsed(text: string): Line | null {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}
