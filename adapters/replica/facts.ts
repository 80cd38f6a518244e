/** What the actions of a node tell of it. */
import { BehaviorSubject, Subject } from 'rxjs';
import type { Action, Role } from '../../lib/action.js';
import type { LogIndex, NodeId, Term } from '../../lib/position.js';

/** A node, as it knows itself. */
export interface ReplicaStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: Term;
  /** The leader of that term, if it is known. */
  readonly leaderId: NodeId | null;
  readonly commitIndex: LogIndex;
  /** Up to here the log is in the state. */
  readonly appliedIndex: LogIndex;
}

export class Facts {
  readonly status$: BehaviorSubject<ReplicaStatus>;
  /** The leader alone: known before whoever watches the status is told. */
  readonly leader$ = new BehaviorSubject<NodeId | null>(null);
  readonly applied$ = new Subject<LogIndex>();

  constructor(id: NodeId) {
    this.status$ = new BehaviorSubject<ReplicaStatus>({
      ...{ id, role: 'follower', term: 0, leaderId: null },
      ...{ commitIndex: 0, appliedIndex: 0 },
    });
  }

  note(action: Action, appliedIndex: LogIndex): void {
    switch (action.type) {
      case 'roleChanged': {
        const { role, currentTerm: term, leaderId } = action;
        if (leaderId !== this.leader$.value) this.leader$.next(leaderId);
        return this.set({ role, term, leaderId });
      }
      case 'committed':
        return this.set({ commitIndex: action.commitIndex });
      case 'apply':
      case 'restore':
        this.set({
          appliedIndex,
          commitIndex: Math.max(appliedIndex, this.status$.value.commitIndex),
        });
        return this.applied$.next(appliedIndex);
      default:
        return;
    }
  }

  /** The node leads nobody any more, and nobody leads it. */
  retire(): void {
    this.leader$.next(null);
    this.set({ role: 'follower', leaderId: null });
  }

  /** `error`: what ended the node, or null. */
  end(error: Error | null): void {
    this.retire();
    this.leader$.complete();
    this.applied$.complete();
    if (error === null) this.status$.complete();
    else this.status$.error(error);
  }

  private set(change: Partial<ReplicaStatus>): void {
    this.status$.next({ ...this.status$.value, ...change });
  }
}
