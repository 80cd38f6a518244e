/**
 * Who waits for what: the table of the requests that are under way, bounded.
 *
 * A proposal is known by its number until it has a position, and by index *and term* from then on:
 * by the index alone, the entry of another leader would be taken for it. It ends in one of three
 * ways: the log brings its position, the log brings another term at its index, or the leadership
 * that accepted it is over. Nobody is kept waiting after that for a log that may never come: what
 * a deposed leader has appended may still be committed by its successor, so its end is unknown.
 */
import type { MachineAction, Refusal, Role } from '../lib/action.js';
import type { LogIndex, LogPosition, NodeId, Term } from '../lib/position.js';
import type { MachineError } from './machine-errors.js';
import { NotApplied, OutcomeUnknown, Overloaded, refusalError } from './machine-errors.js';

/** One promise that somebody holds. Settled once. */
export class Waiter<Result> {
  constructor(
    private readonly room: Room,
    private readonly bytes: number,
    private readonly fulfil: (result: Result) => void,
    private readonly fail: (error: MachineError) => void,
  ) {}

  resolve(result: Result): void {
    this.room.leave(this.bytes);
    this.fulfil(result);
  }

  reject(error: MachineError): void {
    this.room.leave(this.bytes);
    this.fail(error);
  }
}

/** How many may wait, and with how many bytes. */
export class Room {
  private count = 0;
  private bytes = 0;

  constructor(
    private readonly limits: { readonly waiters: number; readonly waitingBytes: number },
  ) {}

  /** A promise for the waiter that is handed to `enter`. Rejects with Overloaded at a limit. */
  wait<Result>(bytes: number, enter: (waiter: Waiter<Result>) => void): Promise<Result> {
    const { waiters, waitingBytes } = this.limits;
    if (this.count >= waiters) return Promise.reject(new Overloaded(`${waiters} waiters`));
    // Said this way round a size that is no number is refused as well.
    if (!(this.bytes + bytes <= waitingBytes)) {
      return Promise.reject(new Overloaded(`${waitingBytes} bytes that wait`));
    }
    return new Promise((resolve, reject) => {
      this.count += 1;
      this.bytes += bytes;
      enter(new Waiter(this, bytes, resolve, reject));
    });
  }

  leave(bytes: number): void {
    this.count -= 1;
    this.bytes -= bytes;
  }
}

/** What a proposal carries: a block of commands, each with its waiter, or one configuration. */
export type Proposal<Result> =
  | { readonly type: 'block'; readonly waiters: readonly Waiter<Result>[] }
  | { readonly type: 'config'; readonly waiters: readonly Waiter<LogPosition>[] };

interface Accepted<Result> {
  readonly term: Term;
  readonly proposal: Proposal<Result>;
}

export class Proposals<Result> {
  /** Asked and not answered, by number. */
  private readonly asked = new Map<number, Proposal<Result>>();
  private readonly accepted = new Map<LogIndex, Accepted<Result>>();
  private role: Role = 'follower';
  private currentTerm: Term = 0;

  ask(number: number, proposal: Proposal<Result>): void {
    this.asked.set(number, proposal);
  }

  /** Numbers that were not asked here are somebody else's. */
  onAccepted(number: number, { term, index }: LogPosition): void {
    const proposal = this.asked.get(number);
    if (proposal === undefined) return;
    this.asked.delete(number);
    const earlier = this.accepted.get(index);
    if (earlier !== undefined) fail(earlier.proposal, lostLeadership(earlier.term));
    this.accepted.delete(index);
    if (this.isOver(term)) fail(proposal, lostLeadership(term));
    else this.accepted.set(index, { term, proposal });
  }

  onRejected(number: number, reason: Refusal, leaderId: NodeId | null): void {
    const proposal = this.asked.get(number);
    if (proposal === undefined) return;
    this.asked.delete(number);
    fail(proposal, refusalError(reason, leaderId));
  }

  onRoleChanged({ role, currentTerm }: Extract<MachineAction, { type: 'roleChanged' }>): void {
    this.role = role;
    this.currentTerm = currentTerm;
    for (const [index, { term, proposal }] of this.accepted) {
      if (!this.isOver(term)) continue;
      this.accepted.delete(index);
      fail(proposal, lostLeadership(term));
    }
  }

  /** The log has this position: who waits for it. Who waited for another term there has lost. */
  take({ term, index }: LogPosition): Proposal<Result> | null {
    const accepted = this.accepted.get(index);
    if (accepted === undefined) return null;
    this.accepted.delete(index);
    if (accepted.term === term) return accepted.proposal;
    fail(accepted.proposal, new NotApplied(`index ${index} went to term ${term}`));
    return null;
  }

  /** Entries up to `index` will not be seen one by one any more. */
  onRestored(index: LogIndex): void {
    for (const [each, { proposal }] of this.accepted) {
      if (each > index) continue;
      this.accepted.delete(each);
      fail(proposal, new OutcomeUnknown('a snapshot stands for the entry'));
    }
  }

  end(): void {
    const rest = [...this.asked.values()];
    for (const { proposal } of this.accepted.values()) rest.push(proposal);
    this.asked.clear();
    this.accepted.clear();
    for (const proposal of rest) {
      fail(proposal, new OutcomeUnknown('the node stopped before the log decided'));
    }
  }

  /**
   * Has this node ceased to lead in a term? A new leader may accept before its role is announced,
   * when it was last known as the candidate of this term, or of one before. In term 0 nobody leads:
   * what is accepted there is a new cluster, and it waits for its first leader.
   */
  private isOver(term: Term): boolean {
    if (term === 0 || term > this.currentTerm) return false;
    return term < this.currentTerm || this.role === 'follower';
  }
}

function lostLeadership(term: Term): OutcomeUnknown {
  return new OutcomeUnknown(`the leadership of term ${term} ended before the log decided`);
}

function fail<Result>(proposal: Proposal<Result>, error: MachineError): void {
  for (const waiter of proposal.waiters) waiter.reject(error);
}
