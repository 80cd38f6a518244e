/**
 * A relay for pages, on Node: all dial it, and it hands on what they post to each other. It knows
 * no log and no term: who can't reach it is partitioned, and it can delay or lose, but no cluster
 * goes wrong by it as long as it does not lie. It sees everything, and trusts whoever has the
 * token.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { asyncScheduler, interval, Observable, type SchedulerLike, timer } from 'rxjs';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { NodeId } from '../lib/position.js';
import { frameOf } from './channel-frame.js';
import { valueCodec } from './codec.js';
import type { NetworkEvent } from './network-event.js';
import { aliveWord, greetingOf, welcomeWord } from './relay-words.js';
import { sameSecret } from './same-secret.js';
import { hearWordsOnly } from './stranger.js';
import { pulse } from './ws-dial.js';
import { encodeRefusal, type HandshakeFault, wordsOf } from './ws-handshake.js';
import { refuse } from './ws-upgrade.js';

export interface RelayOptions {
  /** Of this cluster alone. */
  readonly cluster: string;
  /**
   * The origins whose pages may dial, as `https://example.org`. Default none: a page of any site
   * can dial a port of its reader's machine. What is no page says no origin, and needs the token.
   */
  readonly origins?: readonly string[];
  /** A secret that all nodes know. Default: none, and none is asked for. */
  readonly token?: string;
  /** Default `/relay`. */
  readonly path?: string;
  /** Told what happens to connections and frames. It must not throw. */
  readonly onEvent?: (event: NetworkEvent) => void;
  /** A longer frame closes its connection. A snapshot is one frame. Default 64 MiB. */
  readonly maxFrameBytes?: number;
  /** What may wait in memory for one slow node; beyond it frames are dropped. Default 64 MiB. */
  readonly maxBufferedBytes?: number;
  /** Nodes that are connected at once; one more is turned away. Default 256. */
  readonly maxNodes?: number;
  /** Connections that have not said who they are; more are turned away. Default 64. */
  readonly maxStrangers?: number;
  /** How long a greeting may take. Default 3,000. */
  readonly handshakeTimeoutMs?: number;
  /** The period of pings: who is silent for one after it is given up. Default 2,000. */
  readonly pingMs?: number;
  /** For all timers. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

type Settings = Required<RelayOptions>;

/** Close codes from 4000 on are the application's own. */
const refusedCode = 4001;

const values = valueCodec<unknown>();

/**
 * Open while it is subscribed; never emits, never completes. Unsubscribing cuts all connections and
 * leaves the server as it was. Other paths are left to other listeners of `upgrade`, and refused
 * when there is none.
 */
export function relay(server: Server, options: RelayOptions): Observable<never> {
  const settings: Settings = {
    ...{ origins: [], token: '', path: '/relay', maxFrameBytes: 64 << 20 },
    ...{ maxBufferedBytes: 64 << 20, maxNodes: 256, maxStrangers: 64, handshakeTimeoutMs: 3000 },
    ...{ pingMs: 2000, scheduler: asyncScheduler, onEvent: () => undefined },
    ...options,
  };
  const { maxFrameBytes, maxStrangers, origins, path } = settings;
  return new Observable(() => {
    const nodes = new Map<NodeId, WebSocket>();
    const accept = { noServer: true, perMessageDeflate: false, maxPayload: maxFrameBytes };
    const sockets = new WebSocketServer(accept);
    const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
      const { origin } = request.headers;
      if ((request.url ?? '').replace(/\?.*$/, '') !== path) {
        if (server.listenerCount('upgrade') === 1) refuse(stream, '404 Not Found');
      } else if (origin !== undefined && !origins.includes(origin)) {
        settings.onEvent({ type: 'refused', from: null, reason: 'origin' });
        refuse(stream, '403 Forbidden');
      } else if (sockets.clients.size - nodes.size >= maxStrangers) {
        settings.onEvent({ type: 'refused', from: null, reason: 'overloaded' });
        refuse(stream, '503 Service Unavailable');
      } else {
        sockets.handleUpgrade(request, stream, head, (socket) =>
          greet(socket, request, nodes, settings),
        );
      }
    };
    server.on('upgrade', onUpgrade);
    return () => {
      server.off('upgrade', onUpgrade);
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    };
  });
}

