/**
 * A store on any medium that keeps values under keys and writes them in atomic batches: what is
 * found there is checked, what is written is numbered. The media differ in how they lock, sync and
 * fail.
 */
import type { OperatorFunction } from 'rxjs';
import { defer } from 'rxjs';
import type { StorageAction } from '../lib/action.js';
import type { StorageInput } from '../lib/input.js';
import { causeOf } from './cause.js';
import { groupCommit } from './group-commit.js';
import type { Store } from './storage.js';
import { StoreError } from './storage.js';
import type { Operation } from './store-ledger.js';
import type { Place, Readable } from './store-recovery.js';
import { recover } from './store-recovery.js';
import { identityKey, sealIdentity } from './store-records.js';

/**
 * Held by this store alone. Keys and values are bytes, and keys are in the order of their bytes.
 */
export interface Medium extends Readable {
  /**
   * All of them or none. Resolves when a power loss can't undo it. `number` is the batch's: one
   * more with each.
   */
  batch(operations: Operation[], number: number): Promise<void>;
  close(): Promise<void>;
  /** What the medium threw, in our words. */
  errorOf(cause: unknown): StoreError;
}

/**
 * Reads all that is there, raises the generation durably, and is ready. Rejects with a StoreError,
 * and then the medium is closed. `acknowledged` is the number of a batch known to be durable.
 */
export async function openStore<C, S>(
  medium: Medium,
  place: Place<C, S>,
  acknowledged = 0,
): Promise<Store<C, S>> {
  try {
    return await opened(medium, place, acknowledged);
  } catch (error) {
    await medium.close();
    throw medium.errorOf(error);
  }
}

async function opened<C, S>(
  medium: Medium,
  place: Place<C, S>,
  acknowledged: number,
): Promise<Store<C, S>> {
  const { where, cluster, node } = place;
  const { recovered, ledger, pristine } = await recover(medium, place, acknowledged);
  const generation = recovered.generation + 1;
  const operations = ledger.batchOf([], generation);
  const identity = { key: identityKey, value: sealIdentity({ cluster, node }) };
  if (pristine) operations.push({ type: 'put', ...identity });
  await medium.batch(operations, ledger.head.batch);

  let used = false;
  let closed: Promise<void> | null = null;
  let inFlight: Promise<unknown> = Promise.resolve();
  const write = async (actions: readonly StorageAction<C, S>[]): Promise<void> => {
    if (closed) throw new StoreError('failed', where, 'the store is closed: open it anew');
    let operations: Operation[];
    try {
      operations = ledger.batchOf(actions);
    } catch (cause) {
      // No fault of the medium: an action that does not fit, or a value that has no bytes.
      throw new StoreError('failed', where, `can not be written: ${causeOf(cause)}`, { cause });
    }
    try {
      await medium.batch(operations, ledger.head.batch);
    } catch (error) {
      throw medium.errorOf(error);
    }
  };
  const storage: OperatorFunction<StorageAction<C, S>, StorageInput> = (action$) =>
    defer(() => {
      if (used) throw new StoreError('locked', where, 'one store is for one run: open it anew');
      used = true;
      return action$.pipe(groupCommit((batch) => (inFlight = write(batch))));
    });
  const close = async (): Promise<void> => {
    await inFlight.catch(() => undefined);
    await medium.close();
  };
  return { recovered: { ...recovered, generation }, storage, close: () => (closed ??= close()) };
}
