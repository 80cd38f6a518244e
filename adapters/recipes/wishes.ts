/** What all in this process who want one lock as one owner share: they hold it together. */
import { BehaviorSubject, filter, take } from 'rxjs';
import type { LockResult } from './locks.js';

type Word = Promise<LockResult>;

class Wishes {
  private count = 0;
  private words = 0;
  private readonly returning$ = new BehaviorSubject(0);
  private left: { readonly token: number; readonly giveBack: () => Word } | null = null;

  /** Emits when nothing is on its way back: an acquire that overtook it would be released by it. */
  readonly returned$ = this.returning$.pipe(
    filter((count) => count === 0),
    take(1),
  );

  /** `onIdle`: nobody wants the lock any more, and no word is under way. */
  constructor(private readonly onIdle: () => void) {}

  enter(): void {
    this.count += 1;
  }

  leave(): void {
    this.count -= 1;
    this.settle();
  }

  /** The word of one who asks; `onEnd` hears of a token also when nobody waits any more. */
  ask(word: Word, onEnd: (given: LockResult) => void): Word {
    this.words += 1;
    const end = (given: LockResult): void => {
      this.words -= 1;
      onEnd(given);
      this.settle();
    };
    word.then(end, () => end(null));
    return word;
  }

  /** Whoever is still there has the token, and the last one gives it back. */
  leaveBehind(token: number, giveBack: () => Word): void {
    if (this.left === null || this.left.token < token) this.left = { token, giveBack };
    this.settle();
  }

  private settle(): void {
    if (this.count > 0) return;
    if (this.left !== null) {
      const { giveBack } = this.left;
      this.left = null;
      const { returning$ } = this;
      returning$.next(returning$.value + 1);
      void this.ask(giveBack(), () => returning$.next(returning$.value - 1));
    }
    if (this.words === 0) this.onIdle();
  }
}

/** By what all parts of one replica share, and then by owner and name. */
const wishesOfAll = new WeakMap<object, Map<string, Wishes>>();

export function wishesOf(replica: object, who: string): Wishes {
  const all = wishesOfAll.get(replica) ?? new Map<string, Wishes>();
  wishesOfAll.set(replica, all);
  const wishes = all.get(who) ?? new Wishes(() => all.delete(who));
  all.set(who, wishes);
  return wishes;
}
