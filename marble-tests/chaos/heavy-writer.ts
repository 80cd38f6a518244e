/**
 * Writes large values, many at once, and then none for a while: who watches and reads slowly falls
 * behind what a node keeps for him, and the content takes several pieces.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../adapters/key-value/connection.js';
import { connect } from '../../adapters/key-value/connection.js';
import { put } from '../cluster/load.js';
import { Random } from '../simulation/random.js';
import { now } from './clock.js';
import type { Fleet } from './fleet.js';
import type { HistoryFile } from './history-file.js';

const valueBytes = 100_000;
export const heavyKeys = Array.from({ length: 4 }, (_, at) => `heavy ${at}`);
const mostAtOnce = 30;
const answerMs = 3000;

/** Who it is in the history. */
const client = 'heavy';

/** A large value is nearly all dots; in books their number is enough. */
export function shortened(value: string): string {
  if (value.length < 1000) return value;
  return value.replace(/\.+$/, (dots) => `…${dots.length}`);
}

export class HeavyWriter {
  private isOver = false;
  private values = 0;
  private readonly random: Random;
  private readonly working: Promise<void>;

  constructor(
    private readonly fleet: Fleet,
    seed: number,
    private readonly history: HistoryFile,
  ) {
    this.random = new Random(seed + 4000);
    // With a snapshot every few entries the nodes would do nothing but write it.
    this.working = fleet.snapshotEvery < 300 ? Promise.resolve() : this.work();
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.working;
  }

  private async work(): Promise<void> {
    while (!this.isOver) {
      await this.writeMany().catch(() => undefined);
      const end = performance.now() + this.random.between(500, 8000);
      while (!this.isOver && performance.now() < end) await sleep(50);
    }
  }

  /** Rejects when no node is there. */
  private async writeMany(): Promise<void> {
    const address = this.random.pick(this.fleet.addresses) ?? '';
    const connection = await connect(address, { connectTimeoutMs: 500 });
    const late = setTimeout(() => connection.close('it did not answer in time'), answerMs);
    const count = this.random.between(1, mostAtOnce);
    await Promise.all(Array.from({ length: count }, () => this.write(connection)));
    clearTimeout(late);
    connection.close();
  }

  private async write(connection: Connection): Promise<void> {
    this.values += 1;
    const key = this.random.pick(heavyKeys) ?? '';
    const text = `heavy-${this.values}`;
    const value = text.padEnd(valueBytes, '.');
    const call = now();
    const type = await connection.ask(put(key, value)).then(
      (answer) => answer.type,
      () => 'unknown' as const,
    );
    const outcome = type === 'done' ? 'ok' : type === 'refused' ? 'fail' : 'unknown';
    const end = outcome === 'unknown' ? null : now();
    const written = { client, op: 'put', key, value: shortened(value) } as const;
    this.history.add({ ...written, call, return: end, outcome });
  }
}
