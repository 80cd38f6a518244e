/** Elections (§5.2, §5.4.1): who may vote for whom, and when. */
import type { Mutant } from '../mutant.js';

export const elections: readonly Mutant[] = [
  {
    name: 'the longer log wins, whatever its last term',
    trap: 'S1, A1',
    file: 'lib/position.ts',
    before: 'a.term - b.term || a.index - b.index',
    after: 'a.index - b.index',
  },
  {
    name: 'the later last term wins, whatever the length',
    trap: 'A1',
    file: 'lib/position.ts',
    before: 'a.term - b.term || a.index - b.index',
    after: 'a.term - b.term',
  },
  {
    name: 'a candidate ignores the leader of its own term',
    trap: 'S6, A5',
    file: 'lib/replication.ts',
    before: 'if (call.term >= state.currentTerm) return false;',
    after:
      "if (call.term > state.currentTerm || (call.term === state.currentTerm && state.role !== 'candidate')) return false;",
    test: {
      file: 'lib/election.test.ts',
      title:
        'A5: a candidate that hears the leader of its own term "returns to follower state" (§5.2)',
    },
    because: 'slow',
  },
  {
    name: 'whom a node voted for is its leader',
    trap: 'S6',
    file: 'lib/election.ts',
    before: '  state.votedFor = call.from;\n  state.hardStateDue = true;\n}',
    after: '  state.votedFor = state.leaderId = call.from;\n  state.hardStateDue = true;\n}',
  },
  {
    name: 'stepping down within a term clears the vote',
    trap: 'S7, A4',
    file: 'lib/election.ts',
    before: 'if (term > state.currentTerm) {\n',
    after: 'if (term >= state.currentTerm) {\n',
    test: {
      file: 'lib/defects-elections.test.ts',
      title: 'a leader that steps down in its term does not vote again in it (Election Safety)',
    },
    because: 'rare',
  },
  {
    name: 'a new term keeps the vote of the old one',
    trap: 'S12, A3',
    file: 'lib/election.ts',
    before: '    state.votedFor = null;\n',
    after: '',
  },
  {
    name: 'every candidate of a term gets a vote',
    trap: 'A4, J6',
    file: 'lib/election.ts',
    before: 'const free = state.votedFor === null || state.votedFor === call.from;',
    after: 'const free = true;',
  },
  {
    name: 'the vote is forgotten by a restart',
    trap: 'J6',
    file: 'lib/state.ts',
    before: 'this.votedFor = recovered.votedFor;',
    after: 'this.votedFor = null;',
  },
  {
    name: 'a vote is given to a log that is behind',
    trap: 'S1, A1',
    file: 'lib/election.ts',
    before: '|| !free || !upToDate) return;',
    after: '|| !free) return;',
  },
  {
    name: 'the votes of an earlier candidacy count again',
    trap: 'A7',
    file: 'lib/election.ts',
    before: '  state.votes.clear();\n  // Everything',
    after: '  // Everything',
  },
  {
    name: 'a vote of an older term counts',
    trap: 'A7',
    file: 'lib/election.ts',
    before: 'if (reply.term < state.currentTerm) {',
    after: 'if (reply.term < state.currentTerm - 1) {',
    test: {
      file: 'lib/election.test.ts',
      title:
        'A7: votes are of a majority "of the servers in the full cluster for the same term" (§5.2)',
    },
    because: 'rare',
  },
  {
    name: 'a refused vote counts',
    trap: 'A7',
    file: 'lib/election.ts',
    before: "if (state.role !== 'candidate' || !reply.voteGranted) return;",
    after: "if (state.role !== 'candidate') return;",
  },
  {
    name: 'half of an even number is a majority',
    trap: 'A14',
    file: 'lib/quorum.ts',
    before: 'const rank = voters.length >> 1;',
    after: 'const rank = (voters.length - 1) >> 1;',
  },
  {
    name: 'a quorum of values that are not sorted',
    trap: 'B16',
    file: 'lib/quorum.ts',
    before: 'if (value <= (values[at] as number)) continue;',
    after: 'if (value >= 0) continue;',
  },
  {
    name: 'a candidate counts its own vote before it is durable',
    trap: 'A11, S9',
    file: 'lib/election.ts',
    before: "if (state.role !== 'candidate' || !state.hardStateDurable) return;",
    after: "if (state.role !== 'candidate') return;",
    test: {
      file: 'lib/defects-disks.test.ts',
      title: 'its vote for itself counts when that one is on disk, not when an older write is',
    },
    because: 'guarded',
  },
  {
    name: 'messages leave before term and vote are durable',
    trap: 'A2',
    file: 'lib/take.ts',
    before: 'if (state.hardStateDurable) renderMessages(state, actions);',
    after: 'renderMessages(state, actions);',
  },
  {
    name: 'the term is saved, and the vote is not',
    trap: 'A3',
    file: 'lib/take.ts',
    before: 'state.hardStateDue ? { currentTerm, votedFor } : null,',
    after: 'state.hardStateDue ? { currentTerm, votedFor: null } : null,',
  },
  {
    name: 'a leader ignores the higher term of an answer',
    trap: 'A8',
    file: 'lib/replication.ts',
    before: '    becomeFollower(state, reply.term, null);\n    return;',
    after: '    return;',
  },
  {
    name: 'a vote request of a higher term starts the timer anew',
    trap: 'S16',
    file: 'lib/election.ts',
    before: 'if (call.term > state.currentTerm) becomeFollower(state, call.term, null);',
    after:
      'if (call.term > state.currentTerm) {\n    becomeFollower(state, call.term, null);\n    state.timerDue = true;\n  }',
    test: {
      file: 'lib/defects-elections.test.ts',
      title: 'a stale candidate that asks again and again silences nobody (§5.2)',
    },
    because: 'slow',
  },
  {
    name: 'a vote request deposes whoever hears a living leader',
    trap: 'S11, D11',
    file: 'lib/election.ts',
    before:
      "if (call.term > state.currentTerm && (state.leaderAlive || state.role === 'leader')) {",
    after: 'if (call.term > Number.MAX_SAFE_INTEGER) {',
    test: {
      file: 'lib/election-timers.test.ts',
      title: 'D11: a leader hears itself: vote requests of higher terms do not depose it (§6)',
    },
    because: 'slow',
  },
  {
    name: 'only the own timeout ends the belief in a dead leader',
    trap: 'S13',
    file: 'lib/election.ts',
    before:
      'export function onMinimumElapsed<C, S>(state: State<C, S>): void {\n  state.leaderAlive = false;',
    after: 'export function onMinimumElapsed<C, S>(_state: State<C, S>): void {',
    test: {
      file: 'lib/defects-elections.test.ts',
      title:
        'after a crash of the leader one timeout is enough: the others only waited the minimum',
    },
    because: 'slow',
  },
  {
    name: 'an older vote request hides the vote that was given since',
    trap: 'track record 10',
    file: 'lib/election.ts',
    before: 'Math.max(call.term, state.votesDue.get(call.from) ?? 0)',
    after: 'call.term',
    test: {
      file: 'lib/overtaken.test.ts',
      title: 'a vote that is granted is said, whatever older request came in between (§5.2)',
    },
    because: 'slow',
  },
  {
    name: 'a non-voter campaigns',
    trap: 'D13',
    file: 'lib/election.ts',
    before: 'if (state.isVoter) return true;',
    after: 'if (isMember(log.latestConfig, state.id)) return true;',
    test: {
      file: 'lib/election-timers.test.ts',
      title: 'D13: never campaigns: "they are not considered for voting" (§6)',
    },
    because: 'slow',
  },
  {
    name: 'who is left out of its newest configuration never campaigns',
    trap: 'track record 1',
    file: 'lib/election.ts',
    before: 'return log.latestConfigIndex > commitIndex && isVoter(log.previousConfig, state.id);',
    after: 'return log.latestConfigIndex < commitIndex - Infinity;',
    test: {
      file: 'lib/removal.test.ts',
      title: 'campaigns while C_new "is not committed": it may be needed (thesis §4.2.2)',
    },
    because: 'rare',
  },
  {
    name: 'a candidacy while a snapshot is being installed',
    trap: 'C16',
    file: 'lib/election.ts',
    before: ' || state.installing) return;',
    after: ') return;',
    test: {
      file: 'lib/installation.test.ts',
      title: 'C16: while it is not durable the node asks for no votes',
    },
    because: 'guarded',
  },
];
