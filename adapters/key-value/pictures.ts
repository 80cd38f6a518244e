/** The values as they are at an index, for those who begin to watch: they share what it takes. */
import type { LogIndex } from '../../lib/position.js';
import type { Changes } from './changes.js';
import type { State } from './reducer.js';

/** Keys by name, and their values in the same order: nobody changes the bytes. */
export interface Picture {
  readonly index: LogIndex;
  readonly names: readonly string[];
  readonly values: readonly Uint8Array[];
}

export interface Pictured {
  readonly changes: Changes;
  readonly state: () => State;
  readonly applied: () => LogIndex;
}

/** The newest that somebody may still tell, of each node in this process. */
const taken = new WeakMap<Changes, WeakRef<Picture>>();

/**
 * Everything, as it was at an index behind which all changes are kept. Taken in one turn, since the
 * map is changed in place; anew only when the changes since the last one are not kept any more.
 */
export function pictureOf({ changes, state, applied }: Pictured): Picture {
  const last = taken.get(changes)?.deref();
  if (last !== undefined && last.index >= changes.base) return last;
  const names: string[] = [];
  const values: Uint8Array[] = [];
  for (const [name, value] of state().values) {
    names.push(name);
    values.push(value);
  }
  const picture = { index: applied(), names, values };
  taken.set(changes, new WeakRef(picture));
  return picture;
}

/** One key alone. */
export function pictureOfKey({ state, applied }: Pictured, name: string): Picture {
  const value = state().values.get(name);
  const found =
    value === undefined ? { names: [], values: [] } : { names: [name], values: [value] };
  return { index: applied(), ...found };
}
