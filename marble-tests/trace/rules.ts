/** What Raft does not permit, each rule with the sentence that it is taken from. */

export const rules = {
  // Of the trace itself.
  format: 'the format of adapters/trace.ts',
  sequence: 'the lines of a run are numbered without a gap, and begin with its start',
  state: 'what a line says of its node is what all lines before it have made of the node',
  delivery: 'only what was sent is received: the network loses and repeats, it does not invent',
  sender: 'a node speaks in its own name, to others, and of what its role permits (Figure 2)',
  // Elections.
  term: '"current term … increases monotonically" (Figure 2)',
  candidacy: '"to begin an election, a follower increments its current term" and votes (§5.2)',
  oneVote: '"each server will vote for at most one candidate in a given term" (§5.2)',
  upToDate: '"the voter denies its vote if its own log is more up-to-date" (§5.4.1)',
  oneLeader: '"at most one leader can be elected in a given term" (Election Safety, Figure 3)',
  voteQuorum: '"a candidate wins if it receives votes from a majority of the servers" (§5.2, §6)',
  leaderCompleteness:
    '"if a log entry is committed in a given term, then that entry will be present in the logs ' +
    'of the leaders for all higher-numbered terms" (Figure 3)',
  // Logs.
  leaderAppendOnly: '"a leader never overwrites or deletes entries in its log" (Figure 3)',
  logMatching:
    '"if two logs contain an entry with the same index and term, then the logs are identical in ' +
    'all entries up through the given index" (Figure 3)',
  origin: '"a leader creates at most one entry with a given log index in a given term" (§5.3)',
  truncation:
    '"if an existing entry conflicts with a new one, delete" it, and only then (Figure 2)',
  acknowledgement: "success means that the follower's log is the leader's up to there (§5.3)",
  // Disks.
  durability: '"updated on stable storage before responding to RPCs" (Figure 2)',
  storage: 'a write has the next number, and what the log has; one never asked for is not done',
  recovery: 'a node begins with what was durable, and at most with what it had asked for',
  // Commitment.
  monotone: '"commitIndex … lastApplied … increases monotonically" (Figure 2)',
  commitment:
    '"if a majority of matchIndex[i] ≥ N, and log[N].term == currentTerm: set commitIndex = N" ' +
    '(Figure 2, §5.4.2)',
  application: '"if commitIndex > lastApplied: increment lastApplied, apply log[lastApplied]"',
  snapshot: '"covering just the committed entries", with "the latest configuration" there (§7)',
  // Members.
  membership: 'one change at a time, from C_old by C_old,new to C_new, each committed first (§6)',
  configuration: '"a server always uses the latest configuration in its log" (§6)',
} as const;

export type Rule = keyof typeof rules;

/** A trace of something that is not Raft. */
export class Violation extends Error {
  override readonly name = 'Violation';

  constructor(
    readonly rule: Rule,
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super(`${rule}: ${detail}; but ${rules[rule]}`, options);
  }
}

export function hold(condition: boolean, rule: Rule, detail: string): asserts condition {
  if (!condition) throw new Violation(rule, detail);
}
