/** A rule that was broken, and how to see it again. */
import type { DiagramOptions } from './diagram.js';
import { diagramOf } from './diagram.js';
import type { HistoryLine } from './history.js';

/** What repeats a run: `simulate({ …options, ...violation.again })`. */
export interface Again {
  readonly seed: number;
  readonly nodes: number;
  readonly steps: number;
  /** Names of decisions that are not taken. */
  readonly without: readonly string[];
}

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly seed: number;

  constructor(
    /** Begins with the number of the rule: those of the invariants, (L) of liveness, and so on. */
    readonly rule: string,
    readonly again: Again,
    /** All that happened, in order. The breach is the last. */
    readonly history: readonly HistoryLine[],
    /** The names of the decisions that led to it, in order. */
    readonly decisions: readonly string[],
    readonly digest: string,
  ) {
    super(`seed ${again.seed}: ${rule}`);
    this.seed = again.seed;
  }

  /** The end of the history as a marble diagram, with its legend and its events in words. */
  get diagram(): string {
    return this.draw();
  }

  draw(options?: DiagramOptions): string {
    return diagramOf(this.history, options);
  }
}
