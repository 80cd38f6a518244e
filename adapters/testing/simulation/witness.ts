/**
 * The witness: it remembers everything that was ever elected, appended, committed, applied or
 * voted, by any node in any of its lives, and compares. Figure 3 of the paper, and what an
 * implementation adds; the rules are numbered as in the documents.
 *
 * It sees what nodes are told, and what they want done, and nothing of their inside.
 */
import { lastIndex } from '../../../lib/index.js';
import type {
  Action,
  Input,
  Limits,
  LogPosition,
  Recovered,
  StorageAction,
} from '../../../lib/index.js';
import { CommitWitness } from './commit-witness.js';
import { MessageWitness } from './message-witness.js';
import type { ModelEntry } from './model-log.js';
import { modelEntries } from './model-log.js';
import { NodeView } from './node-view.js';

export type SimulatedAction = Action<Uint8Array, Uint8Array>;
export type SimulatedInput = Input<Uint8Array, Uint8Array>;

export class Witness {
  readonly views = new Map<string, NodeView>();
  readonly commits: CommitWitness;
  elections = 0;
  private readonly messages: MessageWitness;
  private touched: NodeView[] = [];
  /** Of each term, its leader. */
  private readonly elected = new Map<number, string>();
  /** Of each entry ever appended, by index and term: what it is, and the term before it. */
  private readonly entries = new Map<number, { before: number; content: string | number }>();

  constructor(
    ids: readonly string[],
    limits: Partial<Limits>,
    /** Told of every breach. The first one counts. */
    private readonly fail: (rule: string) => void,
  ) {
    for (const id of ids) this.views.set(id, new NodeView(id));
    this.commits = new CommitWitness(this.views, fail);
    this.messages = new MessageWitness(limits, this.commits, fail);
  }

  view(id: string): NodeView {
    const view = this.views.get(id);
    if (view === undefined) throw new Error(`there is no node ${id}`);
    return view;
  }

  /** Who takes itself for the leader, the oldest first. */
  get leaders(): NodeView[] {
    const leaders: NodeView[] = [];
    for (const view of this.views.values()) {
      if (view.isUp && view.role === 'leader') leaders.push(view);
    }
    return leaders.length < 2 ? leaders : leaders.sort((a, b) => a.term - b.term);
  }

  onStart(id: string, recovered: Recovered<Uint8Array, Uint8Array>): void {
    const found = this.view(id).start(recovered);
    this.hold(found, `(S) the store of ${id} has not found again what was acknowledged`);
  }

  onEnd(id: string): void {
    const view = this.view(id);
    view.isUp = false;
    view.isTouched = false;
  }

  onInput(id: string, input: SimulatedInput): void {
    const view = this.view(id);
    if (input.type === 'persisted') {
      const known = view.onPersisted(input.sequence, () => this.messages.onWritten(view));
      this.hold(known, `(S) the store of ${id} acknowledges what it was not asked for`);
    } else if (input.type === 'received') {
      this.messages.onReceived(input.message);
    }
  }

  onAction(id: string, action: SimulatedAction): void {
    const view = this.view(id);
    if (!view.isTouched) this.touched.push(view);
    view.isTouched = true;
    switch (action.type) {
      case 'roleChanged':
        this.onRole(view, action);
        return;
      case 'configChanged':
        view.config = action.config;
        return;
      case 'persist':
        this.onPersist(view, action);
        return;
      case 'sendMessage':
        this.messages.onSent(view, [action.to], action.message);
        return;
      case 'broadcastMessage':
        this.messages.onSent(view, action.to, action.message);
        return;
      case 'installSnapshot':
        this.messages.onInstall(view, action.to, action.snapshot.position);
        return;
      case 'apply':
        // It says that they are committed, and a crash may come before the report does.
        this.commits.onImplied(view, lastIndex(action.entries));
        this.commits.onApply(view, action.entries);
        return;
      case 'restore':
        this.commits.onRestore(view, action.snapshot.position);
        return;
      case 'committed':
        this.commits.onReported(view, action.commitIndex);
        return;
      case 'dropped':
        this.onDropped(id, action);
        return;
      default:
        return;
    }
  }

