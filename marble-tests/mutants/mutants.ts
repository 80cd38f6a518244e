/** All planted bugs. */
import { disks } from './list/disks.js';
import { edges } from './list/edges.js';
import { elections } from './list/elections.js';
import { membership } from './list/membership.js';
import { reads } from './list/reads.js';
import { replication } from './list/replication.js';
import { shell } from './list/shell.js';
import { snapshots } from './list/snapshots.js';
import type { Mutant } from './mutant.js';

export const mutants: readonly Mutant[] = [
  ...elections,
  ...replication,
  ...snapshots,
  ...membership,
  ...reads,
  ...shell,
  ...disks,
  ...edges,
];
