/**
 * The lock as diagrams. It is held for nine frames after each word of the cluster, and asked for
 * again every three; a word takes one frame.
 *
 *     t the token, | it was lost
 */
import type { Observable } from 'rxjs';
import {
  asyncScheduler,
  concat,
  ignoreElements,
  merge,
  mergeMap,
  NEVER,
  of,
  takeUntil,
  throwError,
  timer,
} from 'rxjs';
import type { Context } from 'rxjs-marbles';
import { describe, expect, it } from 'vitest';
import type { LockCommand, LockResult, Locks } from '../../../adapters/recipes/locks.js';
import { lock, locks } from '../../../adapters/recipes/locks.js';
import type { Part } from '../../../adapters/recipes/part.js';
import { marbles } from '../../marbles.js';

/** A promise in virtual time: what rxjs and the recipe use of one. */
function promiseOf(result$: Observable<LockResult>): Promise<LockResult> {
  const over = { then: () => over };
  const then = (resolve: (result: LockResult) => void, reject?: (error: unknown) => void) => {
    result$.subscribe({ next: resolve, error: (error: unknown) => reject?.(error) });
    return over;
  };
  return { then, catch: (reject: () => void) => then(() => undefined, reject) } as never;
}

const later = (result$: Observable<LockResult>, frames = 1): Observable<LockResult> =>
  concat(timer(frames).pipe(ignoreElements()), result$);

/** What a cluster says: a token, null when another one has the lock, or nothing of use. */
type Word = LockResult | 'refused' | 'silent' | { readonly late: number };

/** A cluster that says these words, one after the other, and the last one for ever. */
function cluster(words: readonly Word[], holder$: Observable<number>, releaseFrames = 0) {
  const rest = [...words];
  const said: string[] = [];
  const part = {
    id: 'a',
    status$: NEVER,
    select: () => holder$,
    dispatch: (command: LockCommand) => {
      said.push(`${asyncScheduler.now()} ${command.type}`);
      if (command.type === 'release') {
        const word$ = of(command.token);
        return promiseOf(releaseFrames === 0 ? word$ : later(word$, releaseFrames));
      }
      const word = rest.length > 1 ? rest.shift() : rest[0];
      if (word === 'silent') return promiseOf(NEVER);
      if (word === 'refused') return promiseOf(later(throwError(() => new Error('no leader'))));
      if (typeof word === 'object' && word !== null) return promiseOf(later(of(word.late), 4));
      return promiseOf(later(of(word ?? null)));
    },
  } as unknown as Part<Locks, LockCommand, LockResult>;
  return { part, said };
}

/** Draws the lock of a cluster, and gives back what the cluster was told and when. */
function draw(
  words: readonly Word[],
  diagram: {
    readonly holder: string;
    readonly until: string;
    readonly lock: string;
    /** From this frame on the clock is much later. */
    readonly frozenFrom?: number;
  },
): readonly string[] {
  let said: readonly string[] = [];
  marbles((m: Context) => {
    const made = cluster(words, m.cold(diagram.holder, { x: 7, y: 0 }));
    ({ said } = made);
    const { frozenFrom = Infinity } = diagram;
    const now = (): number => {
      const at = asyncScheduler.now();
      return at < frozenFrom ? at : at + 1000;
    };
    const held$ = lock(made.part, 'door', { forMs: 9, now });
    m.expect(held$, diagram.until).toBeObservable(diagram.lock, { t: 12 });
  })();
  return said;
}

