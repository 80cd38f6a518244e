/** What clients and nodes say to each other, and the blocks that the log has of it. */
import { DecodeError } from '../../../adapters/codec.js';
import { decodeAnswer, decodeRequests } from '../../../adapters/gateway/protocol.js';
import type { AnyCommand } from '../../../adapters/key-value/commands.js';
import { unpackBlock } from '../../../adapters/key-value/commands.js';
import { keyValueProtocol } from '../../../adapters/key-value/client-protocol.js';
import { emptyState, load, reducer, save } from '../../../adapters/key-value/reducer.js';
import type { State } from '../../../adapters/key-value/reducer.js';
import type { Edge, Fate } from '../edge.js';
import { fateOf, ofBytes, Violation } from '../edge.js';
import { pack, packedMutant } from '../packed.js';

const key = Uint8Array.from([107]);
const value = Uint8Array.from([118, 118]);
const requests: readonly unknown[] = [
  [1, false, 1, key, value, null],
  [2, false, 1, key, null, value],
  [3, true, 1, key, value, false],
  [4, false, 2, key, true],
  [5, true, 2, key, false],
  [6, false, 3],
];
const frames: readonly unknown[] = [
  ...requests,
  requests.map((each) => pack(each)),
  [pack(requests[0]), value],
];
const status = {
  ...{ id: 'a', cluster: 'x', address: 'h:1', pid: 1, role: 'leader', term: 1, leader: 'a' },
  ...{ commit: 1, applied: 1, keys: 0, members: { a: 'h:1' } },
};
const answers: readonly unknown[] = [
  ...[1, 2, 3].map((kind) => [1, 0, kind]),
  ...[
    [1, 0, 4, value],
    [1, 0, 5, JSON.stringify(status)],
    [2, 1, 3, 'why'],
    [3, 2, 'why'],
  ],
];
const blocks: readonly unknown[] = [
  [1, key, value, null, key, null, null, key, value, false],
  [1, key, value, value],
];

/** A store that lives on: whatever is applied to it, it can be saved and loaded. */
class Store {
  private state: State = emptyState();
  private changes = 0;

  apply(command: AnyCommand): void {
    this.state = reducer(this.state, command).state;
    this.changes += 1;
    if (this.changes % 100 !== 0) return;
    const again = load(save(this.state));
    if (again.values.size !== this.state.values.size)
      throw new Violation('the store does not come back');
    this.state = emptyState();
  }
}

const store = new Store();

export const requestsEdge: Edge<Uint8Array> = {
  ...ofBytes,
  name: 'requests of clients',
  share: 12,
  generate: (random) => packedMutant(random, frames),
  feed(frame) {
    let fate: Fate = 'refused';
    fateOf(() => {
      for (const { asked } of decodeRequests(keyValueProtocol, frame)) {
        const { id, request } = asked;
        if (!Number.isSafeInteger(id)) throw new Violation('a request without its number');
        if (keyValueProtocol.faultOf(request) !== null) return;
        if (request.type === 'command') store.apply(request.command);
      }
      fate = 'taken';
    }, DecodeError);
    return fate;
  },
};

export const answersEdge: Edge<Uint8Array> = {
  ...ofBytes,
  name: 'answers of nodes',
  share: 6,
  generate: (random) => packedMutant(random, answers),
  feed: (frame) => fateOf(() => decodeAnswer(keyValueProtocol, frame), DecodeError),
};

export const blocksEdge: Edge<Uint8Array> = {
  ...ofBytes,
  name: 'blocks in the log',
  share: 6,
  generate: (random) => packedMutant(random, blocks),
  feed: (block) =>
    fateOf(() => unpackBlock(block).forEach((command) => store.apply(command)), DecodeError),
};
