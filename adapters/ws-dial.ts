/** One connection to one peer, from dialling to its loss. */
import type { Socket } from 'node:net';
import {
  defer,
  ignoreElements,
  interval,
  merge,
  Observable,
  observeOn,
  of,
  switchMap,
  tap,
  throwError,
  timeout,
} from 'rxjs';
import { WebSocket } from 'ws';
import type { NodeId } from '../lib/position.js';
import { turnScheduler } from './turn-scheduler.js';
import { encodeHello, faultOfWelcome, maxWordBytes, type Use } from './ws-handshake.js';
import type { LinkSettings } from './ws-settings.js';

/** Where peers speak to each other, and nobody else. */
export const peerPath = '/peer';

/** Why there is no connection any more. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/**
 * Dials a peer and greets it. Emits the socket once, when the peer has answered rightly; errors
 * when the connection can't be had, is refused, lost or silent; never completes. Unsubscribing cuts
 * it.
 *
 *     hello           -h
 *     welcome         ---w
 *     dial            ---s------#
 */
export function dial(
  to: NodeId,
  address: string,
  use: Use,
  settings: LinkSettings,
): Observable<WebSocket> {
  const { cluster, id, token, voters, handshakeTimeoutMs, scheduler } = settings;
  const hello = { cluster, from: id, to, use, token, voters };
  return new Observable<readonly [WebSocket, Socket]>((subscriber) => {
    const socket = new WebSocket(`ws://${address}${peerPath}`, {
      perMessageDeflate: false,
      maxPayload: maxWordBytes,
      // Masks protect proxies from the scripts of a page. Here is none: a mask of zeros costs no
      // pass over the bytes and no copy, so that all peers are sent the same.
      generateMask: () => undefined,
    });
    let wire: Socket | null = null;
    socket.on('error', (error) => subscriber.error(new ConnectionLost(error.message)));
    socket.on('close', (code, reason) =>
      subscriber.error(new ConnectionLost(`closed with ${code} ${reason.toString()}`.trimEnd())),
    );
    socket.on('upgrade', (response) => (wire = response.socket));
    socket.on('open', () => socket.send(encodeHello(hello)));
    socket.once('message', (data, isBinary) => {
      const fault = faultOfWelcome(hello, data as Buffer, isBinary);
      if (fault !== null) subscriber.error(new ConnectionLost(`refused: ${fault}`));
      else if (wire !== null) subscriber.next([socket, wire]);
    });
    return () => socket.terminate();
  }).pipe(
    timeout({
      first: handshakeTimeoutMs,
      scheduler,
      with: () => throwError(() => new ConnectionLost('no welcome in time')),
    }),
    switchMap(([socket, wire]) => merge(of(socket), pulse(socket, wire, settings))),
  );
}

/**
 * Pings a peer every period, and errors when not a byte has come since the ping before: what is
 * half open is noticed within two periods. Bytes are counted, not frames: a long frame that is
 * still coming is a sign of life, and so are the peer's own pings.
 */
export function pulse(
  socket: WebSocket,
  wire: Socket,
  settings: Pick<LinkSettings, 'pingMs' | 'scheduler'>,
): Observable<never> {
  return defer(() => {
    let heard = -1;
    return interval(settings.pingMs, settings.scheduler).pipe(
      // After a stall of the event loop the answers wait in the socket: read them first.
      observeOn(turnScheduler),
      tap(() => {
        if (wire.bytesRead === heard) throw new ConnectionLost('silent');
        heard = wire.bytesRead;
        socket.ping();
      }),
      ignoreElements(),
    );
  });
}
