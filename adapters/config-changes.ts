/** Changes of members (§6) as a leader makes them: one after the other, each to its end. */
import type { Observable } from 'rxjs';
import {
  catchError,
  endWith,
  filter,
  firstValueFrom,
  map,
  merge,
  NEVER,
  ReplaySubject,
  timer,
} from 'rxjs';
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

/** A change that is being made. */
interface Underway {
  readonly name: string;
  readonly end: Promise<void>;
}

export class ConfigChanges {
  private underway: Underway | null = null;
  private deadline = 0;
  /** Replayed: this node has lost its role since the change began, also if it leads again. */
  private lost$: Observable<never> = NEVER;

  constructor(private readonly options: ConfigChangesOptions) {}

  /**
   * Makes a change, unless another one is under way. The same change, by its name, is not made
   * beside itself: whoever asks again, such as after a lost connection, is told how it ends.
   * Rejects with a ChangeRefused, or as the machine does.
   */
  async run(name: string, change: () => Promise<void>): Promise<void> {
    if (this.underway?.name === name) return this.underway.end;
    if (this.underway !== null) throw inProgress(this.underway.name);
    const end = this.make(change);
    this.underway = { name, end };
    try {
      await end;
    } finally {
      this.underway = null;
    }
  }

  /** What is in force before a change, when an earlier leader's is decided. */
  before(): Promise<InForce> {
    return firstValueFrom(
      merge(this.lost$, this.settled$, this.late(inProgress('an earlier change'))),
    );
  }

  /** What is in force when it is committed, and no change is under way. */
  settled(): Promise<InForce> {
    return firstValueFrom(merge(this.lost$, this.settled$, this.late()));
  }

  /** The same of a change that the log has taken: whoever leads next may complete it. */
  completed(): Promise<InForce> {
    const lost = new OutcomeUnknown('the leadership ended before the change was complete');
    const lost$ = this.lost$.pipe(catchError(() => thrown(lost)));
    return firstValueFrom(merge(lost$, this.settled$, this.late()));
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
        await this.pause(() => (reason === 'notCaughtUp' ? notCaughtUp(who) : notTaken(reason)));
      }
    }
  }

  /** Waits a moment; when the time is over, for this reason. */
  async pause(refusal: () => ChangeRefused): Promise<void> {
    if (performance.now() >= this.deadline) throw refusal();
    await this.leading(timer(this.options.pauseMs ?? 50));
  }

  /** The first value, while this node leads. */
  leading<T>(value$: Observable<T>): Promise<T> {
    return firstValueFrom(merge(this.lost$, value$));
  }

  private async make(change: () => Promise<void>): Promise<void> {
    const { id, leader$, patienceMs = 8000 } = this.options;
    this.deadline = performance.now() + patienceMs;
    const lost$ = new ReplaySubject<never>(1);
    this.lost$ = lost$;
    const watch = leader$
      .pipe(
        // Nobody leads a node that has ended.
        endWith(null),
        filter((leader) => leader !== id),
        map((leader) => thrown(new NotLeader(leader))),
      )
      .subscribe(lost$);
    try {
      await change();
    } finally {
      watch.unsubscribe();
    }
  }

  private get settled$(): Observable<InForce> {
    return this.options.inForce$.pipe(
      filter(({ isCommitted, config }) => isCommitted && !isJointConsensus(config)),
    );
  }

  private late(
    late: Error = new OutcomeUnknown('the change was not decided in time'),
  ): Observable<never> {
    return timer(Math.max(0, this.deadline - performance.now())).pipe(map(() => thrown(late)));
  }
}

function thrown(error: Error): never {
  throw error;
}

function inProgress(what: string): ChangeRefused {
  return new ChangeRefused('changeInProgress', `${what} is under way: try again when it is over`);
}

/** The words say what the log has said last: for most of it there is no fault of its own. */
function notTaken(reason: Refused['reason']): ChangeRefused {
  if (reason === 'changeInProgress') return inProgress('an earlier change');
  const text = `the log did not take the change in time, and says ${reason}: try again later`;
  return new ChangeRefused('changeInProgress', text);
}

export function notCaughtUp(who: string): ChangeRefused {
  const text = `${who} is a member without a vote, and far behind: ask again later`;
  return new ChangeRefused('notCaughtUp', text);
}
