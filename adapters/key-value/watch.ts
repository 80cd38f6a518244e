/** What whoever watches is told: what changes, from an index of the log on. */
import type { LogIndex, NodeId } from '../../lib/position.js';
import type { Request, WatchAnswer } from './client-protocol.js';
import type { KeyChange } from './changes.js';
import type { Picture, Pictured } from './pictures.js';
import { pictureOf, pictureOfKey } from './pictures.js';

type WatchRequest = Extract<Request, { readonly type: 'watch' }>;

export interface Watched extends Pictured {
  /** As far as this node knows. */
  readonly leader: () => NodeId | null;
}

/** Bytes of keys and values in one answer, one pair at the least. */
const answerBytes = 256 << 10;

/** Each pair costs time and memory beside its bytes, as these do. */
const pairBytes = 256;

/** So many keys are looked at in one turn. */
const keysAtOnce = 8192;

/** Whose keys do not change is told about this often how far the log is. */
const silentEntries = 1000;

/** Signs of life of a node that can have nothing to tell; instead of the next one it ends. */
const vainSigns = 2;

/**
 * Without an index: what changes from now on, which is from what this node has applied: of one that
 * is behind, older changes come first. What is not kept any more is replaced by the values as they
 * are, and that is said: also when a reader is so slow that the log overtakes it. Ends with the
 * signal. A sign of life comes after `idleMs` without one. Throws when there have been some in
 * vain, because this node hears of no leader, or has not come to the index: another one may know
 * more. Each answer is made when the one before it has been taken.
 */
export async function* watching(
  request: WatchRequest,
  watched: Watched,
  signal: AbortSignal,
  idleMs = 5000,
): AsyncGenerator<WatchAnswer> {
  const { changes, applied } = watched;
  const isMeant = matcherOf(request);
  let after = request.from === null ? applied() : request.from - 1;
  let said = after;
  let saidAt = performance.now();
  let vain = 0;
  yield { type: 'watching', index: after };
  while (!signal.aborted) {
    if (after < changes.base) {
      const picture = request.isPrefix
        ? pictureOf(watched)
        : pictureOfKey(watched, nameOf(request));
      after = said = picture.index;
      yield* current(picture, request);
      saidAt = performance.now();
      continue;
    }
    const [entry] = changes.after(after, 1);
    const restMs = saidAt + idleMs - performance.now();
    if (entry === undefined && restMs > 0) {
      await changes.announced(signal, restMs);
      continue;
    }
    after = entry?.index ?? after;
    const meant = entry?.changes.filter(({ key }) => isMeant(key)) ?? [];
    if (meant.length > 0) {
      vain = 0;
      yield { type: 'changes', index: after, changes: meant };
    } else if (restMs <= 0 || after - said >= silentEntries) {
      const fault = faultOf(watched, after);
      vain = fault === null ? 0 : vain + 1;
      if (fault !== null && vain > vainSigns) throw new Error(fault);
      yield { type: 'watching', index: after };
    } else {
      continue;
    }
    said = after;
    saidAt = performance.now();
  }
}

/** Why this node has nothing to tell whoever has been told all up to this index, or null. */
function faultOf({ leader, applied }: Watched, after: LogIndex): string | null {
  if (leader() === null) return 'this node hears of no leader';
  return after > applied() ? `this node has come to ${applied()}, and not yet to ${after}` : null;
}

/** The values of a picture, in pieces, each in a turn of its own: the node has more to do. */
async function* current(
  { index, names, values }: Picture,
  request: WatchRequest,
): AsyncGenerator<WatchAnswer> {
  const meant = nameOf(request);
  let piece: KeyChange[] = [];
  let bytes = 0;
  for (const [at, value] of values.entries()) {
    if (at % keysAtOnce === keysAtOnce - 1) await new Promise(setImmediate);
    const name = names[at] ?? '';
    if (!name.startsWith(meant)) continue;
    const key = new Uint8Array(Buffer.from(name, 'latin1'));
    piece.push({ key, value });
    bytes += pairBytes + key.length + value.length;
    if (bytes < answerBytes) continue;
    yield { type: 'current', index, isLast: false, values: piece };
    piece = [];
    bytes = 0;
    await new Promise(setImmediate);
  }
  yield { type: 'current', index, isLast: true, values: piece };
}

function nameOf({ key }: WatchRequest): string {
  return Buffer.from(key).toString('latin1');
}

function matcherOf({ key: meant, isPrefix }: WatchRequest): (key: Uint8Array) => boolean {
  return (key) => {
    if (isPrefix ? key.length < meant.length : key.length !== meant.length) return false;
    return Buffer.compare(key.subarray(0, meant.length), meant) === 0;
  };
}
