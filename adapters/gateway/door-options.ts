/** What a door for clients is made of, and its bounds. */
import type { Failure, Protocol, Typed } from './protocol.js';

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

export const defaultLimits: DoorLimits = Object.freeze({
  clients: 4096,
  requests: 65_536,
  requestBytes: 128 << 20,
  answerBytes: 128 << 20,
  unreadBytes: 64 << 20,
  watches: 1024,
  watchBytes: 4 << 20,
  watchMs: 10_000,
});
