/**
 * A part of the benchmark, by name.
 */
import type { Patience } from './rounds.js';
import type { Row } from './row.js';

export interface Context {
  readonly patience: Patience;
  /** Measure what is installed beside it, too: the crate noraft, etcd. */
  readonly peers: boolean;
  /** Says how far a part has come. */
  readonly progress: (text: string) => void;
  /** Says what a reader must know beside the figures: what is not installed, for instance. */
  readonly note: (text: string) => void;
}

export interface Part {
  readonly name: string;
  readonly about: string;
  run(context: Context): Promise<Row[]>;
}
