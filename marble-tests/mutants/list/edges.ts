/** What comes from others: messages, bytes, connections. */
import type { Mutant } from '../mutant.js';

export const edges: readonly Mutant[] = [
  {
    name: 'numbers that are none are taken',
    trap: 'H6, H8',
    file: 'lib/node.ts',
    before: '!areNumbersSound(message) || message.term',
    after: 'message.term',
    test: {
      file: 'lib/numbers.test.ts',
      title: 'H6, H8: a %s',
    },
    because: 'honest',
  },
  {
    name: 'one message brings the cluster to the end of the numbers',
    trap: 'H6',
    file: 'lib/node.ts',
    before: 'message.term - state.currentTerm > electionsMissed',
    after: 'message.term < 0',
    test: {
      file: 'lib/numbers.test.ts',
      title: 'H6: a term that nobody can have reached is dropped: terms must not run out',
    },
    because: 'honest',
  },
  {
    name: 'entries out of order are taken',
    trap: 'B22',
    file: 'lib/replication.ts',
    before: '    areSound(entries) &&\n',
    after: '',
    test: {
      file: 'lib/replication.test.ts',
      title: 'B22: %s',
    },
    because: 'honest',
  },
  {
    name: 'entries of a later term than their message are taken',
    trap: 'B22',
    file: 'lib/replication.ts',
    before: 'lastTerm(entries) <= term;',
    after: 'lastTerm(entries) >= 0;',
    test: {
      file: 'lib/replication.test.ts',
      title: 'B22: %s',
    },
    because: 'honest',
  },
  {
    name: 'a call that contradicts what is committed is believed',
    trap: 'S21, B5',
    file: 'lib/replication.ts',
    before: 'if (conflict <= Math.min(state.commitIndex, lastIndex(entries))) {',
    after: 'if (conflict < 0) {',
    test: {
      file: 'lib/replication.test.ts',
      title: 'S21: a conflict with what is committed: one of the two has lost or forged entries',
    },
    because: 'honest',
  },
  {
    name: 'an acknowledgement of what the leader has not is believed',
    trap: 'H8',
    file: 'lib/replication.ts',
    before: 'if (reply.round > state.round || !isPossible(state, reply)) {',
    after: 'if (reply.round > state.round) {',
    test: {
      file: 'lib/calls.test.ts',
      title: 'H8: an acknowledgement beyond the own log is dropped: commitIndex never passes it',
    },
    because: 'honest',
  },
  {
    name: 'the vote request has term and index of its log the wrong way round',
    trap: 'A1, H',
    file: 'adapters/message-codec.ts',
    before: 'return [...common, message.lastPosition.term, message.lastPosition.index];',
    after: 'return [...common, message.lastPosition.index, message.lastPosition.term];',
  },
  {
    name: 'entries lose the commands behind a marker on their way',
    trap: 'H',
    file: 'adapters/codec.ts',
    before: 'commands: slots?.some((command) => command !== undefined) ? slots : null,',
    after: 'commands: slots?.[0] !== undefined ? slots : null,',
  },
  {
    name: 'a message keeps a share in the bytes it came in',
    trap: 'I12',
    file: 'adapters/codec.ts',
    before: 'decode: (bytes) => Uint8Array.from(bytes),',
    after: 'decode: (bytes) => bytes,',
    test: {
      file: 'adapters/codec.test.ts',
      title: 'keeps bytes, and copies what it decodes (H19)',
    },
    because: 'guarded',
  },
  {
    name: 'transfers to one peer run side by side',
    trap: 'S19',
    file: 'adapters/transfers.ts',
    before: '        exhaustMap((install) =>',
    after: '        mergeMap((install) =>',
    test: {
      file: 'adapters/transfers.test.ts',
      title: 'S19: what is asked for while one runs to the same peer is ignored',
    },
    because: 'elsewhere',
  },
  {
    name: 'a snapshot with another digest is taken',
    trap: 'C12',
    file: 'adapters/ws-snapshot.ts',
    before:
      "    if (hash.digest('hex') !== begun.digest) throw new DecodeError('another digest');\n",
    after: '',
    test: {
      file: 'adapters/ws-network.test.ts',
      title: 'with a byte changed, missing or too many is never seen (C12)',
    },
    because: 'elsewhere',
  },
  {
    name: 'a write that may have been done is sent again',
    trap: 'E12',
    file: 'adapters/key-value/client.ts',
    before: "return mayBeDone ? { type: 'unknown', text: cause } : cause;",
    after: 'return cause;',
    test: {
      file: 'adapters/key-value/client.test.ts',
      title: 'asks again after the loss of a read, and never after the loss of a write',
    },
    because: 'elsewhere',
  },
];
