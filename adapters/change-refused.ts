/** How a change of members (§6) can end without being made. */
import type { NodeId } from '../lib/position.js';

/** Why a change was not made, or not to its end. */
export type ChangeFault =
  /** Another change is under way. */
  | 'changeInProgress'
  /** The id is a member's that lives elsewhere. */
  | 'idTaken'
  /** Another member lives there. */
  | 'addressTaken'
  /** Nobody answers there. */
  | 'silent'
  /** Another node answers there, or one that has founded its own cluster. */
  | 'stranger'
  /** It is a member without a vote, and too far behind to get one. */
  | 'notCaughtUp'
  /** There is no such member, and was none lately. */
  | 'unknownNode'
  /** Nobody would be left to decide anything. */
  | 'lastVoter'
  /** Of those who would decide, too few answer: the change could never be completed. */
  | 'noMajority';

/** The number of each fault on the wire. */
export const changeFaults = {
  changeInProgress: 1,
  idTaken: 2,
  addressTaken: 3,
  silent: 4,
  stranger: 5,
  notCaughtUp: 6,
  unknownNode: 7,
  lastVoter: 8,
  noMajority: 9,
} as const satisfies Record<ChangeFault, number>;

export const changeFaultOf: ReadonlyMap<unknown, ChangeFault> = new Map(
  Object.entries(changeFaults).map(([fault, code]) => [code, fault as ChangeFault]),
);

/** Why a change was not made, or not to its end. Asking again is harmless, always. */
export class ChangeRefused extends Error {
  override readonly name = 'ChangeRefused';

  constructor(
    readonly reason: ChangeFault,
    text: string,
  ) {
    super(text);
  }
}

/** `silent`: those of the voters to be that are not there. */
export function noMajority(voters: readonly NodeId[], silent: readonly NodeId[]): ChangeRefused {
  const among = `of the voters ${voters.join(', ')} a majority must be up`;
  const list = [...silent].sort().join(', ');
  return new ChangeRefused('noMajority', `${among}, and silent is ${list}`);
}
