/**
 * A channel to everyone behind a WebSocket, for pages. A page can dial but not listen, so its peers
 * can't reach it by themselves: a relay, which all of them dial, hands on what they post.
 */
import { asyncScheduler, interval, Observable, retry, type SchedulerLike, timer } from 'rxjs';
import type { NodeId } from '../lib/position.js';
import { causeOf } from './cause.js';
import type { Channel, Listener, PeerChannel } from './channel-settings.js';
import { valueCodec } from './codec.js';
import { pauseMs } from './pause.js';
import { encodeGreeting, faultOfWelcome } from './relay-words.js';

export interface RelayedChannelOptions {
  /** Where the relay is: `wss://host/relay`, or `ws:` on localhost. */
  readonly url: string;
  /** As for the network over it. */
  readonly cluster: string;
  readonly id: NodeId;
  /** The relay's. Whoever has it can speak as any node. Default: none. */
  readonly token?: string;
  /** Told why a connection was lost, or could not be had. It is dialled again. */
  readonly onLost?: (cause: string) => void;
  /** What may wait in memory for a slow connection; beyond it posts fail. Default 32 MiB. */
  readonly maxBufferedBytes?: number;
  /** A relay that is silent for so long is given up. Default 10,000. */
  readonly silenceMs?: number;
  /**
   * The pause before it is dialled again: doubled with every failure in a row from `minimum` to
   * `maximum`, and of that a random part between a half and all. Default 50 to 2,000.
   */
  readonly reconnectMs?: { readonly minimum: number; readonly maximum: number };
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
  /** For all timers. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Default: that of the page. Node has one from 22 on. */
  readonly WebSocket?: new (url: string) => WebSocket;
}

/** The bytes of what is posted. */
const values = valueCodec<unknown>();

/**
 * Dials the relay when it is subscribed, and again when the connection is lost: each connection is
 * a new channel. Never completes and never errors. Unsubscribing closes the connection.
 */
export function relayedChannel(options: RelayedChannelOptions): Observable<PeerChannel> {
  const { reconnectMs = { minimum: 50, maximum: 2000 }, random = Math.random } = options;
  const { scheduler = asyncScheduler } = options;
  const afterLoss = (error: unknown, failures: number): Observable<unknown> => {
    options.onLost?.(causeOf(error));
    return timer(pauseMs(failures, { reconnectMs, random }), scheduler);
  };
  return connection(options).pipe(retry({ delay: afterLoss, resetOnSuccess: true }));
}

/** One connection, from dialling to its loss, which is its error. */
function connection(options: RelayedChannelOptions): Observable<PeerChannel> {
  const { url, cluster, id, token = '', scheduler = asyncScheduler } = options;
  const {
    maxBufferedBytes = 32 << 20,
    silenceMs = 10_000,
    WebSocket: Socket = WebSocket,
  } = options;
  return new Observable((subscriber) => {
    const listeners = new Set<Listener>();
    let isWelcome = false;
    let isHeard = true;
    const lose = (cause: string): void => subscriber.error(new Error(cause));
    const socket = new Socket(url);
    socket.binaryType = 'arraybuffer';
    const channel: Channel = {
      postMessage: (data) => {
        if (socket.readyState !== socket.OPEN) throw new Error('not connected');
        if (socket.bufferedAmount > maxBufferedBytes) throw new Error('the connection is too slow');
        socket.send(values.encode(data) as Uint8Array<ArrayBuffer>);
      },
      addEventListener: (type, listener) => {
        if (type === 'message') listeners.add(listener);
      },
      removeEventListener: (_, listener) => void listeners.delete(listener),
    };
    const onWelcome = (data: unknown): void => {
      const fault = faultOfWelcome(wordsIn(data));
      if (fault !== null) return lose(`refused: ${fault}`);
      isWelcome = true;
      subscriber.next({ channel, peer: null });
    };
    socket.onopen = () => socket.send(encodeGreeting({ cluster, id, token }));
    socket.onerror = () => lose('it can not be reached');
    socket.onclose = ({ code, reason }) => lose(`closed with ${code} ${reason}`.trimEnd());
    socket.onmessage = ({ data }) => {
      isHeard = true;
      if (!isWelcome) return onWelcome(data);
      if (!(data instanceof ArrayBuffer)) return;
      const value = valueIn(data);
      for (const listener of listeners) listener({ data: value });
    };
    const silence = interval(silenceMs, scheduler).subscribe(() => {
      if (!isHeard) lose('silent');
      isHeard = false;
    });
    return () => {
      silence.unsubscribe();
      socket.onopen = socket.onclose = socket.onmessage = null;
      // What is closed while it is being dialled says so as an error.
      socket.onerror = () => undefined;
      socket.close();
    };
  });
}

function wordsIn(data: unknown): unknown {
  try {
    return typeof data === 'string' ? JSON.parse(data) : undefined;
  } catch {
    return undefined;
  }
}

/** What was posted, or undefined: that is no frame, and counted where it arrives. */
function valueIn(data: ArrayBuffer): unknown {
  try {
    return values.decode(new Uint8Array(data));
  } catch {
    return undefined;
  }
}
