/** All who watch in a campaign, and whether they were told the truth. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../adapters/key-value/connection.js';
import { get } from '../cluster/load.js';
import { program as built, until } from '../cluster/cluster.js';
import type { Operation } from '../linearizability/history.js';
import { Random } from '../simulation/random.js';
import { checkWatches, isUpToDate } from '../watches/checker.js';
import type { Scope } from '../watches/recording.js';
import { everything } from '../watches/recording.js';
import { keys } from './client.js';
import type { Fleet } from './fleet.js';
import { shortened } from './heavy-writer.js';
import type { Manner } from './visit.js';
import type { Sit } from './watch-session.js';
import { byClient, byCommand, bySocket } from './watch-session.js';
import { Watcher } from './watcher.js';

/** From the end of all harm, on a busy machine; where a fault is planted nobody waits so long. */
const upToDateMs = 300_000;
const plantedMs = 30_000;

/** More of what is wrong is not read by anybody. */
const mostFaults = 20;

const steady: Manner = { leavesMs: [30_000, 90_000], restsMs: null };
const restless: Manner = { leavesMs: [200, 5000], restsMs: null };
const slow: Manner = { leavesMs: [10_000, 60_000], restsMs: [100, 3000] };
const verySlow: Manner = { leavesMs: [20_000, 60_000], restsMs: [1000, 20_000] };

const often: Manner = { leavesMs: [5000, 30_000], restsMs: [500, 15_000] };

const someKeys: Scope = { key: 'key', isPrefix: true };
const oneKey: Scope = { key: keys[0] ?? '', isPrefix: false };

export class Watchers {
  private readonly watchers: readonly Watcher[];
  private readonly work: Promise<unknown>;
  private content: ReadonlyMap<string, string> | null = null;

  constructor(
    private readonly fleet: Fleet,
    seed: number,
  ) {
    const chance = new Random(seed + 3000);
    const command = byCommand(fleet.program, () => chance.chance(0.5));
    const all: [string, Sit, Scope, Manner, from: number | null | 'always 1'][] = [
      ['client', byClient, everything, steady, 1],
      ['restless client', byClient, everything, restless, 1],
      ['client of some keys', byClient, someKeys, steady, 1],
      ['client of a key', byClient, oneKey, restless, null],
      ['socket', bySocket, everything, steady, 1],
      ['restless socket', bySocket, everything, restless, null],
      ['slow socket', bySocket, everything, slow, 1],
      ['very slow socket', bySocket, everything, verySlow, 1],
      ['socket of some keys', bySocket, someKeys, restless, 1],
      ['socket of a key', bySocket, oneKey, slow, 1],
      ['new socket', bySocket, everything, often, 'always 1'],
      ['command', command, everything, often, 1],
    ];
    this.watchers = all.map(
      ([name, sit, scope, manner, from], at) =>
        new Watcher({
          ...{ name, sit, ...scope, ...manner, random: new Random(seed + 2000 + at) },
          from: from === 'always 1' ? 1 : from,
          beginsAnew: from === 'always 1',
          nodes: () => fleet.addresses,
          onFault: (text) => fleet.fault(`${name}: ${text}`),
        }),
    );
    const failed = (error: unknown): void => fleet.fault(String(error));
    this.work = Promise.all(this.watchers.map((watcher) => watcher.work().catch(failed)));
  }

  /** All nodes have the same: in time all who watch have been told it. */
  async settled(operations: readonly Operation[]): Promise<void> {
    const { fleet, watchers } = this;
    for (const watcher of watchers) watcher.calm();
    const content = await contentOf(fleet.addresses[0] ?? '', namesOf(operations));
    this.content = content;
    let late = watchers;
    const isSettled = async (): Promise<boolean> => {
      late = late.filter(({ recording }) => !isUpToDate(recording, content));
      return late.length === 0;
    };
    // What they have not been told is said by the checker, in more words.
    const patienceMs = fleet.program === built ? upToDateMs : plantedMs;
    await until('all who watch are up to date', isSettled, patienceMs).catch((error: unknown) =>
      fleet.fault(String(error)),
    );
    await this.stop();
  }

  async stop(): Promise<void> {
    for (const watcher of this.watchers) watcher.stop();
    await this.work;
  }

  /** Notes as faults of the fleet what was not true, and says how much was told. */
  check(operations: readonly Operation[]): string {
    const { fleet, watchers, content } = this;
    const recordings = watchers.flatMap((watcher) => watcher.recordings);
    const begin = performance.now();
    const verdict = checkWatches({ recordings, operations, content });
    const checkedMs = Math.round(performance.now() - begin);
    const deaf = watchers.filter(({ events, contents }) => events + contents === 0);
    const faults = [...verdict.faults, ...deaf.map(({ name }) => `${name} was told nothing`)];
    for (const fault of faults.slice(0, mostFaults)) fleet.fault(`watch: ${fault}`);
    if (fleet.faults.length > 0) {
      const lines = recordings.map((recording) => JSON.stringify(recording));
      writeFileSync(join(fleet.folder, 'watches.jsonl'), `${lines.join('\n')}\n`);
    }
    const sum = (of: (watcher: Watcher) => number): number =>
      watchers.reduce((total, watcher) => total + of(watcher), 0);
    return [
      `${watchers.length} who watch: ${sum(({ events }) => events)} events`,
      `of ${verdict.entries} entries, ${sum(({ reconnects }) => reconnects)} reconnects`,
      `${sum(({ contents }) => contents)} times the content instead`,
      `${verdict.uncompared} of ${verdict.compared + verdict.uncompared} not to be compared`,
      `checked in ${checkedMs} ms`,
    ].join(', ');
  }
}

function namesOf(operations: readonly Operation[]): readonly string[] {
  return [...new Set(operations.map(({ key }) => key))];
}

/** What this node has. */
async function contentOf(
  address: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const connection = await connect(address);
  const values = new Map<string, string>();
  for (const name of names) {
    const answer = await connection.ask(get(name, true));
    if (answer.type === 'value') values.set(name, shortened(Buffer.from(answer.value).toString()));
  }
  connection.close();
  return values;
}
