/** What whoever watches is told: what changes, from an index of the log on. */
import type { LogIndex } from '../../lib/position.js';
import type { Request, WatchAnswer } from './client-protocol.js';
import type { Changes, KeyChange } from './changes.js';
import type { State } from './reducer.js';

export interface Watched {
  readonly changes: Changes;
  readonly state: () => State;
  readonly applied: () => LogIndex;
}

/** Bytes of values in one answer, one value at the least. */
const answerBytes = 256 << 10;

/** Whose keys do not change is told about this often how far the log is. */
const silentEntries = 1000;

/**
 * Without an index: what changes from now on. What is not kept any more is replaced by the values
 * as they are, and that is said: also when a reader is so slow that the log overtakes it. Ends with
 * the signal. A sign of life comes after `idleMs` without one. Each answer is made when the one
 * before it has been taken.
 */
export async function* watching(
  request: Extract<Request, { readonly type: 'watch' }>,
  { changes, state, applied }: Watched,
  signal: AbortSignal,
  idleMs = 5000,
): AsyncGenerator<WatchAnswer> {
  const isMeant = matcherOf(request);
  let after = request.from === null ? applied() : request.from - 1;
  let said = after;
  yield { type: 'watching', index: after };
  while (!signal.aborted) {
    if (after < changes.base) {
      after = said = applied();
      yield* current(after, state(), isMeant);
      continue;
    }
    const [entry] = changes.after(after, 1);
    if (entry === undefined) {
      const isSilent = !(await changes.announced(signal, idleMs)) && !signal.aborted;
      if (isSilent) yield { type: 'watching', index: after };
      continue;
    }
    after = entry.index;
    const meant = entry.changes.filter(({ key }) => isMeant(key));
    if (meant.length > 0) yield { type: 'changes', index: after, changes: meant };
    else if (after - said >= silentEntries) yield { type: 'watching', index: after };
    else continue;
    said = after;
  }
}

/** The values as they are now, in pieces: they are never changed in place. */
function* current(
  index: LogIndex,
  { values }: State,
  isMeant: (key: Uint8Array) => boolean,
): Generator<WatchAnswer> {
  const all: KeyChange[] = [];
  for (const [name, value] of values) {
    const key = new Uint8Array(Buffer.from(name, 'latin1'));
    if (isMeant(key)) all.push({ key, value });
  }
  let piece: KeyChange[] = [];
  let bytes = 0;
  for (const pair of all) {
    piece.push(pair);
    bytes += pair.key.length + (pair.value?.length ?? 0);
    if (bytes < answerBytes) continue;
    yield { type: 'current', index, isLast: false, values: piece };
    piece = [];
    bytes = 0;
  }
  yield { type: 'current', index, isLast: true, values: piece };
}

function matcherOf({
  key: meant,
  isPrefix,
}: {
  readonly key: Uint8Array;
  readonly isPrefix: boolean;
}): (key: Uint8Array) => boolean {
  return (key) => {
    if (isPrefix ? key.length < meant.length : key.length !== meant.length) return false;
    return Buffer.compare(key.subarray(0, meant.length), meant) === 0;
  };
}
