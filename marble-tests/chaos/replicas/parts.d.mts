import type { WithEffects, EffectCommand } from '../../../adapters/recipes/effects.js';
import type { JobClaim, Jobs } from '../../../adapters/recipes/jobs.js';
import type { LockCommand, LockResult, Locks } from '../../../adapters/recipes/locks.js';
import type { Rates, RateTake } from '../../../adapters/recipes/rate-lease.js';
import type { SettingChange, SettingResult, Settings } from '../../../adapters/recipes/settings.js';
import type { Slice } from '../../../adapters/recipes/slices.js';
import type { ReplicaCommand } from './ask.js';
import type { Result, State } from './reducer.mjs';

/** A command whose effect is a line in a file. */
export interface Task {
  readonly name: string;
}

/** A type, since an interface is no record. */
export type Parts = {
  readonly keys: Slice<State, ReplicaCommand, Result>;
  readonly tasks: Slice<WithEffects<number, Task>, EffectCommand<Task>, number | null>;
  readonly locks: Slice<Locks, LockCommand, LockResult>;
  readonly jobs: Slice<Jobs, JobClaim, boolean>;
  readonly rates: Slice<Rates, RateTake, number>;
  readonly settings: Slice<Settings, SettingChange, SettingResult>;
};

export function partsWith(alarm: (text: string) => void): Parts;