  /** A turn is over: of each node that has said something, what must hold of it as a whole. */
  settle(): void {
    if (this.touched.length === 0) return;
    for (const view of this.touched) if (view.isTouched) this.settleView(view);
    this.touched = [];
  }

  private settleView(view: NodeView): void {
    view.isTouched = false;
    const { id, log, commitIndex, appliedIndex, config } = view;
    this.hold(commitIndex <= log.lastIndex, `(5) ${id} committed what it has not`);
    this.hold(appliedIndex <= commitIndex, `(5) ${id} applied what is not committed`);
    const latest = log.latestConfig ?? noConfig;
    const isLatest = config === latest || JSON.stringify(config) === JSON.stringify(latest);
    this.hold(isLatest, `(10) the configuration of ${id} is not its log's`);
    // The same object from now on: it need not be looked into with every turn.
    if (isLatest) view.config = latest;
  }

  /** "At most one leader can be elected in a given term" (§5.2). */
  private onRole(view: NodeView, action: Extract<SimulatedAction, { type: 'roleChanged' }>): void {
    const { id } = view;
    const { role, currentTerm, leaderId } = action;
    this.hold(currentTerm >= view.term, `(6) the term of ${id} went back`);
    view.role = role;
    view.term = currentTerm;
    view.leaderId = leaderId;
    if (role !== 'leader') return;
    const elected = this.elected.get(currentTerm);
    const isOnly = elected === undefined || elected === id;
    this.hold(isOnly, `(1) ${elected ?? ''} and ${id} lead in term ${currentTerm}`);
    if (elected === undefined) this.elections += 1;
    this.elected.set(currentTerm, id);
    this.commits.onElected(view);
  }

  private onPersist(view: NodeView, action: StorageAction<Uint8Array, Uint8Array>): void {
    const { id, log } = view;
    const { entries, snapshot, sequence } = action;
    this.hold(view.isNext(sequence), `(S) the writes of ${id} are not in their order`);
    if (snapshot !== null) this.commits.onSnapshot(view, snapshot);
    const before = log.lastPosition;
    const isNewBase = snapshot !== null && !log.has(snapshot.position);
    const list = entries === null ? null : modelEntries(entries);
    if (entries !== null && list !== null) {
      const { prevPosition } = entries;
      const isKnown = isNewBase || log.has(prevPosition);
      this.hold(isKnown, `(2) ${id} appends behind a gap`);
      const isAppended = prevPosition.index === before.index;
      this.hold(view.role !== 'leader' || isAppended, `(9) leader ${id} overwrites its log`);
      const keeps = isAppended || isNewBase || prevPosition.index >= view.commitIndex;
      this.hold(keeps, `(3) ${id} cuts what is committed`);
      this.checkMatching(id, prevPosition, list);
    }
    view.onPersist(action, list);
  }

  /** "If two logs contain an entry with the same index and term, then the logs are identical in all
   * entries up through the given index" (§5.3): the same entry, behind the same one. */
  private checkMatching(id: string, after: LogPosition, list: readonly ModelEntry[]): void {
    let { index, term: before } = after;
    for (const { term, content } of list) {
      index += 1;
      const key = index * 2 ** 24 + term;
      const known = this.entries.get(key);
      if (known === undefined) this.entries.set(key, { before, content });
      else {
        const matches = known.before === before && known.content === content;
        this.hold(matches, `(2) the log of ${id} differs at index ${index} of term ${term}`);
      }
      before = term;
    }
  }

  /** Among honest nodes nothing contradicts. */
  private onDropped(id: string, action: Extract<SimulatedAction, { type: 'dropped' }>): void {
    const { from, reason } = action;
    const isHonest = reason !== 'contradiction' && reason !== 'invalid' && reason !== 'fromSelf';
    this.hold(isHonest, `(H) ${id} finds what ${from ?? 'its machine'} says ${reason}`);
  }

  private hold(condition: boolean, rule: string): void {
    if (!condition) this.fail(rule);
  }
}

const noConfig = { voters: [], newVoters: [], nonVoters: [] };
