/** Locks by name, with a fencing token that grows from holder to holder. */
import type { Observable } from 'rxjs';
import {
  catchError,
  concat,
  defer,
  EMPTY,
  exhaustMap,
  filter,
  finalize,
  ignoreElements,
  interval,
  map,
  merge,
  of,
  switchMap,
  take,
  takeWhile,
  tap,
} from 'rxjs';
import { refuseUnsavable } from './name.js';
import type { Part } from './part.js';
import type { Slice } from './slices.js';

export interface Held {
  readonly owner: string;
  /** The place of the grant in the log, as one number: a later holder has a higher one. */
  readonly token: number;
  /** By the clock of whoever asked last, in milliseconds since 1970. */
  readonly until: number;
}

export type Locks = Readonly<Record<string, Held>>;

export type LockCommand =
  /** `now`: by the clock of the one who asks. Of the holder: it is held for longer. */
  | {
      readonly type: 'acquire';
      readonly name: string;
      readonly owner: string;
      readonly now: number;
      readonly forMs: number;
    }
  | { readonly type: 'release'; readonly name: string; readonly token: number };

/** The token, or null: another one holds it. */
export type LockResult = number | null;

/** Commands in one entry are fewer than this: see `blockCommands` of the machine. */
const commandsPerEntry = 4096;

export const locks: Slice<Locks, LockCommand, LockResult> = {
  initialState: {},
  reducer(state, command, { index, offset }) {
    const held = Object.hasOwn(state, command.name) ? state[command.name] : undefined;
    if (command.type === 'release') {
      if (held?.token !== command.token) return { state, result: null };
      const rest = Object.entries(state).filter(([name]) => name !== command.name);
      return { state: Object.fromEntries(rest), result: command.token };
    }
    const { name, owner, now, forMs } = command;
    refuseUnsavable(name);
    const isFree = held === undefined || held.until <= now;
    if (!isFree && held.owner !== owner) return { state, result: null };
    const token = isFree ? index * commandsPerEntry + offset : held.token;
    return { state: { ...state, [name]: { owner, token, until: now + forMs } }, result: token };
  },
};

export interface LockOptions {
  /** Unique among those who want the lock. Default: the id of the node. */
  readonly owner?: string;
  /** So long it is held after a holder has vanished, in milliseconds. Default 10,000. */
  readonly forMs?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** How many in this process want a lock, by owner and name: none that would take it away. */
const wanted = new Map<string, number>();

function want(who: string, by: 1 | -1): void {
  const count = (wanted.get(who) ?? 0) + by;
  if (count === 0) wanted.delete(who);
  else wanted.set(who, count);
}

/**
 * Waits for a lock, emits its token, and keeps the lock until it is unsubscribed, which gives it
 * back, also when it is granted only after that; completes when it was lost, because it could not
 * be kept in time. Clocks may differ, and a holder may be frozen: what the lock guards must take
 * the token, and refuse a lower one than it has seen.
 *
 *     lock             --3--------|      lost
 */
export function lock(
  r: Part<Locks, LockCommand, LockResult>,
  name: string,
  options: LockOptions = {},
): Observable<number> {
  const { owner = r.id, forMs = 10_000, now = Date.now } = options;
  return defer(() => {
    let token: number | null = null;
    let until = 0;
    let isOver = false;
    const who = JSON.stringify([owner, name]);
    want(who, 1);
    const giveBack = (given: number): void => {
      r.dispatch({ type: 'release', name, token: given }).catch(() => undefined);
    };
    /** A word that comes when nobody waits any more. A younger wish of this owner has it now. */
    const onLate = (given: LockResult): void => {
      if (isOver && given !== null && given !== token && !wanted.has(who)) giveBack(given);
    };
    const acquire = (asked: number): Promise<LockResult> => {
      const word = r.dispatch({ type: 'acquire', name, owner, now: asked, forMs });
      word.then(onLate, () => undefined);
      return word;
    };
    /** The token, when it is ours; refused or lost words are asked again by the next tick. */
    const acquire$ = defer(() => {
      const asked = now();
      return defer(() => acquire(asked)).pipe(
        tap((given) => {
          // Under a newer token somebody else may have held it meanwhile.
          const isKept = given !== null && (token === null || given === token);
          until = isKept ? asked + forMs : 0;
          token = given ?? token;
        }),
        catchError(() => EMPTY),
      );
    });
    const tick$ = interval(Math.ceil(forMs / 3));
    const holder$ = r.select((state) => state[name]?.token);
    const won$ = merge(holder$, tick$).pipe(
      exhaustMap(() => acquire$),
      filter((given) => given !== null),
      take(1),
    );
    // First the look at the clock: what was lost is not asked for any more.
    const keep$ = merge(tick$, tick$.pipe(exhaustMap(() => acquire$))).pipe(
      map(() => now() < until),
      takeWhile((isHeld) => isHeld),
      ignoreElements(),
    );
    const leave = (): void => {
      isOver = true;
      want(who, -1);
      if (token !== null) giveBack(token);
    };
    return won$.pipe(
      switchMap((given) => concat(of(given), keep$)),
      finalize(leave),
    );
  });
}
