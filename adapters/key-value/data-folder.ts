/** A folder that a node may use. */
import { readdir } from 'node:fs/promises';
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
