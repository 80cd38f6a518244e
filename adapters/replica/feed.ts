/** What a node sends to those who follow it: a snapshot, or what is behind the last they saw. */
import type { Observable } from 'rxjs';
import { firstValueFrom, fromEvent, map, race, timer } from 'rxjs';
import type { LogIndex } from '../../lib/position.js';
import type { Tail, TailBlock } from './tail.js';

export type ReplicaUpdate =
  /** The state at `index`, as its codec has it. */
  | { readonly type: 'snapshot'; readonly index: LogIndex; readonly state: Uint8Array }
  /** The next commands: with them the state is at `index`. */
  | { readonly type: 'entries'; readonly index: LogIndex; readonly blocks: readonly TailBlock[] };

/** The node, as its followers see it. */
export interface Source {
  readonly tail: Tail;
  appliedIndex(): LogIndex;
  /** The state in bytes, at `appliedIndex`. */
  snapshot(): Uint8Array;
  /** Emits when more is applied; completes when the node has stopped. */
  readonly applied$: Observable<unknown>;
}

/** What one follower has not been sent yet. It remembers how far that is. */
export interface Feed {
  /** The next piece, or null: there is nothing new. */
  next(): ReplicaUpdate | null;
  /** Says that nothing is new: a sign of life. */
  idle(): ReplicaUpdate;
}

const pieceBytes = 256 << 10;

/**
 * `after`: the last index that the follower has seen, or null. Who has seen more than this node has
 * applied is told so first, and waits.
 */
export function replicaFeed(source: Source, after: LogIndex | null): Feed {
  let seen = after;
  let isGreeted = false;
  const idle = (): ReplicaUpdate => ({ type: 'entries', index: source.appliedIndex(), blocks: [] });
  return {
    next() {
      const index = source.appliedIndex();
      const isFirst = !isGreeted;
      isGreeted = true;
      if (seen === null || seen < source.tail.startIndex) {
        seen = index;
        return { type: 'snapshot', index, state: source.snapshot() };
      }
      if (seen >= index) return isFirst ? idle() : null;
      const blocks = source.tail.behind(seen, pieceBytes);
      const last = blocks.at(-1);
      const isAll = last === undefined || source.tail.behind(last.index, 1).length === 0;
      seen = isAll ? index : last.index;
      return { type: 'entries', index: seen, blocks };
    },
    idle,
  };
}

/**
 * The pieces of a feed, each made when it is taken: whoever reads slowly gets fewer, and more at
 * once. A sign of life comes after `idleMs` without one. Ends when the node stops, or with the
 * signal.
 */
export async function* replicaUpdates(
  source: Source,
  after: LogIndex | null,
  signal: AbortSignal,
  idleMs = 5000,
): AsyncGenerator<ReplicaUpdate> {
  const feed = replicaFeed(source, after);
  while (!signal.aborted) {
    const update = feed.next();
    if (update !== null) {
      yield update;
      continue;
    }
    const outcome$ = race(
      source.applied$.pipe(map(() => 'news')),
      fromEvent(signal, 'abort').pipe(map(() => 'over')),
      timer(idleMs).pipe(map(() => 'idle')),
    );
    const outcome = await firstValueFrom(outcome$, { defaultValue: 'over' });
    if (outcome === 'over') return;
    if (outcome === 'idle') yield feed.idle();
  }
}
