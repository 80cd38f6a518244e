/**
 * One connection to one node over the WebSocket of the web platform: in a page, on Node 22, and on
 * Node 20 with the one of `ws`.
 */
import type { SchedulerLike } from 'rxjs';
import { Observable } from 'rxjs';
import { causeOf } from '../cause.js';
import { DecodeError } from '../codec.js';
import { ConnectionLost } from './connection-lost.js';
import { Conversation } from './conversation.js';
import type { Failure, Protocol, Typed } from './protocol.js';
import { clientPath } from './protocol.js';

/** What is used of a WebSocket. */
export interface AnySocket {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: Uint8Array): void;
  close(): void;
}

/** `WebSocket` itself, or that of `ws`. */
export type AnySocketClass = new (url: string, protocol: string) => AnySocket;

export interface AnyConnection<Request, Answer extends Typed> {
  readonly address: string;
  readonly isOpen: boolean;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number;
  /** Everything that comes under one number. Errors with ConnectionLost; never completes. */
  answers(request: Request): Observable<Answer | Failure>;
  close(): void;
}

/** The WebSocket that is there. Throws a TypeError when there is none, and says the mend. */
export function socketClass(given?: AnySocketClass): AnySocketClass {
  const found = given ?? (globalThis as { readonly WebSocket?: AnySocketClass }).WebSocket;
  if (found !== undefined) return found;
  throw new TypeError('there is no WebSocket here: pass that of ws as the option webSocket');
}

/** `host:port`, or a URL of http or ws, with a path of its own or none. Throws a TypeError. */
export function clientUrl(address: string, cluster?: string): string {
  const url = urlOf(address);
  if (url === null) {
    throw new TypeError(`${JSON.stringify(address)} is no address: host:port, or a URL`);
  }
  if (url.pathname === '/') url.pathname = clientPath;
  if (cluster !== undefined) url.searchParams.set('cluster', cluster);
  return url.href;
}

/** Without a scheme the port must be named: forgotten, it would be 80, where nobody listens. */
function urlOf(address: string): URL | null {
  const isUrl = /^[a-z]+:\/\//.test(address);
  if (isUrl ? !/^(http|ws)s?:/.test(address) : !/^[^/]+:\d+(\/|$)/.test(address)) return null;
  try {
    return new URL(isUrl ? address.replace(/^http/, 'ws') : `ws://${address}`);
  } catch {
    return null;
  }
}

export interface SocketOptions {
  readonly cluster?: string;
  readonly webSocket?: AnySocketClass;
  /** The turn in which requests are gathered. Default `turnScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** Emits the connection when it is open; errors with ConnectionLost; unsubscribing closes it. */
export function anyConnection<Request, Answer extends Typed>(
  address: string,
  protocol: Protocol<Request, Answer>,
  options: SocketOptions,
): Observable<AnyConnection<Request, Answer>> {
  return new Observable((subscriber) => {
    const Socket = socketClass(options.webSocket);
    const socket = new Socket(clientUrl(address, options.cluster), protocol.name);
    const connection = new Wire<Request, Answer>(address, protocol, socket, options);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => subscriber.next(connection);
    socket.onerror = () => undefined;
    socket.onmessage = ({ data }: { readonly data: unknown }) => connection.onFrame(data);
    socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => {
      const cause = reason || `no connection (${code})`;
      connection.end(cause);
      subscriber.error(new ConnectionLost(address, cause));
    };
    return () => {
      connection.end('closed');
      socket.close();
    };
  });
}

class Wire<Request, Answer extends Typed> implements AnyConnection<Request, Answer> {
  private readonly conversation: Conversation<Request, Answer>;

  constructor(
    readonly address: string,
    protocol: Protocol<Request, Answer>,
    private readonly socket: AnySocket,
    { scheduler }: SocketOptions,
  ) {
    const send = (frames: readonly Uint8Array[]): void =>
      frames.forEach((each) => socket.send(each));
    this.conversation = new Conversation(protocol, {
      address,
      send,
      ...(scheduler && { scheduler }),
    });
  }

  get isOpen(): boolean {
    return this.conversation.isOpen;
  }

  get bufferedAmount(): number {
    return this.socket.bufferedAmount + this.conversation.waitingBytes;
  }

  answers(request: Request): Observable<Answer | Failure> {
    return this.conversation.answers(request);
  }

  close(): void {
    this.socket.close();
  }

  onFrame(data: unknown): void {
    try {
      // Of a text that is a number as much memory would be made.
      if (!(data instanceof ArrayBuffer)) throw new DecodeError('text instead of bytes');
      this.conversation.onFrame(new Uint8Array(data));
    } catch (error) {
      this.end(`it breaks the protocol: ${causeOf(error)}`);
      this.socket.close();
    }
  }

  end(cause: string): void {
    this.conversation.end(cause);
  }
}
