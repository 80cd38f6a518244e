/** A folder that a node may use. */
import { readdir } from 'node:fs/promises';
import type { LevelStoreOptions } from '../level-store.js';
import { levelStore, ownerOf } from '../level-store.js';
import type { Store } from '../storage.js';
import { StoreError } from '../storage.js';

/** How the files of a store are named. */
const storeFile =
  /^(CURRENT|LOCK|LOG(\.old)?|MANIFEST-\d+|\d+\.(log|ldb|sst|dbtmp)|acknowledged.*)$/;

/** A folder with other things in it is somebody's: nothing is to be written among them. */
export async function refuseForeignFolder(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    const mend = 'choose a folder that this user may read and write';
    throw new StoreError('failed', folder, `${mend} (${message})`, { cause: error });
  }
  const [stranger] = names.filter((name) => !storeFile.test(name));
  if (stranger === undefined || names.some((name) => storeFile.test(name))) return;
  const mend = `it holds other things, such as ${stranger}: choose a new or an empty folder`;
  throw new StoreError('foreign', folder, mend);
}

/**
 * The store of a folder. Rejects as `levelStore` does, and for the folder of another cluster with
 * what the operator can say: whoever edits the list of the first nodes changes the cluster's name.
 */
export async function storeOf<C, S>(options: LevelStoreOptions<C, S>): Promise<Store<C, S>> {
  try {
    return await levelStore(options);
  } catch (error) {
    const isForeign = error instanceof StoreError && error.reason === 'foreign';
    const owner = isForeign ? await ownerOf(options.folder) : null;
    if (!isForeign || owner?.node !== options.node) throw error;
    const [name, other] = [owner.cluster, options.cluster].map((each) => JSON.stringify(each));
    const mend =
      `it belongs to cluster ${name}, not to ${other}. The ids of the first nodes are the name ` +
      `of a cluster that has no other: give them as they were (--peers, or --ports), or say ` +
      `--cluster ${name}; for a new cluster choose a new folder`;
    throw new StoreError('foreign', error.culprit, mend, { cause: error });
  }
}
