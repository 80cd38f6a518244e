/** What nodes of a replica, its clients and those who follow it say to each other. */
import { DecodeError, valueCodec } from '../../../adapters/codec.js';
import { decodeAnswer, decodeRequests } from '../../../adapters/gateway/protocol.js';
import { unpackBlock } from '../../../adapters/replica/logged.js';
import { replicaProtocol } from '../../../adapters/replica/protocol.js';
import type { Edge } from '../edge.js';
import { fateOf, ofBytes, Violation } from '../edge.js';
import { pack, packedMutant } from '../packed.js';

const protocol = replicaProtocol<unknown>(valueCodec<unknown>());
const command = Uint8Array.from(pack(1));

const requests: readonly unknown[] = [
  [1, false, 1, 'request 1', command],
  [2, true, 1, null, command],
  [3, true, 2],
  [4, false, 3, null],
  [5, false, 3, 7],
  [6, true, 4, 'a', 'b', 'c'],
];
const frames: readonly unknown[] = [...requests, requests.map((each) => pack(each))];
const answers: readonly unknown[] = [
  [1, 0, 1, command],
  [2, 0, 2, 9],
  [3, 0, 3, 9, command],
  [4, 0, 4, 9, 8, 2, [command, null], 9, 2, [command]],
  [5, 1, 3, 'why'],
  [6, 2, 'why'],
  [7, 0, 5],
  [8, 0, 6, 3, 'why'],
];
const blocks: readonly unknown[] = [[1, 'request 1', command, null, command]];

const isIndex = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

export const replicaRequestsEdge: Edge<Uint8Array> = {
  ...ofBytes,
  name: 'requests to replicas',
  share: 6,
  generate: (random) => packedMutant(random, frames),
  feed: (frame) =>
    fateOf(() => {
      for (const { asked } of decodeRequests(protocol, frame)) {
        const { request } = asked;
        protocol.faultOf(request);
        if (request.type === 'watch' && !isIndex(request.after ?? 0)) {
          throw new Violation('a place of no log is asked for');
        }
        if (request.type === 'changeVoters' && new Set(request.voters).size < 1) {
          throw new Violation('nobody is to decide any more');
        }
      }
    }, DecodeError),
};

export const replicaAnswersEdge: Edge<Uint8Array> = {
  ...ofBytes,
  name: 'answers of replicas',
  share: 6,
  generate: (random) => packedMutant(random, answers),
  feed: (frame) =>
    fateOf(() => {
      const { answer } = decodeAnswer(protocol, frame);
      if (answer.type !== 'entries') return;
      if (!answer.blocks.every(({ index, term }) => isIndex(index) && isIndex(term))) {
        throw new Violation('a block of no place in a log');
      }
    }, DecodeError),
};

export const replicaBlocksEdge: Edge<Uint8Array> = {
  ...ofBytes,
  name: 'blocks of replicas',
  share: 4,
  generate: (random) => packedMutant(random, blocks),
  feed: (block) => fateOf(() => unpackBlock(block), DecodeError),
};
