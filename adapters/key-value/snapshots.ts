/** Snapshots of a node's store that somebody asks for: done when they are on its disk. */
import { BehaviorSubject, firstValueFrom, pipe, skip, tap } from 'rxjs';
import type { LogIndex } from '../../lib/position.js';
import type { Machine } from '../machine.js';
import { OutcomeUnknown } from '../machine.js';
import type { Store } from '../storage.js';

export interface SnapshotsOptions<C, S> {
  readonly machine: Pick<Machine<unknown, never, unknown>, 'takeSnapshot' | 'appliedIndex'>;
  readonly store: Pick<Store<C, S>, 'recovered' | 'storage'>;
}

export class Snapshots<C, S> {
  /** The store's, overheard: run the node with this one. */
  readonly storage: Store<C, S>['storage'];
  /** Of the snapshot on the disk, 0 where there is none. Completes with the storage. */
  private readonly index$: BehaviorSubject<LogIndex>;
  /** Those that were given to the store, until it has them. */
  private readonly written: { readonly sequence: number; readonly index: LogIndex }[] = [];
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: SnapshotsOptions<C, S>) {
    const { recovered, storage } = options.store;
    this.index$ = new BehaviorSubject(recovered.snapshot?.position.index ?? 0);
    this.storage = pipe(
      tap(({ sequence, snapshot }) => {
        if (snapshot !== null) this.written.push({ sequence, index: snapshot.position.index });
      }),
      storage,
      tap({
        next: ({ sequence }) => this.onPersisted(sequence),
        finalize: () => this.index$.complete(),
      }),
    );
  }

  /**
   * Resolves when the disk has a snapshot with all that is applied now, with its index. Rejects
   * with an OutcomeUnknown when the node ends before.
   */
  take(): Promise<LogIndex> {
    const wanted = this.options.machine.appliedIndex;
    // One after the other: what one of them has brought to the disk, the next has as well.
    const taken = this.last.then(() => this.reach(wanted));
    this.last = taken.catch(() => undefined);
    return taken;
  }

  private async reach(wanted: LogIndex): Promise<LogIndex> {
    while (this.index$.value < wanted) {
      const next = firstValueFrom(this.index$.pipe(skip(1)), { defaultValue: null });
      // Dropped while another one is being written: then it is taken again behind that.
      this.options.machine.takeSnapshot();
      if ((await next) === null) throw new OutcomeUnknown('the node has ended meanwhile');
    }
    return this.index$.value;
  }

  private onPersisted(sequence: number): void {
    while (this.written[0] !== undefined && this.written[0].sequence <= sequence) {
      this.index$.next(this.written.shift()?.index ?? 0);
    }
  }
}
