/** The policy for snapshots on any network (§7): one transfer per peer. */
import type { Observable } from 'rxjs';
import { endWith, exhaustMap, groupBy, mergeMap } from 'rxjs';
import type { NetworkAction } from '../lib/action.js';
import type { NetworkInput } from '../lib/input.js';

type SnapshotSent = Extract<NetworkInput, { readonly type: 'snapshotSent' }>;

export type InstallSnapshot<C, S> = Extract<
  NetworkAction<C, S>,
  { readonly type: 'installSnapshot' }
>;

/**
 * Runs the transfers that are asked for: those to one peer never side by side, the next ones are
 * ignored while one runs. Each that ran ends with one `snapshotSent`. A transfer that fails is its
 * error.
 *
 *     install$      -a-a-b-----a---     a, b: to these peers
 *     transfers     ----A----B----A     A, B: snapshotSent to these peers
 */
export function transfers<C, S>(
  install$: Observable<InstallSnapshot<C, S>>,
  transfer: (install: InstallSnapshot<C, S>) => Observable<never>,
): Observable<SnapshotSent> {
  return install$.pipe(
    groupBy(({ to }) => to),
    mergeMap((group$) =>
      group$.pipe(
        exhaustMap((install) =>
          transfer(install).pipe(endWith({ type: 'snapshotSent' as const, to: install.to })),
        ),
      ),
    ),
  );
}
