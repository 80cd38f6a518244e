/** Does harm to a cluster, as a seed says: to its processes and disks, and to its links. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../simulation/random.js';
import type { Fault } from './fault.js';
import { shuffled } from './fault.js';
import type { Fleet } from './fleet.js';
import { linkFaults } from './link-faults.js';
import { nodeFaults } from './node-faults.js';

/** Rows of faults at once, with rests: one of nodes, one of links, and one of members. */
export class Nemesis {
  /** How often each fault has been done. */
  readonly counts = new Map<string, number>();
  /** What is done at the moment. */
  readonly present = new Set<string>();
  private readonly over = new AbortController();
  private readonly work: Promise<unknown>;

  constructor(
    private readonly fleet: Fleet,
    seed: number,
    /** None: members stay. */
    memberFaults: readonly Fault[],
  ) {
    const all = [nodeFaults, linkFaults, memberFaults].filter((faults) => faults.length > 0);
    const rows = all.map(async (faults, at) =>
      this.row(faults, new Random((seed + at) * 31 + fleet.members.length)).catch(
        (error: unknown) => fleet.fault(String(error)),
      ),
    );
    this.work = Promise.all(rows);
  }

  /** Resolves when everything that is under way has been undone. */
  async stop(): Promise<void> {
    this.over.abort();
    await this.work;
  }

  private async row(faults: readonly Fault[], random: Random): Promise<void> {
    const { fleet } = this;
    const { signal } = this.over;
    const pause = async (leastMs: number, mostMs: number): Promise<void> => {
      const ms = random.between(leastMs, mostMs);
      await sleep(ms, undefined, { signal }).catch(() => undefined);
    };
    let coming: Fault[] = [];
    for (;;) {
      await pause(500, 3000);
      if (signal.aborted) return;
      // Every fault comes once before any comes again.
      if (coming.length === 0) coming = shuffled(faults, random);
      const fault = coming.pop();
      if (fault === undefined) return;
      const { name } = fault;
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      this.present.add(name);
      await fault.run({ fleet, random, pause, isOver: () => signal.aborted });
      this.present.delete(name);
      fleet.note(`${name}: over`);
    }
  }
}
