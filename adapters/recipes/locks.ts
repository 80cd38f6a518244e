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
import { wishesOf } from './wishes.js';

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
    // Words may come in another order than they were said in.
    const until = isFree ? now + forMs : Math.max(held.until, now + forMs);
    return { state: { ...state, [name]: { owner, token, until } }, result: token };
  },
};

export interface LockOptions {
  /**
   * Unique among those who want the lock: who asks a replica for it under one name, also twice,
   * holds it once, and the last one gives it back. Default: the id of the node.
   */
  readonly owner?: string;
  /** So long it is held after a holder has vanished, in milliseconds. Default 10,000. */
  readonly forMs?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * Waits for a lock, emits its token, and keeps the lock until it is unsubscribed, which gives it
 * back, also when it is granted only after that (where nobody hears of the grant it is free again
 * after `forMs`); completes when it was lost, because it could not be kept in time. Clocks may
 * differ, and a holder may be frozen: what the lock guards must take the token, and refuse a lower
 * one than it has seen.
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
    const wishes = wishesOf(r.status$, JSON.stringify([owner, name]));
    wishes.enter();
    const leaveBehind = (given: number): void =>
      wishes.leaveBehind(given, () => r.dispatch({ type: 'release', name, token: given }));
    /** A word that comes when this one does not wait any more. */
    const onLate = (given: LockResult): void => {
      if (isOver && given !== null && given !== token) leaveBehind(given);
    };
    const acquire = (asked: number): Promise<LockResult> =>
      wishes.ask(r.dispatch({ type: 'acquire', name, owner, now: asked, forMs }), onLate);
    /** The token, when it is ours; refused or lost words are asked again by the next tick. */
    const acquire$ = defer(() => {
      let asked = 0;
      return wishes.returned$.pipe(
        switchMap(() => acquire((asked = now()))),
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
      if (token !== null) leaveBehind(token);
      wishes.leave();
    };
    return won$.pipe(
      switchMap((given) => concat(of(given), keep$)),
      finalize(leave),
    );
  });
}
