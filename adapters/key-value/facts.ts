/** What the actions of a node, and what it is told, say about it. */
import { BehaviorSubject } from 'rxjs';
import type {
  Action,
  LogIndex,
  NetworkInput,
  NodeId,
  Recovered,
  Role,
  Term,
} from '../../lib/index.js';
import { ConfigInForce } from '../config-in-force.js';
import type { NodeEvent } from './server.js';

export class Facts {
  readonly leader$ = new BehaviorSubject<NodeId | null>(null);
  readonly members: ConfigInForce;
  role: Role = 'follower';
  commitIndex: LogIndex = 0;
  /** By the word of the leader: this node may still lack some of it. */
  leaderCommitIndex: LogIndex = 0;
  term: Term;
  /** Of the snapshot that the node started from. */
  private readonly startIndex: LogIndex;

  constructor(id: NodeId, { currentTerm, snapshot }: Recovered) {
    this.members = new ConfigInForce(id);
    this.term = currentTerm;
    this.startIndex = snapshot?.position.index ?? 0;
  }

  note(action: Action, report: (event: NodeEvent) => void): void {
    switch (action.type) {
      case 'roleChanged': {
        const { role, currentTerm, leaderId } = action;
        this.role = role;
        this.term = currentTerm;
        if (leaderId !== this.leader$.value) this.leader$.next(leaderId);
        report({ type: 'roleChanged', role, currentTerm, leaderId });
        break;
      }
      case 'committed':
        this.commitIndex = action.commitIndex;
        break;
      case 'restore': {
        const { index } = action.snapshot.position;
        this.commitIndex = Math.max(this.commitIndex, index);
        if (index > this.startIndex) report({ type: 'snapshotInstalled', index });
        break;
      }
      default:
        break;
    }
    this.members.note(action);
  }

  hear(input: NetworkInput): void {
    this.members.hear(input);
    if (input.type !== 'received') return;
    const { message } = input;
    if (message.type === 'appendEntriesCall' && message.term >= this.term) {
      this.leaderCommitIndex = message.commitIndex;
    }
  }
}
