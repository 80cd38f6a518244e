/** Events in words. */
import type { ClusterConfig, LogPosition, Message, Snapshot } from '../../../lib/index.js';
import { lastIndex } from '../../../lib/index.js';
import type { SimulatedAction, SimulatedInput } from './witness.js';

export function describePosition({ term, index }: LogPosition): string {
  return `index ${index} of term ${term}`;
}

export function describeConfig({ voters, newVoters, nonVoters }: ClusterConfig): string {
  const joint = newVoters.length > 0 ? ` → ${newVoters.join()}` : '';
  const listening = nonVoters.length > 0 ? `, and ${nonVoters.join()} listening` : '';
  return `{${voters.join()}${joint}${listening}}`;
}

export function describeMessage(message: Message<Uint8Array>): string {
  const { type, from, term } = message;
  const start = `hears ${type} of ${from} in term ${term}`;
  switch (message.type) {
    case 'requestVoteCall':
      return `${start}, whose log ends with ${describePosition(message.lastPosition)}`;
    case 'requestVoteReply':
      return `${start}: ${message.voteGranted ? 'granted' : 'not granted'}`;
    case 'appendEntriesCall': {
      const { entries, commitIndex, round } = message;
      const first = entries.prevPosition.index + 1;
      const brings = entries.length === 0 ? 'nothing' : `${first} to ${lastIndex(entries)}`;
      const behind = describePosition(entries.prevPosition);
      return `${start}, round ${round}: ${brings} behind ${behind}, commit ${commitIndex}`;
    }
    case 'appendEntriesReply': {
      const word = message.refused ? 'refused, try' : 'has';
      return `${start}, round ${message.round}: ${word} ${describePosition(message.lastPosition)}`;
    }
    case 'removalNotice':
      return `${start}: left out by ${describePosition(message.position)}`;
  }
}

export function describeSnapshot(from: string, term: number, { position }: Snapshot): string {
  return `receives a snapshot up to ${describePosition(position)} of ${from} in term ${term}`;
}

/** What stands in the history of an input besides messages, or null. */
export function markOfInput(input: SimulatedInput): readonly [string, () => string] | null {
  switch (input.type) {
    case 'timedOut':
      return ['t', () => 'times out'];
    case 'persisted':
      return ['w', () => `has written up to ${input.sequence}`];
    case 'snapshotTaken':
      return ['s', () => `has a snapshot of its machine at ${input.index}`];
    default:
      return null;
  }
}

export function markOfAction(action: SimulatedAction): readonly [string, () => string] | null {
  switch (action.type) {
    case 'roleChanged': {
      const { role, currentTerm, leaderId } = action;
      const mark = { follower: 'F', candidate: 'C', leader: 'L' }[role];
      const leader = leaderId === null ? '' : `, led by ${leaderId}`;
      return [mark, () => `${role} in term ${currentTerm}${leader}`];
    }
    case 'configChanged':
      return ['M', () => `members: ${describeConfig(action.config)} at ${action.index}`];
    case 'committed':
      return ['c', () => `commits up to ${action.commitIndex}`];
    default:
      return null;
  }
}
