/** Clients at work: what they ask, whichever way they come in, and what they write down of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../linearizability/history.js';
import type { Random } from '../simulation/random.js';
import { now } from './clock.js';
import type { HistoryFile } from './history-file.js';
import type { Asked, Door, Way } from './ways/way.js';

export const keys = Array.from({ length: 10 }, (_, at) => `key ${at}`);

export interface ChaosClientOptions {
  readonly id: number;
  readonly way: Way;
  readonly door: Door;
  readonly random: Random;
  readonly history: HistoryFile;
}

/** A client that asks as `random` says until it is stopped. */
export class ChaosClient {
  readonly outcomes = { ok: 0, fail: 0, unknown: 0, stale: 0, unreachable: 0 };
  /** When it made the newest calls that were ok, by the clock of the history. */
  private readonly served = { read: -1, write: -1 };
  private values = 0;
  private isOver = false;
  /** What it saw last of each key. */
  private readonly seen = new Map<string, string | null>();

  constructor(private readonly options: ChaosClientOptions) {}

  get way(): string {
    return this.options.way.name;
  }

  /** Since that time it has been given what it asked for, in a read and in a write. */
  isServedSince(time: number): boolean {
    return this.served.read >= time && this.served.write >= time;
  }

  /** `onFault`: what it was told is no answer, and it stops asking. */
  async work(onFault: (error: unknown) => void): Promise<void> {
    const rows = Array.from({ length: this.options.way.rows }, () => this.row().catch(onFault));
    await Promise.all(rows);
    this.leave();
  }

  stop(): void {
    this.isOver = true;
  }

  /** From now on the next node is asked. */
  leave(): void {
    this.options.door.leave();
  }

  /** Asks once, and writes down what came of it. Null: nobody was there to be asked. */
  async call(asked: Asked): Promise<Operation | null> {
    const { id: client, door, history, random } = this.options;
    const { isStale = false, ...said } = asked;
    const call = now();
    const answer = await door.ask(asked);
    const end = answer?.outcome === 'unknown' ? null : now();
    if (answer === null) {
      this.outcomes.unreachable += 1;
      await sleep(20);
      return null;
    }
    const operation = { client, ...said, call, return: end, ...answer };
    if (isStale) history.addStale(operation);
    else history.add(operation);
    this.note(operation, isStale);
    if (random.chance(0.02)) this.leave();
    return operation;
  }

  private async row(): Promise<void> {
    const { random, way } = this.options;
    while (!this.isOver) {
      const calls = Array.from({ length: random.between(1, way.atOnce) }, () => this.asked());
      await Promise.all(calls.map((asked) => this.call(asked)));
      await sleep(random.below(way.pauseMs));
    }
  }

  private asked(): Asked {
    const chosen = this.choose();
    const { op, key, value } = chosen;
    if (this.options.way.isPlain !== true) return chosen;
    return op === 'put' || op === 'cas' ? { op: 'put', key, value } : { op: 'get', key };
  }

  private choose(): Asked {
    const { id, random } = this.options;
    // Some are asked for more than others: there calls meet.
    const at = Math.min(random.below(keys.length), random.below(keys.length));
    const key = keys[at] ?? '';
    const expected = this.seen.get(key);
    const dice = random.next();
    if (dice < 0.05) return { op: 'get', key, isStale: true };
    if (dice < 0.4) return { op: 'get', key };
    if (dice < 0.45) return { op: 'delete', key };
    if (dice < 0.5) return { op: 'delete', key, ...(typeof expected === 'string' && { expected }) };
    const value = `${id}-${this.values + 1}`;
    if (dice >= 0.7 && expected === undefined) return { op: 'get', key };
    this.values += 1;
    return dice < 0.7 ? { op: 'put', key, value } : { op: 'cas', key, value, expected };
  }

  private note({ op, key, value, outcome, result, call }: Operation, isStale: boolean): void {
    this.outcomes[isStale ? 'stale' : outcome] += 1;
    const kind = op === 'get' ? 'read' : 'write';
    if (outcome === 'ok' && !isStale) this.served[kind] = Math.max(this.served[kind], call);
    if (outcome === 'ok') this.seen.set(key, (op === 'get' ? result : value) ?? null);
    else this.seen.delete(key);
  }
}
