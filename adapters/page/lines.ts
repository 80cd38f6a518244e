/** The page's lines to all nodes: whom it finds first, and then whom the one that leads knows. */
import type { BehaviorSubject, Observable } from 'rxjs';
import { endWith, filter, mergeMap, pairwise, share, startWith, takeUntil, tap } from 'rxjs';
import type { NodeId } from '../../lib/position.js';
import type { Dial, LinkEvent } from './link.js';
import { link } from './link.js';
import type { Model } from './model.js';

/** Where nodes are, as `host:port`. */
export type Members = Readonly<Record<NodeId, string>>;

/**
 * What comes over all of them, when the model has heard it. A line stays while its node is where it
 * was, whoever else comes or goes; one that is given up ends with `down`, for whoever waits on it.
 */
export function lines(
  model: Model,
  members$: BehaviorSubject<Members>,
  dial: Dial,
): Observable<LinkEvent> {
  return members$.pipe(
    tap((members) => model.setMembers(members)),
    startWith<Members>({}),
    pairwise(),
    mergeMap(([before, after]) =>
      Object.entries(after).filter(([id, address]) => before[id] !== address),
    ),
    mergeMap(([id, address]) =>
      link(id, address, dial).pipe(
        takeUntil(members$.pipe(filter((members) => members[id] !== address))),
        endWith<LinkEvent>({ type: 'down', id }),
      ),
    ),
    tap((event) => {
      model.onLink(event, performance.now());
      if (event.type !== 'frame' || event.frame.type !== 'status') return;
      const { members } = event.frame;
      if (isGuide(model, event.id)) members$.next(members);
      else if (isLost(model) && namesMore(members, members$.value)) {
        members$.next({ ...members, ...members$.value });
      }
    }),
    share(),
  );
}

/**
 * A page that was loaded from a node that had just come knows this one alone, and if it goes before
 * it has heard of a leader, the page would never know another. Whoever is named too much is gone
 * with the first word of a leader.
 */
function isLost(model: Model): boolean {
  return model.leader === null && !model.hasQuorum;
}

function namesMore(members: Members, known: Members): boolean {
  return Object.keys(members).some((id) => !Object.hasOwn(known, id));
}

/**
 * A node that lags behind knows less: the leader's word counts. Where all who led have been
 * replaced while the page slept, the word of the one that names a leader whom it does not know.
 */
function isGuide({ leader, witness, nodes }: Model, id: NodeId): boolean {
  if (leader !== null) return id === leader.id;
  return id === witness?.id && !nodes.has(witness.leader);
}
