/** A job every second, run by one of three processes at a time; kill the one that runs it. */
import { map, timer } from 'rxjs';
import { jobs, runOnce } from 'rxraft/adapters/recipes/jobs';
import { whileLeader } from 'rxraft/adapters/recipes/while-leader';
import { replica } from 'rxraft/adapters/replica';
import { place } from './nodes.mjs';

const node = replica({ ...place, ...jobs });

// The leader has the schedule; the claim in the log keeps a deposed one from firing too.
whileLeader(node, ({ term }) => {
  const firing$ = timer(0, 1000).pipe(map(() => Math.floor(Date.now() / 1000)));
  return runOnce(node, 'report', firing$, async (second) => `report ${second} in term ${term}`);
}).subscribe((line) => console.log(line)); // report 1790000000 in term 3

process.once('SIGINT', () => node.stop().then(() => process.exit()));
