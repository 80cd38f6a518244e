/** What peers open here: greeted, then only listened to. */
import type { Subscriber } from 'rxjs';
import {
  defer,
  EMPTY,
  finalize,
  Observable,
  Subscription,
  switchMap,
  takeUntil,
  timeout,
  timer,
} from 'rxjs';
import type { WebSocket } from 'ws';
import type { NetworkInput } from '../lib/input.js';
import type { Message } from '../lib/message.js';
import type { NodeId } from '../lib/position.js';
import { unpackSnapshot } from './codec.js';
import { messageCodec } from './message-codec.js';
import { causeOf } from './cause.js';
import { pulse } from './ws-dial.js';
import {
  decodeHello,
  encodeRefusal,
  encodeWelcome,
  type HandshakeFault,
  type Hello,
} from './ws-handshake.js';
import type { DropCause } from './network-event.js';
import { sameSecret } from './same-secret.js';
import { hearWordsOnly } from './stranger.js';
import type { PeerSocket, Settings } from './ws-settings.js';
import { receivedWord, snapshotAssembler } from './ws-snapshot.js';

/** A peer, and all that `ws` knows of its socket. */
interface Peer extends PeerSocket {
  readonly socket: WebSocket;
}

/** A frame, and whether it is binary. */
type Frame = readonly [Uint8Array, boolean];

/** Close codes from 4000 on are the application's own. */
const refusedCode = 4001;

/** How ws names a frame over `maxPayload`; it closes the connection itself. */
const tooLong = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

/**
 * The door: what each accepted socket says. A peer's fault never errors the stream: it is reported,
 * and the connection ends where going on makes no sense. Of one peer and use the newest connection
 * lives; it closes the older one. Unsubscribing cuts the connection.
 */
export function acceptor<C, S>(
  settings: Settings<C, S>,
): (opened: PeerSocket) => Observable<NetworkInput<C, S>> {
  const { report, scheduler, handshakeTimeoutMs, maxStrangers } = settings;
  const live = new Map<string, Subscriber<NetworkInput<C, S>>>();
  let strangers = 0;
  return (opened) =>
    defer(() => {
      const peer = opened as Peer;
      const { socket, request } = peer;
      const turnAway = (from: NodeId | null, reason: HandshakeFault): Observable<never> => {
        report({ type: 'refused', from, reason });
        return goodbye(peer, reason).pipe(takeUntil(timer(handshakeTimeoutMs, scheduler)));
      };
      socket.on('error', () => undefined);
      if (request.headers.origin !== undefined) return turnAway(null, 'origin');
      if (strangers >= maxStrangers) return turnAway(null, 'overloaded');
      strangers += 1;
      const strange = new Subscription(() => (strangers -= 1));
      const onMore = (): void => {
        report({ type: 'refused', from: null, reason: 'malformed' });
        socket.terminate();
      };
      const hasSaid = hearWordsOnly(request.socket, onMore);
      strange.add(hasSaid);
      const late = (): Observable<never> => {
        report({ type: 'refused', from: null, reason: 'late' });
        return EMPTY;
      };
      return firstFrame(socket).pipe(
        timeout({ first: handshakeTimeoutMs, scheduler, with: late }),
        switchMap(([frame, isBinary]) => {
          hasSaid();
          const hello = decodeHello(frame, isBinary);
          if (typeof hello === 'string') return turnAway(null, hello);
          const fault = faultOfHello(hello, settings);
          if (fault !== null) return turnAway(hello.from, fault);
          strange.unsubscribe();
          return conversation(peer, hello, live, settings);
        }),
        finalize(() => strange.unsubscribe()),
      );
    });
}

/** Emits once; completes when the socket is closed. Unsubscribing cuts it. */
function firstFrame(socket: WebSocket): Observable<Frame> {
  return new Observable((subscriber) => {
    socket.on('close', () => subscriber.complete());
    socket.once('message', (data, isBinary) => subscriber.next([data as Buffer, isBinary]));
    if (socket.readyState === socket.CLOSED) subscriber.complete();
    return () => socket.terminate();
  });
}