/** Waits for the greeting of a new connection, and lets it in or turns it away. */
function greet(
  socket: WebSocket,
  request: IncomingMessage,
  nodes: Map<NodeId, WebSocket>,
  settings: Settings,
): void {
  const { cluster, handshakeTimeoutMs, maxNodes, onEvent, scheduler, token } = settings;
  const turnAway = (from: NodeId | null, reason: HandshakeFault): void => {
    onEvent({ type: 'refused', from, reason });
    hearWordsOnly(request.socket, () => socket.terminate());
    socket.send(encodeRefusal(reason), () => undefined);
    socket.close(refusedCode, reason);
  };
  const late = timer(handshakeTimeoutMs, scheduler).subscribe(() => {
    onEvent({ type: 'refused', from: null, reason: 'late' });
    socket.terminate();
  });
  const hasSaid = hearWordsOnly(request.socket, () => {
    onEvent({ type: 'refused', from: null, reason: 'malformed' });
    socket.terminate();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => late.unsubscribe());
  socket.once('message', (data, isBinary) => {
    hasSaid();
    const greeting = greetingOf(wordsOf(data as Buffer, isBinary));
    if (typeof greeting === 'string') return turnAway(null, greeting);
    const { id } = greeting;
    if (greeting.cluster !== cluster) return turnAway(id, 'cluster');
    if (token !== '' && !sameSecret(greeting.token, token)) return turnAway(id, 'token');
    if (!nodes.has(id) && nodes.size >= maxNodes) return turnAway(id, 'overloaded');
    late.unsubscribe();
    serve(socket, request, id, nodes, settings);
  });
}

/** Of one node the newest connection lives: a page that was reloaded has not said goodbye. */
function serve(
  socket: WebSocket,
  request: IncomingMessage,
  id: NodeId,
  nodes: Map<NodeId, WebSocket>,
  settings: Settings,
): void {
  const { onEvent, pingMs, scheduler } = settings;
  nodes.get(id)?.terminate();
  nodes.set(id, socket);
  const life = interval(pingMs, scheduler).subscribe(() => socket.send(aliveWord));
  life.add(pulse(socket, request.socket, settings).subscribe({ error: () => socket.terminate() }));
  socket.on('close', () => {
    life.unsubscribe();
    if (nodes.get(id) === socket) nodes.delete(id);
  });
  socket.on('message', (data, isBinary) => {
    const bytes = data as Buffer;
    const receivers = isBinary ? receiversOf(bytes, id, settings) : 'malformed';
    if (typeof receivers === 'string') onEvent({ type: 'refused', from: id, reason: receivers });
    else
      handOn(bytes, receivers ?? [...nodes.keys()].filter((each) => each !== id), nodes, settings);
  });
  socket.send(welcomeWord);
  onEvent({ type: 'accepted', from: id });
}

/** To whom a frame goes, null for everyone, or why it goes nowhere. */
function receiversOf(
  bytes: Uint8Array,
  id: NodeId,
  { cluster }: Settings,
): readonly NodeId[] | null | HandshakeFault {
  let frame: ReturnType<typeof frameOf>;
  try {
    frame = frameOf(values.decode(bytes));
  } catch {
    return 'malformed';
  }
  if (typeof frame === 'string') return frame;
  if (frame.cluster !== cluster) return 'cluster';
  if (frame.from !== id) return 'sender';
  return frame.type === 'hello' ? null : [...new Set(frame.to)];
}

function handOn(
  bytes: Uint8Array,
  to: readonly NodeId[],
  nodes: ReadonlyMap<NodeId, WebSocket>,
  { maxBufferedBytes, onEvent }: Settings,
): void {
  for (const each of to) {
    const socket = nodes.get(each);
    if (socket === undefined) onEvent({ type: 'unsent', to: each, reason: 'disconnected' });
    else if (socket.bufferedAmount + bytes.length <= maxBufferedBytes) socket.send(bytes);
    else onEvent({ type: 'unsent', to: each, reason: 'overloaded' });
  }
}
