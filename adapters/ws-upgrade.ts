/** How the owner of an HTTP server lets peers in, beside whatever else it serves. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Observable, share } from 'rxjs';
import { WebSocketServer } from 'ws';
import { peerPath } from './ws-dial.js';
import { defaultMaxFrameBytes, type PeerSocket } from './ws-settings.js';

export interface AcceptPeersOptions {
  /** A longer frame closes its connection. Default 16 MiB, as the network's `maxFrameBytes`. */
  readonly maxPayload?: number;
}

/**
 * The WebSockets that peers open on the path `/peer` of a server. Requests with an `Origin` header
 * are refused: a web page must not speak to peers. Other paths are left to other listeners of
 * `upgrade`, and refused when there is none. Never completes; unsubscribing cuts all connections
 * and leaves the server as it was. Shared: one listener, however many subscribe.
 */
export function acceptPeers(
  server: Server,
  options: AcceptPeersOptions = {},
): Observable<PeerSocket> {
  const { maxPayload = defaultMaxFrameBytes } = options;
  return new Observable<PeerSocket>((subscriber) => {
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload });
    const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
      if (pathOf(request) !== peerPath) {
        if (server.listenerCount('upgrade') === 1) refuse(stream, '404 Not Found');
      } else if (request.headers.origin !== undefined) {
        refuse(stream, '403 Forbidden');
      } else {
        sockets.handleUpgrade(request, stream, head, (socket) => {
          socket.on('error', () => undefined);
          subscriber.next({ socket, request });
        });
      }
    };
    server.on('upgrade', onUpgrade);
    return () => {
      server.off('upgrade', onUpgrade);
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    };
  }).pipe(share());
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').replace(/\?.*$/, '');
}

/** Answers a request that is no connection, and closes it. */
export function refuse(stream: Duplex, status: string): void {
  stream.on('error', () => undefined);
  stream.once('finish', () => stream.destroy());
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
