/** What the recipes promise, by what the nodes have noted of them: see `recipes.mjs`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { linesOfFile } from '../../trace/trace-lines.js';
import { judgeSettings } from './settings-told.js';

type Field = string | number;
type Fields = readonly Field[];

/** What all nodes together may do in a window: see `rate.mjs`. */
const rateLimit = 5;

/**
 * Reports what was not kept, and gives how much there was of each. `last`: the nodes that were
 * there in the end.
 */
export function judgePromises(
  folder: string,
  last: readonly string[],
  fault: (text: string) => void,
): string {
  const read = (name: string): readonly Fields[] => fieldsOf(join(folder, `${name}.log`));
  const [tasks, effects, jobs] = [read('tasks'), read('effects'), read('jobs')];
  const [locks, leaders, rates] = [read('locks'), read('leaders'), read('rates')];
  const places = new Map<Field, string>();
  for (const [name = '', index, offset] of effects) {
    const place = `${index}.${offset}`;
    const before = places.get(name) ?? place;
    if (before !== place) fault(`the effect of ${name} is of ${before}, and of ${place}`);
    places.set(name, place);
  }
  for (const [name = ''] of tasks) {
    if (!places.has(name)) fault(`${name} was acknowledged, and never had its effect`);
  }
  const firings = new Set<Field>();
  for (const [firing = '', id] of jobs) {
    if (firings.has(firing)) fault(`the job of ${firing} has run again, on ${id}`);
    firings.add(firing);
  }
  refuseShared(locks, 'the lock has the token', fault);
  refuseShared(leaders, 'the work of a leader has the term', fault);
  const settings = judgeSettings(read('settings'), last, fault);
  return [
    `tasks ${tasks.length}, effects ${effects.length}, jobs ${jobs.length}`,
    `locks ${locks.length}, leaders ${leaders.length}`,
    refuseTooMany(rates, fault),
    settings,
  ].join(', ');
}

function refuseTooMany(grants: readonly Fields[], fault: (text: string) => void): string {
  const counts = new Map<Field, number>();
  for (const [window = ''] of grants) counts.set(window, (counts.get(window) ?? 0) + 1);
  for (const [window, count] of counts) {
    if (count > rateLimit) fault(`${count} were granted in window ${window}, of ${rateLimit}`);
  }
  const full = [...counts.values()].filter((count) => count === rateLimit).length;
  return `granted ${grants.length} in ${counts.size} windows, ${full} of them full`;
}

/** A number belongs to one process alone. */
function refuseShared(list: readonly Fields[], what: string, fault: (text: string) => void): void {
  const owners = new Map<Field, Field>();
  for (const [number = '', run = ''] of list) {
    const owner = owners.get(number) ?? run;
    if (owner !== run) fault(`${what} ${number} at ${owner}, and at ${run}`);
    owners.set(number, owner);
  }
}

function fieldsOf(path: string): readonly Fields[] {
  if (!existsSync(path)) return [];
  return [...linesOfFile(path)].flatMap((line) => {
    try {
      return [JSON.parse(line) as Fields];
    } catch {
      // Torn, or empty.
      return [];
    }
  });
}
