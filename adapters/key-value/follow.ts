/** A watch that outlives its nodes: through reconnects, nothing twice and nothing left out. */
import type { Observable, SchedulerLike } from 'rxjs';
import {
  asyncScheduler,
  catchError,
  defer,
  ignoreElements,
  map,
  repeat,
  startWith,
  switchMap,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import type { LogIndex } from '../../lib/position.js';
import { causeOf } from '../cause.js';
import type { Answer, Request, WatchAnswer } from './client-protocol.js';

/** What is used of a connection. */
export interface Watchable {
  answers(request: Request): Observable<Answer>;
}

export interface FollowOptions {
  readonly nodes: readonly string[];
  readonly key: Uint8Array;
  readonly isPrefix: boolean;
  /** The index to begin with. Null: from now on. */
  readonly from: LogIndex | null;
  /** How a node is reached. Unsubscribing closes the connection. */
  readonly connect: (address: string) => Observable<Watchable>;
  /** Given up when no node has answered for so long. Default 10,000. */
  readonly timeoutMs?: number;
  /** Before the next node is asked, after so many failures in a row. Default 200. */
  readonly pauseMs?: (failures: number) => number;
  /** A node that says nothing for so long is lost; it gives a sign every 5,000. Default 15,000. */
  readonly silenceMs?: number;
  /** For all timers. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** A node was lost, and the next one is asked. */
export interface Lost {
  readonly type: 'lost';
  readonly cause: string;
}

/**
 * What changes, by the word of one node after the other. Never completes; errors when none has
 * answered within the time. Unsubscribing lets go of the node.
 *
 *     a node           --w-c---c-#
 *     the next one                 --w--c-
 *     follow           --w-c---c-l---w--c-    w watching, c changes, l lost
 */
export function follow(options: FollowOptions): Observable<WatchAnswer | Lost> {
  const { nodes, key, isPrefix, connect, timeoutMs = 10_000, pauseMs = () => 200 } = options;
  const { silenceMs = 15_000, scheduler = asyncScheduler } = options;
  return defer(() => {
    let { from } = options;
    let heardAt = scheduler.now();
    let turn = 0;
    let failures = 0;
    const silent$ = throwError(() => new Error(`the node was silent for ${silenceMs} ms`));
    const answer$ = defer(() => connect(nodes[turn % nodes.length] ?? '')).pipe(
      switchMap((connection) => connection.answers({ type: 'watch', key, isPrefix, from })),
      timeout({ each: silenceMs, with: () => silent$, scheduler }),
      map((answer) => {
        const told = toldBy(answer);
        heardAt = scheduler.now();
        failures = 0;
        // Of the values as they are, the last piece completes them.
        if (told.type !== 'current' || told.isLast) from = behind(told.index);
        return told;
      }),
    );
    const onLost = (error: unknown): Observable<Lost> => {
      turn += 1;
      failures += 1;
      if (scheduler.now() - heardAt > timeoutMs) throw error;
      const pause$ = timer(pauseMs(failures), scheduler).pipe(ignoreElements());
      return pause$.pipe(startWith({ type: 'lost' as const, cause: causeOf(error) }));
    };
    return answer$.pipe(catchError(onLost), repeat());
  });
}

/** The next index. A node may claim the last number that there is. */
function behind(index: LogIndex): LogIndex {
  return Math.min(index + 1, Number.MAX_SAFE_INTEGER);
}

function toldBy(answer: Answer): WatchAnswer {
  switch (answer.type) {
    case 'watching':
    case 'changes':
    case 'current':
      return answer;
    case 'refused':
    case 'unknown':
      throw new Error(answer.text);
    default:
      throw new Error('a strange answer');
  }
}
