/** How clients come in: what a campaign knows of each way that the product offers. */
import type { Operation } from '../../linearizability/history.js';

export interface Asked extends Pick<Operation, 'op' | 'key' | 'value' | 'expected'> {
  /** A get of what the asked node has, without asking the others. */
  readonly isStale?: boolean;
}

export type Outcome = Pick<Operation, 'outcome' | 'result'>;

/** Of one client. Many calls may be under way at once. */
export interface Door {
  /**
   * What the product says of the call, taken at its word. Null: nobody was there to be asked.
   * Rejects when it says something that is no answer to it.
   */
  ask(asked: Asked): Promise<Outcome | null>;
  /** Breaks off whatever is under way. From now on the next node is asked. */
  leave(): void;
}

export interface DoorOptions {
  /** Where to ask at the moment, as `host:port`. */
  readonly nodes: () => readonly string[];
  /** Which of them is the first. */
  readonly first: number;
  /** The program that is tried. */
  readonly program: string;
}

export interface Way {
  readonly name: string;
  readonly open: (options: DoorOptions) => Door;
  /** Rows of calls of one client, each one after the other. */
  readonly rows: number;
  /** Calls of a row at once, at most. */
  readonly atOnce: number;
  /** Between the calls of a row, at most. */
  readonly pauseMs: number;
  /** It puts and gets, and nothing else. */
  readonly isPlain?: boolean;
}

/** A call without an answer is given up after so long: its outcome is not known. */
export const patienceMs = 3000;

/** One node after the other. */
export class Turns {
  private turn: number;

  constructor(private readonly options: DoorOptions) {
    this.turn = options.first;
  }

  next(): string {
    const nodes = this.options.nodes();
    return nodes[this.turn++ % nodes.length] ?? '';
  }
}
