/** Which configuration is in force on a node (§6), by what it does and hears. */
import { BehaviorSubject } from 'rxjs';
import type { Action, Role } from '../lib/action.js';
import type { ClusterConfig } from '../lib/cluster-config.js';
import { isMember, noCluster } from '../lib/cluster-config.js';
import type { NetworkInput } from '../lib/input.js';
import type { LogIndex, NodeId } from '../lib/position.js';

/** The newest configuration in the log, committed or not. */
export interface InForce {
  readonly config: ClusterConfig;
  readonly index: LogIndex;
  readonly isCommitted: boolean;
}

export class ConfigInForce {
  /** Replayed: the newest comes at once. */
  readonly inForce$ = new BehaviorSubject<InForce>({
    config: noCluster,
    index: 0,
    isCommitted: false,
  });
  /** The cluster has decided that this node is no member any more; false again if it comes back. */
  readonly isRemoved$ = new BehaviorSubject(false);
  private role: Role = 'follower';
  private commitIndex: LogIndex = 0;

  constructor(private readonly id: NodeId) {}

  note(action: Action): void {
    switch (action.type) {
      case 'roleChanged':
        this.role = action.role;
        break;
      case 'configChanged': {
        const { config, index } = action;
        if (isMember(config, this.id)) this.setRemoved(false);
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
      case 'restore':
        this.commitIndex = Math.max(this.commitIndex, action.snapshot.position.index);
        break;
      default:
        break;
    }
  }

  /** A follower that is left out is not sent the entry that says so, only a notice. */
  hear(input: NetworkInput): void {
    if (input.type !== 'received' || input.message.type !== 'removalNotice') return;
    const noticed = input.message.position.index;
    const { config, index } = this.inForce$.value;
    if (index === 0) return;
    if (noticed > index || (noticed === index && !isMember(config, this.id))) {
      this.setRemoved(true);
    }
  }

  private onConfig(inForce: InForce): void {
    this.inForce$.next(inForce);
    const { config, isCommitted } = inForce;
    // A leader may have left itself out. Whoever only catches up may just not have come to the
    // entry that adds it.
    const isLeft = this.role === 'leader' && isCommitted && !isMember(config, this.id);
    if (isLeft) this.setRemoved(true);
  }

  private setRemoved(isRemoved: boolean): void {
    if (isRemoved !== this.isRemoved$.value) this.isRemoved$.next(isRemoved);
  }
}
