/** What a client of the key-value store can be asked, and what it answers. */
import type { Observable } from 'rxjs';
import type { LogIndex } from '../../lib/position.js';
import type { Codec } from '../codec.js';
import type { Lost } from './follow.js';

/** How keys and values become bytes, and back. */
export interface KeyValueCodecs<Key, Value> {
  readonly keys: Codec<Key>;
  readonly values: Codec<Value>;
}

export interface GetOptions {
  /** `stale`: what the asked node has, without asking a majority. Default `linearizable`. */
  readonly consistency?: 'linearizable' | 'stale';
}

/** What is watched: one key, or all whose bytes begin with those of `prefix`. */
export type Watched<Key> = { readonly key: Key } | { readonly prefix: Key };

export interface WatchOptions {
  /**
   * The index of the log to begin with: 1 or more. Default: from now on, which is from what the
   * node that is asked has applied. One that has just started may tell older changes first.
   */
  readonly from?: LogIndex;
}

/** A put; without a value a delete. */
export interface Pair<Key, Value> {
  readonly key: Key;
  readonly value: Value | undefined;
}

/** What whoever watches is told, in the order of the log. */
export type WatchEvent<Key, Value> =
  /** Everything up to this index has been told. */
  | { readonly type: 'watching'; readonly index: LogIndex }
  /** All that the entry of this index has changed, of what is watched. */
  | {
      readonly type: 'changes';
      readonly index: LogIndex;
      readonly changes: readonly Pair<Key, Value>[];
    }
  /**
   * What was changed until then is not kept any more: these are the values at this index, all of
   * them when the last piece has come. A key that is not among them is not there.
   */
  | {
      readonly type: 'current';
      readonly index: LogIndex;
      readonly isLast: boolean;
      readonly values: readonly Pair<Key, Value>[];
    }
  /** A node was lost, and why in words: the next one goes on where this one ended. */
  | Lost;

/**
 * What ends without a result rejects with a MachineError, whose `outcome` is `notApplied` or
 * `unknown`: a put that was lost under way is unknown, and is not sent again; a read is asked again
 * until the time is over. Each promise as a stream, `…$`, asks once for each subscription. The
 * functions may be taken out of it.
 */
export interface KeyValueClient<Key, Value> {
  /** Resolves when it is durable on a majority. */
  readonly put: (key: Key, value: Value) => Promise<void>;
  readonly put$: (key: Key, value: Value) => Observable<void>;
  /** Undefined: there is no such key. Rejects with a DecodeError what the codec can't read. */
  readonly get: (key: Key, options?: GetOptions) => Promise<Value | undefined>;
  readonly get$: (key: Key, options?: GetOptions) => Observable<Value | undefined>;
  /** `missing`: there was nothing to delete. */
  readonly delete: (key: Key) => Promise<'done' | 'missing'>;
  readonly delete$: (key: Key) => Observable<'done' | 'missing'>;
  /**
   * Puts `next`, or deletes for undefined, if the value is `expected`, or undefined: if there is
   * none. Bytes are compared, as the codec writes them. `conflict`: it is another, and stays.
   */
  readonly compareAndSet: (
    key: Key,
    expected: Value | undefined,
    next: Value | undefined,
  ) => Promise<'done' | 'conflict'>;
  readonly compareAndSet$: (
    key: Key,
    expected: Value | undefined,
    next: Value | undefined,
  ) => Observable<'done' | 'conflict'>;
  /**
   * What changes, through the loss of nodes, nothing twice and nothing left out. Each subscription
   * has a connection of its own. Completes when the client is closed; errors with a NotApplied for
   * a key that is none, with a DecodeError for bytes that the codec can't read.
   *
   *     watch$           --w-c---c-l---w--c-    w watching, c changes, l lost
   */
  readonly watch$: (
    watched: Watched<Key>,
    options?: WatchOptions,
  ) => Observable<WatchEvent<Key, Value>>;
  /** Whoever waits is told. Its connections keep a Node process alive until then. */
  readonly close: () => void;
}
