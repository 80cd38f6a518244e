/** One connection of a caller, from the dialling on. */
import type { Subscription } from 'rxjs';
import { firstValueFrom, map, race, Subject, take, timer } from 'rxjs';
import { causeOf } from '../cause.js';
import type { AnyConnection, AnySocketClass } from './any-socket.js';
import { anyConnection } from './any-socket.js';
import type { Protocol, Typed } from './protocol.js';

export interface LinkOptions {
  /** The cluster that is meant: a node of another one refuses. Default: any. */
  readonly cluster?: string;
  /** Default: the global one. On Node 20 pass that of `ws`. */
  readonly webSocket?: AnySocketClass;
  /** For one connection. Default 3,000. */
  readonly connectTimeoutMs?: number;
}

export interface Link<Request, Answer extends Typed> {
  readonly url: string;
  /** A connection, or in words why there is none. Never rejects. */
  readonly dialled: Promise<AnyConnection<Request, Answer> | string>;
  /** Unsubscribing closes it. */
  readonly holding: Subscription;
  /** Requests that wait for their answers. */
  underway: number;
}

export function dial<Request, Answer extends Typed>(
  url: string,
  protocol: Protocol<Request, Answer>,
  { cluster, webSocket, connectTimeoutMs = 3000 }: LinkOptions,
): Link<Request, Answer> {
  const wire = { ...(cluster !== undefined && { cluster }), ...(webSocket && { webSocket }) };
  const open$ = new Subject<AnyConnection<Request, Answer> | string>();
  const late$ = timer(connectTimeoutMs).pipe(map(() => `${url}: no connection in time`));
  const dialled = firstValueFrom(race(open$, late$).pipe(take(1)), {
    defaultValue: `${url}: closed`,
  });
  const holding = anyConnection(url, protocol, wire).subscribe({
    next: (connection) => open$.next(connection),
    error: (error: unknown) => open$.next(causeOf(error)),
  });
  holding.add(() => open$.complete());
  return { url, dialled, holding, underway: 0 };
}
