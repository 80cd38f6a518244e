/** The one holder of a database, among all tabs and workers of an origin, by a Web Lock (G10). */
import { ConfigError } from '../lib/config.js';
import { StoreError } from './storage.js';

export interface HeldLock {
  /** False once it was released, or stolen by a script of this origin. */
  readonly isHeld: boolean;
  release(): void;
}

/**
 * Holds the lock of this name until it is released, or the tab or worker ends. A page that is being
 * reloaded needs a moment to let go: so long it is waited for. Rejects with a StoreError 'locked'
 * when that was not enough, and with a ConfigError where there are no Web Locks.
 */
export function holdLock(name: string, where: string, waitMs: number): Promise<HeldLock> {
  return new Promise((resolve, reject) => {
    const locks = lockManager();
    let isHeld = false;
    const hold = (lock: Lock | null): Promise<void> | undefined => {
      if (lock === null) return undefined;
      isHeld = true;
      return new Promise((release) => {
        resolve({
          get isHeld() {
            return isHeld;
          },
          release: () => {
            isHeld = false;
            release();
          },
        });
      });
    };
    const over = (): void => {
      isHeld = false;
      const mend = 'another tab or worker holds it: close that one, or open another database';
      reject(new StoreError('locked', where, mend));
    };
    const patience =
      waitMs > 0 ? { signal: AbortSignal.timeout(waitMs) } : { ifAvailable: true as const };
    locks.request(name, patience, hold).then(over, over);
  });
}

function lockManager(): LockManager {
  const { locks } = (globalThis.navigator ?? {}) as { readonly locks?: LockManager };
  if (locks !== undefined) return locks;
  const mend = 'there are no Web Locks here: serve the page over https, or from localhost';
  throw new ConfigError('database', mend);
}
