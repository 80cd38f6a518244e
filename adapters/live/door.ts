/**
 * Where pages watch a node: WebSockets on the path `/live` of its server. A page that does not keep
 * up is cut off, and is told why; nothing that it says can end the node, keep it busy without
 * bound, or fill its memory.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { asyncScheduler, Observable } from 'rxjs';
import type { Subscription } from 'rxjs';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { causeOf } from '../cause.js';
import { closeCode, closeReason } from '../close-reason.js';
import { pulse } from '../ws-dial.js';
import { refuse } from '../gateway/door.js';
import type { Answer, Request } from '../key-value/client-protocol.js';
import { keyValueProtocol } from '../key-value/client-protocol.js';
import { livePath, liveProtocol } from './protocol.js';
import type { LiveRequest } from './request.js';
import { answerFrame, maxRequestBytes, parseLiveRequest, requestOf } from './request.js';
import { faultOfOrigin } from './origin.js';

/** Bounds of what pages can ask of a node. */
export interface LiveLimits {
  /** Pages at once; one more is turned away. Default 64. */
  readonly pages: number;
  /** Requests under way, of one page. Beyond it they are refused. Default 256. */
  readonly requests: number;
  /** Bytes that one page has not read; it is cut off beyond it. Default 1 MiB. */
  readonly unreadBytes: number;
}

export interface LiveDoorOptions {
  /** What a page is told, from the moment on when it watches. */
  readonly frame$: Observable<string>;
  /** Never rejects. */
  readonly answer: (request: Request) => Promise<Answer>;
  /** `host:port` of the nodes whose pages are let in. */
  readonly addresses: () => readonly string[];
  /** Further origins whose pages are let in, as `https://host`. */
  readonly origins?: readonly string[];
  readonly limits?: Partial<LiveLimits>;
  /** A page that is silent for one period after a ping is given up. Default 10,000. */
  readonly pingMs?: number;
}

const defaultLimits: LiveLimits = Object.freeze({
  ...{ pages: 64, requests: 256, unreadBytes: 1 << 20 },
});

/** Open while it is subscribed; never emits, never completes. Unsubscribing cuts all pages. */
export function liveDoor(server: Server, options: LiveDoorOptions): Observable<never> {
  const limits = { ...defaultLimits, ...options.limits };
  return new Observable(() => {
    const sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: maxRequestBytes,
    });
    const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
      if ((request.url ?? '').split('?', 1)[0] !== livePath) return;
      const refusal = refusalOf(request, options, sockets.clients.size >= limits.pages);
      if (refusal !== null) return refuse(stream, refusal);
      sockets.handleUpgrade(request, stream, head, (socket) => {
        new Page(socket, request, options, limits);
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

function refusalOf(
  request: IncomingMessage,
  { addresses, origins = [] }: LiveDoorOptions,
  isFull: boolean,
): string | null {
  const fault = faultOfOrigin(request, addresses(), origins);
  if (fault !== null) return `403 Forbidden: ${fault}`;
  const { headers } = request;
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!protocols.includes(liveProtocol)) {
    return `400 Bad Request: this node speaks ${liveProtocol}: load the page anew`;
  }
  return isFull ? '503 Service Unavailable: too many pages watch this node' : null;
}

/** One page, as long as it watches. */
class Page {
  private readonly frames: Subscription;
  private underway = 0;

  constructor(
    private readonly socket: WebSocket,
    request: IncomingMessage,
    private readonly options: LiveDoorOptions,
    private readonly limits: LiveLimits,
  ) {
    const { pingMs = 10_000 } = options;
    this.frames = options.frame$.subscribe((frame) => this.send(frame));
    this.frames.add(
      pulse(socket, request.socket, { pingMs, scheduler: asyncScheduler }).subscribe({
        error: () => socket.terminate(),
      }),
    );
    socket.on('error', () => undefined);
    socket.on('close', () => this.frames.unsubscribe());
    socket.on('message', (data, isBinary) => this.onFrame(data as Buffer, isBinary));
  }

  private onFrame(frame: Buffer, isBinary: boolean): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    let asked: LiveRequest;
    try {
      if (isBinary) throw new Error('bytes where words should be');
      asked = parseLiveRequest(frame.toString());
    } catch (error) {
      return this.end(closeCode.unreadable, `not ${liveProtocol}: ${causeOf(error)}`);
    }
    void this.handle(asked);
  }

  private async handle(asked: LiveRequest): Promise<void> {
    const request = requestOf(asked);
    const fault = keyValueProtocol.faultOf(request);
    if (fault !== null) return this.answer(asked, refused('tooLarge', fault));
    if (this.underway >= this.limits.requests) {
      return this.answer(asked, refused('overloaded', 'too many requests of this page at once'));
    }
    this.underway += 1;
    const answer = await this.options.answer(request);
    this.underway -= 1;
    this.answer(asked, answer);
  }

  private answer(asked: LiveRequest, answer: Answer): void {
    this.send(JSON.stringify(answerFrame(asked, answer)));
  }

  private send(frame: string): void {
    const { socket, limits } = this;
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount + frame.length > limits.unreadBytes) {
      return this.end(
        closeCode.tryAgainLater,
        `this page reads too slowly: ${limits.unreadBytes} bytes wait`,
      );
    }
    socket.send(frame);
  }

  /** Whoever does not read will not read that either: then the connection is cut. */
  private end(code: number, reason: string): void {
    this.frames.unsubscribe();
    this.socket.close(code, closeReason(reason));
    setTimeout(() => this.socket.terminate(), 1000).unref();
  }
}

function refused(reason: 'tooLarge' | 'overloaded', text: string): Answer {
  return { type: 'refused', reason, text };
}
