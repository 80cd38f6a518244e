/** "While one write runs the next gathers (group commit)": written in order, answered in order. */
import type { Observable } from 'rxjs';
import { concat, EMPTY, Subject, take, throwError, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { groupCommit } from '../../adapters/group-commit.js';
import type { StorageInput } from '../../lib/input.js';
import { marbles } from '../marbles.js';

interface Asked {
  readonly sequence: number;
}

const asked = Object.fromEntries([1, 2, 3, 4, 5].map((sequence) => [sequence, { sequence }]));
const persisted = Object.fromEntries(
  [1, 2, 3, 4, 5].map((sequence) => [sequence, { type: 'persisted', sequence } as const]),
);

function recording(batches: number[][], write: () => Observable<unknown>) {
  return groupCommit<Asked>((batch) => {
    batches.push(batch.map((each) => each.sequence));
    return write();
  });
}

describe('groupCommit', () => {
  it(
    'gathers what arrives during a write, and answers with the last number (G14, I8)',
    marbles((m) => {
      const batches: number[][] = [];
      const action$ = m.hot('  123------4---|', asked);
      const expected = '       ---1--3-----4|';
      m.expect(action$.pipe(recording(batches, () => timer(3)))).toBeObservable(
        expected,
        persisted,
      );
      m.flush();
      expect(batches).toEqual([[1], [2, 3], [4]]);
    }),
  );

  it(
    'finishes the writes asked for when its actions complete (I8, law 8)',
    marbles((m) => {
      const action$ = m.hot('  123|', asked);
      const expected = '       ---1--(3|)';
      m.expect(action$.pipe(groupCommit(() => timer(3)))).toBeObservable(expected, persisted);
    }),
  );

  it(
    'never answers, nor writes, anything after a write that failed (G3, fsyncgate)',
    marbles((m) => {
      const batches: number[][] = [];
      const failing$ = concat(
        timer(3),
        throwError(() => new Error('EIO')),
      );
      const written$ = m
        .hot('                 12-3--4--|', asked)
        .pipe(recording(batches, () => (batches.length === 2 ? failing$ : timer(3))));
      m.expect(written$).toBeObservable('---1--#', persisted, new Error('EIO'));
      m.flush();
      expect(batches).toEqual([[1], [2, 3]]);
    }),
  );

  it(
    'ends with a write that throws when it is called (I14)',
    marbles((m) => {
      const written$ = m.hot('-1-2', asked).pipe(
        groupCommit(() => {
          throw new Error('EIO');
        }),
      );
      m.expect(written$).toBeObservable('-#', persisted, new Error('EIO'));
    }),
  );

  it(
    'passes an error of its actions at once',
    marbles((m) => {
      const action$ = m.hot('  12-#', asked, new Error('dead'));
      const written$ = action$.pipe(groupCommit(() => timer(5)));
      m.expect(written$).toBeObservable('---#', persisted, new Error('dead'));
    }),
  );

  it(
    'when unsubscribed answers and writes nothing more: "unsubscribe = crash"',
    marbles((m) => {
      const batches: number[][] = [];
      const action$ = m.hot('  12--3--4-|', asked);
      const unsubscribed = '   -----!';
      const expected = '       ---1--';
      const written$ = action$.pipe(recording(batches, () => timer(3)));
      m.expect(written$, unsubscribed).toBeObservable(expected, persisted);
      m.expect(action$).toHaveSubscriptions('^----!');
      m.flush();
      expect(batches).toEqual([[1], [2]]);
    }),
  );

  it(
    'completes without actions, and never without their end',
    marbles((m) => {
      m.expect(m.cold<Asked>('|').pipe(groupCommit(() => EMPTY))).toBeObservable('|');
      m.expect(m.cold<Asked>('-').pipe(groupCommit(() => EMPTY))).toBeObservable('-');
    }),
  );

  it('answers in order when an answer brings the next action, 100,000 times', () => {
    const action$ = new Subject<Asked>();
    const answers: number[] = [];
    const batches: number[][] = [];
    action$.pipe(recording(batches, () => EMPTY)).subscribe(({ sequence }: StorageInput) => {
      answers.push(sequence);
      if (sequence < 100_000) action$.next({ sequence: sequence + 1 });
      if (sequence === 10) action$.next({ sequence: sequence + 2 });
    });
    action$.next({ sequence: 1 });
    expect(answers.slice(0, 14)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15]);
    expect(batches[10]).toEqual([11, 12]);
    expect(answers.at(-1)).toBe(100_000);
  });

  it('writes nothing more when it is unsubscribed by its own answer', () => {
    const action$ = new Subject<Asked>();
    const batches: number[][] = [];
    action$
      .pipe(
        recording(batches, () => EMPTY),
        take(1),
      )
      .subscribe(() => {
        action$.next({ sequence: 2 });
      });
    action$.next({ sequence: 1 });
    expect(batches).toEqual([[1]]);
  });
});
