/** One of the three nodes: every second it adds one under its own name. */
import { exhaustMap, interval } from 'rxjs';
import { replica } from 'rxraft/adapters/replica';
import { place } from '../nodes.mjs';
import { initialState, reducer } from './reducer.mjs';

// Where the page comes from: pages of other origins are not let in.
const origins = process.env.ORIGINS?.split(',') ?? [];
const node = replica({ ...place, cluster: 'tally', origins, reducer, initialState });

node.leader$.subscribe((leader) => console.log(`${place.id} says: ${leader ?? 'nobody'} leads`));
interval(1000)
  .pipe(exhaustMap(() => node.dispatch({ by: place.id }).catch((error) => error)))
  .subscribe();

const stop = () => void node.stop().then(() => process.exit());
process.once('SIGINT', stop).once('disconnect', stop);
// Whoever started it may have ended before it listened.
if (process.connected === false) stop();