/** Says why, and completes when the other side has taken note. Unsubscribing cuts the socket. */
function goodbye({ socket, request }: Peer, reason: HandshakeFault): Observable<never> {
  return new Observable((subscriber) => {
    subscriber.add(hearWordsOnly(request.socket, () => socket.terminate()));
    socket.on('close', () => subscriber.complete());
    socket.send(encodeRefusal(reason), () => undefined);
    socket.close(refusedCode, reason);
    return () => socket.terminate();
  });
}

function faultOfHello<C, S>(hello: Hello, settings: Settings<C, S>): HandshakeFault | null {
  const { cluster, id, token, voters, peers } = settings;
  if (hello.cluster !== cluster) return 'cluster';
  if (token !== '' && !sameSecret(hello.token, token)) return 'token';
  // Two beginnings have different entries at one position of the log: they must never meet.
  const isOther = hello.voters !== voters && hello.voters !== '' && voters !== '';
  if (isOther) return 'initialVoters';
  if (hello.to !== id) return 'receiver';
  return hello.from === id || peers(hello.from) === undefined ? 'sender' : null;
}

/** All that a peer says after its greeting. */
function conversation<C, S>(
  { socket, request }: Peer,
  hello: Hello,
  live: Map<string, Subscriber<NetworkInput<C, S>>>,
  settings: Settings<C, S>,
): Observable<NetworkInput<C, S>> {
  const { from, use } = hello;
  const { report, cluster, id } = settings;
  return new Observable((subscriber) => {
    const key = `${use} ${from}`;
    live.get(key)?.complete();
    live.set(key, subscriber);
    const complete = (): void => subscriber.complete();
    const drop = (reason: DropCause, cause: string): void =>
      report({ type: 'dropped', from, reason, cause });
    const read =
      use === 'messages'
        ? messageReader(from, drop, settings)
        : snapshotReader(from, drop, settings);
    subscriber.add(() => {
      if (live.get(key) === subscriber) live.delete(key);
      socket.terminate();
    });
    socket.on('close', complete);
    socket.on('error', (error) => {
      if ('code' in error && error.code === tooLong) drop('tooLarge', error.message);
    });
    socket.on('message', (data, isBinary) => {
      if (subscriber.closed) return;
      const input = read([data as Buffer, isBinary]);
      if (input === 'end') return subscriber.complete();
      if (input !== null) subscriber.next(input);
      if (input?.type === 'snapshotReceived') socket.send(receivedWord);
    });
    subscriber.add(pulse(socket, request.socket, settings).subscribe({ error: complete }));
    socket.send(encodeWelcome(cluster, id));
    report({ type: 'accepted', from });
  });
}

type Drop = (reason: DropCause, cause: string) => void;

/** What a frame says, null for nothing, or 'end' where going on makes no sense. Never throws. */
type Read<C, S> = (frame: Frame) => NetworkInput<C, S> | null | 'end';

function messageReader<C, S>(from: NodeId, drop: Drop, settings: Settings<C, S>): Read<C, S> {
  const codec = messageCodec(settings.commands);
  const dropped = (reason: DropCause, cause: string): null => {
    drop(reason, cause);
    return null;
  };
  return ([frame, isBinary]) => {
    if (!isBinary) return dropped('malformed', 'words where a message should be');
    if (frame.length > settings.maxFrameBytes) return dropped('tooLarge', `${frame.length} bytes`);
    let message: Message<C>;
    try {
      message = codec.decode(frame);
    } catch (error) {
      return dropped('malformed', causeOf(error));
    }
    if (message.from !== from) return dropped('foreignSender', `in the name of ${message.from}`);
    return { type: 'received', message };
  };
}

function snapshotReader<C, S>(from: NodeId, drop: Drop, settings: Settings<C, S>): Read<C, S> {
  const assemble = snapshotAssembler(settings.maxSnapshotBytes);
  return ([frame, isBinary]) => {
    try {
      const arrival = assemble(frame, isBinary);
      if (arrival === null) return null;
      const snapshot = unpackSnapshot(arrival.bytes, settings.snapshots);
      return { type: 'snapshotReceived', from, term: arrival.term, snapshot };
    } catch (error) {
      drop('malformed', causeOf(error));
      return 'end';
    }
  };
}
