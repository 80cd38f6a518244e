/**
 * What every storage must do, whatever it writes on. A storage of your own is tested with this:
 *
 *     storageAcceptance(it, async () => {
 *       const folder = await mkdtemp(join(tmpdir(), 'store-'));
 *       return { open: () => myStore(folder), remove: () => rm(folder, { recursive: true }) };
 *     });
 */
import { clusterOf } from '../../lib/cluster-config.js';
import { recoveredOf } from '../../lib/config.js';
import type { LogEntry } from '../../lib/entries.js';
import { emptyEntries, entriesOf } from '../../lib/entries.js';
import type { LogPosition } from '../../lib/position.js';
import { origin } from '../../lib/position.js';
import { check, checkEqual } from './check.js';
import type { Bytes, Memory, Write } from './storage-model.js';
import { between, chanceOf, memoryOf, nothing, randomWrite, remember } from './storage-model.js';
import type { StoragePlace } from './storage-run.js';
import { Run } from './storage-run.js';

/** Runs the checks on storages that `setup` makes. `test` is `it` of any test runner. */
export function storageAcceptance(
  test: (name: string, body: () => void | Promise<void>) => void,
  setup: () => StoragePlace | Promise<StoragePlace>,
): void {
  const on = (name: string, body: (place: StoragePlace) => Promise<void>) => {
    test(name, async () => {
      const place = await setup();
      try {
        await body(place);
      } finally {
        await place.remove?.();
      }
    });
  };
  answersOf(on);
  recoveryOf(on);
  replacementsOf(on);
  endsOf(on);
}

type On = (name: string, body: (place: StoragePlace) => Promise<void>) => void;

function answersOf(on: On): void {
  on('answers every persist, in order and cumulatively', async (place) => {
    const run = new Run(await place.open());
    for (let term = 1; term <= 50; term += 1) run.persist(vote(term));
    await run.settled();
    const sorted = [...new Set(run.answers)].sort((a, b) => a - b);
    checkEqual(run.answers, sorted, 'numbers grow with every answer');
    checkEqual(run.acknowledged, 50, 'the last answer covers the last write');
    run.persist(vote(51));
    await run.settled();
    checkEqual(run.acknowledged, 51, 'and so on');
    await run.close();
  });

  on('numbers start anew with each run', async (place) => {
    for (const term of [1, 2]) {
      const run = new Run(await place.open());
      run.persist(vote(term));
      await run.settled();
      checkEqual(run.answers, [1], `run ${term}`);
      await run.close();
    }
  });

  on('one run for one store: a second subscription ends with an error', async (place) => {
    const store = await place.open();
    const first = new Run(store);
    const second = new Run(store);
    checkEqual(second.ending, 'failed', 'the second');
    first.persist(vote(1));
    await first.close();
    await expectMemory(place, [vote(1)], 'the first goes on');
  });
}

