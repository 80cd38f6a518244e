/** One connection to one node, as a client or as a node that forwards. */
import type { Socket } from 'node:net';
import type { Observable } from 'rxjs';
import { asyncScheduler } from 'rxjs';
import { WebSocket } from 'ws';
import { causeOf } from '../cause.js';
import { pulse } from '../ws-dial.js';
import { ConnectionLost } from './connection-lost.js';
import { Conversation } from './conversation.js';
import type { Failure, Protocol, Typed } from './protocol.js';
import { clientPath } from './protocol.js';

export interface ConnectOptions {
  /** The cluster that is meant: a node of another one refuses. Default: any. */
  readonly cluster?: string;
  /** Requests of clients that this node passes on. Default false. */
  readonly forwarded?: boolean;
  /** Default 1,500. */
  readonly connectTimeoutMs?: number;
  /** A node that is silent for one period after a ping is given up. Default 2,000. */
  readonly pingMs?: number;
  /** Of requests that wait to be sent. More are refused as overloaded. Default 64 MiB. */
  readonly maxBufferedBytes?: number;
}

export interface Connection<Request, Answer extends Typed> {
  readonly address: string;
  readonly isOpen: boolean;
  /**
   * Many may be under way at once. Rejects: the outcome is unknown, unless the error is a
   * ConnectionLost that says that the request was not sent.
   */
  ask(request: Request): Promise<Answer | Failure>;
  /**
   * All answers to a request that has many. Errors with ConnectionLost; unsubscribing only stops
   * listening: what is watched is told until the connection is closed.
   *
   *     answers         --a--b-----c--#
   */
  answers(request: Request): Observable<Answer | Failure>;
  /** Whoever still waits is told why. */
  close(cause?: string): void;
}

/** So much is told of why a node refuses. */
const reasonLength = 500;

/** Connects to the node at `host:port`. Rejects with ConnectionLost: nothing was sent. */
export function connect<Request, Answer extends Typed>(
  address: string,
  protocol: Protocol<Request, Answer>,
  options: ConnectOptions = {},
): Promise<Connection<Request, Answer>> {
  const { cluster, connectTimeoutMs = 1500 } = options;
  const query = cluster === undefined ? '' : `?cluster=${encodeURIComponent(cluster)}`;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${address}${clientPath}${query}`, protocol.name, {
      perMessageDeflate: false,
      maxPayload: protocol.maxAnswerBytes ?? protocol.maxFrameBytes,
      followRedirects: false,
    });
    const fail = (cause: string): void => {
      clearTimeout(late);
      reject(new ConnectionLost(address, cause));
    };
    // Whatever it says until then: one letter a second is a sign of life, and no answer.
    const late = setTimeout(() => {
      fail('no connection in time');
      socket.terminate();
    }, connectTimeoutMs);
    let wire: Socket | null = null;
    socket.on('upgrade', (response) => (wire = response.socket));
    socket.on('unexpected-response', (_, response) => {
      let said = '';
      const end = (): void => {
        fail(said.trim().slice(0, reasonLength) || `it answered with ${response.statusCode}`);
        socket.terminate();
      };
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        said = (said + text).slice(0, 2 * reasonLength);
        if (said.trim().length >= reasonLength) end();
      });
      response.on('error', () => undefined);
      response.on('close', end);
    });
    socket.on('error', (error) => fail(causeOf(error)));
    socket.on('close', () => fail('closed'));
    socket.on('open', () => {
      clearTimeout(late);
      if (wire !== null) resolve(new OpenConnection(address, protocol, socket, wire, options));
    });
  });
}

class OpenConnection<Request, Answer extends Typed> implements Connection<Request, Answer> {
  private readonly conversation: Conversation<Request, Answer>;
  private readonly maxBufferedBytes: number;

  constructor(
    readonly address: string,
    protocol: Protocol<Request, Answer>,
    private readonly socket: WebSocket,
    private readonly wire: Socket,
    options: ConnectOptions,
  ) {
    const { forwarded = false, maxBufferedBytes = 64 << 20, pingMs = 2000 } = options;
    this.maxBufferedBytes = maxBufferedBytes;
    const send = (frames: readonly Uint8Array[]): void => this.send(frames);
    this.conversation = new Conversation(protocol, { address, forwarded, send });
    const silence = pulse(socket, wire, { pingMs, scheduler: asyncScheduler }).subscribe({
      error: () => this.end('the node is silent'),
    });
    socket.on('message', (data) => this.onFrame(data as Buffer));
    socket.on('error', (error) => this.end(causeOf(error)));
    socket.on('close', (code, reason) => {
      silence.unsubscribe();
      this.end(reason.toString() || `the connection was closed (${code})`);
    });
  }

  get isOpen(): boolean {
    return this.conversation.isOpen;
  }

  ask(request: Request): Promise<Answer | Failure> {
    if (this.socket.bufferedAmount + this.conversation.waitingBytes > this.maxBufferedBytes) {
      const text = `${this.address} does not keep up with what it is sent`;
      return Promise.resolve({ type: 'refused', reason: 'overloaded', text });
    }
    return this.conversation.ask(request);
  }

  answers(request: Request): Observable<Answer | Failure> {
    return this.conversation.answers(request);
  }

  close(cause = 'closed'): void {
    this.socket.close(1000);
    this.end(cause);
    // A node that does not answer the goodbye must not keep anybody.
    setTimeout(() => this.socket.terminate(), 500).unref();
  }

  /** In one write, also where they are several. */
  private send(frames: readonly Uint8Array[]): void {
    this.wire.cork();
    for (const frame of frames) this.socket.send(frame);
    this.wire.uncork();
  }

  private onFrame(data: Uint8Array): void {
    try {
      this.conversation.onFrame(data);
    } catch (error) {
      this.end(`it does not keep to the protocol: ${causeOf(error)}`);
    }
  }

  private end(cause: string): void {
    if (!this.isOpen) return;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.close();
    this.conversation.end(cause);
  }
}
