/** What networks between processes, and between tabs, have in common: the operator itself. */
import type { OperatorFunction } from 'rxjs';
import { filter, merge, Observable, Subject, takeUntil, tap } from 'rxjs';
import type { NetworkAction } from '../lib/action.js';
import type { NetworkInput } from '../lib/input.js';
import type { NodeId, Term } from '../lib/position.js';
import type { Codec } from './codec.js';
import { messageCodec } from './message-codec.js';
import { framesOf } from './message-frames.js';
import type { NetworkEvent } from './network-event.js';
import { type InstallSnapshot, transfers } from './transfers.js';

/** The ways of one node to its peers, for one subscription. */
export interface Ways<C, S> {
  /** Sends a frame to peers, or drops and reports it. */
  readonly send: (to: readonly NodeId[], bytes: Uint8Array) => void;
  /** One transfer, from when it is subscribed to; unsubscribing gives it up. */
  readonly transfer: (install: InstallSnapshot<C, S>) => Observable<never>;
  /** What peers say. Its error is the network's. */
  readonly heard$: Observable<NetworkInput<C, S>>;
  /** When all is over. */
  readonly close?: () => void;
}

/**
 * The operator of a network whose ways are opened by `open`, which is given where to report events:
 * that never throws, for what `onEvent` throws is the network's error, like that of a message that
 * can't be encoded.
 */
export function networkOperator<C, S>(
  options: {
    readonly commands: Codec<C>;
    readonly maxFrameBytes: number;
    readonly onEvent: ((event: NetworkEvent) => void) | undefined;
  },
  open: (report: (event: NetworkEvent) => void) => Ways<C, S>,
): OperatorFunction<NetworkAction<C, S>, NetworkInput<C, S>> {
  const { commands, maxFrameBytes, onEvent } = options;
  const codec = messageCodec(commands);
  return (action$) =>
    new Observable((subscriber) => {
      const fail = (error: unknown): void => subscriber.error(error);
      const ways = open((event) => {
        try {
          onEvent?.(event);
        } catch (error) {
          fail(error);
        }
      });
      subscriber.add(ways.close);
      const install$ = new Subject<InstallSnapshot<C, S>>();
      const term$ = new Subject<Term>();
      const sent$ = transfers(install$, (install) =>
        // A newer term makes a transfer worthless there, and keeps the next one waiting here.
        ways.transfer(install).pipe(takeUntil(term$.pipe(filter((term) => term > install.term)))),
      );
      subscriber.add(
        merge(sent$, ways.heard$).subscribe({
          next: (input) => subscriber.next(input),
          error: fail,
        }),
      );
      const route = (action: NetworkAction<C, S>): void => {
        term$.next(action.type === 'installSnapshot' ? action.term : action.message.term);
        if (action.type === 'installSnapshot') return install$.next(action);
        const to = action.type === 'sendMessage' ? [action.to] : action.to;
        // Encoded once, and shared by all who are sent it.
        for (const bytes of framesOf(action.message, codec, maxFrameBytes)) ways.send(to, bytes);
      };
      const complete = (): void => subscriber.complete();
      subscriber.add(action$.pipe(tap(route)).subscribe({ error: fail, complete }));
    });
}