describe('a lock', () => {
  it('is taken, kept by asking in time, and given back', () => {
    const said = draw([12], {
      holder: 'y--------',
      until: ' ^--------!',
      lock: '  -t--------',
    });
    expect(said).toEqual(['0 acquire', '4 acquire', '7 acquire', '9 release']);
  });

  it('is waited for, and asked for as soon as its holder changes', () => {
    const said = draw([null, null, 12], {
      holder: 'x----y---',
      until: ' ^-------!',
      lock: '  ------t--',
    });
    expect(said).toEqual(['0 acquire', '3 acquire', '5 acquire', '8 release']);
  });

  it.each(['refused', 'silent'] as const)('is lost when it can not be kept: %s', (word) => {
    const said = draw([12, word], {
      holder: 'y-----------',
      until: ' ^-----------!',
      lock: '  -t--------|',
    });
    expect(said[0]).toBe('0 acquire');
    expect(said.at(-1)).toBe('10 release');
  });

  it('is lost at once when another one has it', () => {
    const said = draw([12, null], {
      holder: 'y--------',
      until: ' ^--------!',
      lock: '  -t---|',
    });
    expect(said).toEqual(['0 acquire', '4 acquire', '5 release']);
  });

  it('is lost at once when it was lost before, and is another one now', () => {
    const said = draw([12, 15], {
      holder: 'y--------',
      until: ' ^--------!',
      lock: '  -t---|',
    });
    expect(said).toEqual(['0 acquire', '4 acquire', '5 release']);
  });

  it('that was lost while its holder stood still is not asked for any more', () => {
    const said = draw([12], {
      holder: 'y--------',
      until: ' ^--------!',
      lock: '  -t--|',
      frozenFrom: 2,
    });
    expect(said).toEqual(['0 acquire', '4 release']);
  });

  it('that could not be asked for is asked for again', () => {
    const said = draw(['refused', 12], {
      holder: 'y--------',
      until: ' ^-----!',
      lock: '  ----t--',
    });
    expect(said).toEqual(['0 acquire', '3 acquire', '6 release']);
  });

  it('that is granted when nobody waits any more is given back', () => {
    const said = draw([{ late: 12 }], {
      holder: 'y--------',
      until: ' ^--!',
      lock: '  --------',
    });
    expect(said).toEqual(['0 acquire', '4 release']);
  });

  it('that was lost, and is granted anew when nobody waits any more, is given back', () => {
    const said = draw([12, { late: 15 }], {
      holder: 'y--------',
      until: ' ^-----!',
      lock: '  -t-----',
    });
    expect(said).toEqual(['0 acquire', '4 acquire', '6 release', '8 release']);
  });

  it('is not given back by an earlier wish of the same owner', () => {
    const { part, said } = cluster([{ late: 12 }, 12], of(0));
    marbles((m: Context) => {
      const wish$ = lock(part, 'door', { forMs: 9, now: () => asyncScheduler.now() });
      const wishes$ = merge(wish$.pipe(takeUntil(timer(1))), timer(2).pipe(mergeMap(() => wish$)));
      m.expect(wishes$, '^-----!').toBeObservable('---t---', { t: 12 });
    })();
    expect(said).toEqual(['0 acquire', '2 acquire', '6 release']);
  });

  it('that is on its way back is asked for behind that: else it would be given back after all', () => {
    const { part, said } = cluster([12, 15], of(0), 4);
    marbles((m: Context) => {
      const wish$ = lock(part, 'door', { forMs: 9, now: () => asyncScheduler.now() });
      const wishes$ = merge(wish$.pipe(takeUntil(timer(2))), timer(3).pipe(mergeMap(() => wish$)));
      m.expect(wishes$, '^-------!').toBeObservable('-t-----u-', { t: 12, u: 15 });
    })();
    expect(said).toEqual(['0 acquire', '2 release', '6 acquire', '8 release']);
  });

  it('is given back by the last of those who hold it under one name', () => {
    const { part, said } = cluster([12], of(0));
    marbles((m: Context) => {
      const wish$ = lock(part, 'door', { forMs: 90, now: () => asyncScheduler.now() });
      const wishes$ = merge(wish$.pipe(takeUntil(timer(4))), timer(2).pipe(mergeMap(() => wish$)));
      m.expect(wishes$, '^-----!').toBeObservable('-t-t---', { t: 12 });
    })();
    expect(said).toEqual(['0 acquire', '2 acquire', '6 release']);
  });

  it('is not held for less by a word that comes late', () => {
    const at = { term: 1, index: 1, offset: 0 };
    const acquire = { type: 'acquire', name: 'door', owner: 'a', forMs: 9 } as const;
    const { state } = locks.reducer({}, { ...acquire, now: 20 }, at);
    const later = locks.reducer(state, { ...acquire, now: 12 }, { ...at, index: 2 });
    expect(later.state['door']).toEqual({ owner: 'a', token: 4096, until: 29 });
  });
});
