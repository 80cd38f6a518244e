/** What the actions of a node, and what it is told, say about it. */
import { BehaviorSubject, ReplaySubject } from 'rxjs';
import { isMember, noCluster } from '../../lib/cluster-config.js';
import type {
  Action,
  LogIndex,
  NetworkInput,
  NodeId,
  Recovered,
  Role,
  Term,
} from '../../lib/index.js';
import type { InForce } from './membership.js';
import type { NodeEvent } from './server.js';

export class Facts {
  readonly leader$ = new BehaviorSubject<NodeId | null>(null);
  readonly inForce$ = new BehaviorSubject<InForce>({
    config: noCluster,
    index: 0,
    isCommitted: false,
  });
  /** The cluster has decided that this node is no member any more. */
  readonly removed$ = new ReplaySubject<true>(1);
  role: Role = 'follower';
  commitIndex: LogIndex = 0;
  /** By the word of the leader: this node may still lack some of it. */
  leaderCommitIndex: LogIndex = 0;
  term: Term;
  /** Of the snapshot that the node started from. */
  private readonly startIndex: LogIndex;

  constructor(
    private readonly id: NodeId,
    { currentTerm, snapshot }: Recovered,
  ) {
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
      case 'configChanged': {
        const { config, index } = action;
        this.onConfig({ config, index, isCommitted: index <= this.commitIndex });
        break;
      }
      case 'committed': {
        this.commitIndex = action.commitIndex;
        const { value } = this.inForce$;
        const isCommitted = value.index <= this.commitIndex;
        if (isCommitted !== value.isCommitted) this.onConfig({ ...value, isCommitted });
        break;
      }
      case 'restore': {
        const { index } = action.snapshot.position;
        this.commitIndex = Math.max(this.commitIndex, index);
        if (index > this.startIndex) report({ type: 'snapshotInstalled', index });
        break;
      }
      default:
        break;
    }
  }

  hear(input: NetworkInput): void {
    if (input.type !== 'received') return;
    const { message } = input;
    if (message.type === 'appendEntriesCall' && message.term >= this.term) {
      this.leaderCommitIndex = message.commitIndex;
    }
    if (message.type === 'removalNotice') this.onNotice(message.position.index);
  }

  /** A follower that is left out is not sent the entry that says so, only a notice. */
  private onNotice(noticed: LogIndex): void {
    const { config, index } = this.inForce$.value;
    if (index === 0) return;
    if (noticed > index || (noticed === index && !isMember(config, this.id))) {
      this.removed$.next(true);
    }
  }

  private onConfig(inForce: InForce): void {
    this.inForce$.next(inForce);
    const { config, isCommitted } = inForce;
    // A leader may have left itself out. Whoever only catches up may just not have come to the
    // entry that adds it.
    const isLeft = this.role === 'leader' && isCommitted && !isMember(config, this.id);
    if (isLeft) this.removed$.next(true);
  }
}
