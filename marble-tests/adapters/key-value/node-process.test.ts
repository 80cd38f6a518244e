/** What a node that runs alone says to whoever reads its output. */
import { expect, it } from 'vitest';
import { lineOf } from '../../../adapters/key-value/node-process.js';
import type { NetworkEvent } from '../../../adapters/ws-network.js';

it.each<[NetworkEvent, string | null]>([
  [
    { type: 'refused', from: 'n6', reason: 'sender' },
    'has turned the node "n6" away at the door for nodes: it is not known here. If members have ' +
      'changed while this node was away, start this one again with --join and the address of a ' +
      'member',
  ],
  [
    { type: 'refused', from: null, reason: 'malformed' },
    'has turned a connection away at the door for nodes: malformed',
  ],
  [
    { type: 'disconnected', to: 'n4', cause: 'refused: sender' },
    'was turned away by n4: this node is not known there. If it was removed while it was away, ' +
      'it is of no more use: see rxraft status',
  ],
  [{ type: 'disconnected', to: 'n4', cause: 'refused: token' }, 'was turned away by n4: token'],
  [{ type: 'disconnected', to: 'n4', cause: 'silent' }, null],
])('of %o a line tells what can be done', (event, line) => {
  expect(lineOf({ type: 'network', event }, 'data')).toBe(line);
});
