/**
 * Where `start` serves the live page: at an address that stays while nodes come and go, with a door
 * for who may stop and start them. Only on this machine, only for the page from here, and only for
 * who knows the secret at the end of the address.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { map } from 'rxjs';
import * as v from 'valibot';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { closeCode } from '../close-reason.js';
import { refuse } from '../gateway/door.js';
import type { ControlFrame } from '../live/control-protocol.js';
import { controlPath } from '../live/control-protocol.js';
import { clusterFile, pageFile } from '../live/files.js';
import { faultOfOrigin } from '../live/origin.js';
import type { Processes } from './processes.js';

export interface PageServer {
  /** With the secret. */
  readonly url: string;
  /** Of the page, for the nodes to let it in. */
  readonly origins: readonly string[];
  close(): void;
}

export interface PageServerOptions {
  /** Another one is taken where this one is in use. 0: any that is free. */
  readonly port: number;
  readonly members: Readonly<Record<string, string>>;
  readonly processes: Processes;
}

const controlRequest = v.strictObject({
  type: v.picklist(['stop', 'start', 'freeze', 'thaw']),
  node: v.string(),
});

/** Pages at once, and bytes in what they say. */
const maxPages = 32;
const maxPayload = 1024;

export async function pageServer(options: PageServerOptions): Promise<PageServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const file = path === '/cluster.json' ? clusterFile(options.members) : pageFile(path);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (file === null || !isRead) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(file.status, { ...file.headers, 'cache-control': 'no-store' });
    response.end(file.body);
  });
  const port = await listen(server, options.port).catch(() => listen(server, 0));
  const token = randomBytes(18).toString('base64url');
  const sockets = openDoor(server, port, token, options.processes);
  return {
    url: `http://127.0.0.1:${port}/#${token}`,
    origins: [`http://127.0.0.1:${port}`, `http://localhost:${port}`],
    close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function openDoor(
  server: Server,
  port: number,
  token: string,
  processes: Processes,
): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload });
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const refusal =
      refusalOf(request, port, token) ??
      (sockets.clients.size >= maxPages ? '503 Service Unavailable: too many pages' : null);
    if (refusal !== null) return refuse(stream, refusal);
    sockets.handleUpgrade(request, stream, head, (socket) => talk(socket, processes));
  });
  return sockets;
}

function refusalOf(request: IncomingMessage, port: number, token: string): string | null {
  // Not as a URL: a stranger's path may be none.
  const [path, query] = (request.url ?? '').split('?');
  if (path !== controlPath) return '404 Not Found: there is only /control';
  const fault = faultOfOrigin(request, [`127.0.0.1:${port}`]);
  if (fault !== null) return `403 Forbidden: ${fault}`;
  return isEqual(new URLSearchParams(query).get('token') ?? '', token)
    ? null
    : '403 Forbidden: open the page at the address that npm start has printed last';
}

/** In the same time, whatever is guessed. */
function isEqual(guess: string, secret: string): boolean {
  const [left, right] = [guess, secret].map((text) => createHash('sha256').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}

function talk(socket: WebSocket, processes: Processes): void {
  const frame$ = processes.state$.pipe(
    map((states): ControlFrame => ({ type: 'processes', processes: states })),
  );
  const frames = frame$.subscribe((frame) => socket.send(JSON.stringify(frame)));
  socket.on('error', () => undefined);
  socket.on('close', () => frames.unsubscribe());
  socket.on('message', (data) => {
    try {
      processes.onRequest(v.parse(controlRequest, JSON.parse((data as Buffer).toString())));
    } catch {
      socket.close(closeCode.unreadable, 'no request that is known here: load the page anew');
    }
  });
}
