/**
 * One proposal, committed and applied by a cluster of one node, in three ways: by calling the node,
 * through the operator, and through the loop with adapters that answer at once. Two events each:
 * the proposal, and the answer of the disk.
 */
import { EMPTY, filter, ignoreElements, map, merge, Subject } from 'rxjs';
import type { Action, Adapters, Input } from '../../lib/index.js';
import { loop, Node, raft } from '../../lib/index.js';

export const eventsPerProposal = 2;

/** Does so many proposals. Each contender is a fresh node. */
export interface Contender {
  (proposals: number): void;
}

const config = { id: 'a', initialVoters: ['a'] };
const commands = [undefined];

/** `handle` and `take`, as the operator calls them. */
export function direct(): Contender {
  const node = new Node<undefined>(config);
  let applied = 0;
  const tell = (input: Input<undefined>): void => {
    node.handle(input);
    for (const action of node.take()) act(action);
    while (node.isMoreDue) for (const action of node.take()) act(action);
  };
  const act = (action: Action<undefined>): void => {
    if (action.type === 'persist') tell({ type: 'persisted', sequence: action.sequence });
    if (action.type === 'apply') applied += action.entries.length;
  };
  for (const action of node.take()) act(action);
  tell({ type: 'timedOut' });
  return (proposals) => {
    applied = 0;
    for (let proposal = 1; proposal <= proposals; proposal += 1) {
      tell({ type: 'proposed', proposal, commands });
    }
    check(applied, proposals);
  };
}

export function operator(): Contender {
  const input$ = new Subject<Input<undefined>>();
  let applied = 0;
  input$.pipe(raft<undefined>(config)).subscribe((action) => {
    if (action.type === 'persist') input$.next({ type: 'persisted', sequence: action.sequence });
    if (action.type === 'apply') applied += action.entries.length;
  });
  input$.next({ type: 'timedOut' });
  return (proposals) => {
    applied = 0;
    for (let proposal = 1; proposal <= proposals; proposal += 1) {
      input$.next({ type: 'proposed', proposal, commands });
    }
    check(applied, proposals);
  };
}

export function circle(): Contender {
  const timedOut$ = new Subject<{ readonly type: 'timedOut' }>();
  const proposed$ = new Subject<Extract<Input<undefined>, { type: 'proposed' }>>();
  let applied = 0;
  const adapters: Adapters<undefined> = {
    clock: (action$) => merge(timedOut$, action$.pipe(ignoreElements())),
    storage: map(({ sequence }) => ({ type: 'persisted', sequence }) as const),
    network: () => EMPTY,
    machine: (action$) => {
      const count$ = action$.pipe(
        map((action) => {
          if (action.type === 'apply') applied += action.entries.length;
        }),
      );
      return merge(proposed$, count$.pipe(ignoreElements()));
    },
  };
  loop(raft<undefined>(config), adapters)
    .pipe(filter((action) => action.type === 'dropped'))
    .subscribe((action) => {
      throw new Error(`nothing may be dropped here: ${action.type}`);
    });
  timedOut$.next({ type: 'timedOut' });
  return (proposals) => {
    applied = 0;
    for (let proposal = 1; proposal <= proposals; proposal += 1) {
      proposed$.next({ type: 'proposed', proposal, commands });
    }
    check(applied, proposals);
  };
}

function check(applied: number, proposals: number): void {
  if (applied !== proposals) throw new Error(`${applied} of ${proposals} were applied`);
}
