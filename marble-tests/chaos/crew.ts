/** All clients of a campaign, over all ways to come in. */
import { Random } from '../simulation/random.js';
import { ChaosClient } from './client.js';
import type { Fleet } from './fleet.js';
import type { HistoryFile } from './history-file.js';
import { batches, frames } from './ways/frames.js';
import { commandLine } from './ways/command-line.js';
import { http } from './ways/http.js';
import type { Opening } from './ways/page.js';
import { pages } from './ways/page.js';
import { typed } from './ways/typed.js';
import type { Way } from './ways/way.js';

/** How many come by each. */
const countsOf = (opened: Opening): readonly (readonly [Way, number])[] => [
  [frames, 3],
  [http, 3],
  [typed, 3],
  [batches, 2],
  [commandLine, 1],
  [pages(opened), 2],
];

export class Crew {
  private readonly clients: readonly ChaosClient[];
  private readonly work: Promise<unknown>;
  private readonly counts: readonly (readonly [Way, number])[];

  /** They are at work from now on. `opened`: a page, for those who come by it. */
  constructor(fleet: Fleet, seed: number, history: HistoryFile, opened: Opening) {
    this.counts = countsOf(opened);
    const ways = this.counts.flatMap(([way, count]) => Array.from({ length: count }, () => way));
    this.clients = ways.map((way, id) => {
      const nodes = (): readonly string[] => fleet.addresses;
      const door = way.open({ nodes, first: id, program: fleet.program });
      const random = new Random(seed + 1000 + id);
      return new ChaosClient({ id, way, door, random, history });
    });
    const failed = (error: unknown): void => fleet.fault(String(error));
    this.work = Promise.all(this.clients.map((client) => client.work(failed)));
  }

  /** Resolves when nobody is at work any more. */
  async quiet(): Promise<void> {
    for (const client of this.clients) client.stop();
    await this.work;
  }

  /** Who has had no read, or no write, that was asked for after that time, in words. */
  unserved(since: number): string[] {
    const unserved = this.clients.filter((client) => !client.isServedSince(since));
    return unserved.map(({ way, outcomes }) => `${way} (${counted(outcomes)})`);
  }

  /** What came of the calls by each way. */
  get lines(): string[] {
    return this.counts.map(([{ name }]) => {
      const sum: Record<string, number> = {};
      for (const { outcomes } of this.clients.filter(({ way }) => way === name)) {
        for (const [kind, count] of Object.entries(outcomes)) sum[kind] = (sum[kind] ?? 0) + count;
      }
      return `${name}: ${counted(sum)}`;
    });
  }
}

function counted(outcomes: Readonly<Record<string, number>>): string {
  return Object.entries(outcomes)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
}
