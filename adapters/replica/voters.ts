/**
 * Who votes, changed by the leader (§6). New voters come as non-voters first, so that the cluster
 * does not wait for them, and all that come and go do so in one step, by joint consensus.
 */
import type { Observable } from 'rxjs';
import { filter, map, merge, scan, startWith, timer } from 'rxjs';
import { sameIds, toJointConsensus } from '../../lib/cluster-config.js';
import type { NodeId } from '../../lib/position.js';
import { noMajority } from '../change-refused.js';
import type { ConfigChangesOptions } from '../config-changes.js';
import { ConfigChanges } from '../config-changes.js';
import type { Machine } from '../machine.js';

export interface VotersOptions extends ConfigChangesOptions {
  readonly machine: Pick<Machine<unknown, never, unknown>, 'changeConfig' | 'read'>;
  /** From whom messages come. */
  readonly heard$: Observable<NodeId>;
  /**
   * Who has not been heard for so long is silent, and four times as long where one decides alone.
   * Default 1,500.
   */
  readonly silenceMs?: number;
}

export class Voters {
  private readonly changes: ConfigChanges;

  constructor(private readonly options: VotersOptions) {
    this.changes = new ConfigChanges(options);
  }

  /** Makes the change, as the leader. One that was made already is done; see `run`. */
  lead(voters: readonly NodeId[]): Promise<void> {
    return this.changes.run(`a change to the voters ${JSON.stringify([...voters].sort())}`, () =>
      this.change(voters),
    );
  }

  private async change(voters: readonly NodeId[]): Promise<void> {
    const { config } = await this.changes.before();
    const coming = voters.filter((id) => !config.voters.includes(id));
    const leaving = config.voters.filter((id) => !voters.includes(id));
    const who = coming.join(', ');
    if (!sameIds(config.nonVoters, coming)) {
      await this.changes.propose(who, (from) => ({ ...from, nonVoters: coming }));
    }
    if (coming.length + leaving.length === 0) return;
    await this.refuseLoss(voters, config.voters.length === 1);
    await this.changes.propose(who, (from) => toJointConsensus(from, coming, leaving));
    await this.changes.completed();
  }

  /** A majority of those who will vote must be there, or the change could never be completed. */
  private async refuseLoss(voters: readonly NodeId[], isAlone: boolean): Promise<void> {
    const { id, machine, heard$, silenceMs = 1500 } = this.options;
    let silent: readonly NodeId[] = voters;
    const enough$ = heard$.pipe(
      startWith(id),
      scan((left, from) => left.filter((each) => each !== from), voters),
      filter((left) => (silent = left).length < voters.length / 2),
    );
    // Who decides alone asks nobody for a read: the others say something at the next heartbeat.
    const late$ = timer(isAlone ? 4 * silenceMs : silenceMs).pipe(map(() => null));
    const enough = this.changes.leading(merge(enough$, late$));
    // Asks them all at once: the next heartbeat may be later than that.
    machine.read().catch(() => undefined);
    if ((await enough) === null) throw noMajority(voters, silent);
  }
}
