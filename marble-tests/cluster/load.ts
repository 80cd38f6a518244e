/** Clients at work, and the books they keep: what was acknowledged must be there for ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Request } from '../../adapters/key-value/client-protocol.js';
import type { Condition } from '../../adapters/key-value/commands.js';
import type { Connection } from '../../adapters/key-value/connection.js';
import { connect } from '../../adapters/key-value/connection.js';

export function put(key: string, value: string, condition: Condition = null): Request {
  const bytes = { key: Buffer.from(key), value: Buffer.from(value) };
  return { type: 'command', command: { type: 'put', ...bytes, condition } };
}

export function get(key: string, stale = false): Request {
  return { type: 'get', key: Buffer.from(key), stale };
}

/** Asks any node; another one when that is gone. An outcome is what it is: nothing is repeated. */
export class LoadClient {
  private connection: Connection | null = null;
  private turn: number;

  constructor(
    private readonly nodes: readonly string[],
    first = 0,
  ) {
    this.turn = first;
  }

  async ask(request: Request): Promise<Answer> {
    try {
      if (this.connection?.isOpen !== true) {
        const address = this.nodes[this.turn++ % this.nodes.length] ?? '';
        this.connection = await connect(address, { connectTimeoutMs: 500 });
      }
    } catch (error) {
      await sleep(20);
      return { type: 'refused', reason: 'unreachable', text: String(error) };
    }
    try {
      return await this.connection.ask(request);
    } catch (error) {
      return { type: 'unknown', text: String(error) };
    }
  }

  close(): void {
    this.connection?.close();
  }
}

/** What a key has. A busy machine may lose its leader once more: then the read is asked again. */
async function read(client: LoadClient, key: string): Promise<Answer> {
  let answer = await client.ask(get(key));
  for (let more = 10; more > 0 && !['value', 'missing'].includes(answer.type); more -= 1) {
    await sleep(500);
    answer = await client.ask(get(key));
  }
  return answer;
}

/** Writers that never stop writing, each key once, and adders that add to one counter. */
export class Load {
  /** By key. */
  readonly acknowledged = new Map<string, string>();
  /** The values of the counter that an addition was acknowledged for. */
  readonly added: number[] = [];
  uncertain = 0;
  /** When the newest write was acknowledged. */
  acknowledgedAt = performance.now();
  private readonly clients: LoadClient[];
  private readonly work: Promise<void>[];
  private isOver = false;

  constructor(
    private readonly nodes: readonly string[],
    private readonly name: string,
    writers = 8,
    adders = 3,
  ) {
    this.clients = Array.from({ length: writers + adders }, (_, i) => new LoadClient(nodes, i));
    this.work = this.clients.map((client, i) =>
      i < writers ? this.write(client, `${name}-${i}`) : this.add(client),
    );
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.work);
    for (const client of this.clients) client.close();
  }

  /** What is missing, or wrong, in words, by the word of these nodes. */
  async faults(nodes = this.nodes): Promise<string[]> {
    const faults: string[] = [];
    const client = new LoadClient(nodes);
    for (const [key, value] of this.acknowledged) {
      const found = await read(client, key);
      const text = found.type === 'value' ? Buffer.from(found.value).toString() : found.type;
      if (text !== value) faults.push(`${key}: ${text} instead of ${value}`);
    }
    const twice = this.added.filter((value, i) => this.added.indexOf(value) !== i);
    if (twice.length > 0) faults.push(`added twice: ${twice.join()}`);
    const answer = await read(client, `${this.name}-counter`);
    const sum = answer.type === 'value' ? Number(Buffer.from(answer.value).toString()) : 0;
    const [least, most] = [this.added.length, this.added.length + this.uncertain];
    if (sum < least || sum > most) faults.push(`counted ${sum}, not ${least} to ${most}`);
    client.close();
    return faults;
  }

  private async write(client: LoadClient, name: string): Promise<void> {
    for (let number = 0; !this.isOver; number += 1) {
      const [key, value] = [`${name}-${number}`, `value ${number} of ${name}`];
      const answer = await client.ask(put(key, value));
      if (answer.type !== 'done') continue;
      this.acknowledged.set(key, value);
      this.acknowledgedAt = performance.now();
    }
  }

  /** Compare and set: what two adders have both read, only one of them can have changed. */
  private async add(client: LoadClient): Promise<void> {
    const key = `${this.name}-counter`;
    while (!this.isOver) {
      const current = await client.ask(get(key));
      if (current.type !== 'value' && current.type !== 'missing') continue;
      const value = current.type === 'value' ? Number(Buffer.from(current.value).toString()) : 0;
      const condition = current.type === 'value' ? current.value : 'absent';
      const answer = await client.ask(put(key, String(value + 1), condition));
      if (answer.type === 'done') this.added.push(value + 1);
      if (answer.type === 'unknown') this.uncertain += 1;
    }
  }
}
