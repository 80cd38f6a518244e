/** How a node that was told only whom to ask comes to the name of its cluster. */
import type { Observable } from 'rxjs';
import { defer, filter, firstValueFrom, map, merge, repeat, take } from 'rxjs';
import { ownerOf } from '../level-store.js';
import { askStatus } from './ask-status.js';

export interface JoinOptions {
  readonly folder: string;
  readonly contacts: readonly string[];
  readonly stop$: Observable<unknown>;
  /** Nobody has answered yet. Told once. */
  readonly onSilence: () => void;
  /** Between two rounds of questions. Default 500. */
  readonly pauseMs?: number;
}

/**
 * The name that stands in the folder: a node that has joined needs nobody to start again. Else the
 * one that the first of the contacts says, asked until one answers. Null when `stop$` comes first.
 * Rejects with a StoreError.
 */
export async function joinedCluster(options: JoinOptions): Promise<string | null> {
  const { folder, contacts, stop$, onSilence, pauseMs = 500 } = options;
  const owner = await ownerOf(folder);
  if (owner !== null) return owner.cluster;
  let isSilent = false;
  const round = async (): Promise<string | null> => {
    for (const address of contacts) {
      const status = await askStatus(address, 1500);
      if (!(status instanceof Error)) return status.cluster;
    }
    if (!isSilent) onSilence();
    isSilent = true;
    return null;
  };
  const found$ = defer(round).pipe(
    repeat({ delay: pauseMs }),
    filter((cluster) => cluster !== null),
    take(1),
  );
  return firstValueFrom(merge(found$, stop$.pipe(map(() => null))), { defaultValue: null });
}
