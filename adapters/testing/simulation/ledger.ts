/**
 * What clients asked and were told, against the one order in which commands were applied. Since all
 * machines apply the same sequence, that sequence is the witness of linearizability, whatever the
 * reducer: a command has one place in it, and that is behind everything that was applied before it
 * was asked; a read shows the state after some place, not before what was acknowledged before it.
 */
import type { LogPosition } from '../../../lib/index.js';
import type { CommandPosition } from '../../machine.js';
import { checkEqual } from '../check.js';

/** What goes through the log for a command of the user. */
export interface Tagged<Command> {
  readonly id: number;
  readonly command: Command;
}

/** The state of the user, and what tells how it came about. */
export interface Counted<State> {
  readonly inner: State;
  /** How many commands are in it, and a fingerprint of which. */
  readonly count: number;
  readonly chain: number;
}

export type Ending = 'done' | 'notApplied' | 'unknown' | 'failed';

export interface Operation {
  readonly id: number;
  readonly kind: 'write' | 'read' | 'change' | 'create';
  readonly node: string;
  /** Everything up to here was acknowledged to someone before this was asked. */
  readonly floor: number;
  readonly configFloor: number;
  ending: Ending | null;
}

interface Applied {
  readonly id: number;
  readonly at: CommandPosition;
  readonly chain: number;
  readonly result: unknown;
}

export class Ledger {
  private readonly operations = new Map<number, Operation>();
  private readonly sequence: Applied[] = [];
  /** Of each command that was ever applied, its place in the sequence. */
  private readonly places = new Map<number, number>();
  private acknowledged = 0;
  private acknowledgedIndex = 0;
  private lastId = 0;
  private open = 0;
  readonly counts = { done: 0, notApplied: 0, unknown: 0, failed: 0, reads: 0 };

  constructor(private readonly fail: (rule: string) => void) {}

  get applied(): number {
    return this.sequence.length;
  }

  /** Asked, and not answered. */
  get isOpen(): boolean {
    return this.open > 0;
  }

  get openOperations(): Operation[] {
    return [...this.operations.values()].filter((each) => each.ending === null);
  }

  begin(kind: Operation['kind'], node: string): Operation {
    const id = (this.lastId += 1);
    const { acknowledged: floor, acknowledgedIndex: configFloor } = this;
    const operation: Operation = { id, kind, node, floor, configFloor, ending: null };
    this.operations.set(id, operation);
    this.open += 1;
    return operation;
  }

  /** A node applies a command: the same one as every other node at this place, with one result. */
  onApplied(node: string, { count, chain }: Counted<unknown>, applied: Applied): void {
    const { id, at } = applied;
    const known = this.sequence[count - 1];
    if (known !== undefined) {
      const isSame = known.id === id && known.at.index === at.index && known.chain === chain;
      this.hold(isSame, `(4) ${node} applies command ${id} where others have ${known.id}`);
      const isEqual = isResult(known, applied.result);
      this.hold(isEqual, `(4) ${node} has another result for command ${id}: is the reducer pure?`);
      return;
    }
    this.hold(count === this.sequence.length + 1, `(4) ${node} skips commands before ${id}`);
    this.hold(!this.places.has(id), `(E12) command ${id} is applied twice`);
    const operation = this.operations.get(id);
    this.hold(operation !== undefined, `(4) ${node} applies a command that nobody asked for`);
    if (operation?.ending === 'notApplied') {
      this.fail(`(E11) command ${id} was certainly not applied, and ${node} applies it`);
    }
    this.places.set(id, count);
    this.sequence.push(applied);
  }

  /** A machine goes on from a snapshot: exactly the commands up to its position are in it. */
  onLoaded(node: string, { count, chain }: Counted<unknown>, position: LogPosition): void {
    const last = this.sequence[count - 1];
    const next = this.sequence[count];
    const isWhole =
      count <= this.sequence.length &&
      (last === undefined || (last.chain === chain && last.at.index <= position.index)) &&
      (next === undefined || next.at.index > position.index);
    this.hold(isWhole, `(4) ${node} restores a snapshot that is not the state at its position`);
  }

  /** A command was answered with its result. */
  onWritten(operation: Operation, result: unknown): void {
    const place = this.places.get(operation.id) ?? 0;
    const isRight = isResult(this.sequence[place - 1], result);
    this.hold(isRight, `(E10) command ${operation.id} is answered with what is not its result`);
    this.acknowledged = Math.max(this.acknowledged, place);
    this.end(operation, 'done');
  }

  onRead(operation: Operation, { count, chain }: Counted<unknown>): void {
    const { id, floor } = operation;
    this.hold(count >= floor, `(linearizable) read ${id} is stale: ${count}, where ${floor} was`);
    const known = count === 0 || this.sequence[count - 1]?.chain === chain;
    this.hold(known, `(linearizable) read ${id} shows a state that never was`);
    this.acknowledged = Math.max(this.acknowledged, count);
    this.counts.reads += 1;
    this.end(operation, 'done');
  }

  /** A change of members is committed: never one that the log has lost (D20). */
  onChanged(operation: Operation, position: LogPosition, isCommitted: boolean): void {
    const { id, configFloor, node } = operation;
    this.hold(isCommitted, `(D20) ${node} reports change ${id} as committed, and it is not`);
    const isLate = position.index > configFloor;
    this.hold(isLate, `(linearizable) change ${id} stands before an earlier one`);
    this.acknowledgedIndex = Math.max(this.acknowledgedIndex, position.index);
    this.end(operation, 'done');
  }

  end(operation: Operation, ending: Ending): void {
    const { id } = operation;
    this.hold(operation.ending === null, `(E4) operation ${id} ends twice`);
    if (operation.ending === null) this.open -= 1;
    operation.ending = ending;
    this.counts[ending] += 1;
    if (ending !== 'notApplied' || operation.kind !== 'write') return;
    this.hold(!this.places.has(id), `(E11) command ${id} is applied, and called not applied`);
  }

  private hold(condition: boolean, rule: string): void {
    if (!condition) this.fail(rule);
  }
}

function isResult(applied: Applied | undefined, result: unknown): boolean {
  if (applied === undefined) return false;
  if (Object.is(applied.result, result)) return true;
  try {
    checkEqual(applied.result, result, '');
    return true;
  } catch {
    return false;
  }
}
