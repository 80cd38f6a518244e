/** A cluster of three that is put under load. */
import type { Load, Measured } from './load.js';
import type { NodeProcess } from './node-process.js';

export interface ClusterContender {
  readonly name: string;
  readonly processes: readonly NodeProcess[];
  load(load: Load): Promise<Measured>;
  stop(): void;
}
