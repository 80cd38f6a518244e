/** Honest messages, of which hostile ones are made. */
import { save } from '../../adapters/key-value/reducer.js';
import type { Message } from '../../lib/message.js';
import type { Snapshot } from '../../lib/snapshot.js';
import type { Bytes } from './core.js';
import { entries } from './core.js';

const at = (term: number, index: number) => ({ term, index });
const calls = [
  { ...entries, length: 0, terms: [], configs: [], commands: null, prevPosition: at(3, 7) },
  {
    ...{ prevPosition: at(3, 7), length: 2, terms: [{ index: 8, term: 4 }], configs: [] },
    commands: [undefined, Uint8Array.of(9)],
  },
  {
    ...{ prevPosition: at(2, 4), length: 4, terms: [{ index: 5, term: 4 }] },
    configs: [{ index: 6, config: { voters: ['a', 'b'], newVoters: ['a', 'd'], nonVoters: [] } }],
    commands: [undefined, undefined, Uint8Array.of(1), Uint8Array.of(2)],
  },
  entries,
];

export const messages: readonly Message<Bytes>[] = [
  { type: 'requestVoteCall', from: 'b', term: 6, lastPosition: at(4, 9) },
  { type: 'requestVoteReply', from: 'b', term: 5, voteGranted: true },
  ...calls.map((each, i) => ({
    ...{ type: 'appendEntriesCall' as const, from: 'b', term: 4 + (i % 3), round: 2 + i },
    ...{ commitIndex: 6, entries: each },
  })),
  {
    ...{ type: 'appendEntriesReply', from: 'b', term: 5, round: 1, generation: 1 },
    ...{ refused: false, lastPosition: at(5, 8) },
  },
  {
    ...{ type: 'appendEntriesReply', from: 'c', term: 5, round: 2, generation: 1 },
    ...{ refused: true, lastPosition: at(2, 4) },
  },
  { type: 'removalNotice', from: 'b', term: 5, position: at(4, 9) },
];

export const snapshots: readonly Snapshot<Bytes>[] = [
  {
    position: at(4, 20),
    config: { voters: ['a', 'b', 'c'], newVoters: [], nonVoters: ['d'] },
    data: save({ values: new Map([['k', Uint8Array.of(118, 118)]]), addresses: new Map() }),
  },
];
