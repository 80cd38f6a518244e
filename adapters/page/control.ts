/**
 * Stops and starts nodes: only where `start` serves the page, and only with the secret that it
 * has printed as the end of the page's address.
 */
import type { Observable } from 'rxjs';
import {
  catchError,
  defer,
  EMPTY,
  endWith,
  ignoreElements,
  merge,
  repeat,
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
  /** Null when the line is lost: what was said before counts no more. */
  readonly frame$: Observable<ControlFrame | null>;
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
  }).pipe(
    catchError(() => EMPTY),
    endWith(null),
    repeat(again),
  );
  return { frame$, send: (request) => request$.next(request) };
}
