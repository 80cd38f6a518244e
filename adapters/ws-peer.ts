/** The way to one peer: dialled when there is something to say, and again when it was lost. */
import type { Observable } from 'rxjs';
import { defer, of, retry, Subject, switchMap, take, timer } from 'rxjs';
import { WebSocket } from 'ws';
import type { NodeId } from '../lib/position.js';
import { causeOf } from './cause.js';
import type { UnsentReason } from './network-event.js';
import { pauseMs } from './pause.js';
import { dial } from './ws-dial.js';
import type { LinkSettings } from './ws-settings.js';

export interface PeerLink {
  readonly address: string;
  /**
   * Sends it now or never: what can't leave is reported and forgotten, because a late message is
   * worth less than the next one. Only while the peer is being dialled the newest message waits.
   */
  readonly send: (message: Uint8Array) => void;
  readonly close: () => void;
}

/** Dials at the first message; after a loss with pauses, and only while somebody wants to send. */
export function peerLink(to: NodeId, address: string, settings: LinkSettings): PeerLink {
  const { report, scheduler } = settings;
  const wanted$ = new Subject<true>();
  let wanted = false;
  let dialling = false;
  let socket: WebSocket | null = null;
  let waiting: Uint8Array | null = null;

  const unsent = (reason: UnsentReason): void => report({ type: 'unsent', to, reason });
  const hold = (message: Uint8Array | null): void => {
    if (waiting !== null) unsent('disconnected');
    waiting = message;
  };
  const dialled$ = defer(() => {
    dialling = true;
    return dial(to, address, 'messages', settings);
  });
  const afterLoss = (error: unknown, failures: number): Observable<unknown> => {
    dialling = wanted = false;
    socket = null;
    hold(null);
    report({ type: 'disconnected', to, cause: causeOf(error) });
    return timer(pauseMs(failures, settings), scheduler).pipe(
      switchMap(() => (wanted ? of(true) : wanted$.pipe(take(1)))),
    );
  };
  const write = (open: WebSocket, message: Uint8Array): void => {
    const reason = faultOfSending(open, message, settings);
    if (reason === null) open.send(message);
    else unsent(reason);
  };
  const subscription = dialled$
    .pipe(retry({ delay: afterLoss, resetOnSuccess: true }))
    .subscribe((open) => {
      dialling = false;
      socket = open;
      report({ type: 'connected', to, address });
      if (waiting !== null) write(open, waiting);
      waiting = null;
    });
  return {
    address,
    send: (message) => {
      if (socket !== null) return write(socket, message);
      wanted = true;
      wanted$.next(true);
      if (dialling) hold(message);
      else unsent('disconnected');
    },
    close: () => subscription.unsubscribe(),
  };
}

function faultOfSending(
  socket: WebSocket,
  message: Uint8Array,
  limits: { readonly maxFrameBytes: number; readonly maxBufferedBytes: number },
): UnsentReason | null {
  if (message.length > limits.maxFrameBytes) return 'tooLarge';
  if (socket.readyState !== WebSocket.OPEN) return 'disconnected';
  const buffered = socket.bufferedAmount + message.length;
  return buffered > limits.maxBufferedBytes ? 'overloaded' : null;
}
