/**
 * The durable cluster: three processes on one machine, the WebSocket endpoint, and a disk that is
 * waited for; beside the floor, and beside etcd when peers are asked for.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { etcdCluster } from '../peers/etcd.js';
import type { Context, Part } from '../part.js';
import type { Aim, Row } from '../row.js';
import { rowOf } from '../row.js';
import { median } from '../statistics.js';
import type { ClusterContender } from './contender.js';
import { floorCluster } from './floor-cluster.js';
import type { Measured, Work } from './load.js';
import { rxraftCluster } from './rxraft.js';
import { countedRun } from './traced-run.js';

const levels = [1, 16, 64, 256];

/** How many times as many operations as etcd (DESIGN.md, "Speed"), by work and clients. */
const etcdAims: Record<Work, Readonly<Record<number, number>>> = {
  put: { 1: 1.4, 16: 2.5, 64: 4, 256: 6 },
  get: { 256: 5 },
};

const floorAim: Aim = { of: 'ratio', least: 0.6 };

/** At 256 clients p99 is at most 0.3 of etcd's: so much as fast. */
const p99Aim: Aim = { of: 'ratio', least: 1 / 0.3 };

export const clusterPart: Part = {
  name: 'cluster',
  about: 'three durable processes, puts of 128 bytes, one request under way for each client',
  run: (context) => runLoads(context, 'put'),
};

export const readsPart: Part = {
  name: 'reads',
  about: 'linearizable reads of the same cluster',
  run: (context) => runLoads(context, 'get'),
};

/** A folder on the disk of the project: what is in memory waits for no disk. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const data = join(process.cwd(), 'data');
  mkdirSync(data, { recursive: true });
  const folder = mkdtempSync(join(data, 'bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function runLoads(context: Context, work: Work): Promise<Row[]> {
  return inFolder(async (folder) => {
    context.progress('starting');
    const contenders: ClusterContender[] = [];
    try {
      contenders.push(await rxraftCluster(folder));
      contenders.push(await floorCluster(folder));
      const etcd = context.peers ? await etcdCluster(folder, context) : null;
      if (etcd !== null) contenders.push(etcd);
      // A get of the floor waits for nothing: there is nothing to compare.
      const compared =
        work === 'put' ? contenders : contenders.filter((each) => each.name !== 'floor');
      await warmUp(context, compared, work);
      const rows: Row[] = [];
      for (const clients of levels) {
        rows.push(...rowsOf(work, clients, await rounds(context, compared, work, clients)));
      }
      if (work === 'get') return rows;
      for (const each of contenders.splice(0)) each.stop();
      return await withCounts(context, folder, rows);
    } finally {
      for (const each of contenders) each.stop();
    }
  });
}

/** A server has run for long: what is done once for a batch is compiled late with few of them. */
async function warmUp(
  { patience, progress }: Context,
  contenders: readonly ClusterContender[],
  work: Work,
): Promise<void> {
  for (const contender of contenders) {
    progress(`${contender.name} warms up`);
    await contender.load({ work, clients: 64, seconds: 5 * patience.warmUp * patience.share });
  }
}

interface Round extends Measured {
  /** Of its three processes together, in microseconds. */
  readonly cpuUs: number;
}

interface Rounds {
  readonly name: string;
  readonly rounds: Round[];
}

async function rounds(
  { patience, progress }: Context,
  contenders: readonly ClusterContender[],
  work: Work,
  clients: number,
): Promise<Rounds[]> {
  const seconds = Math.max(0.5, 4 * patience.share);
  const count = Math.min(patience.rounds, 7);
  const all = contenders.map(({ name }): Rounds => ({ name, rounds: [] }));
  for (let round = 0; round <= count; round += 1) {
    for (const [at, contender] of contenders.entries()) {
      progress(`${clients} clients, ${contender.name}: round ${round} of ${count}`);
      const before = cpuOf(contender);
      const measured = await contender.load({ work, clients, seconds });
      const operations = measured.perSecond * seconds;
      const cpuUs = ((cpuOf(contender) - before) * 1000) / operations;
      if (round > 0) all[at]?.rounds.push({ ...measured, cpuUs });
    }
  }
  return all;
}

function cpuOf({ processes }: ClusterContender): number {
  return processes.reduce((sum, each) => sum + each.cpuMs(), 0);
}

/** Beside each of the others: operations, and at the most clients the slowest of a hundred. */
function rowsOf(work: Work, clients: number, [own, ...others]: readonly Rounds[]): Row[] {
  const rounds = own?.rounds ?? [];
  const name = `${clients} client${clients === 1 ? '' : 's'}`;
  const valuesOf = (from: readonly Round[], what: keyof Round): number[] =>
    from.map((each) => each[what]);
  const more = Object.fromEntries(
    [own, ...others].flatMap((each) =>
      each === undefined
        ? []
        : [
            [`p50 ms (${each.name})`, median(valuesOf(each.rounds, 'p50Ms'))],
            [`p99 ms (${each.name})`, median(valuesOf(each.rounds, 'p99Ms'))],
            [`CPU µs (${each.name})`, median(valuesOf(each.rounds, 'cpuUs'))],
          ],
    ),
  );
  const part = work === 'put' ? 'cluster' : 'reads';
  const perSecond = valuesOf(rounds, 'perSecond');
  if (others.length === 0) {
    return [rowOf({ part, case: name, unit: 'perSecond', more }, perSecond)];
  }
  return others.flatMap((other, at) => {
    const aim = other.name === 'floor' ? floorAim : aimOf(etcdAims[work][clients]);
    const heading = {
      ...{ part, case: name, unit: 'perSecond' as const },
      ...(aim !== undefined && { aim }),
      ...(at === 0 && { more }),
    };
    const beside = { name: other.name, values: valuesOf(other.rounds, 'perSecond') };
    const row = rowOf(heading, perSecond, beside);
    if (other.name !== 'etcd' || clients !== 256) return [row];
    const tail = { name: 'etcd', values: valuesOf(other.rounds, 'p99Ms') };
    const tailHeading = { part, case: `${name}, p99`, unit: 'ms' as const };
    const tailAim = work === 'put' ? { aim: p99Aim } : {};
    return [row, rowOf({ ...tailHeading, ...tailAim }, valuesOf(rounds, 'p99Ms'), tail)];
  });
}

function aimOf(least: number | undefined): Aim | undefined {
  return least === undefined ? undefined : { of: 'ratio', least };
}

/** What is done for an operation, counted apart. */
async function withCounts(
  { patience, progress }: Context,
  folder: string,
  rows: readonly Row[],
): Promise<Row[]> {
  const counted = [...rows];
  for (const clients of levels) {
    progress(`${clients} clients: counting in a trace`);
    const counts = await countedRun(folder, clients, Math.max(0.5, 3 * patience.share));
    const at = counted.findIndex((row) => row.case.startsWith(`${clients} client`));
    const row = counted[at];
    if (row === undefined) continue;
    const more = {
      ...row.more,
      'operations a sync': counts.operationsPerSync,
      'entries a sync': counts.entriesPerSync,
      'entries shipped for each': counts.shippedPerEntry,
    };
    counted[at] = { ...row, more };
  }
  return counted;
}
