/**
 * The contract of a storage adapter: what a node must find again after a power loss.
 *
 * A store is opened, read, written by one subscription, and closed. Any medium will do that passes
 * `storageAcceptance` of `rxraft/testing`.
 */
import type { OperatorFunction } from 'rxjs';
import type { StorageAction } from '../lib/action.js';
import type { Recovered } from '../lib/config.js';
import type { StorageInput } from '../lib/input.js';

/** An open store: one run of one node. */
export interface Store<C, S> {
  /**
   * What earlier runs left behind: spread it into the configuration of `raft`. The generation is
   * raised, durably, when the store is opened. Read it before the first write: it is not kept up.
   */
  readonly recovered: Recovered<C, S>;
  /**
   * Answers every `persist` when a power loss can no longer undo it, in the order of the numbers.
   * While one write runs the next gathers, and one answer speaks for all of it: it is cumulative.
   *
   *     action$:   123------4---|
   *     persisted: ---1--3-----4|     a write takes three frames
   *
   * Writes are atomic: what is found again is the work of the first so many actions, never half of
   * one. A write that fails ends the stream with a StoreError 'failed': nothing after it is ever
   * acknowledged. To unsubscribe is to crash: nothing is answered any more, and of what was not
   * acknowledged any first part may be found again. One subscription for one store; a second ends
   * with a StoreError 'locked'.
   */
  readonly storage: OperatorFunction<StorageAction<C, S>, StorageInput>;
  /**
   * Releases the medium, when the write in flight has returned. End or unsubscribe `storage` first.
   * Only then may the store be opened again. Closing twice is closing once.
   */
  close(): Promise<void>;
}

export type StoreFault =
  /** Another process, or another store of this one, holds the medium. */
  | 'locked'
  /** Records between others are missing. */
  | 'gap'
  /** Written by another version of the format. */
  | 'version'
  /** It belongs to another node or another cluster. */
  | 'foreign'
  /** What is there is not what was written. */
  | 'damaged'
  /** What was acknowledged last is not there. */
  | 'missing'
  /** A write failed: this run is over. */
  | 'failed';

/** A store that can't be opened, or can't be written. Nothing was changed by noticing it. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  /** `culprit`: the folder, and the record if it is one. `mend`: what its owner can do. */
  constructor(
    readonly reason: StoreFault,
    readonly culprit: string,
    mend: string,
    options?: ErrorOptions,
  ) {
    super(`${culprit}: ${mend}`, options);
  }
}
