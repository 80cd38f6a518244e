/** Changes of members (§6). */
import type { Mutant } from '../mutant.js';

export const membership: readonly Mutant[] = [
  {
    name: 'of two majorities one is enough',
    trap: 'D6',
    file: 'lib/quorum.ts',
    before: 'return Math.min(value, majorityValue(config.newVoters, valueOf));',
    after: 'return value;',
  },
  {
    name: 'the old majority is forgotten during a change',
    trap: 'D6',
    file: 'lib/quorum.ts',
    before: 'return Math.min(value, majorityValue(config.newVoters, valueOf));',
    after: 'return majorityValue(config.newVoters, valueOf);',
  },
  {
    name: 'a batch with a change in it is committed by the old quorum',
    trap: 'B17',
    file: 'lib/commitment.ts',
    before: 'return Math.max(index, Math.min(before, configIndex - 1));',
    after: 'return Math.max(index, before);',
  },
  {
    name: 'what stands before a change waits for the new quorum',
    trap: 'B17, S5',
    file: 'lib/commitment.ts',
    before: 'return Math.max(index, Math.min(before, configIndex - 1));',
    after: 'return Math.min(index, Math.max(before, configIndex));',
  },
  {
    name: 'a change before the own term has committed anything',
    trap: 'D1, J4',
    file: 'lib/membership.ts',
    before: "  if (state.commitIndex < state.termStart) return 'notReady';\n",
    after: '',
    test: {
      file: 'lib/membership.test.ts',
      title:
        'D1, J4: "not until the leader has committed an entry from its own term" (thesis §4.1)',
    },
    because: 'guarded',
  },
  {
    name: 'a second change before the first one is committed',
    trap: 'D2',
    file: 'lib/membership.ts',
    before: 'if (isJointConsensus(latestConfig) || log.latestConfigIndex > state.commitIndex) {',
    after: 'if (isJointConsensus(latestConfig)) {',
    test: {
      file: 'lib/node-members.test.ts',
      title:
        'D2: refused while a change is in progress, until its final configuration is committed',
    },
    because: 'rare',
  },
  {
    name: 'a cut leaves the configuration in force',
    trap: 'D4, J3',
    file: 'lib/log.ts',
    before: '    while ((this.configs.at(-1)?.index ?? 0) > index) this.configs.pop();\n',
    after: '',
  },
  {
    name: 'the peers do not follow the configuration of the entries taken',
    trap: 'D3',
    file: 'lib/replication.ts',
    before: '  if (state.members !== state.log.latestConfig) state.refreshPeers();\n',
    after: '',
  },
  {
    name: 'the peers do not follow the configuration of a snapshot',
    trap: 'D3, C5',
    file: 'lib/compaction.ts',
    before: '  if (state.members !== log.latestConfig) state.refreshPeers();\n',
    after: '',
    test: {
      file: 'lib/installation.test.ts',
      title:
        'C5: brings its configuration, joint or not, into force, and keeps it over a restart (§7)',
    },
    because: 'guarded',
  },
  {
    name: 'the joint configuration is left before it is committed',
    trap: 'D7',
    file: 'lib/membership.ts',
    before: 'if (state.commitIndex < latestConfigIndex || state.toldConfigIndex',
    after: 'if (state.toldConfigIndex',
  },
  {
    name: 'the joint configuration is never left',
    trap: 'D7',
    file: 'lib/membership.ts',
    before: '    appendConfig(state, toFinalConfig(latestConfig));\n',
    after: '    if (state.commitIndex < 0) appendConfig(state, toFinalConfig(latestConfig));\n',
  },
  {
    name: 'a leader that is left out leads on',
    trap: 'D8',
    file: 'lib/membership.ts',
    before: '  state.resigning = true;\n',
    after: '',
    test: {
      file: 'lib/removal.test.ts',
      title: 'D8: "steps down once it has committed the C_new log entry" (§6)',
    },
    because: 'slow',
  },
  {
    name: 'a leader that is left out leaves without a word',
    trap: 'D8',
    file: 'lib/membership.ts',
    before:
      '  state.resigning = true;\n  state.callsDue = true;\n  for (const peer of state.peers) peer.callDue = true;\n',
    after: '  state.resigning = true;\n',
    test: {
      file: 'lib/traps-membership.test.ts',
      title:
        'D8: tells the others that C_new is committed, also where commits are not announced (§6)',
    },
    because: 'slow',
  },
  {
    name: 'who is left out is not told',
    trap: 'S11, D11',
    file: 'lib/membership.ts',
    before:
      'if (id !== state.id && !isMember(latestConfig, id)) state.noticesDue.set(id, position);',
    after: 'if (id === state.id) state.noticesDue.set(id, position);',
  },
  {
    name: 'a node is told of its removal before that is committed',
    trap: 'D11',
    file: 'lib/election.ts',
    before: 'if (state.commitIndex < log.latestConfigIndex || state.noticesDue',
    after: 'if (state.noticesDue',
  },
  {
    name: 'who was told of its removal asks for votes for ever',
    trap: 'S11, D11',
    file: 'lib/membership.ts',
    before: '  state.removedAt = notice.position;\n',
    after: '',
    test: {
      file: 'lib/removal.test.ts',
      title: 'D11: is told so when C_new is committed, and asks for votes no more (§6)',
    },
    because: 'slow',
  },
  {
    name: 'a non-voter that is far behind is promoted',
    trap: 'D14, S17',
    file: 'lib/membership.ts',
    before:
      "  if (promoted.some((id) => (state.peer(id)?.match ?? 0) < least)) return 'notCaughtUp';\n",
    after: '',
    test: {
      file: 'lib/membership.test.ts',
      title: 'D14, S17: a non-voter is promoted when it "has caught up with the rest" (§6)',
    },
    because: 'slow',
  },
  {
    name: 'a change to no voters is accepted',
    trap: 'S17, D16',
    file: 'lib/membership.ts',
    before: 'if (faultOf(config) !== null || !isChange(latestConfig, config)) return',
    after: 'if (!isChange(latestConfig, config)) return',
    test: {
      file: 'lib/membership.test.ts',
      title: 'D16: %s',
    },
    because: 'honest',
  },
  {
    name: 'a change that changes nothing is accepted',
    trap: 'S17',
    file: 'lib/membership.ts',
    before: 'if (faultOf(config) !== null || !isChange(latestConfig, config)) return',
    after: 'if (faultOf(config) !== null) return',
    test: {
      file: 'lib/membership.test.ts',
      title: 'D16: %s',
    },
    because: 'honest',
  },
  {
    name: 'a cluster is made without the node that makes it',
    trap: 'S10',
    file: 'lib/membership.ts',
    before: 'if (faultOf(config) !== null || !config.voters.includes(state.id)) return',
    after: 'if (faultOf(config) !== null) return',
    test: {
      file: 'lib/membership.test.ts',
      title: 'S10, D16: without itself, without anyone, or with an id twice is refused',
    },
    because: 'honest',
  },
  {
    name: 'a cluster is made twice',
    trap: 'D19',
    file: 'lib/membership.ts',
    before: "  if (!state.isPristine) return 'notPristine';\n",
    after: '',
    test: {
      file: 'lib/membership.test.ts',
      title: 'D19: twice is refused, and so is one on a node with a log, a term or a vote',
    },
    because: 'honest',
  },
];
