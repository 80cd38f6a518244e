/** Clients at work: one call after the other, each written down with its outcome. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Request } from '../../adapters/key-value/client-protocol.js';
import type { Connection } from '../../adapters/key-value/connection.js';
import { connect } from '../../adapters/key-value/connection.js';
import { get, put } from '../cluster/load.js';
import type { Operation } from '../linearizability/history.js';
import type { Random } from '../simulation/random.js';
import { now } from './clock.js';
import type { HistoryFile } from './history-file.js';

export const keys = Array.from({ length: 10 }, (_, at) => `key ${at}`);

/** A call without an answer is given up after so long: its outcome is not known. */
const patienceMs = 3000;

type Asked = Pick<Operation, 'op' | 'key' | 'value' | 'expected'>;

/** A client that asks as `random` says until it is stopped. */
export class ChaosClient {
  /** How often no node was there to be asked. */
  unreachable = 0;
  private connection: Connection | null = null;
  private turn: number;
  private values = 0;
  private isOver = false;
  /** What it saw last of each key. */
  private readonly seen = new Map<string, string | null>();

  constructor(
    private readonly id: number,
    /** Where to ask at the moment. */
    private readonly nodes: () => readonly string[],
    private readonly random: Random,
    private readonly history: HistoryFile,
  ) {
    this.turn = id;
  }

  async work(): Promise<void> {
    while (!this.isOver) {
      await this.call(this.choose());
      await sleep(this.random.below(30));
    }
    this.leave();
  }

  stop(): void {
    this.isOver = true;
  }

  /** From now on the next node is asked. */
  leave(): void {
    this.connection?.close();
    this.connection = null;
    this.turn += 1;
  }

  /** Asks once, and writes down what came of it. */
  async call(asked: Asked): Promise<Operation | null> {
    const connection = await this.connected();
    if (connection === null) return null;
    const call = now();
    const answer = await answerOf(connection, requestOf(asked));
    const end = answer.type === 'unknown' ? null : now();
    const outcome = outcomeOf(asked, answer);
    const operation = { client: this.id, ...asked, call, return: end, ...outcome };
    this.history.add(operation);
    this.note(operation);
    const isVain = answer.type === 'unknown' || answer.type === 'refused';
    if (isVain || this.random.chance(0.02)) this.leave();
    return operation;
  }

  private choose(): Asked {
    // Some are asked for more than others: there calls meet.
    const at = Math.min(this.random.below(keys.length), this.random.below(keys.length));
    const key = keys[at] ?? '';
    const dice = this.random.next();
    if (dice < 0.4) return { op: 'get', key };
    if (dice < 0.5) return { op: 'delete', key };
    const value = `${this.id}-${this.values + 1}`;
    const expected = this.seen.get(key);
    if (dice >= 0.7 && expected === undefined) return { op: 'get', key };
    this.values += 1;
    return dice < 0.7 ? { op: 'put', key, value } : { op: 'cas', key, value, expected };
  }

  private note({ op, key, value, outcome, result }: Operation): void {
    if (outcome === 'ok') this.seen.set(key, (op === 'get' ? result : value) ?? null);
    else this.seen.delete(key);
  }

  private async connected(): Promise<Connection | null> {
    if (this.connection?.isOpen === true) return this.connection;
    const nodes = this.nodes();
    const address = nodes[this.turn++ % nodes.length] ?? '';
    try {
      this.connection = await connect(address, { connectTimeoutMs: 500 });
      return this.connection;
    } catch {
      this.unreachable += 1;
      await sleep(20);
      return null;
    }
  }
}

function requestOf({ op, key, value, expected }: Asked): Request {
  switch (op) {
    case 'get':
      return get(key);
    case 'put':
      return put(key, value ?? '');
    case 'cas':
      return put(key, value ?? '', typeof expected === 'string' ? Buffer.from(expected) : 'absent');
    case 'delete':
      return {
        type: 'command',
        command: { type: 'delete', key: Buffer.from(key), condition: null },
      };
  }
}

async function answerOf(connection: Connection, request: Request): Promise<Answer> {
  const late = setTimeout(() => connection.close('it did not answer in time'), patienceMs);
  try {
    return await connection.ask(request);
  } catch (error) {
    return { type: 'unknown', text: String(error) };
  } finally {
    clearTimeout(late);
  }
}

/** Throws an Error for an answer that is none to this request. */
function outcomeOf({ op }: Asked, answer: Answer): Pick<Operation, 'outcome' | 'result'> {
  if (answer.type === 'unknown') return { outcome: 'unknown' };
  if (answer.type === 'refused') return { outcome: 'fail' };
  if (op === 'get' && answer.type === 'value') {
    return { outcome: 'ok', result: Buffer.from(answer.value).toString() };
  }
  if ((op === 'get' || op === 'delete') && answer.type === 'missing') {
    return { outcome: 'ok', result: null };
  }
  if (op === 'cas' && answer.type === 'conflict') return { outcome: 'fail' };
  if (op !== 'get' && answer.type === 'done') return { outcome: 'ok' };
  throw new Error(`${answer.type} is no answer to a ${op}`);
}
