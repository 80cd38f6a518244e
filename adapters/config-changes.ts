/** Changes of members (§6) as a leader makes them: one after the other, each to its end. */
import type { Observable } from 'rxjs';
import { filter, firstValueFrom, map, merge, timer } from 'rxjs';
import type { ClusterConfig } from '../lib/cluster-config.js';
import { isJointConsensus } from '../lib/cluster-config.js';
import type { NodeId } from '../lib/position.js';
import { ChangeRefused } from './change-refused.js';
import type { InForce } from './config-in-force.js';
import type { Machine } from './machine.js';
import { NotLeader, OutcomeUnknown, Refused } from './machine.js';

export interface ConfigChangesOptions {
  readonly id: NodeId;
  readonly machine: Pick<Machine<unknown, never, unknown>, 'changeConfig'>;
  /** Replayed: the newest comes at once. */
  readonly inForce$: Observable<InForce>;
  /** Replayed. */
  readonly leader$: Observable<NodeId | null>;
  /** For one change. Default 8,000. */
  readonly patienceMs?: number | undefined;
  /** Between two tries. Default 50. */
  readonly pauseMs?: number | undefined;
}

export class ConfigChanges {
  private underway: string | null = null;
  private deadline = 0;

  constructor(private readonly options: ConfigChangesOptions) {}

  /**
   * Makes a change, unless another one is under way. Rejects with a ChangeRefused, or as the
   * machine does.
   */
  async run(name: string, change: () => Promise<void>): Promise<void> {
    if (this.underway !== null) throw inProgress(this.underway);
    this.underway = name;
    this.deadline = performance.now() + (this.options.patienceMs ?? 8000);
    try {
      await change();
    } finally {
      this.underway = null;
    }
  }

  /** What is in force before a change, when an earlier leader's is decided. */
  before(): Promise<InForce> {
    return this.settled(inProgress('an earlier change'));
  }

  /** What is in force when it is committed, and no change is under way. */
  async settled(
    late: Error = new OutcomeUnknown('the change was not decided in time'),
  ): Promise<InForce> {
    const { id, inForce$, leader$ } = this.options;
    const settled$ = inForce$.pipe(
      filter(({ isCommitted, config }) => isCommitted && !isJointConsensus(config)),
    );
    const lost$ = leader$.pipe(
      filter((leader) => leader !== id),
      map((leader) => new NotLeader(leader)),
    );
    const late$ = timer(Math.max(0, this.deadline - performance.now())).pipe(map(() => late));
    const found = await firstValueFrom(merge(settled$, lost$, late$));
    if (found instanceof Error) throw found;
    return found;
  }

  /** Proposes what is made of the configuration in force, until the log takes it. */
  async propose(who: string, change: (config: ClusterConfig) => ClusterConfig): Promise<void> {
    for (;;) {
      const { config } = await this.settled();
      try {
        await this.options.machine.changeConfig(change(config));
        return;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const { reason } = error;
        await this.pause(() =>
          reason === 'notCaughtUp' ? notCaughtUp(who) : inProgress('an earlier change'),
        );
      }
    }
  }

  /** Waits a moment; when the time is over, for this reason. */
  async pause(refusal: () => ChangeRefused): Promise<void> {
    if (performance.now() >= this.deadline) throw refusal();
    await firstValueFrom(timer(this.options.pauseMs ?? 50));
  }
}

function inProgress(what: string): ChangeRefused {
  return new ChangeRefused('changeInProgress', `${what} is under way: try again when it is over`);
}

export function notCaughtUp(who: string): ChangeRefused {
  const text = `${who} is a member without a vote, and far behind: ask again later`;
  return new ChangeRefused('notCaughtUp', text);
}
