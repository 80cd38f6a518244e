/** A snapshot of the machine (§7): what stands for all entries up to and including `position`. */
import type { ClusterConfig } from './cluster-config.js';
import type { LogPosition } from './position.js';

export interface Snapshot<S = unknown> {
  readonly position: LogPosition;
  /** "The latest configuration in the log as of last included index" (§7). */
  readonly config: ClusterConfig;
  /** The machine's state, opaque here: shared by reference and readonly by contract. */
  readonly data: S;
}
