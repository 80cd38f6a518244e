/** What all parts of a simulated world share: one time, one seed, one history. */
import type { Decisions } from './faults.js';
import type { History } from './history.js';
import type { Profile } from './profile.js';
import type { VirtualTime } from './virtual-time.js';
import type { Witness } from './witness.js';

export interface World {
  readonly seed: number;
  readonly profile: Profile;
  readonly time: VirtualTime;
  readonly history: History;
  readonly decisions: Decisions;
  readonly witness: Witness;
  /** A rule is broken. */
  readonly fail: (rule: string) => void;
}

/** What chance is drawn for, each with numbers of its own. */
export const chances = {
  profile: 1,
  event: 2,
  message: 3,
  node: 4,
  client: 5,
  command: 6,
  heal: 7,
} as const;
