/**
 * Where clients come in: WebSockets on the path `/client` of a node's server. Nothing that a client
 * says can end the node, keep it busy without bound, or fill its memory.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  asyncScheduler,
  filter,
  firstValueFrom,
  interval,
  map,
  Observable,
  race,
  timer,
} from 'rxjs';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { causeOf } from '../cause.js';
import { closeReason } from '../close-reason.js';
import { peerPath, pulse } from '../ws-dial.js';
import { isWelcome } from './origin.js';
import type { Asked, Failure, Protocol, Received, Typed } from './protocol.js';
import { clientPath, decodeRequests, encodeAnswer } from './protocol.js';

/** Bounds of what clients can ask of a node. */
export interface DoorLimits {
  /** Connections at once; one more is turned away. Default 4,096. */
  readonly clients: number;
  /** Requests under way, of all clients. Beyond it they are refused. Default 65,536. */
  readonly requests: number;
  /** Their bytes. Default 128 MiB. */
  readonly requestBytes: number;
  /**
   * Bytes of answers that clients have not read, and of what is kept with each. Beyond it reads are
   * refused, and whoever watches is told no more until it has read all. Default 128 MiB.
   */
  readonly answerBytes: number;
  /**
   * The same of one client. An answer that has no room behind what is unread is not sent: nobody
   * knows, the client is told instead, and it is cut off when four times as much had no room. One
   * answer may be longer where all before it has been read. Default 64 MiB.
   */
  readonly unreadBytes: number;
  /** Requests that are watched, of all clients. Beyond it they are refused. Default 1,024. */
  readonly watches: number;
  /** Of one client that watches: it is told no more until it has read. Default 4 MiB. */
  readonly watchBytes: number;
  /** Whoever watches and has not read for so long is sent away. Default 10,000. */
  readonly watchMs: number;
}

export interface DoorOptions<Request, Answer extends Typed> {
  readonly cluster: string;
  readonly protocol: Protocol<Request, Answer>;
  /** Never rejects. `forwarded`: another node has passed the request on. */
  readonly answer: (request: Request, forwarded: boolean) => Promise<Answer | Failure>;
  /** Paths of this server that have doors of their own, beside the peers'. */
  readonly otherPaths?: readonly string[];
  /**
   * The answers to a request that has many, made one by one as they are taken, until the signal
   * says that nobody is there any more. Null: a request that has one. Default: all have one.
   */
  readonly watch?: (request: Request, signal: AbortSignal) => AsyncIterable<Answer> | null;
  readonly limits?: Partial<DoorLimits>;
  /** Web pages that may come in, by origin. Default: those that this server has served. */
  readonly origins?: readonly string[];
  /** A client that is silent for one period after a ping is given up. Default 10,000. */
  readonly pingMs?: number;
}

const defaultLimits: DoorLimits = Object.freeze({
  clients: 4096,
  requests: 65_536,
  requestBytes: 128 << 20,
  answerBytes: 128 << 20,
  unreadBytes: 64 << 20,
  watches: 1024,
  watchBytes: 4 << 20,
  watchMs: 10_000,
});

/** What is kept with each answer until it has left, however short: measured, and some more. */
const keptBytes = 640;

/** What it takes to say that an answer is withheld, with all that is kept until it has left. */
const noticeBytes = 1024;

/** The codes of RFC 6455 §7.4.1. */
const goingAway = 1001;
const unreadable = 1007;
const tooSlow = 1008;

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
        new Client(socket, request, options, limits, underway);
      });
    };
    server.on('upgrade', onUpgrade);
    return () => {
      server.off('upgrade', onUpgrade);
      const { clients } = sockets;
      for (const socket of clients) socket.close(goingAway, 'the node is stopping');
      setTimeout(() => clients.forEach((socket) => socket.terminate()), 200).unref();
      sockets.close();
    };
  });
}

/** What all clients together have under way. */
interface Underway {
  requests: number;
  requestBytes: number;
  answerBytes: number;
  watches: number;
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

/** One connection, as long as it lasts. */
class Client<Request, Answer extends Typed> {
  private isCorked = false;
  /** Of answers, with what is kept of each. */
  private unreadBytes = 0;
  /** Of answers that had no room since all was read. */
  private withheldBytes = 0;
  private readonly presence = new AbortController();

  constructor(
    private readonly socket: WebSocket,
    private readonly request: IncomingMessage,
    private readonly options: DoorOptions<Request, Answer>,
    private readonly limits: DoorLimits,
    private readonly underway: Underway,
  ) {
    const { pingMs = 10_000 } = options;
    const silence = pulse(socket, request.socket, { pingMs, scheduler: asyncScheduler }).subscribe({
      error: () => socket.terminate(),
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      silence.unsubscribe();
      this.presence.abort();
    });
    socket.on('message', (data, isBinary) => this.onFrame(data as Buffer, isBinary));
  }

  private onFrame(frame: Uint8Array, isBinary: boolean): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    const { protocol } = this.options;
    try {
      if (!isBinary) throw new Error('words where a request should be');
      for (const received of decodeRequests(protocol, frame)) this.onRequest(received);
    } catch (error) {
      // Where one frame ends is certain, what it means is not: the client has another protocol.
      this.socket.close(unreadable, closeReason(`not ${protocol.name}: ${causeOf(error)}`));
    }
  }

