/** A process of its own for one hunt: a planted bug may run for ever, or take the process down. */
import { hunt } from './hunt.js';
import type { Word } from './workshop.js';

const say = (word: Word): void => void process.send?.(word);

// It is ended when its last word has been heard, or when nobody is there to hear it.
process.once('disconnect', () => process.exit());
say({ type: 'ready' });
const seeds = Number(process.argv[2]);
const caught = await hunt(seeds, (seed) => say({ type: 'seed', seed }));
say({ type: 'end', caught });