function recoveryOf(on: On): void {
  on('a pristine store remembers nothing', async (place) => {
    const run = new Run(await place.open());
    checkEqual(memoryOf(run.store.recovered), nothing, 'at the first opening');
    await run.close();
    await expectMemory(place, [], 'at the second, with nothing written');
  });

  on('the generation grows with every opening, durably', async (place) => {
    let before = -1;
    for (let round = 0; round < 4; round += 1) {
      const run = new Run(await place.open());
      const { generation } = run.store.recovered;
      check(Number.isSafeInteger(generation) && generation > before, `${generation} > ${before}`);
      before = generation;
      await (round % 2 === 0 ? run.crash() : run.close());
    }
  });

  for (const ending of ['close', 'crash'] as const) {
    on(`what was acknowledged is found again after a ${ending}`, async (place) => {
      const run = new Run(await place.open());
      const writes = [vote(3), { entries: after(origin, term(3), command(1)) }, vote(4)];
      for (const write of writes) run.persist(write);
      await run.settled();
      await run[ending]();
      await expectMemory(place, writes, `after a ${ending}`);
    });
  }

  on('commands and snapshots come back byte by byte', async (place) => {
    const text = new TextEncoder().encode('{"__proto__":{"a":1},"constructor":0}');
    const all = Uint8Array.from({ length: 256 }, (_, at) => at);
    const long = Uint8Array.from({ length: 1 << 20 }, (_, at) => (at * 31 + (at >>> 8)) & 255);
    const list = [term(1), ...[text, new Uint8Array(0), all, long].map(commandOf)];
    const config = { voters: ['__proto__'], newVoters: ['constructor'], nonVoters: ['\u{1f9ea}'] };
    const write = {
      ...vote(1),
      snapshot: { position: { term: 1, index: 7 }, config, data: long },
      entries: after({ term: 1, index: 7 }, ...list.slice(1), { type: 'config', config }),
    };
    const run = new Run(await place.open());
    run.persist({ ...vote(1), entries: after(origin, ...list) });
    run.persist(write);
    await run.close();
    await expectMemory(place, [write], 'all of them');
    check(!('a' in {}), 'no prototype was changed');
  });

  on('entries without commands come back without a column', async (place) => {
    const entries = { ...after(origin, term(1)), length: 1000 };
    const valued = after({ term: 1, index: 1000 }, command(7));
    const cut = emptyEntries({ term: 1, index: 1000 });
    let expected: Write[] = [];
    for (const write of [{ ...vote(1), entries }, { entries: valued }, { entries: cut }]) {
      const run = new Run(await place.open());
      run.persist(write);
      await run.close();
      await expectMemory(place, (expected = [...expected, write]), 'a thousand, and perhaps one');
    }
    const again = await place.open();
    checkEqual(again.recovered.entries, entries, 'a thousand entries, one term, no commands');
    await again.close();
  });

  on('what was recovered does not change when the store is written', async (place) => {
    const config = clusterOf(['a', 'b']);
    const list = after(origin, term(1), command(1), { type: 'config', config }, command(2));
    const first = new Run(await place.open());
    first.persist({ ...vote(3), entries: list });
    await first.close();
    const run = new Run(await place.open());
    const before = structuredClone(run.store.recovered);
    run.persist({ ...vote(4), entries: after({ term: 1, index: 2 }, term(4), command(5)) });
    await run.settled();
    checkEqual(run.store.recovered, before, 'the value is fresh');
    await run.close();
  });
}

function replacementsOf(on: On): void {
  const five = after(origin, term(1), ...[2, 3, 4, 5].map(command));
  const at = (index: number): LogPosition => ({ term: index === 0 ? 0 : 1, index });
  const snapshotAt = (position: LogPosition) => ({
    snapshot: { position, config: clusterOf(['a']), data: Uint8Array.of(position.index) },
  });
  const other = { term: 2, index: 3 };
  const cases: [string, ...Write[]][] = [
    ['entries behind the last', { entries: after(at(5), command(6)) }],
    ['entries from the middle on', { entries: after(at(3), term(2), command(6)) }],
    ['no entries from the middle on', { entries: emptyEntries(at(3)) }],
    ['entries from the start on', { entries: after(origin, term(2)) }],
    ['no entries at all', { entries: emptyEntries(origin) }],
    ['no entries behind the last', { entries: emptyEntries(at(5)) }],
    [
      'entries from the middle on, twice',
      { entries: after(at(4), term(2), command(6), command(7)) },
      { entries: after(at(2), term(3), command(8)) },
      { entries: after({ term: 3, index: 3 }, command(9)) },
    ],
    ['a snapshot in the middle', snapshotAt(at(3))],
    ['a snapshot at the end, and more', snapshotAt(at(5)), { entries: after(at(5), command(6)) }],
    ['a snapshot and entries behind it', { ...snapshotAt(at(3)), entries: after(at(3), term(2)) }],
    ['a snapshot and a cut behind it', { ...snapshotAt(at(3)), entries: emptyEntries(at(3)) }],
    ['a snapshot of another history (§7)', snapshotAt(other)],
    [
      'a snapshot of another history, and more',
      snapshotAt(other),
      { entries: after(other, term(3)) },
    ],
    ['a snapshot far ahead', snapshotAt({ term: 2, index: 90 })],
    [
      'a cut within what a snapshot left of one append',
      snapshotAt(at(2)),
      { entries: after(at(4), term(2), command(6)) },
      snapshotAt({ term: 2, index: 5 }),
    ],
  ];
  for (const [name, ...writes] of cases) {
    on(`keeps ${name}`, async (place) => {
      const all = [{ ...vote(3), entries: five }, ...writes];
      const run = new Run(await place.open());
      for (const write of all) run.persist(write);
      await run.close();
      await expectMemory(place, all, 'asked for together');
      await expectMemory(place, all, 'opened again');
    });
  }

  on('keeps whatever a node may ask for, in any order, through crashes', async (place) => {
    let possible = [nothing];
    for (let seed = 1; seed <= 40; seed += 1) possible = await randomRun(place, seed, possible);
  });
}

