/** What happened in a run, in order: its fingerprint, and on demand its words and its diagram. */
import { Digest } from './digest.js';
import type { VirtualTime } from './virtual-time.js';

/** One thing that happened, to a node or (null) to the world. */
export interface HistoryEvent {
  readonly timeMs: number;
  readonly node: string | null;
  /** One letter, for the diagram. */
  readonly mark: string;
  readonly describe: () => string;
}

/** An event in words. */
export interface HistoryLine {
  readonly timeMs: number;
  readonly node: string | null;
  readonly mark: string;
  readonly text: string;
}

export class History {
  readonly digest = new Digest();
  private readonly events: HistoryEvent[] = [];

  constructor(
    private readonly time: VirtualTime,
    /** Are there to be words? Else only the fingerprint is kept. */
    private readonly hasWords: boolean,
  ) {}

  /**
   * `describe` is asked only when somebody reads the history: it must not depend on later state.
   */
  add(node: string | null, mark: string, describe: () => string): void {
    const timeMs = this.time.now;
    this.digest.add(Math.round(timeMs * 1000));
    this.digest.add(mark.charCodeAt(0));
    if (this.hasWords) this.events.push({ timeMs, node, mark, describe });
  }

  get lines(): HistoryLine[] {
    return this.events.map(({ timeMs, node, mark, describe }) => ({
      timeMs,
      node,
      mark,
      text: describe(),
    }));
  }
}
