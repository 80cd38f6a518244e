/** Traps of elections in time (§5.2, §9.3). The list of all of them is `docs/TRAPS.md`. */
import type { Subscription } from 'rxjs';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { clock } from '../../adapters/clock.js';
import { machine } from '../../adapters/machine.js';
import { latency, memoryNetwork } from '../../adapters/memory-network.js';
import { MemoryDisk, memoryStore } from '../../adapters/memory-store.js';
import { chanceOf } from '../../adapters/testing/storage-model.js';
import { loop } from '../../lib/loop.js';
import { raft } from '../../lib/raft.js';

const voters = ['a', 'b', 'c', 'd', 'e'];

/** Five nodes that start on the same tick, on virtual time, with one constant latency. */
class Five {
  readonly time = new VirtualTimeScheduler();
  leader: { readonly id: string; readonly term: number } | null = null;
  private readonly chance = chanceOf(10);
  private readonly network = memoryNetwork<readonly number[], number>({
    link: () => latency({ minimumMs: 1, scheduler: this.time }),
  });
  private readonly disks = new Map(
    voters.map((id) => [id, new MemoryDisk<readonly number[], number>()]),
  );
  private readonly runs = new Map<string, Subscription>();

  constructor() {
    for (const id of voters) this.start(id);
  }

  start(id: string): void {
    const { recovered, storage } = memoryStore(this.disks.get(id));
    const sum = machine({
      reducer: (state: number, add: number) => ({ state: state + add, result: state }),
      initialState: 0,
    });
    const run = loop(raft({ id, initialVoters: voters, ...recovered }), {
      clock: clock({
        electionTimeoutMs: { minimum: 100, spread: 100 },
        heartbeatMs: 20,
        random: this.chance,
        scheduler: this.time,
      }),
      storage,
      network: this.network.node(id),
      machine: sum.adapter,
    }).subscribe((action) => {
      if (action.type !== 'roleChanged' || action.role !== 'leader') return;
      this.leader = { id, term: action.currentTerm };
    });
    this.runs.set(id, run);
  }

  kill(id: string): void {
    this.runs.get(id)?.unsubscribe();
    this.leader = null;
  }

  /** Goes on for so long, or until there is a leader. */
  run(ms: number): void {
    for (const end = this.time.now() + ms; this.time.now() < end && !this.leader;) {
      this.time.maxFrames = this.time.now() + 10;
      this.time.flush();
      this.time.frame = this.time.maxFrames;
    }
  }

  termOr(other: number): number {
    return this.leader?.term ?? other;
  }

  stop(): void {
    for (const run of this.runs.values()) run.unsubscribe();
  }
}

describe('five nodes that start on the same tick', () => {
  it('A10: "split votes are rare": the leader is killed 300 times, and 99 % take at most two (§5.2)', () => {
    const five = new Five();
    five.run(2000);
    const rounds: number[] = [];
    for (let kill = 0; kill < 300 && five.leader; kill += 1) {
      const { id, term } = five.leader;
      five.kill(id);
      five.run(2000);
      rounds.push(five.termOr(Infinity) - term);
      five.start(id);
    }
    five.stop();
    expect(rounds).toHaveLength(300);
    const sorted = rounds.sort((a, b) => a - b);
    expect(sorted[149]).toBe(1);
    expect(sorted[296]).toBeLessThanOrEqual(2);
  });
});
