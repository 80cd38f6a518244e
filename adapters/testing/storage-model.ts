/** What a store must find again, as a model that is too simple to be wrong, and chance for it. */
import type { HardState, StorageAction } from '../../lib/action.js';
import { clusterOf, toJointConsensus } from '../../lib/cluster-config.js';
import type { Recovered } from '../../lib/config.js';
import type { LogEntry, PositionedEntry } from '../../lib/entries.js';
import { emptyEntries, entriesOf, positionedEntries } from '../../lib/entries.js';
import type { LogPosition } from '../../lib/position.js';
import { origin, samePosition } from '../../lib/position.js';
import type { Snapshot } from '../../lib/snapshot.js';

export type Bytes = Uint8Array;

/** What one `persist` says, without its number. */
export type Write = Partial<Omit<StorageAction<Bytes, Bytes>, 'type' | 'sequence'>>;

/** What is remembered, but for the generation: the log as a list of its entries. */
export interface Memory {
  readonly hardState: HardState;
  readonly snapshot: Snapshot<Bytes> | null;
  /** Where the log begins. */
  readonly base: LogPosition;
  readonly log: readonly PositionedEntry<Bytes>[];
}

export const nothing: Memory = {
  hardState: { currentTerm: 0, votedFor: null },
  snapshot: null,
  base: origin,
  log: [],
};

/** The memory after a write. */
export function remember(memory: Memory, { hardState, snapshot, entries }: Write): Memory {
  let { base, log } = memory;
  if (snapshot) {
    const { position } = snapshot;
    const known = [base, ...log.map((each) => each.position)];
    const prefix = known.some((each) => samePosition(each, position));
    log = prefix ? log.filter((each) => each.position.index > position.index) : [];
    base = position;
  }
  if (entries) {
    const last = entries.prevPosition.index;
    const kept = log.filter((each) => each.position.index <= last);
    log = [...kept, ...positionedEntries(entries)];
  }
  return {
    hardState: hardState ?? memory.hardState,
    snapshot: snapshot ?? memory.snapshot,
    base,
    log,
  };
}

/** What a store found again, in the same form. */
export function memoryOf(recovered: Recovered<Bytes, Bytes>): Memory {
  const { currentTerm, votedFor, snapshot } = recovered;
  const entries = recovered.entries ?? emptyEntries(snapshot?.position ?? origin);
  return {
    hardState: { currentTerm, votedFor },
    snapshot,
    base: entries.prevPosition,
    log: [...positionedEntries(entries)],
  };
}

export function lastPositionOf({ base, log }: Memory): LogPosition {
  return log.at(-1)?.position ?? base;
}

/** Numbers from 0 to 1, the same for the same seed. */
export type Chance = () => number;

/** The generator "mulberry32". */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer from `least` to `most`, both included. */
export function between(chance: Chance, least: number, most: number): number {
  return least + Math.floor(chance() * (most - least + 1));
}

/** A write that a node with this memory could ask for. */
export function randomWrite(chance: Chance, memory: Memory): Write {
  const term = memory.hardState.currentTerm + (chance() < 0.3 ? between(chance, 1, 3) : 0);
  const votedFor = chance() < 0.5 ? null : 'b';
  const changed = term > memory.hardState.currentTerm || chance() < 0.1;
  const hardState = changed ? { hardState: { currentTerm: term, votedFor } } : {};
  const kind = chance();
  if (kind < 0.1) return { ...hardState, ...foreignSnapshot(chance, memory, term) };
  const snapshot = kind < 0.25 ? ownSnapshot(chance, memory) : {};
  if (changed && chance() < 0.3) return { ...hardState, ...snapshot };
  const entries = randomEntries(chance, remember(memory, snapshot), term);
  return { ...hardState, ...snapshot, entries };
}

/** The machine's own snapshot: at some place of the log. */
function ownSnapshot(chance: Chance, { log }: Memory): Write {
  const place = log[between(chance, 0, log.length - 1)];
  return place ? { snapshot: snapshotAt(chance, place.position) } : {};
}

/** A leader's snapshot, of another history or of a longer one. */
function foreignSnapshot(chance: Chance, memory: Memory, currentTerm: number): Write {
  const index = between(chance, memory.base.index + 1, lastPositionOf(memory).index + 3);
  const term = Math.max(lastPositionOf(memory).term, currentTerm);
  const snapshot = snapshotAt(chance, { term, index });
  const cut = remember(remember(memory, { snapshot }), { entries: emptyEntries({ term, index }) });
  const hardState = { currentTerm: Math.max(term, 1), votedFor: null };
  return { hardState, snapshot, entries: randomEntries(chance, cut, term) };
}

function snapshotAt(chance: Chance, position: LogPosition): Snapshot<Bytes> {
  return { position, config: clusterOf(['a', 'b', 'c']), data: randomBytes(chance) };
}

function randomEntries(chance: Chance, memory: Memory, currentTerm: number) {
  const places = [memory.base, ...memory.log.map((each) => each.position)];
  const back = chance() < 0.7 ? 0 : between(chance, 0, places.length - 1);
  const prevPosition = places.at(-1 - back) ?? memory.base;
  const list: LogEntry<Bytes>[] = [];
  const term = Math.max(currentTerm, prevPosition.term);
  if (term > prevPosition.term) list.push({ type: 'term', term });
  for (let more = between(chance, 0, 3); more > 0; more -= 1) list.push(randomEntry(chance));
  return entriesOf(prevPosition, list);
}

function randomEntry(chance: Chance): LogEntry<Bytes> {
  if (chance() < 0.8) return { type: 'command', command: randomBytes(chance) };
  const config = clusterOf(['a', 'b', 'c']);
  return { type: 'config', config: chance() < 0.5 ? config : toJointConsensus(config, ['d'], []) };
}

function randomBytes(chance: Chance): Bytes {
  return Uint8Array.from({ length: between(chance, 0, 40) }, () => between(chance, 0, 255));
}
