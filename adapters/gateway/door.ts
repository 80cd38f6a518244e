/**
 * Where clients come in: WebSockets on the path `/client` of a node's server. Nothing that a client
 * says can end the node, keep it busy without bound, or fill its memory.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Observable } from 'rxjs';
import { WebSocketServer } from 'ws';
import { closeCode } from '../close-reason.js';
import { peerPath } from '../ws-dial.js';
import type { Underway } from './door-client.js';
import { DoorClient } from './door-client.js';
import type { DoorOptions } from './door-options.js';
import { defaultLimits } from './door-options.js';
import { isWelcome } from './origin.js';
import type { Typed } from './protocol.js';
import { clientPath } from './protocol.js';

/**
 * Open while it is subscribed; never emits, never completes. Unsubscribing says goodbye to all
 * clients and cuts them. Requests for paths that are nobody's are refused.
 */
export function clientDoor<Request, Answer extends Typed>(
  server: Server,
  options: DoorOptions<Request, Answer>,
): Observable<never> {
  const { protocol, otherPaths = [] } = options;
  const paths = [clientPath, ...otherPaths, peerPath].join(', ');
  const limits = { ...defaultLimits, ...options.limits };
  return new Observable(() => {
    const underway: Underway = { requests: 0, requestBytes: 0, answerBytes: 0, watches: 0 };
    const sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: protocol.maxFrameBytes,
    });
    const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
      const url = (request.url ?? '').split('?', 1)[0] ?? '';
      if (otherPaths.includes(url)) return;
      // Whoever lets peers in has the path: a socket that nobody takes would stay for ever.
      const doors = 1 + otherPaths.length;
      if (url === peerPath && server.listenerCount('upgrade') > doors) return;
      const refusal =
        url !== clientPath
          ? `404 Not Found: the paths of this node are ${paths}`
          : refusalOf(request, options, sockets.clients.size >= limits.clients);
      if (refusal !== null) return refuse(stream, refusal);
      sockets.handleUpgrade(request, stream, head, (socket) => {
        new DoorClient(socket, request, options, limits, underway);
      });
    };
    server.on('upgrade', onUpgrade);
    return () => {
      server.off('upgrade', onUpgrade);
      const { clients } = sockets;
      for (const socket of clients) socket.close(closeCode.goingAway, 'the node is stopping');
      setTimeout(() => clients.forEach((socket) => socket.terminate()), 200).unref();
      sockets.close();
    };
  });
}

function refusalOf<Request, Answer extends Typed>(
  request: IncomingMessage,
  options: DoorOptions<Request, Answer>,
  isFull: boolean,
): string | null {
  const { cluster, protocol, origins = [] } = options;
  const { headers } = request;
  if (!isWelcome(headers, origins)) {
    return `403 Forbidden: web pages of ${headers.origin} are not let in, see the option origins`;
  }
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!protocols.includes(protocol.name)) {
    return `400 Bad Request: this node speaks ${protocol.name}, use a client of its version`;
  }
  const query = (request.url ?? '').split('?')[1];
  const meant = new URLSearchParams(query).get('cluster');
  if (meant !== null && meant !== cluster) {
    return `409 Conflict: this node belongs to the cluster ${cluster}, not to ${meant}`;
  }
  return isFull ? '503 Service Unavailable: too many clients' : null;
}

/** Answers an upgrade that is turned away: `status: text`. */
export function refuse(stream: Duplex, refusal: string): void {
  const [status = '', ...text] = refusal.split(': ');
  const body = Buffer.from(`${text.join(': ')}\n`);
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
  ];
  stream.on('error', () => undefined);
  stream.once('finish', () => stream.destroy());
  stream.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
}
