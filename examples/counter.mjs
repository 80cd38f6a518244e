/** A counter that is the same in three processes, as in redux: every second each of them adds one. */
import { interval, exhaustMap } from 'rxjs';
import { replica } from 'rxraft/adapters/replica';
import { place } from './nodes.mjs';

const reducer = (sum, { add }) => ({ state: sum + add, result: sum + add });
const counter = replica({ ...place, reducer, initialState: 0 });

counter.leader$.subscribe((leader) => console.log(`${leader ?? 'nobody'} leads`));
counter.state$.subscribe((sum) => console.log(`the sum is ${sum}`)); // on every node
interval(1000)
  .pipe(exhaustMap(() => counter.dispatch({ add: 1 }).catch((error) => error.message)))
  .subscribe((verdict) => console.log(`I added one: ${verdict}`)); // I added one: 42

process.once('SIGINT', () => counter.stop().then(() => process.exit()));
