/** Reads without a log entry (§8, thesis §6.4), and the check of the quorum (thesis §6.2). */
import type { Mutant } from '../mutant.js';

export const reads: readonly Mutant[] = [
  {
    name: 'a read before the own term has committed anything',
    trap: 'S20, E1',
    file: 'lib/reads.ts',
    before: 'const index = Math.max(state.commitIndex, state.termStart);',
    after: 'const index = state.commitIndex;',
  },
  {
    name: 'a read does not remember the commit index of its request',
    trap: 'S20, E9',
    file: 'lib/reads.ts',
    before: 'const index = Math.max(state.commitIndex, state.termStart);',
    after: 'const index = 0;',
  },
  {
    name: 'answers gathered before the request confirm a read',
    trap: 'E3',
    file: 'lib/reads.ts',
    before: 'state.reads.push({ reads, index, round: state.round + 1 });',
    after: 'state.reads.push({ reads, index, round: state.round });',
    test: {
      file: 'lib/reads.test.ts',
      title: 'E3: only answers to calls that began after the request count (thesis §6.4)',
    },
    because: 'rare',
  },
  {
    name: 'a read needs no quorum',
    trap: 'E6',
    file: 'lib/reads.ts',
    before: 'if (read.round > round || read.index > appliedIndex) break;',
    after: 'if (read.round > round + Infinity || read.index > appliedIndex) break;',
  },
  {
    name: 'a read is answered before its index is applied',
    trap: 'E9',
    file: 'lib/reads.ts',
    before: 'if (read.round > round || read.index > appliedIndex) break;',
    after: 'if (read.round > round) break;',
  },
  {
    name: 'reads outlive the leadership',
    trap: 'E4',
    file: 'lib/election.ts',
    before: '  refuseReads(state);\n}',
    after: '  if (state.round < 0) refuseReads(state);\n}',
  },
  {
    name: 'a read alone sends no call',
    trap: 'E4',
    file: 'lib/reads.ts',
    before: 'if (quorumRound(state) <= state.round) heartbeat(state);',
    after: 'if (quorumRound(state) < 0) heartbeat(state);',
    test: {
      file: 'lib/reads.test.ts',
      title: 'D6: by both majorities during a change (§6)',
    },
    because: 'slow',
  },
  {
    name: 'reads have no limit',
    trap: 'law 6',
    file: 'lib/reads.ts',
    before: 'if (state.reads.length >= state.limits.waitingReads) {',
    after: 'if (state.reads.length === Infinity) {',
    test: {
      file: 'lib/reads.test.ts',
      title: 'E4: is refused over the limit, and waits no longer than the leadership',
    },
    because: 'small',
  },
  {
    name: 'an answer to a call of an older term has a round',
    trap: 'E3, track record 12',
    file: 'lib/take.ts',
    before: 'replyOf(state, 0, true, origin)',
    after: 'replyOf(state, 10, true, origin)',
    test: {
      file: 'lib/stale-round.test.ts',
      title: 'E3: an answer to a call of an older term confirms no round of this one',
    },
    because: 'rare',
  },
  {
    name: 'a leader that nobody answers leads on',
    trap: 'E4',
    file: 'lib/rounds.ts',
    before: 'return state.heartbeatsAlone >= state.limits.heartbeatsAlone;',
    after: 'return state.heartbeatsAlone === Infinity;',
  },
  {
    name: 'a leader whose disk does not answer leads on',
    trap: 'G, thesis §6.2',
    file: 'lib/rounds.ts',
    before: 'state.heartbeatsAlone = heard && written ? 0',
    after: 'state.heartbeatsAlone = heard ? 0',
    test: {
      file: 'lib/rounds.test.ts',
      title: 'G13: also when its own disk answers no longer: it would not be able to commit alone',
    },
    because: 'slow',
  },
];
