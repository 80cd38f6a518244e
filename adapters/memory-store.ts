/**
 * A disk that is memory, and outlives the stores on it: for diagrams, simulations, and nodes that
 * may forget.
 */
import type { ObservableInput, SchedulerLike } from 'rxjs';
import {
  asyncScheduler,
  BehaviorSubject,
  concat,
  defer,
  EMPTY,
  finalize,
  first,
  tap,
  timer,
} from 'rxjs';
import type { HardState, StorageAction } from '../lib/action.js';
import type { Recovered } from '../lib/config.js';
import type { Snapshot } from '../lib/snapshot.js';
import { groupCommit } from './group-commit.js';
import { History } from './history.js';
import type { Store } from './storage.js';
import { StoreError } from './storage.js';

export { StoreError } from './storage.js';
export type { StoreFault } from './storage.js';

/**
 * Holds what was acknowledged, by reference. A crash is to unsubscribe from the store; a restart is
 * a new store on the same disk.
 */
export class MemoryDisk<C = unknown, S = unknown> {
  private readonly history = new History<C>();
  private hardState: HardState = { currentTerm: 0, votedFor: null };
  private snapshot: Snapshot<S> | null = null;
  private generation = 0;
  private readonly held$ = new BehaviorSubject(false);
  private owner: symbol | null = null;
  private busy = false;

  /** From now on no write ends: nothing is acknowledged, and a crash loses it. */
  hold(): void {
    this.held$.next(true);
  }

  /** The writes that were held up end. */
  release(): void {
    this.held$.next(false);
  }

  /** What a store on this disk would recover, without opening one. */
  get recovered(): Recovered<C, S> {
    const { generation, hardState, snapshot } = this;
    return { generation, ...hardState, snapshot, entries: this.history.entries() };
  }

  /** Begins a run, and returns its key. */
  open(): symbol {
    if (this.busy) throw lockedDisk();
    this.generation += 1;
    return (this.owner = Symbol('run'));
  }

  /** A run writes from now on. It must be the newest one, and writes once. */
  begin(run: symbol): void {
    if (this.owner !== run) throw lockedDisk();
    this.owner = null;
    this.busy = true;
  }

  /** The run that wrote has ended. */
  end(): void {
    this.busy = false;
  }

  /** Completes when no write is held up. */
  get free$(): ObservableInput<unknown> {
    return this.held$.pipe(first((held) => !held));
  }

  /** One write, whole. Throws a StoreError 'failed' when the log has no such place. */
  write({ sequence, hardState, snapshot, entries }: StorageAction<C, S>): void {
    try {
      if (snapshot !== null) this.history.giveWay(snapshot.position);
      if (entries !== null) this.history.replaceAfter(entries);
    } catch (cause) {
      const culprit = `the memory disk, write ${sequence}`;
      throw new StoreError('failed', culprit, (cause as Error).message, { cause });
    }
    if (snapshot !== null) this.snapshot = snapshot;
    if (hardState !== null) this.hardState = hardState;
  }
}

export interface MemoryStoreOptions {
  /**
   * How long a write takes, in milliseconds, asked for each. Default: no time at all, so that
   * `persist` is answered while it is being emitted.
   */
  readonly writeMs?: () => number;
  /** The source of time. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /**
   * How many of the writes that were not acknowledged a crash leaves on the disk, the first ones:
   * asked with their number. Default none.
   */
  readonly survivors?: (unacknowledged: number) => number;
}

/** A store on a disk that is memory. Throws a StoreError 'locked' while another writes there. */
export function memoryStore<C, S>(
  disk: MemoryDisk<C, S> = new MemoryDisk(),
  options: MemoryStoreOptions = {},
): Store<C, S> {
  const { writeMs, scheduler = asyncScheduler, survivors = () => 0 } = options;
  const run = disk.open();
  let unwritten: StorageAction<C, S>[] = [];
  const write = (batch: readonly StorageAction<C, S>[]) =>
    concat(writeMs ? timer(writeMs(), scheduler) : EMPTY, disk.free$).pipe(
      tap({
        complete: () => {
          for (const action of batch) disk.write(action);
          unwritten.splice(0, batch.length);
        },
      }),
    );
  const crash = () => {
    for (const action of unwritten.slice(0, survivors(unwritten.length))) disk.write(action);
    unwritten = [];
    disk.end();
  };
  return {
    recovered: disk.recovered,
    storage: (action$) =>
      defer(() => {
        disk.begin(run);
        const asked$ = action$.pipe(tap((action) => unwritten.push(action)));
        return asked$.pipe(groupCommit(write), finalize(crash));
      }),
    close: () => Promise.resolve(),
  };
}

function lockedDisk(): StoreError {
  return new StoreError('locked', 'the memory disk', 'another store writes there, or a newer one');
}
