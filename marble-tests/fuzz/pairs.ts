/**
 * What is kept in a store, flipped, cut, swapped, lost, or written by a stranger who knows how
 * checksums are made.
 */
import { Unpackr } from 'msgpackr';
import { byteCodec } from '../../adapters/codec.js';
import { faultOfValue } from '../../adapters/plain-value.js';
import { Ledger } from '../../adapters/store-ledger.js';
import * as records from '../../adapters/store-records.js';
import type { Random } from '../../adapters/testing/simulation/random.js';
import { entriesOf, truncate } from '../../lib/entries.js';
import { entries } from './core.js';
import type { Edge } from './edge.js';
import { mutateBytes, mutateValue } from './mutate.js';
import { packedMutant } from './packed.js';

/** A key, and what stands under it. */
export type Pair = readonly [Uint8Array, Uint8Array];

export const identity = { cluster: 'ours', node: 'a' };
export const codecs = { commands: byteCodec, snapshots: byteCodec };
const more = entriesOf({ term: 3, index: 6 }, [
  { type: 'term', term: 4 },
  { type: 'command', command: Uint8Array.of(8) },
]);

/** What is in a store after some batches, in the order of its keys. */
function stored(hasSnapshot: boolean): Pair[] {
  const ledger = new Ledger<Uint8Array, Uint8Array>(records.pristineHead, codecs);
  const found = new Map<string, Pair>();
  const config = { voters: ['a', 'b', 'c'], newVoters: [], nonVoters: [] };
  const snapshot = { position: { term: 2, index: 3 }, config, data: Uint8Array.of(1, 2) };
  const hardState = { currentTerm: 4, votedFor: 'b' };
  const batches = [
    [{ hardState, entries: truncate(entries, 4), snapshot: null }],
    [{ hardState: null, entries: { ...afterFour(), prevPosition: { term: 2, index: 4 } } }],
    ...(hasSnapshot ? [[{ snapshot }]] : []),
    [{ entries: more }],
  ];
  for (const [at, batch] of batches.entries()) {
    for (const operation of ledger.batchOf(batch, at === 0 ? 1 : undefined)) {
      const key = Buffer.from(operation.key).toString('latin1');
      if (operation.type === 'del') found.delete(key);
      else found.set(key, [operation.key, operation.value]);
    }
  }
  found.set('identity', [records.identityKey, records.sealIdentity(identity)]);
  return sorted([...found.values()]);
}

function afterFour(): typeof entries {
  return entriesOf({ term: 2, index: 4 }, [
    { type: 'term', term: 3 },
    { type: 'command', command: Uint8Array.of(3) },
    { type: 'command', command: Uint8Array.of(4) },
  ]);
}

function sorted(pairs: readonly Pair[]): Pair[] {
  return [...pairs].sort(([a], [b]) => Buffer.compare(a, b));
}

const stores = [stored(false), stored(true)];
/** What stands in records and snapshots, behind checksum and number. */
const bodies = new Map<Uint8Array, unknown>();
const unpackr = new Unpackr({ useRecords: false });
for (const [key, sealed] of stores.flat()) {
  if (/^(identity|head)$/.test(Buffer.from(key).toString())) continue;
  bodies.set(sealed, unpackr.unpack(sealed.slice(13)));
}
const head = { ...records.pristineHead, batch: 4, currentTerm: 4, firstRecord: 1, nextRecord: 4 };

/** What can't be written can't be found either. */
function plainOr<T>(value: unknown, otherwise: T): T {
  return faultOfValue(value, 60) === null ? (value as T) : otherwise;
}

/** With a right checksum, and something else behind it. */
function resealed(random: Random, [key, sealed]: Pair): Pair {
  const name = Buffer.from(key).toString('latin1');
  if (name === 'identity') {
    const stranger = plainOr(mutateValue(random, identity), identity);
    return [key, records.sealIdentity(stranger)];
  }
  if (name === 'head') return [key, records.sealHead(plainOr(mutateValue(random, head), head))];
  const body = bodies.get(sealed);
  if (body === undefined) return [key, mutateBytes(random, sealed)];
  const number = random.chance(0.7) ? records.readNumber(sealed.slice(5, 13)) : random.below(6);
  return [key, records.sealNumbered(key, number, packedMutant(random, [body]))];
}

function mutated(random: Random, pairs: readonly Pair[]): Pair[] {
  const copy = [...pairs];
  const at = random.below(copy.length);
  const pair = copy[at];
  const other = copy[random.below(copy.length)];
  if (pair === undefined || other === undefined) return copy;
  switch (random.below(6)) {
    case 0:
      copy.splice(at, 1);
      break;
    case 1:
      copy[at] = [pair[0], other[1]];
      break;
    case 2:
      copy[at] = [pair[0], mutateBytes(random, pair[1])];
      break;
    case 3:
      copy[at] = [mutateBytes(random, pair[0]), pair[1]];
      break;
    default:
      copy[at] = resealed(random, pair);
  }
  return sorted(copy);
}

/** The parts of an edge whose inputs are the pairs of a store. */
export const ofPairs: Pick<Edge<readonly Pair[]>, 'generate' | 'smaller' | 'show'> = {
  generate(random) {
    const once = mutated(random, random.pick(stores) ?? []);
    return random.chance(0.5) ? once : mutated(random, once);
  },
  *smaller(pairs) {
    for (const each of pairs) yield pairs.filter((other) => other !== each);
  },
  show: (pairs) => pairs.map(([key, value]) => `${latin(key)}: ${hex(value)}`).join('\n'),
};

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
