/** The page's line to one node: a WebSocket, made again whenever it is lost. */
import type { Observable } from 'rxjs';
import {
  catchError,
  concat,
  defer,
  finalize,
  map,
  merge,
  of,
  repeat,
  Subject,
  timeout,
  timer,
} from 'rxjs';
import { webSocket } from 'rxjs/webSocket';
import type { NodeId } from '../../lib/position.js';
import type { LiveFrame } from '../live/protocol.js';
import { livePath, liveProtocol } from '../live/protocol.js';
import type { LiveRequest } from '../live/request.js';

export type LinkEvent =
  | { readonly type: 'up'; readonly id: NodeId; readonly send: Send }
  | { readonly type: 'frame'; readonly id: NodeId; readonly frame: LiveFrame }
  | { readonly type: 'down'; readonly id: NodeId };

/** Only between `up` and `down`: `webSocket` would keep what it can't send, and send it later. */
export type Send = (request: LiveRequest) => void;

export interface Dial {
  /** By TLS: where the page itself came so. */
  readonly isSecure: boolean;
  /** Default: the browser's. */
  readonly WebSocketCtor?: new (url: string, protocols?: string | string[]) => WebSocket;
}

/**
 * A node tells its status three times a second. After so long without a word the line is given up,
 * and made anew: one that broke without a sign would be silent for ever.
 */
const deafMs = 10_000;

/** A little different for each, so that they don't all knock at once. */
const pauseMs = (): number => 400 + 400 * Math.random();

/**
 * What a node says, for as long as it is subscribed:
 *
 *     u up, f frame, d down    -uff--f-d----uf--
 */
export function link(id: NodeId, address: string, dial: Dial): Observable<LinkEvent> {
  const { isSecure, ...made } = dial;
  const down$ = of<LinkEvent>({ type: 'down', id });
  return concat(
    defer(() => {
      const up$ = new Subject<LinkEvent>();
      const socket$ = webSocket<unknown>({
        ...made,
        url: `${isSecure ? 'wss' : 'ws'}://${address}${livePath}`,
        protocol: liveProtocol,
        openObserver: {
          next: () => up$.next({ type: 'up', id, send: (request) => socket$.next(request) }),
        },
      });
      const frame$ = socket$.pipe(
        timeout({ each: deafMs }),
        map((frame): LinkEvent => ({ type: 'frame', id, frame: frame as LiveFrame })),
        catchError(() => of()),
        finalize(() => up$.complete()),
      );
      return merge(up$, frame$);
    }),
    down$,
  ).pipe(repeat({ delay: () => timer(pauseMs()) }));
}
