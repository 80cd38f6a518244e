/**
 * HTTP with JSON, for people and curl: `/kv/:key`, `/status`, `/health` and `/ready` of a node's
 * server. Nothing that a client says can end the node, keep it busy without bound, or fill its
 * memory; nor does a web page get in, unless a node has served it.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Observable } from 'rxjs';
import { causeOf } from '../cause.js';
import type { Answer, NodeStatus, Request } from './client-protocol.js';
import { bodyOf, type Room } from './http-body.js';
import { refusalOf } from './http-guard.js';
import { keyReply } from './http-keys.js';
import {
  errorReply,
  jsonReply,
  malformed,
  notReady,
  overloaded,
  type Reply,
  unknownStatus,
} from './http-reply.js';
import { statusReply } from './http-status.js';
import { targetOf } from './http-target.js';

/** What a node that runs has to say. */
export interface HttpNode {
  /** Never rejects. */
  readonly answer: (request: Request) => Promise<Answer>;
  readonly status: () => NodeStatus;
  /** In words why it should not be asked now, or null when it knows a leader and is caught up. */
  readonly unreadiness: () => Promise<string | null>;
}

export interface HttpLimits {
  /** Requests at once, of all clients. More are refused. Default 1,024. */
  readonly requests: number;
  /** Bytes of their bodies and of what they are answered. Default 64 MiB. */
  readonly bytes: number;
  /** A client that has not read its answer after so long is cut off. Default 30,000. */
  readonly unreadMs: number;
}

export interface HttpOptions {
  /** The node, or null while it starts and stops. */
  readonly node: () => HttpNode | null;
  /** What else is served, by its path: the live page. */
  readonly files?: (path: string) => Reply | null;
  /** Hosts by which the node may be asked, beside IP addresses and localhost. */
  readonly names?: readonly string[];
  readonly limits?: Partial<HttpLimits>;
}

const defaultLimits: HttpLimits = Object.freeze({
  requests: 1024,
  bytes: 64 << 20,
  unreadMs: 30_000,
});

const methods = {
  '/kv/': ['GET', 'HEAD', 'PUT', 'DELETE'],
  '/status': ['GET', 'HEAD'],
  '/health': ['GET', 'HEAD'],
  '/ready': ['GET', 'HEAD'],
} as const;

const paths = '/kv/KEY, /status, /health and /ready, / for people; WebSockets on /client and /live';

/** Open while it is subscribed; never emits, never completes. */
export function httpDoor(server: Server, options: HttpOptions): Observable<never> {
  return new Observable(() => {
    const desk = new Desk(options);
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      void desk.serve(request, response);
    };
    const onFault = (error: NodeJS.ErrnoException, socket: Duplex): void =>
      desk.refuse(error, socket);
    server.on('request', onRequest);
    // Asked before it is sent: what is too large need not come at all.
    server.on('checkContinue', onRequest);
    server.on('clientError', onFault);
    return () => {
      server.off('request', onRequest);
      server.off('checkContinue', onRequest);
      server.off('clientError', onFault);
    };
  });
}

class Desk {
  private readonly limits: HttpLimits;
  private requests = 0;
  private bytes = 0;
  /** Requests under way, by connection. */
  private readonly busy = new WeakMap<Duplex, number>();

  constructor(private readonly options: HttpOptions) {
    this.limits = { ...defaultLimits, ...options.limits };
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    let taken = 0;
    let isOver = false;
    const room: Room = {
      take: (bytes) => {
        if (isOver || this.bytes + bytes > this.limits.bytes) return false;
        this.bytes += bytes;
        taken += bytes;
        return true;
      },
    };
    this.enter(socket, 1);
    response.on('close', () => {
      isOver = true;
      this.enter(socket, -1);
      this.bytes -= taken;
    });
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const reply = await this.replyTo(request, response, room).catch((error: unknown) =>
      errorReply(500, 'failed', causeOf(error)),
    );
    if (isOver) return;
    // What nobody knows is said in any case: "overloaded" would mean that nothing was done.
    const hasRoom = reply.status === unknownStatus || room.take(reply.body?.length ?? 0);
    const late = setTimeout(() => socket.destroy(), this.limits.unreadMs);
    response.on('close', () => clearTimeout(late));
    send(request, response, hasRoom ? reply : overloaded('answers that nobody reads'));
  }

  /** What is no HTTP, or comes too slowly. */
  refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (!socket.writable || (this.busy.get(socket) ?? 0) > 0 || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const reply = faultOf(error.code);
    const body = String(reply.body ?? '');
    socket.once('finish', () => socket.destroy());
    socket.end(
      `HTTP/1.1 ${reply.status} Refused\r\nConnection: close\r\n` +
        `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n` +
        body,
    );
  }

  private enter(socket: Duplex, count: 1 | -1): void {
    this.requests += count;
    this.busy.set(socket, (this.busy.get(socket) ?? 0) + count);
  }

  private async replyTo(
    request: IncomingMessage,
    response: ServerResponse,
    room: Room,
  ): Promise<Reply> {
    const { method = '', headers } = request;
    const refusal = refusalOf(headers, this.options.names ?? []);
    if (refusal !== null) return refusal;
    if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
      return errorReply(417, 'malformed', 'Expect: only 100-continue is known');
    }
    const target = targetOf(request.url ?? '');
    if ('status' in target) return target;
    const { path, key, query } = target;
    const file = this.options.files?.(path) ?? null;
    if (file !== null && ['GET', 'HEAD'].includes(method)) return file;
    if (!Object.hasOwn(methods, path)) {
      return errorReply(404, 'noSuchPath', `the paths of this node are ${paths}`);
    }
    const allowed: readonly string[] = methods[path as keyof typeof methods];
    if (!allowed.includes(method)) {
      const allow = allowed.join(', ');
      return errorReply(405, 'noSuchMethod', `${path} takes ${allow}`, { allow });
    }
    if (this.requests > this.limits.requests) return overloaded('too many requests at once');
    if (path === '/health') return jsonReply(200, { up: true });
    const node = this.options.node();
    if (node === null) return notReady('notRunning', 'the node is starting, or stopping');
    if (key !== null) {
      const body = (): Promise<Uint8Array | Reply> => bodyOf(request, response, room);
      return keyReply({ method, key, query, headers, body, answer: node.answer });
    }
    if (path === '/status') return statusReply(query, headers, node.status);
    if (query.size > 0) return malformed(`${path} takes no query`);
    const unreadiness = await node.unreadiness();
    return unreadiness === null
      ? jsonReply(200, { ready: true })
      : notReady('notReady', unreadiness);
  }
}

function faultOf(code: string | undefined): Reply {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return errorReply(431, 'tooLarge', 'the head of the request has more than 16 KiB');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return errorReply(408, 'late', 'the request did not come in time');
  }
  if (code === 'HPE_INVALID_URL') {
    return malformed('what is not ASCII in the path must be percent-encoded');
  }
  return malformed('this is no HTTP request');
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body = '' }: Reply,
): void {
  response.writeHead(status, {
    ...headers,
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }),
    'cache-control': 'no-store',
    // A value is nobody's script, picture or page, whatever is in it.
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    // What is still to come of a request that was refused is not read.
    ...(request.complete ? {} : { connection: 'close' }),
  });
  response.end(body);
}