  private onRequest({ asked, bytes }: Received<Request>): void {
    const { id, request } = asked;
    const fault = this.options.protocol.faultOf(request);
    if (fault !== null) this.send(id, { type: 'refused', reason: 'tooLarge', text: fault });
    else if (this.isFull(bytes)) this.send(id, overloaded('requests'));
    else void this.handle(asked, bytes);
  }

  private isFull(bytes: number): boolean {
    const { requests, requestBytes } = this.underway;
    const { limits } = this;
    return requests >= limits.requests || requestBytes + bytes > limits.requestBytes;
  }

  private async handle(asked: Asked<Request>, bytes: number): Promise<void> {
    const { id, request } = asked;
    this.underway.requests += 1;
    this.underway.requestBytes += bytes;
    const answer = await this.answerTo(asked).catch(failed);
    this.underway.requests -= 1;
    this.underway.requestBytes -= bytes;
    if (answer === null) return;
    const isWithheld = this.isTooMuch() && this.options.protocol.isRead(request);
    this.send(id, isWithheld ? overloaded('answers that nobody reads') : answer);
  }

  /** Null: whoever watched is gone. */
  private async answerTo({
    id,
    request,
    forwarded,
  }: Asked<Request>): Promise<Answer | Failure | null> {
    const stream = this.options.watch?.(request, this.presence.signal) ?? null;
    return stream === null ? this.options.answer(request, forwarded) : this.tell(id, stream);
  }

  private async tell(id: number, stream: AsyncIterable<Answer>): Promise<Failure | null> {
    const { socket, limits, underway } = this;
    if (underway.watches >= limits.watches) return overloaded('watches');
    if (this.isTooMuch()) return overloaded('answers that nobody reads');
    underway.watches += 1;
    try {
      for await (const answer of stream) {
        this.send(id, answer);
        if (this.isBehind() && !(await this.hasRead())) {
          socket.close(tooSlow, 'what is watched changes faster than it is read');
        }
        if (socket.readyState !== socket.OPEN) return null;
      }
      return null;
    } finally {
      underway.watches -= 1;
    }
  }

  /** Is more unread, of all clients, than may be? */
  private isTooMuch(): boolean {
    return this.underway.answerBytes > this.limits.answerBytes;
  }

  /** Must this client read before it is told more? */
  private isBehind(): boolean {
    return this.unreadBytes > (this.isTooMuch() ? 0 : this.limits.watchBytes);
  }

  /** Some of what waits, in time. */
  private hasRead(): Promise<boolean> {
    const { socket, limits } = this;
    const isOver = (): boolean => !this.isBehind() || socket.readyState !== socket.OPEN;
    const read$ = interval(20).pipe(
      filter(isOver),
      map(() => true),
    );
    const late$ = timer(limits.watchMs).pipe(map(() => false));
    return firstValueFrom(race(read$, late$));
  }

  private send(id: number, answer: Answer | Failure): void {
    const { socket, underway, limits } = this;
    if (socket.readyState !== socket.OPEN) return;
    let frame = this.frameOf(id, answer);
    if (this.unreadBytes === 0) {
      this.withheldBytes = 0;
    } else if (this.unreadBytes + frame.length > limits.unreadBytes) {
      // A connection is shared by many requests, that of a node by those of all its clients.
      this.withheldBytes += frame.length + noticeBytes;
      if (this.withheldBytes > 4 * limits.unreadBytes) return socket.terminate();
      frame = this.frameOf(id, noRoom(frame.length));
    }
    this.cork();
    const bytes = frame.length + keptBytes;
    this.unreadBytes += bytes;
    underway.answerBytes += bytes;
    socket.send(frame, () => {
      this.unreadBytes -= bytes;
      underway.answerBytes -= bytes;
    });
  }

  /** A result that has no form on the wire must not be taken for one that was not done. */
  private frameOf(id: number, answer: Answer | Failure): Uint8Array {
    const { protocol } = this.options;
    try {
      const frame = encodeAnswer(protocol, id, answer);
      const limit = protocol.maxAnswerBytes ?? protocol.maxFrameBytes;
      if (frame.length <= limit) return frame;
      const text = `the answer has ${frame.length} bytes, and the limit is ${limit}`;
      return encodeAnswer(protocol, id, { type: 'unknown', text });
    } catch (error) {
      return encodeAnswer(protocol, id, { type: 'unknown', text: causeOf(error) });
    }
  }

  /** What is answered together leaves in one write, when all of it has been said. */
  private cork(): void {
    if (this.isCorked) return;
    this.isCorked = true;
    const wire = this.request.socket;
    wire.cork();
    process.nextTick(() => {
      this.isCorked = false;
      wire.uncork();
    });
  }
}

function failed(error: unknown): Failure {
  return { type: 'refused', reason: 'failed', text: causeOf(error) };
}

function noRoom(bytes: number): Failure {
  const text = `the answer has ${bytes} bytes, and too many before it are unread`;
  return { type: 'unknown', text };
}

function overloaded(what: string): Failure {
  const text = `too much is under way: ${what} at this node; try again when there is less`;
  return { type: 'refused', reason: 'overloaded', text };
}
