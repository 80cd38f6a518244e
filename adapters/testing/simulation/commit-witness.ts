/**
 * What is committed, for ever: by whom, on whose disks, and that all machines are given the same.
 */
import type { ClusterConfig, LogEntries, LogPosition, Snapshot } from '../../../lib/index.js';
import type { ModelEntry } from './model-log.js';
import { modelEntries } from './model-log.js';
import type { NodeView } from './node-view.js';

interface Milestone extends LogPosition {
  /** The term in which it was committed. */
  readonly during: number;
}

export class CommitWitness {
  /** Of each index that was ever committed: the entry there. */
  private readonly committed = new Map<number, ModelEntry>();
  /** Each longer than the one before. */
  private readonly milestones: Milestone[] = [];
  private readonly applied = new Map<number, ModelEntry>();

  constructor(
    private readonly views: ReadonlyMap<string, NodeView>,
    private readonly fail: (rule: string) => void,
  ) {}

  get lastIndex(): number {
    return this.milestones.at(-1)?.index ?? 0;
  }

  has({ term, index }: LogPosition): boolean {
    return index === 0 || this.committed.get(index)?.term === term;
  }

  /** "If a log entry is committed in a given term, then that entry will be present in the logs of
   * the leaders for all higher-numbered terms" (§5.4). */
  onElected({ id, term, log }: NodeView): void {
    for (let at = this.milestones.length - 1; at >= 0; at -= 1) {
      const milestone = this.milestones[at];
      if (milestone === undefined || milestone.during >= term) continue;
      const { index } = milestone;
      this.hold(log.has(milestone), `(3) leader ${id} of term ${term} lacks committed ${index}`);
      return;
    }
  }

  /** What a node does tells that it is committed, before the report does, or without it. */
  onImplied(view: NodeView, index: number): void {
    if (index > view.commitIndex) this.onCommitted(view, index);
  }

  /** "Only log entries from the leader’s current term are committed by counting" (§5.4.2). */
  onReported(view: NodeView, commitIndex: number): void {
    this.onCommitted(view, commitIndex);
    const { id, role, term, log } = view;
    const isOwn = role !== 'leader' || log.termAt(commitIndex) === term;
    this.hold(isOwn, `(3) leader ${id} commits ${commitIndex}, which is not of its term`);
  }

  private onCommitted(view: NodeView, commitIndex: number): void {
    const { id, log } = view;
    this.hold(commitIndex >= view.commitIndex, `(5) the commit index of ${id} went back`);
    const from = Math.max(view.commitIndex, log.base.index);
    for (let index = from + 1; index <= commitIndex; index += 1) {
      const entry = log.entryAt(index);
      if (entry === null) continue;
      const known = this.committed.get(index);
      const isSame = known === undefined || known.term === entry.term;
      this.hold(isSame, `(3) ${id} commits another entry at ${index}`);
      if (known === undefined) this.committed.set(index, entry);
    }
    view.commitIndex = Math.max(view.commitIndex, commitIndex);
    const term = log.termAt(commitIndex);
    if (term === null) return;
    if (commitIndex > this.lastIndex) {
      this.milestones.push({ term, index: commitIndex, during: view.term });
    }
    if (view.role === 'leader') this.checkQuorum(view, { term, index: commitIndex });
  }

  /**
   * "A log entry is committed once the leader that created the entry has replicated it on a
   * majority of the servers" (§5.3): on their disks. What stands before a configuration may also be
   * committed by the quorum of the one before it.
   */
  private checkQuorum({ id, log, config: reported }: NodeView, position: LogPosition): void {
    const has = (each: string): boolean => this.views.get(each)?.disk.log.has(position) ?? false;
    const configs = [reported, log.latestConfig, log.configAt(position.index)];
    const isDurable = configs.some((config) => config !== null && isQuorum(config, has));
    this.hold(isDurable, `(7) ${id} commits ${position.index}, not durable on a quorum`);
  }

  /** "If a server has applied a log entry at a given index to its state machine, no other server
   * will ever apply a different log entry for the same index" (§5.4.3). */
  onApply(view: NodeView, entries: LogEntries<Uint8Array>): void {
    const { id, disk } = view;
    const inOrder = entries.prevPosition.index === view.appliedIndex;
    this.hold(inOrder, `(5) ${id} applies out of order`);
    let { index } = entries.prevPosition;
    for (const entry of modelEntries(entries)) {
      index += 1;
      const known = this.applied.get(index) ?? entry;
      const isSame = known.term === entry.term && known.content === entry.content;
      this.hold(isSame, `(4) ${id} applies another entry at ${index}`);
      this.applied.set(index, entry);
      const isDurable = disk.log.has({ term: entry.term, index });
      this.hold(isDurable, `(8) ${id} applies what is not on its disk`);
    }
    view.appliedIndex = Math.max(view.appliedIndex, index);
  }

  onRestore(view: NodeView, position: LogPosition): void {
    const { id, disk } = view;
    this.hold(position.index >= view.appliedIndex, `(5) the machine of ${id} goes back`);
    this.hold(disk.log.has(position), `(8) ${id} restores what is not on its disk`);
    view.appliedIndex = position.index;
  }

  /** A snapshot stands for committed entries, with "the latest configuration in the log as of last
   * included index" (§7). */
  onSnapshot({ id, log }: NodeView, { position, config }: Omit<Snapshot, 'data'>): void {
    this.hold(this.has(position), `(3) ${id} has a snapshot of what is not committed`);
    this.hold(position.index >= log.base.index, `(5) the snapshot of ${id} goes back`);
    const isRight = JSON.stringify(config) === JSON.stringify(this.configAt(position.index));
    this.hold(isRight, `(10) the snapshot of ${id} has another configuration than the log`);
  }

  private configAt(last: number): ClusterConfig | null {
    for (let index = last; index > 0; index -= 1) {
      const config = this.committed.get(index)?.config ?? null;
      if (config !== null) return config;
    }
    return null;
  }

  /** The configuration that was committed last, and where. */
  get latestConfig(): { readonly index: number; readonly config: ClusterConfig | null } {
    for (let index = this.lastIndex; index > 0; index -= 1) {
      const config = this.committed.get(index)?.config ?? null;
      if (config !== null) return { index, config };
    }
    return { index: 0, config: null };
  }

  private hold(condition: boolean, rule: string): void {
    if (!condition) this.fail(rule);
  }
}

/** Counted in the plainest way: it must not share code with what it judges. */
export function isQuorum(config: ClusterConfig, has: (id: string) => boolean): boolean {
  const isMajority = (ids: readonly string[]): boolean => 2 * ids.filter(has).length > ids.length;
  return (
    isMajority(config.voters) && (config.newVoters.length === 0 || isMajority(config.newVoters))
  );
}
