/**
 * What each node does with the recipes, all the time. Everything that happens outside of the log is
 * a line of JSON in a file that all nodes append to, in the folder of the campaign:
 *
 *     tasks.log       [name]                a task whose command was acknowledged
 *     effects.log     [name, index, offset] the effect of a task
 *     jobs.log        [firing, id]          a job that has run
 *     locks.log       [token, run]          a lock that was got
 *     leaders.log     [term, run]           the leader's work has begun
 *     rates.log       see `rate.mjs`
 *     settings.log    see `settings.mjs`
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  catchError,
  defer,
  distinctUntilChanged,
  EMPTY,
  exhaustMap,
  interval,
  map,
  merge,
  mergeMap,
  repeat,
  retry,
  switchMap,
  take,
  tap,
  timer,
} from 'rxjs';
import { effects } from 'rxraft/adapters/recipes/effects';
import { runOnce } from 'rxraft/adapters/recipes/jobs';
import { lock } from 'rxraft/adapters/recipes/locks';
import { slice } from 'rxraft/adapters/recipes/slices';
import { whileLeader } from 'rxraft/adapters/recipes/while-leader';
import { useRate } from './rate.mjs';
import { useSettings } from './settings.mjs';

const taskMs = 300;
const jobMs = 500;

/** A holder that vanishes holds a lock for so long. */
const lockMs = 3000;

/** Who has got a lock keeps it for so long. */
const holdMs = 700;

/**
 * `run`: of this process alone. Nothing new is asked for any more after `quiet`; `granted` is how
 * often the limit of the rate has let it do something.
 */
export function useRecipes(node, parts, { folder, run, alarm }) {
  // A line that a kill or a small disk has torn ends where the next one begins.
  const note = (file, ...fields) =>
    appendFileSync(join(folder, `${file}.log`), `\n${JSON.stringify(fields)}`);
  const tasks = slice(node, parts, 'tasks');
  const jobs = slice(node, parts, 'jobs');
  const locks = slice(node, parts, 'locks');

  const asked$ = interval(taskMs).pipe(
    map((count) => `${run}, task ${count}`),
    exhaustMap((name) =>
      defer(() => tasks.dispatch({ type: 'do', command: { name } })).pipe(
        tap(() => note('tasks', name)),
        catchError(() => EMPTY),
      ),
    ),
  );
  const done$ = effects(tasks, (due$) =>
    due$.pipe(
      mergeMap((due) =>
        defer(async () => {
          const { command, at } = due;
          note('effects', command.name, at.index, at.offset);
          return due;
        }).pipe(retry({ delay: 200 })),
      ),
    ),
  );
  const firing$ = interval(jobMs / 4).pipe(
    map(() => Math.floor(Date.now() / jobMs)),
    distinctUntilChanged(),
  );
  const job$ = runOnce(jobs, 'the job', firing$, async (firing) => note('jobs', firing, node.id));
  const held$ = lock(locks, 'the lock', { owner: run, forMs: lockMs }).pipe(
    tap((token) => note('locks', token, run)),
    switchMap(() => timer(holdMs)),
    take(1),
    repeat({ delay: 50 }),
  );
  const led$ = whileLeader(node, async ({ term }) => note('leaders', term, run));
  const rate = useRate(slice(node, parts, 'rates'), { note, run });
  const settings = useSettings(slice(node, parts, 'settings'), { note, run, alarm });
  // A small disk: what could not be noted has not happened.
  const again = retry({ delay: 500 });
  const asking = [asked$, job$, held$, rate.granted$, settings.edited$].map((each$) =>
    each$.pipe(again),
  );
  const answering = [done$, led$, settings.told$].map((each$) => each$.pipe(again));
  merge(...answering).subscribe();
  const subscription = merge(...asking).subscribe();
  return {
    quiet: () => subscription.unsubscribe(),
    get granted() {
      return rate.granted;
    },
  };
}
