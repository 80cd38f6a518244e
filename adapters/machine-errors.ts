/**
 * How a request to the machine can end without a result. There are three outcomes and no fourth
 * ("done" is a result, or `CommandFailed`): certainly not done, and nobody knows.
 */
import type { Refusal } from '../lib/action.js';
import type { NodeId } from '../lib/position.js';
import { causeOf } from './cause.js';

/** What is known of a request that has no result. */
export type Outcome =
  /** Certainly not done, neither now nor later: safe to try again. */
  | 'notApplied'
  /** Done, not done, or done later: only the state can tell. */
  | 'unknown'
  /** In the log, on every node, without an effect. */
  | 'failed';

/** The base of all of them. */
export abstract class MachineError extends Error {
  abstract readonly outcome: Outcome;
}

/** This node does not lead. `leaderId` does, if it is known. */
export class NotLeader extends MachineError {
  override readonly name = 'NotLeader';
  readonly outcome = 'notApplied';

  constructor(readonly leaderId: NodeId | null) {
    super(leaderId === null ? 'there is no known leader' : `the leader is ${leaderId}`);
  }
}

/** A limit is reached, of the machine or of the core: try again when less is under way. */
export class Overloaded extends MachineError {
  override readonly name = 'Overloaded';
  readonly outcome = 'notApplied';

  constructor(limit = 'the limits of the log') {
    super(`too much is under way: ${limit}`);
  }
}

/** It might not fit on the way to the other nodes: see `limits.commandBytes`. */
export class CommandTooLarge extends MachineError {
  override readonly name = 'CommandTooLarge';
  readonly outcome = 'notApplied';

  constructor(
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(
      `the command has more than ${limit} bytes, the limit commandBytes of the machine: split ` +
        "it, or raise the limit, and the network's maxFrameBytes to four times of it",
    );
  }
}

/** The core refused, and says why. */
export class Refused extends MachineError {
  override readonly name = 'Refused';
  readonly outcome = 'notApplied';

  constructor(readonly reason: Exclude<Refusal, 'notLeader' | 'overloaded'>) {
    super(`refused: ${reason}`);
  }
}

/** It is not in the log and never will be: another entry has its place, or it never left. */
export class NotApplied extends MachineError {
  override readonly name = 'NotApplied';
  readonly outcome = 'notApplied';
}

/** The leadership, or the node, ended before the log decided. It may still be applied. */
export class OutcomeUnknown extends MachineError {
  override readonly name = 'OutcomeUnknown';
  readonly outcome = 'unknown';
}

/** The reducer threw `cause`. The state is as it was, on this node as on all others. */
export class CommandFailed extends MachineError {
  override readonly name = 'CommandFailed';
  readonly outcome = 'failed';

  constructor(cause: unknown) {
    super(`the reducer threw: ${causeOf(cause)}`, { cause });
  }
}

/** The error that a refusal of the core becomes. */
export function refusalError(reason: Refusal, leaderId: NodeId | null): MachineError {
  switch (reason) {
    case 'notLeader':
      return new NotLeader(leaderId);
    case 'overloaded':
      return new Overloaded();
    default:
      return new Refused(reason);
  }
}
