/**
 * All nodes follow and change some settings. Lines of `settings.log`, with times in microseconds of
 * the clock of the machine, which all processes share:
 *
 *     ["told", name, version, value, id, run]     a process was told of a value
 *     ["read", name, version, value, begin]       a linearizable read
 *     ["set", name, version, value, begin, end, expected]    acknowledged; null: expected nothing
 *     ["refused", name, version, begin]           somebody else was first
 */
import process from 'node:process';
import { catchError, EMPTY, exhaustMap, from, interval, merge, tap } from 'rxjs';
import { liveSettings, SettingChanged } from 'rxraft/adapters/recipes/settings';

const defaults = { pace: 'none', color: 'none' };
const names = Object.keys(defaults);
const editMs = 150;

/** Of so many changes one replaces whatever is there. */
const blindEvery = 4;

function clock() {
  return Number(process.hrtime.bigint() / 1000n);
}

export function useSettings(settings, { note, run, alarm }) {
  const live = liveSettings(settings, defaults);
  const told$ = merge(
    ...names.map((name) =>
      live.value$(name).pipe(
        tap((value) => {
          const present = live.value(name);
          if (present !== value) alarm(`${name} is ${present}, and ${value} is told`);
          const version = settings.state[name]?.version ?? 0;
          note('settings', 'told', name, version, value, settings.id, run);
        }),
      ),
    ),
  );
  let edits = 0;
  /** Lines: what is under way when it is unsubscribed is not written down any more. */
  async function* edit() {
    edits += 1;
    const value = `${run}, edit ${edits}`;
    const name = names[edits % names.length];
    const readAt = clock();
    const found = await live.read(name);
    yield ['read', name, found.version, found.value, readAt];
    const expected = edits % blindEvery === 0 ? null : found.version;
    const setAt = clock();
    try {
      const version = await live.set(name, value, expected ?? undefined);
      yield ['set', name, version, value, setAt, clock(), expected];
    } catch (error) {
      if (!(error instanceof SettingChanged)) throw error;
      yield ['refused', name, error.version, setAt];
    }
  }
  const edited$ = interval(editMs).pipe(
    exhaustMap(() =>
      from(edit()).pipe(
        tap((line) => note('settings', ...line)),
        catchError(() => EMPTY),
      ),
    ),
  );
  return { told$, edited$ };
}
