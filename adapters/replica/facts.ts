/** What the actions of a node tell of it. */
import { BehaviorSubject, Subject } from 'rxjs';
import type { Action, Role } from '../../lib/action.js';
import type { ClusterConfig } from '../../lib/cluster-config.js';
import { noCluster } from '../../lib/cluster-config.js';
import type { NetworkInput } from '../../lib/input.js';
import type { LogIndex, NodeId, Term } from '../../lib/position.js';
import { ConfigInForce } from '../config-in-force.js';

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
  /** The members: the newest configuration in the log, committed or not (§6). */
  readonly config: ClusterConfig;
  /**
   * Why there was no snapshot when one was due: the state has what its codec refuses, such as half
   * a character, or is too long. The log is kept meanwhile, on disk and in memory, and grows. Null
   * when all is well.
   */
  readonly snapshotFault: string | null;
  /** The cluster has decided that this node is no member any more: it may be stopped. */
  readonly isRemoved: boolean;
}

export class Facts {
  readonly status$: BehaviorSubject<ReplicaStatus>;
  /** The leader alone: known before whoever watches the status is told. */
  readonly leader$ = new BehaviorSubject<NodeId | null>(null);
  readonly applied$ = new Subject<LogIndex>();
  readonly members: ConfigInForce;
  /** From whom messages come. */
  readonly heard$ = new Subject<NodeId>();

  constructor(id: NodeId) {
    this.members = new ConfigInForce(id);
    this.status$ = new BehaviorSubject<ReplicaStatus>({
      ...{ id, role: 'follower', term: 0, leaderId: null },
      ...{ commitIndex: 0, appliedIndex: 0, config: noCluster, isRemoved: false },
      snapshotFault: null,
    });
    this.members.isRemoved$.subscribe((isRemoved) => this.set({ isRemoved }));
  }

  note(action: Action, appliedIndex: LogIndex): void {
    this.members.note(action);
    switch (action.type) {
      case 'roleChanged': {
        const { role, currentTerm: term, leaderId } = action;
        if (leaderId !== this.leader$.value) this.leader$.next(leaderId);
        return this.set({ role, term, leaderId });
      }
      case 'configChanged':
        return this.set({ config: action.config });
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

  hear(input: NetworkInput): void {
    this.members.hear(input);
    if (input.type === 'received') this.heard$.next(input.message.from);
  }

  /** A snapshot was due. Null: it could be taken. */
  noteSnapshot(fault: string | null): void {
    if (fault !== this.status$.value.snapshotFault) this.set({ snapshotFault: fault });
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
