/** A run of a store, driven by a test. */
import { Subject } from 'rxjs';
import type { StorageAction } from '../../lib/action.js';
import type { Store } from '../storage.js';
import { checkEqual } from './check.js';
import type { Bytes, Write } from './storage-model.js';

/** A medium, empty at first, that outlives the stores on it. */
export interface StoragePlace {
  /** A store for node 'a' of cluster 'acceptance'. Called again when the one before is closed. */
  open(): Store<Bytes, Bytes> | Promise<Store<Bytes, Bytes>>;
  /** Called at the end of a test. */
  remove?(): void | Promise<void>;
}

/** One run: a store that is open, and what it answers. */
export class Run {
  readonly action$ = new Subject<StorageAction<Bytes, Bytes>>();
  readonly answers: number[] = [];
  ending: 'running' | 'completed' | 'failed' = 'running';
  error: unknown = null;
  sequence = 0;
  private readonly changed$ = new Subject<void>();
  private readonly subscription;

  constructor(readonly store: Store<Bytes, Bytes>) {
    this.subscription = this.action$.pipe(store.storage).subscribe({
      next: ({ type, sequence }) => {
        if (type !== 'persisted') return this.end('failed');
        this.answers.push(sequence);
        this.changed$.next();
      },
      error: (error: unknown) => {
        this.error = error;
        this.end('failed');
      },
      complete: () => this.end('completed'),
    });
  }

  get acknowledged(): number {
    return this.answers.at(-1) ?? 0;
  }

  persist(write: Write): void {
    this.sequence += 1;
    const rest = { hardState: null, entries: null, snapshot: null, ...write };
    this.action$.next({ type: 'persist', sequence: this.sequence, ...rest });
  }

  /** Until all that was asked for is acknowledged, or the stream has ended. */
  async settled(): Promise<void> {
    await this.until(() => this.acknowledged === this.sequence);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition() && this.ending === 'running') {
      await new Promise<void>((resolve) => this.changed$.subscribe({ next: resolve }));
    }
  }

  async close(): Promise<void> {
    await this.settled();
    this.action$.complete();
    await this.until(() => false);
    checkEqual(this.ending, 'completed', 'completes when its actions complete');
    await this.store.close();
  }

  async crash(): Promise<void> {
    this.subscription.unsubscribe();
    await this.store.close();
  }

  private end(ending: 'completed' | 'failed'): void {
    this.ending = ending;
    this.changed$.next();
  }
}
