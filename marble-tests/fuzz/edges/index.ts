/** All edges, whose inputs are handed in within this process. */
import type { Edge } from '../edge.js';
import { channelEdge } from './channel.js';
import { answersEdge, blocksEdge, requestsEdge } from './clients.js';
import { commandLineEdge, targetsEdge } from './command-line.js';
import { handshakeEdge } from './handshake.js';
import { httpEdge } from './http.js';
import { indexedDbEdge } from './indexed-db.js';
import { messagesEdge } from './messages.js';
import { numbersEdge } from './numbers.js';
import { replicaAnswersEdge, replicaBlocksEdge, replicaRequestsEdge } from './replicas.js';
import { snapshotsEdge, statesEdge, transfersEdge } from './snapshots.js';
import { storeEdge } from './store.js';

/** Each knows the type of its own inputs, and nobody else's. */
export const edges = [
  ...[messagesEdge, handshakeEdge, snapshotsEdge, statesEdge],
  ...[requestsEdge, answersEdge, blocksEdge],
  ...[replicaRequestsEdge, replicaAnswersEdge, replicaBlocksEdge],
  ...[numbersEdge, transfersEdge, storeEdge, indexedDbEdge],
  ...[commandLineEdge, targetsEdge, httpEdge, channelEdge],
] as unknown as readonly Edge<unknown>[];
