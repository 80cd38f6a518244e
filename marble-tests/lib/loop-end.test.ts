/**
 * How the circle ends: stop, crash, error (DESIGN.md, laws 7 and 8).
 *
 * Diagrams, besides the alphabet of alphabet.ts. Actions: s setElectionTimeout, f, C roleChanged.
 * The devices that a test does not draw are silent: they say nothing, and complete with their
 * actions.
 */
import { describe, expect, it } from 'vitest';
import type { OperatorFunction } from 'rxjs';
import {
  EMPTY,
  NEVER,
  Observable,
  Subject,
  concat,
  concatMap,
  delay,
  finalize,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  pipe,
  take,
  takeUntil,
  tap,
  throwError,
} from 'rxjs';
import type { Adapters, ClockInput, NetworkInput, StorageInput } from '../../lib/index.js';
import { loop, raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { Told, Wanted } from './alphabet.js';
import { drawing, persist, restarted, roleChanged, timedOut, timer } from './alphabet.js';

type Core = OperatorFunction<Told, Wanted>;
type Set = Adapters<string, string>;
type Heard = NetworkInput<string, string>;

/** An adapter that says nothing, and completes with its actions. */
function silent<A, I>(): OperatorFunction<A, I> {
  return (action$) => action$.pipe(ignoreElements());
}

function adapters(some: Partial<Set> = {}): Set {
  return { clock: silent(), storage: silent(), network: silent(), machine: silent(), ...some };
}

describe('the end (law 8)', () => {
  it(
    'a core that completes completes every device, and the loop with the last of them',
    marbles((m) => {
      const action$ = m.hot('-s--|', { s: timer('follower') });
      const clock$ = m.cold<ClockInput>('--|');
      const network$ = m.cold<Heard>('---|');
      const expected = '     -s-----|';
      const all = adapters({
        clock: (clockAction$) => concat(clockAction$.pipe(ignoreElements()), clock$),
        network: (networkAction$) => concat(networkAction$.pipe(ignoreElements()), network$),
      });
      m.expect(loop(() => action$, all)).toBeObservable(expected, { s: timer('follower') });
    }),
  );

  it(
    'a write in flight is finished first: stop$ ends the inputs, the disk ends when it has written',
    marbles((m) => {
      const clock: Set['clock'] = pipe(
        take(1),
        map((): ClockInput => timedOut),
      );
      const written: number[] = [];
      const storage: Set['storage'] = concatMap(({ sequence }) =>
        of<StorageInput>({ type: 'persisted', sequence }).pipe(
          delay(6),
          tap(() => written.push(sequence)),
        ),
      );
      const stop$ = m.hot('----x');
      const core = pipe(takeUntil<Told>(stop$), raft<string, string>(restarted([1])));
      const all = loop(core, adapters({ clock, storage })).pipe(drawing('roleChanged'));
      const roles = { f: roleChanged('follower', 1, null), C: roleChanged('candidate', 2, null) };
      m.expect(all).toBeObservable('(fC)--|', roles);
      m.flush();
      expect(written).toEqual([1]);
    }),
  );

  it('unsubscribing is a crash: everything is released, at once, also in the midst of a turn', () => {
    for (const count of [1, 2, 3]) {
      const released: string[] = [];
      const holding = <A, I>(name: string): OperatorFunction<A, I> => {
        return (action$) =>
          merge(action$.pipe(ignoreElements()), NEVER).pipe(finalize(() => released.push(name)));
      };
      loop(raft(restarted([1])), {
        clock: holding('clock'),
        storage: holding('storage'),
        network: holding('network'),
        machine: holding('machine'),
      })
        .pipe(take(count))
        .subscribe();
      expect(released.sort()).toEqual(['clock', 'machine', 'network', 'storage']);
    }
  });
});

describe('an error ends the loop, once, and releases everything (law 7)', () => {
  const failure = new Error('disk full');
  const holding = (released: string[], some: Partial<Set>): Set => {
    const each = (name: keyof Set): never =>
      ((action$: Observable<never>) =>
        ((some[name] ?? silent()) as OperatorFunction<never, never>)(action$).pipe(
          finalize(() => released.push(name)),
        )) as never;
    return {
      clock: each('clock'),
      storage: each('storage'),
      network: each('network'),
      machine: each('machine'),
    };
  };

  it.each<[string, Partial<Set>]>([
    ['an error of an adapter', { storage: mergeMap(() => throwError(() => failure)) }],
    [
      'a throw inside an adapter',
      {
        storage: map((): StorageInput => {
          throw failure;
        }),
      },
    ],
    ['an error on subscription', { machine: () => throwError(() => failure) }],
  ])('%s', (_, some) => {
    const released: string[] = [];
    const errors: unknown[] = [];
    const core: Core = () => concat(of(persist(1, {})), NEVER);
    loop(core, holding(released, some)).subscribe({
      error: (error: unknown) => errors.push(error),
    });
    expect(errors).toEqual([failure]);
    expect(released.sort()).toEqual(['clock', 'machine', 'network', 'storage']);
  });

  it('an adapter that throws as it is made', () => {
    const errors: unknown[] = [];
    const machine: Set['machine'] = () => {
      throw failure;
    };
    const all = adapters({ machine });
    loop(() => NEVER, all).subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([failure]);
  });

  it('an error of the core: a broken invariant', () => {
    const released: string[] = [];
    const errors: unknown[] = [];
    const liar: Set['storage'] = () => of({ type: 'persisted', sequence: 99 });
    loop(raft<string, string>(restarted([1])), holding(released, { storage: liar })).subscribe({
      error: (error: unknown) => errors.push(String(error)),
    });
    expect(errors).toEqual(['InvariantError: write 99 was never issued']);
    expect(released.sort()).toEqual(['clock', 'machine', 'network', 'storage']);
  });

  it('an error before the core starts: the core is not started', () => {
    let started = false;
    const core: Core = () => {
      started = true;
      return EMPTY;
    };
    const clock: Set['clock'] = () => throwError(() => failure);
    const errors: unknown[] = [];
    loop(core, adapters({ clock })).subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([failure]);
    expect(started).toBe(false);
  });

  it('what is said after the end is heard by nobody', () => {
    const late = new Subject<StorageInput>();
    const stop$ = new Subject<void>();
    const seen: string[] = [];
    const storage: Set['storage'] = (action$) => merge(action$.pipe(ignoreElements()), late);
    const core = pipe(takeUntil<Told>(stop$), raft<string, string>(restarted([1])));
    loop(core, adapters({ storage })).subscribe({
      next: (action) => seen.push(action.type),
      complete: () => seen.push('end'),
    });
    stop$.next();
    late.next({ type: 'persisted', sequence: 1 });
    late.complete();
    expect(seen.slice(3)).toEqual(['end']);
  });
});
