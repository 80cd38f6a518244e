/** All nodes, and a link from each to each. */
import { randomInt } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeStatus } from '../../adapters/key-value/client-protocol.js';
import { connect } from '../../adapters/key-value/connection.js';
import { program as built } from '../cluster/cluster.js';
import { Random } from '../simulation/random.js';
import { stamp } from './clock.js';
import { Member } from './member.js';
import { clear, Link } from './proxy.js';

/** For a node to say how it is. */
const statusMs = 2000;

/** A link by the ids of its ends. */
export interface Way {
  readonly from: string;
  readonly to: string;
  readonly link: Link;
}

export class Fleet {
  readonly folder = mkdtempSync(join(tmpdir(), 'rxraft-chaos-'));
  /** Those that run, or are to run. */
  members: readonly Member[] = [];
  /** Those that have been members. */
  private former: readonly Member[] = [];
  private formerWays: readonly Way[] = [];
  ways: readonly Way[] = [];
  /** Who led in each term. */
  readonly leaders = new Map<number, string>();
  /** What must not have happened. */
  readonly faults: string[] = [];
  snapshotEvery = 0;
  /** How often a node was so far behind that it was sent a snapshot. */
  installations = 0;

  private constructor(
    readonly program: string,
    /** How many nodes it began with. */
    readonly size: number,
  ) {
    process.on('exit', this.kill);
  }

  static async open(count: number, seed: number, program = built): Promise<Fleet> {
    const fleet = new Fleet(program, count);
    const random = new Random(seed + count);
    const ports = await lowPorts(count);
    const ids = ports.map((_, at) => `n${at + 1}`);
    const ways: Way[] = [];
    for (const from of ids) {
      for (const [at, to] of ids.entries()) {
        if (to === from) continue;
        const link = await Link.open(ports[at] ?? 0, new Random(random.below(2 ** 31)));
        ways.push({ from, to, link });
      }
    }
    fleet.ways = ways;
    fleet.snapshotEvery = random.pick([10, 50, 300, 2000]) ?? 50;
    fleet.members = ids.map((id, at) => fleet.member(id, ports[at] ?? 0));
    for (const member of fleet.members) await member.start();
    return fleet;
  }

  get addresses(): string[] {
    return this.members.map((member) => member.address);
  }

  /** Whoever has never found the cluster has written none. */
  get traces(): string[] {
    return [...this.former, ...this.members].map((member) => member.trace).filter(existsSync);
  }

  /** Of all that there ever were. */
  get folders(): string[] {
    return [...this.former, ...this.members].map((member) => member.folder);
  }

  get ids(): string[] {
    return this.members.map((member) => member.id);
  }

  /** The newest term that anybody leads in, 0 for none yet. */
  get term(): number {
    return Math.max(0, ...this.leaders.keys());
  }

  get leader(): string | null {
    return this.leaders.get(this.term) ?? null;
  }

  /** Writes down what is done to the cluster, and when. */
  note(text: string): void {
    appendFileSync(join(this.folder, 'nemesis.log'), `${stamp()} ${text}\n`);
  }

  fault(text: string): void {
    this.note(`FAULT ${text}`);
    this.faults.push(text);
  }

  /** All links are good, and all nodes run: nothing is left of any fault. */
  async heal(): Promise<void> {
    for (const { link } of this.ways) {
      link.set(clear);
      link.reset();
    }
    for (const member of this.members) {
      member.resume();
      member.disk('well');
    }
    await Promise.all(this.members.map((member) => member.start()));
  }

  /** What each node says of itself, or null where one does not answer. */
  async statuses(): Promise<(NodeStatus | null)[]> {
    return Promise.all(this.addresses.map(statusOf));
  }

  async close(keeps: boolean): Promise<void> {
    await Promise.all([...this.former, ...this.members].map((member) => member.crash()));
    process.off('exit', this.kill);
    await Promise.all([...this.ways, ...this.formerWays].map(({ link }) => link.close()));
    if (!keeps) rmSync(this.folder, { recursive: true, force: true, maxRetries: 20 });
  }

  /** Nothing outlives whoever started it. */
  private readonly kill = (): void => {
    for (const member of [...this.former, ...this.members]) member.kill();
  };

  /** One node more, which waits to be added, and where the others are to find it. */
  async enlist(): Promise<{ readonly member: Member; readonly address: string }> {
    const [port = 0] = await lowPorts(1);
    const id = `n${this.members.length + this.former.length + 1}`;
    const link = await Link.open(port, new Random(port));
    // From whomever: an address stands in the log, and is the same for all.
    this.ways = [...this.ways, { from: '*', to: id, link }];
    const member = this.member(id, port, this.addresses);
    this.members = [...this.members, member];
    return { member, address: `127.0.0.1:${link.port}` };
  }

  /** Somebody who is no member has ways to all members as well, with the weather of the others. */
  async approach(from: string): Promise<void> {
    for (const { id, port } of this.members) {
      const link = await Link.open(port, new Random(port));
      this.ways = [...this.ways, { from, to: id, link }];
    }
  }

  /** Where somebody finds the members: on ways of their own, or on those that are for all. */
  addressesFrom(from: string): string[] {
    return this.ids.flatMap((id) => {
      const way = this.ways.find((each) => each.to === id && [from, '*'].includes(each.from));
      return way === undefined ? [] : [`127.0.0.1:${way.link.port}`];
    });
  }

  /** It is no member any more. */
  async retire(member: Member, timeoutMs: number): Promise<void> {
    this.members = this.members.filter((each) => each !== member);
    this.former = [...this.former, member];
    // Ways from it are still gone by others: an address that it knew stands in the log.
    this.formerWays = [...this.formerWays, ...this.ways.filter(({ to }) => to === member.id)];
    this.ways = this.ways.filter(({ to }) => to !== member.id);
    await member.retire(timeoutMs);
  }

  private member(id: string, port: number, contacts: readonly string[] = []): Member {
    const mine = this.ways.filter(({ from }) => from === id);
    return new Member({
      ...{ id, port, program: this.program, snapshotEvery: this.snapshotEvery },
      contacts,
      peers: Object.fromEntries(mine.map(({ to, link }) => [to, `127.0.0.1:${link.port}`])),
      folder: join(this.folder, id),
      log: join(this.folder, `${id}.log`),
      trace: join(this.folder, `${id}.trace.jsonl`),
      onLeads: (leader, term) => this.onLeads(leader, term),
      onInstalled: () => (this.installations += 1),
      onFault: (text) => this.fault(text),
    });
  }

  /** "At most one leader can be elected in a given term" (§5.2). */
  private onLeads(id: string, term: number): void {
    const other = this.leaders.get(term);
    // Nor twice the same one: it would have forgotten its vote.
    if (other !== undefined) this.fault(`${other} and ${id} lead in term ${term}`);
    this.leaders.set(term, id);
    this.note(`${id} leads in term ${term}`);
  }
}

/**
 * Free ones below those that a system gives to whoever dials: the port of a node that is down must
 * still be free when it is started again, and nobody who dials it may meet himself there.
 */
async function lowPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(11_000, 32_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

async function statusOf(address: string): Promise<NodeStatus | null> {
  try {
    const connection = await connect(address, { connectTimeoutMs: statusMs });
    const late = setTimeout(() => connection.close(), statusMs);
    try {
      const answer = await connection.ask({ type: 'status' });
      return answer.type === 'status' ? answer.status : null;
    } finally {
      clearTimeout(late);
      connection.close();
    }
  } catch {
    return null;
  }
}
