/** Settings that all processes see at once, and that no two editors overwrite unseen. */
import type { Observable } from 'rxjs';
import { map } from 'rxjs';
import { refuseUnsavable } from './name.js';
import type { Part } from './part.js';
import type { Slice } from './slices.js';

/** A setting as it stands. Version 0 was never set: its value is the default. */
export interface Setting<Value = unknown> {
  readonly value: Value;
  readonly version: number;
}

export type Settings = Readonly<Record<string, Setting>>;

export interface SettingChange {
  readonly name: string;
  /** Plain data, as all commands. */
  readonly value: unknown;
  /** The version that is replaced, or null: whatever is there. */
  readonly version: number | null;
}

/** The new version, or the one that is in the way. */
export interface SettingResult {
  readonly isDone: boolean;
  readonly version: number;
}

const versionOf = (state: Settings, name: string): number =>
  Object.hasOwn(state, name) ? (state[name]?.version ?? 0) : 0;

/**
 * Knows no names and no defaults: those are the program's, and while it is replaced process by
 * process, all of them must do the same with a command.
 */
export const settings: Slice<Settings, SettingChange, SettingResult> = {
  initialState: {},
  reducer(state, { name, value, version }) {
    refuseUnsavable(name);
    const present = versionOf(state, name);
    const isDone = version === null || version === present;
    if (!isDone) return { state, result: { isDone, version: present } };
    const next = present + 1;
    return {
      state: { ...state, [name]: { value, version: next } },
      result: { isDone, version: next },
    };
  },
};

/** Somebody else was first: nothing was set. */
export class SettingChanged extends Error {
  override readonly name = 'SettingChanged';

  constructor(
    readonly setting: string,
    /** The version that it has now: look at it, then set it with this one. */
    readonly version: number,
  ) {
    super(`${setting} was changed by another: its version is ${version}`);
  }
}

export interface LiveSettings<T extends object> {
  /** The value as this node knows it: what `value$` has emitted last, or would emit first. */
  value<N extends keyof T & string>(name: N): T[N];
  /**
   * The value now, and each time when it is set anew. Completes with the replica.
   *
   *     state            -a---b---c--|      b: another setting was set
   *     value$           -a-------c--|
   */
  value$<N extends keyof T & string>(name: N): Observable<T[N]>;
  /** The newest there is, asked of the cluster (linearizable). Rejects as `read` of a replica. */
  read<N extends keyof T & string>(name: N): Promise<Setting<T[N]>>;
  /**
   * Sets it, if it still has the version that was read, or whatever it has where none is given.
   * Resolves with its new version when all that is promised of `dispatch` holds. Rejects as
   * `dispatch` does, with a RangeError for a value that `faultOf` finds fault with, and with a
   * SettingChanged when somebody else was first.
   */
  set<N extends keyof T & string>(name: N, value: T[N], version?: number): Promise<number>;
}

/**
 * Settings with a type and a default each. A value that `faultOf` finds fault with, in words, is
 * not set; where it is there already, set by another version of the program, the default stands.
 *
 *     const r = replica({ id, nodes, folder, ...settings });
 *     const live = liveSettings(r, { limit: 10, color: 'blue' });
 *     live.value$('limit').subscribe(restart);
 *     const { value, version } = await live.read('limit');
 *     await live.set('limit', value + 1, version);
 */
export function liveSettings<T extends object>(
  r: Part<Settings, SettingChange, SettingResult>,
  defaults: T,
  faultOf: <N extends keyof T & string>(name: N, value: unknown) => string | null = () => null,
): LiveSettings<T> {
  type Name = keyof T & string;
  const settingOf = <N extends Name>(state: Settings, name: N): Setting<T[N]> => {
    const version = versionOf(state, name);
    const value = state[name]?.value;
    const isSound = version > 0 && faultOf(name, value) === null;
    return { value: isSound ? (value as T[N]) : defaults[name], version };
  };
  return {
    value: (name) => settingOf(r.state, name).value,
    value$: (name) =>
      r
        .select(
          (state) => settingOf(state, name),
          (a, b) => a.version === b.version,
        )
        .pipe(map(({ value }) => value)),
    read: (name) => r.read((state) => settingOf(state, name)),
    set: async (name, value, version) => {
      const fault = faultOf(name, value);
      if (fault !== null) throw new RangeError(`${name}: ${fault}`);
      const result = await r.dispatch({ name, value, version: version ?? null });
      if (!result.isDone) throw new SettingChanged(name, result.version);
      return result.version;
    },
  };
}
