/**
 * Clients of replicas at work. A command whose outcome is not known is sent again under its id, to
 * another node: in the history it is one operation, from the first call to the last answer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../../linearizability/history.js';
import type { Random } from '../../simulation/random.js';
import { keys } from '../client.js';
import { now } from '../clock.js';
import type { HistoryFile } from '../history-file.js';
import type { Done, ReplicaAnswer, ReplicaCommand, Seen } from './ask.js';
import { ask } from './ask.js';
import type { Chain, Floor } from './chain.js';
import { Outside } from './outside.js';

const mostTries = 4;

/** Of a client's newest acknowledged commands: replicas may have forgotten some. */
const mostKept = 100;

type Identified = ReplicaCommand & { readonly id: string };

export type Asked = Pick<Operation, 'op' | 'key' | 'value' | 'expected'>;

/** What all clients share. */
export interface ClientWorld {
  /** Where to ask at the moment. */
  readonly nodes: () => readonly string[];
  readonly history: HistoryFile;
  readonly chain: Chain;
  readonly fault: (text: string) => void;
}

export class ReplicaClient {
  private turn: number;
  private commands = 0;
  private isOver = false;
  /** Half of all clients use that of the package, the others ask the program. */
  private readonly outside: Outside | null;
  private acknowledged: readonly (Seen & { readonly command: Identified })[] = [];
  /** What it saw last of each key. */
  private readonly seen = new Map<string, string | null>();

  constructor(
    private readonly id: number,
    private readonly random: Random,
    private readonly world: ClientWorld,
  ) {
    this.turn = id;
    this.outside = id % 2 === 0 ? null : new Outside();
  }

  async work(): Promise<void> {
    while (!this.isOver) {
      await this.step();
      await sleep(this.random.below(30));
    }
    this.close();
  }

  stop(): void {
    this.isOver = true;
  }

  /** Its connection, if it has one. */
  close(): void {
    this.outside?.close();
  }

  /** Asks, and writes down what came of it. Null: nobody was there to be asked. */
  async call(asked: Asked): Promise<Operation | null> {
    const call = now();
    const answer = await (asked.op === 'get' ? this.read(asked.key) : this.write(asked));
    if (answer.outcome === 'refused') return null;
    const end = answer.outcome === 'unknown' ? null : now();
    const outcome = outcomeOf(asked, answer);
    const operation = { client: this.id, ...asked, call, return: end, ...outcome };
    this.world.history.add(operation);
    this.note(operation);
    return operation;
  }

  private async step(): Promise<void> {
    const dice = this.random.next();
    if (dice < 0.05) await this.look();
    else if (dice < 0.06) await this.beRefused();
    else if (dice < 0.1) await this.repeat();
    else await this.call(this.choose());
    if (this.random.chance(0.05)) this.leave();
  }

  /** What a node has applied: not of the newest, and of the same chain. */
  private async look(): Promise<void> {
    const { chain } = this.world;
    const { floor } = chain;
    const answer = await ask(this.address, 'read', { key: keys[0], consistency: 'stale' });
    if (answer.outcome === 'done') chain.show(answer, answer.run, floor);
    else this.leave();
  }

  /** What the reducer throws reaches whoever asked, however often, and nothing is changed by it. */
  private async beRefused(): Promise<void> {
    const { newest: since } = this.world.chain.floor;
    const answer = await this.command({ id: this.nextId(), type: 'refuse', since });
    if (answer.outcome === 'done') this.world.fault('a command that throws has a result');
  }

  private async read(key: string): Promise<ReplicaAnswer> {
    const { chain } = this.world;
    const { floor } = chain;
    const answer = await ask(this.address, 'read', { key, consistency: 'linearizable' });
    if (answer.outcome === 'done') chain.read(answer, answer.run, floor);
    else this.leave();
    return answer;
  }

