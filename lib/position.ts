/**
 * Where an entry stands in the log (§5.3), and the order of such places.
 *
 * Terms and indexes are safe integers. They are validated where they enter the program, and are
 * plain numbers from there on.
 */

/** A term: "logical time" that grows with every election (§5.1). 0 is before the first election. */
export type Term = number;

/** The place of an entry in the log: the first entry is 1, and 0 means "before the first entry". */
export type LogIndex = number;

/** The name of a node: 1 to 64 characters, unique within its cluster for ever. */
export type NodeId = string;

/**
 * Differs from run to run of one node, so that a leader notices a node that came back with less.
 */
export type NodeGeneration = number;

/** An index and the term of the entry there: by Log Matching (§5.3) the two name one history. */
export interface LogPosition {
  readonly term: Term;
  readonly index: LogIndex;
}

/** Before the first entry of any log. */
export const origin: LogPosition = Object.freeze({ term: 0, index: 0 });

/**
 * Orders positions by term, then index. "If the logs have last entries with different terms, then
 * the log with the later term is more up-to-date. If the logs end with the same term, then
 * whichever log is longer is more up-to-date." (§5.4.1)
 */
export function comparePositions(a: LogPosition, b: LogPosition): number {
  return a.term - b.term || a.index - b.index;
}

export function samePosition(a: LogPosition, b: LogPosition): boolean {
  return a.index === b.index && a.term === b.term;
}

/** Are both of its numbers safe integers, from 0 on? */
export function isSafePosition({ term, index }: LogPosition): boolean {
  return Number.isSafeInteger(term) && Number.isSafeInteger(index) && term >= 0 && index >= 0;
}
