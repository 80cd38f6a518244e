/** The error that a failure becomes for those who hold a promise. */
import type { NodeId } from '../../lib/position.js';
import type { MachineError } from '../machine.js';
import { CommandFailed, NotApplied, NotLeader, OutcomeUnknown, Overloaded } from '../machine.js';
import type { Failure } from './protocol.js';

/** `leaderId`: who leads, as far as whoever asked knows. */
export function failureError(failure: Failure, leaderId: NodeId | null): MachineError {
  const { text } = failure;
  if (failure.type === 'unknown') return new OutcomeUnknown(text);
  switch (failure.reason) {
    case 'notLeader':
    case 'noLeader':
      return new NotLeader(leaderId);
    case 'overloaded':
      return new Overloaded(text.replace(/^too much is under way: /, ''));
    case 'failed':
      return new CommandFailed(text);
    case 'tooLarge':
    case 'unreachable':
      return new NotApplied(text);
  }
}
