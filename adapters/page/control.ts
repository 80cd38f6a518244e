/**
 * Stops and starts nodes: only where `npm start` serves the page, and only with the secret that it
 * has printed as the end of the page's address.
 */
import type { Observable } from 'rxjs';
import {
  defer,
  EMPTY,
  ignoreElements,
  merge,
  repeat,
  retry,
  share,
  Subject,
  tap,
  timer,
} from 'rxjs';
import { webSocket } from 'rxjs/webSocket';
import { during } from '../during.js';
import type { ControlFrame, ControlRequest } from '../live/control-protocol.js';
import { controlPath } from '../live/control-protocol.js';

export interface Control {
  readonly frame$: Observable<ControlFrame>;
  readonly send: (request: ControlRequest) => void;
}

/** Says nothing where there is no secret. */
export function control(): Control {
  const token = location.hash.slice(1);
  const request$ = new Subject<ControlRequest>();
  if (!/^[\w-]{16,}$/.test(token)) return { frame$: EMPTY, send: () => undefined };
  const secure = location.protocol === 'https:' ? 'wss' : 'ws';
  const again = { delay: () => timer(1000) };
  const frame$ = defer(() => {
    const socket$ = webSocket<unknown>(`${secure}://${location.host}${controlPath}?token=${token}`);
    const said$ = (socket$ as Observable<ControlFrame>).pipe(share());
    const sending$ = request$.pipe(
      tap((request) => socket$.next(request)),
      ignoreElements(),
    );
    return merge(said$, during(said$, sending$));
  }).pipe(retry(again), repeat(again));
  return { frame$, send: (request) => request$.next(request) };
}