/** One run with random writes. Returns what may be found after it, given what might before. */
async function randomRun(place: StoragePlace, seed: number, possible: Memory[]): Promise<Memory[]> {
  const chance = chanceOf(seed);
  const run = new Run(await place.open());
  let memory = memoryOf(run.store.recovered);
  recoveredOf({ id: 'a', ...run.store.recovered });
  const found = JSON.stringify(memory);
  const known = possible.some((each) => JSON.stringify(each) === found);
  check(known, `before seed ${seed}: ${found} was never the state of this store`);
  const memories = [memory];
  for (let step = between(chance, 0, 20); step > 0; step -= 1) {
    const write = randomWrite(chance, memory);
    memory = remember(memory, write);
    memories.push(memory);
    run.persist(write);
    if (chance() < 0.3) await run.settled();
  }
  const crash = chance() < 0.5;
  if (!crash) await run.settled();
  // A first part of what was asked for, with all that was acknowledged.
  const left = memories.slice(run.acknowledged);
  await (crash ? run.crash() : run.close());
  return left;
}

function endsOf(on: On): void {
  on('finishes the writes asked for when its actions complete, then completes', async (place) => {
    const run = new Run(await place.open());
    for (const each of [1, 2, 3]) run.persist(vote(each));
    run.action$.complete();
    await run.until(() => false);
    checkEqual(run.ending, 'completed', 'completes when its actions complete');
    checkEqual(run.acknowledged, 3, 'after the last answer');
    await run.store.close();
    await expectMemory(place, [vote(3)], 'all is found again');
  });

  on('completes at once without writes', async (place) => {
    const run = new Run(await place.open());
    run.action$.complete();
    checkEqual(run.ending, 'completed', 'completes when its actions complete');
    await run.store.close();
    await run.store.close();
  });

  on('passes an error of its actions on', async (place) => {
    const run = new Run(await place.open());
    run.action$.error(new Error('the node is dead'));
    checkEqual(run.ending, 'failed', 'at once');
    await run.store.close();
  });

  on('to unsubscribe is to crash: nothing is answered, a first part is kept', async (place) => {
    const run = new Run(await place.open());
    const writes = Array.from({ length: 20 }, (_, at) => vote(at + 1));
    for (const write of writes) run.persist(write);
    const { acknowledged } = run;
    await run.crash();
    checkEqual(run.acknowledged, acknowledged, 'nothing is answered afterwards');
    const again = await place.open();
    const { currentTerm, votedFor } = again.recovered;
    check(currentTerm >= acknowledged && currentTerm <= 20, `term ${currentTerm}`);
    checkEqual(votedFor, currentTerm === 0 ? null : `n${currentTerm}`, 'of one write');
    await again.close();
  });
}

async function expectMemory(place: StoragePlace, writes: Write[], message: string): Promise<void> {
  const store = await place.open();
  recoveredOf({ id: 'a', ...store.recovered });
  checkEqual(memoryOf(store.recovered), writes.reduce(remember, nothing), message);
  await store.close();
}

function vote(currentTerm: number): Write {
  return { hardState: { currentTerm, votedFor: `n${currentTerm}` } };
}

function term(number: number): LogEntry<Bytes> {
  return { type: 'term', term: number };
}

function command(byte: number): LogEntry<Bytes> {
  return commandOf(Uint8Array.of(byte));
}

function commandOf(bytes: Bytes): LogEntry<Bytes> {
  return { type: 'command', command: bytes };
}

function after(position: LogPosition, ...list: LogEntry<Bytes>[]) {
  return entriesOf(position, list);
}
