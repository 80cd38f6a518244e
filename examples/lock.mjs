/** Three processes want one lock; whoever has it keeps it for two seconds, and shows its token. */
import { repeat, takeUntil, timer } from 'rxjs';
import { lock, locks } from 'rxraft/adapters/recipes/locks';
import { replica } from 'rxraft/adapters/replica';
import { place } from './nodes.mjs';

const node = replica({ ...place, ...locks });

lock(node, 'printer')
  .pipe(takeUntil(timer(2000)), repeat({ delay: 100 }))
  .subscribe((token) => console.log(`${place.id} prints, with token ${token}`));

process.once('SIGINT', () => node.stop().then(() => process.exit()));
