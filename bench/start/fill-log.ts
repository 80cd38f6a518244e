/** A folder with a long log, as a node of its own would have written it: one put for each entry. */
import { firstValueFrom, lastValueFrom, share, Subject } from 'rxjs';
import type { StorageAction } from '../../lib/index.js';
import { clusterOf, entriesOf, lastPosition, origin } from '../../lib/index.js';
import { byteCodec } from '../../adapters/codec.js';
import { packBlock } from '../../adapters/key-value/commands.js';
import { levelStore } from '../../adapters/level-store.js';

/** Entries of one write. */
const entriesAtOnce = 1000;

export async function fillLog(folder: string, entries: number): Promise<void> {
  const codecs = { commands: byteCodec, snapshots: byteCodec };
  const store = await levelStore({ folder, cluster: 'bench', node: 'n1', ...codecs });
  const action$ = new Subject<StorageAction<Uint8Array, Uint8Array>>();
  const persisted$ = action$.pipe(store.storage, share());
  const closed = lastValueFrom(persisted$);
  let sequence = 0;
  const persist = async (
    written: Pick<StorageAction<Uint8Array, Uint8Array>, 'hardState' | 'entries'>,
  ): Promise<void> => {
    const answer = firstValueFrom(persisted$);
    action$.next({ type: 'persist', sequence: (sequence += 1), snapshot: null, ...written });
    await answer;
  };
  const first = entriesOf<Uint8Array>(origin, [
    { type: 'config', config: clusterOf(['n1']) },
    { type: 'term', term: 1 },
  ]);
  await persist({ hardState: { currentTerm: 1, votedFor: 'n1' }, entries: first });
  let position = lastPosition(first);
  while (position.index < entries) {
    const list = Array.from({ length: entriesAtOnce }, (_, at) => ({
      type: 'command' as const,
      command: blockOf(position.index + at),
    }));
    const more = entriesOf(position, list);
    await persist({ hardState: null, entries: more });
    position = lastPosition(more);
  }
  action$.complete();
  await closed;
  await store.close();
}

function blockOf(number: number): Uint8Array {
  const key = Buffer.alloc(8);
  key.writeUInt32BE(number % 10_000, 4);
  return packBlock([{ type: 'put', key, value: Buffer.alloc(128, 1), condition: null }]);
}
