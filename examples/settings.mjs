/** A limit that all processes see at once; each adds one to it every two seconds, after the other. */
import { timer } from 'rxjs';
import { liveSettings, settings } from 'rxraft/adapters/recipes/settings';
import { replica } from 'rxraft/adapters/replica';
import { place } from './nodes.mjs';

const node = replica({ ...place, ...settings });
const live = liveSettings(node, { limit: 10 });

live
  .value$('limit')
  .subscribe((limit) => console.log(`${place.id} works with a limit of ${limit}`));

const raise = async () => {
  const { value, version } = await live.read('limit');
  await live.set('limit', value + 1, version);
};

// Another was first, or there is no leader yet: then it is the next time.
timer(1000, 2000).subscribe(() => raise().catch(({ message }) => console.log(message)));

process.once('SIGINT', () => node.stop().then(() => process.exit()));