  private async write({ op, key, value, expected }: Asked): Promise<ReplicaAnswer> {
    const type = op === 'get' ? 'refuse' : op;
    const { floor } = this.world.chain;
    const { newest: since } = floor;
    const command: Identified = {
      ...{ id: this.nextId(), type, key, since },
      ...(typeof value === 'string' && { value }),
      ...(expected !== undefined && { expected }),
    };
    const answer = await this.command(command);
    if (answer.outcome === 'done') this.acknowledge(command, answer, floor);
    if (answer.outcome === 'failed') this.world.fault(`a ${type} has failed: ${answer.text}`);
    // An earlier try may have been done, and forgotten.
    const isLate = answer.outcome === 'done' && answer.isLate;
    return isLate ? { outcome: 'unknown', text: 'it came too late' } : answer;
  }

  /** Sends it until it is known what came of it, or for some tries. */
  private async command(command: Identified): Promise<ReplicaAnswer> {
    /** What an earlier try may have done. */
    let doubt: ReplicaAnswer | null = null;
    for (let tries = 1; ; tries += 1) {
      const answer = await this.send(command);
      const { outcome } = answer;
      if (outcome === 'done' || outcome === 'failed') return answer;
      this.leave();
      if (outcome === 'unknown') doubt = answer;
      // Some lose their patience: what they have asked may be done at any time.
      const isEnough = doubt === null || tries >= mostTries || this.random.chance(0.1);
      if (isEnough) return doubt ?? answer;
      await sleep(this.random.below(300));
    }
  }

  private send(command: Identified): Promise<ReplicaAnswer> {
    if (this.outside !== null) return this.outside.send(this.world.nodes(), command);
    return ask(this.address, 'dispatch', { command, requestId: command.id });
  }

  private acknowledge(command: Identified, done: Done, floor: Floor): void {
    this.world.chain.write(done, command.id, floor);
    const { version, digest } = done;
    this.acknowledged = [{ command, version, digest }, ...this.acknowledged].slice(0, mostKept);
  }

  /** Sends again what was acknowledged: nothing happens, and the answer is the same, or late. */
  private async repeat(): Promise<void> {
    const before = this.random.pick(this.acknowledged);
    if (before === undefined) return;
    const { command, version, digest } = before;
    const again = await this.send(command);
    if (again.outcome === 'failed') this.world.fault(`${command.id} has failed: ${again.text}`);
    if (again.outcome !== 'done') return this.leave();
    if (again.isLate || (again.version === version && again.digest === digest)) return;
    this.world.fault(`${command.id} made version ${version}, and again ${again.version}`);
  }

  private choose(): Asked {
    // Some are asked for more than others: there calls meet.
    const at = Math.min(this.random.below(keys.length), this.random.below(keys.length));
    const key = keys[at] ?? '';
    const dice = this.random.next();
    if (dice < 0.4) return { op: 'get', key };
    if (dice < 0.5) return { op: 'delete', key };
    const value = `${this.id}-${this.commands + 1}`;
    const expected = this.seen.get(key);
    if (dice >= 0.7 && expected === undefined) return { op: 'get', key };
    return dice < 0.7 ? { op: 'put', key, value } : { op: 'cas', key, value, expected };
  }

  private note({ op, key, value, outcome, result }: Operation): void {
    if (outcome === 'ok') this.seen.set(key, (op === 'get' ? result : value) ?? null);
    else this.seen.delete(key);
  }

  private get address(): string {
    const nodes = this.world.nodes();
    return nodes[this.turn % nodes.length] ?? '';
  }

  private nextId(): string {
    this.commands += 1;
    return `c${this.id}-${this.commands}`;
  }

  /** From now on the next node is asked. */
  private leave(): void {
    this.turn += 1;
    if (this.random.chance(0.2)) this.close();
  }
}

function outcomeOf(
  { op }: Asked,
  answer: Exclude<ReplicaAnswer, { outcome: 'refused' }>,
): Pick<Operation, 'outcome' | 'result'> {
  if (answer.outcome === 'unknown') return { outcome: 'unknown' };
  if (answer.outcome !== 'done') return { outcome: 'fail' };
  const { found, isMet } = answer;
  if (op === 'get') return { outcome: 'ok', result: found };
  if (op === 'cas' && !isMet) return { outcome: 'fail', result: found };
  return op === 'delete' && found === null ? { outcome: 'ok', result: null } : { outcome: 'ok' };
}
