/**
 * How long a node takes to start with a long log, and a cluster to go on without its leader.
 */
import { join } from 'node:path';
import { connect } from '../../adapters/key-value/connection.js';
import type { Request } from '../../adapters/key-value/client-protocol.js';
import { freeAddresses, eventually } from '../cluster/node-process.js';
import { inFolder } from '../cluster/part.js';
import type { RxraftNode } from '../cluster/rxraft.js';
import { leaderOf, startNode, startThree, statusOf } from '../cluster/rxraft.js';
import type { Context, Part } from '../part.js';
import type { Row } from '../row.js';
import { rowOf } from '../row.js';
import { fillLog } from './fill-log.js';

const longLog = 1_000_000;

export const startPart: Part = {
  name: 'start',
  about: 'start-up with a long log, and failover: kill -9 of the leader until a write is done',
  run: (context) =>
    inFolder(async (folder) => [await startUp(folder, context), await failover(folder, context)]),
};

async function startUp(folder: string, { patience, progress }: Context): Promise<Row> {
  const entries = Math.round(longLog * patience.share);
  const [address = ''] = await freeAddresses(1);
  const members = new Map([['n1', address]]);
  progress(`writing a log of ${entries} entries`);
  await fillLog(join(folder, 'n1'), entries);
  const times: number[] = [];
  const rounds = Math.min(patience.rounds, 5);
  for (let round = 1; round <= rounds; round += 1) {
    progress(`start-up: round ${round} of ${rounds}`);
    const begin = performance.now();
    const flags = ['--cluster', 'bench', '--snapshot-every', String(10 * longLog)];
    const node = startNode('n1', members, folder, flags);
    await eventually(async () => {
      const status = await statusOf(address);
      return status !== null && status.applied >= entries ? true : null;
    }, 120_000);
    times.push(performance.now() - begin);
    node.process.kill();
    await node.process.ended;
  }
  const name = `start-up with ${entries.toLocaleString('en-US')} entries, until all are applied`;
  return rowOf({ part: 'start', case: name, unit: 'ms' }, times);
}

async function failover(folder: string, { patience, progress }: Context): Promise<Row> {
  const times: number[] = [];
  const rounds = Math.min(patience.rounds, 7);
  for (let round = 1; round <= rounds; round += 1) {
    progress(`failover: round ${round} of ${rounds}`);
    const nodes = await startThree(join(folder, `failover-${round}`));
    try {
      const leader = await leaderOf(nodes);
      await written(leader);
      const begin = performance.now();
      leader.process.kill();
      const others = nodes.filter((node) => node !== leader);
      await eventually(() => Promise.any(others.map(written)));
      times.push(performance.now() - begin);
    } finally {
      for (const node of nodes) node.process.kill();
      await Promise.all(nodes.map((node) => node.process.ended));
    }
  }
  return rowOf({ part: 'start', case: 'failover after kill -9 of the leader', unit: 'ms' }, times);
}

const request: Request = {
  type: 'command',
  command: { type: 'put', key: Buffer.from('k'), value: Buffer.from('v'), condition: null },
};

/** Rejects when it can't be written there now. */
async function written({ address }: RxraftNode): Promise<true> {
  const connection = await connect(address, { connectTimeoutMs: 500 });
  try {
    const answer = await connection.ask(request);
    if (answer.type !== 'done') throw new Error(answer.type);
    return true;
  } finally {
    connection.close();
  }
}
