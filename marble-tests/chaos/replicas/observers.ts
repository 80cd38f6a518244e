/**
 * Who follows the replicas from outside, through all of it: never back, on the chain of the others,
 * and to its end.
 */
import type { Subscription } from 'rxjs';
import { defer, distinctUntilChanged, interval, map, startWith, switchMap } from 'rxjs';
import { WebSocket } from 'ws';
import { observe } from '../../../adapters/observe.js';
import type { Held } from '../../../adapters/recipes/locks.js';
import { slices } from '../../../adapters/recipes/slices.js';
import type { Fleet } from '../fleet.js';
import type { Chain } from './chain.js';
import { partsWith } from './parts.mjs';

/** In no campaign: then an observer would take an older state. */
const setBackMs = 3_600_000;

/** The members may have changed. */
const lookMs = 1000;

export class Observers {
  private readonly observers: readonly Observer[];

  private constructor(fleet: Fleet, chain: Chain) {
    this.observers = [
      new Observer('near', () => fleet.addresses, fleet, chain),
      new Observer('far', () => fleet.addressesFrom('far'), fleet, chain),
    ];
  }

  /** One whose ways are good, and one whose ways have the weather of the nodes. */
  static async open(fleet: Fleet, chain: Chain): Promise<Observers> {
    await fleet.approach('far');
    return new Observers(fleet, chain);
  }

  /** They have all seen this version. */
  reach(version: number): boolean {
    return this.observers.every((each) => each.version >= version);
  }

  /** How many states they were shown. */
  get line(): string {
    return this.observers.map(({ name, count }) => `${name} ${count}`).join(', ');
  }

  close(): void {
    for (const { following } of this.observers) following.unsubscribe();
  }
}

class Observer {
  version = 0;
  count = 0;
  private held: Held | null = null;
  readonly following: Subscription;

  constructor(
    readonly name: string,
    urls: () => readonly string[],
    fleet: Fleet,
    private readonly chain: Chain,
  ) {
    const alarm = (text: string): void => fleet.fault(`the observer ${name}: ${text}`);
    const urls$ = interval(lookMs).pipe(startWith(0), map(urls), distinctUntilChanged(isSame));
    const following$ = (list: readonly string[]) =>
      defer(() => {
        // Who begins anew may meet a node that is behind.
        this.version = 0;
        this.held = null;
        const { reducer } = slices(partsWith(alarm));
        const webSocket = WebSocket;
        return observe(list, { reducer, cluster: 'replica', setBackMs, webSocket }).state$;
      });
    this.following = urls$.pipe(switchMap(following$)).subscribe({
      next: ({ keys, locks }) => {
        if (keys.version < this.version) alarm(`${this.version}, and then ${keys.version}`);
        this.version = keys.version;
        this.count += 1;
        this.chain.see(keys, `the observer ${name}`);
        this.onLock(locks['the lock'], alarm);
      },
      error: (error: unknown) => alarm(`has ended: ${String(error)}`),
    });
  }

  /** "A fencing token that grows from holder to holder." */
  private onLock(held: Held | undefined, alarm: (text: string) => void): void {
    if (held === undefined) return;
    const { token, owner } = this.held ?? { token: 0, owner: '' };
    const isGrown = held.token > token || (held.token === token && held.owner === owner);
    if (!isGrown) alarm(`${held.owner} has the token ${held.token} after ${token} of ${owner}`);
    this.held = held;
  }
}

function isSame(before: readonly string[], after: readonly string[]): boolean {
  return before.join() === after.join();
}
