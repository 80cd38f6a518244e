/**
 * The log as far as it is applied (§5.3): "If commitIndex > lastApplied: increment lastApplied,
 * apply log[lastApplied] to state machine" (Figure 2).
 */
import type { BehaviorSubject, Observable, Subscriber } from 'rxjs';
import type { MachineAction } from '../lib/action.js';
import type { LogEntries } from '../lib/entries.js';
import { positionedEntries } from '../lib/entries.js';
import type { MachineInput } from '../lib/input.js';
import { ensure } from '../lib/invariant.js';
import type { LogIndex, LogPosition } from '../lib/position.js';
import { origin, samePosition } from '../lib/position.js';
import type { Snapshot } from '../lib/snapshot.js';
import { CommandFailed } from './machine-errors.js';
import type { MachineSettings } from './machine-options.js';
import { byteLength } from './machine-options.js';
import type { Requests } from './machine-requests.js';
import type { Waiter } from './waiters.js';

export class AppliedLog<State, Command, Result, Block, Data> {
  applied: LogPosition = origin;
  private state: State;
  private entriesSinceSnapshot = 0;
  private bytesSinceSnapshot = 0;
  private say: ((input: MachineInput<Block, Data>) => void) | null = null;

  constructor(
    private readonly settings: MachineSettings<State, Command, Result, Block, Data>,
    private readonly requests: Requests<State, Command, Result, Block, Data>,
    private readonly state$: BehaviorSubject<State>,
  ) {
    this.state = settings.initialState;
  }

  run(
    action$: Observable<MachineAction<Block, Data>>,
    subscriber: Subscriber<MachineInput<Block, Data>>,
  ): void {
    this.requests.start((input) => subscriber.next(input));
    this.say = (input) => subscriber.next(input);
    const end = (): void => {
      this.say = null;
      this.requests.end();
      this.state$.complete();
    };
    subscriber.add(end);
    subscriber.add(
      action$.subscribe({
        next: (action) => {
          try {
            this.onAction(action, subscriber);
          } catch (error) {
            subscriber.error(error);
          }
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          end();
          subscriber.complete();
        },
      }),
    );
  }

  takeSnapshot(): LogIndex {
    if (this.say !== null) this.snapshot(this.say);
    return this.applied.index;
  }

  private onAction(
    action: MachineAction<Block, Data>,
    subscriber: Subscriber<MachineInput<Block, Data>>,
  ): void {
    const { proposals } = this.requests;
    switch (action.type) {
      case 'apply':
        this.onApply(action.entries);
        if (this.snapshotIsDue()) this.snapshot((input) => subscriber.next(input));
        break;
      case 'restore':
        this.onRestore(action.snapshot);
        break;
      case 'accepted':
        proposals.onAccepted(action.proposal, action.firstPosition);
        break;
      case 'rejected':
        proposals.onRejected(action.proposal, action.reason, action.leaderId);
        break;
      case 'readReady':
        ensure(
          action.index <= this.applied.index,
          () => `a read at ${action.index} is not applied yet`,
        );
        this.requests.onReadReady(action.reads, this.state);
        break;
      case 'readRefused':
        this.requests.onReadRefused(action.reads, action.reason, action.leaderId);
        break;
      case 'roleChanged':
        proposals.onRoleChanged(action);
        break;
    }
  }

  private onApply(entries: LogEntries<Block>): void {
    ensure(
      samePosition(entries.prevPosition, this.applied),
      () =>
        `entries behind ${written(entries.prevPosition)} do not follow ${written(this.applied)}`,
    );
    let changed = false;
    for (const { position, entry } of positionedEntries(entries)) {
      if (entry.type === 'command') {
        this.applyBlock(entry.command, position);
        changed = true;
      } else {
        this.passBy(position);
      }
      this.applied = position;
    }
    this.entriesSinceSnapshot += entries.length;
    if (changed) this.state$.next(this.state);
  }

  private applyBlock(block: Block, position: LogPosition): void {
    // Read whole before somebody is taken from the table: who is in neither place waits for ever.
    const commands = [...this.settings.unpack(block)];
    const proposal = this.requests.proposals.take(position);
    const waiters = proposal?.type === 'block' ? proposal.waiters : [];
    let offset = 0;
    for (const command of commands) {
      this.applyCommand(command, position, offset, waiters[offset]);
      offset += 1;
    }
    for (const waiter of waiters.slice(offset)) {
      waiter.reject(new CommandFailed('unpack gave fewer commands than pack was given'));
    }
    const blockBytes = byteLength(block);
    for (const each of blockBytes === 0 ? commands : []) {
      this.bytesSinceSnapshot += this.settings.sizeOf(each);
    }
    this.bytesSinceSnapshot += blockBytes;
  }

  private applyCommand(
    command: Command,
    { term, index }: LogPosition,
    offset: number,
    waiter: Waiter<Result> | undefined,
  ): void {
    try {
      const outcome = this.settings.reducer(this.state, command, { term, index, offset });
      if (!('state' in outcome)) throw new TypeError('a reducer returns { state, result }');
      this.state = outcome.state;
      waiter?.resolve(outcome.result);
    } catch (error) {
      waiter?.reject(new CommandFailed(error));
    }
  }

  /** A marker, or a configuration. */
  private passBy(position: LogPosition): void {
    const proposal = this.requests.proposals.take(position);
    if (proposal?.type !== 'config') return;
    for (const waiter of proposal.waiters) waiter.resolve(position);
  }

  private onRestore(snapshot: Snapshot<Data>): void {
    const { position, data } = snapshot;
    ensure(
      position.index >= this.applied.index,
      () => `a snapshot at ${position.index} is behind ${this.applied.index}`,
    );
    this.state = this.settings.load(data);
    this.applied = position;
    this.entriesSinceSnapshot = this.bytesSinceSnapshot = 0;
    this.requests.proposals.onRestored(position.index);
    this.state$.next(this.state);
  }

  private snapshotIsDue(): boolean {
    const { entries, bytes } = this.settings.snapshotEvery;
    return this.entriesSinceSnapshot >= entries || this.bytesSinceSnapshot >= bytes;
  }

  private snapshot(say: (input: MachineInput<Block, Data>) => void): void {
    this.entriesSinceSnapshot = this.bytesSinceSnapshot = 0;
    const data = this.settings.save(this.state);
    if (data !== undefined) say({ type: 'snapshotTaken', index: this.applied.index, data });
  }
}

function written({ term, index }: LogPosition): string {
  return `(index ${index}, term ${term})`;
}
