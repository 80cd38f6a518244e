/**
 * What a cluster does for one operation, counted in the trace of its leader: in a run of its own,
 * because to write a trace takes time.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { putLoadOn } from './load.js';
import { leaderOf, startThree } from './rxraft.js';

export interface Counts {
  /** Operations, for each time that the leader's disk was waited for. */
  readonly operationsPerSync: number;
  /** Entries of the log: many operations of a turn are one. */
  readonly entriesPerSync: number;
  /** How often an entry leaves for a follower: at best twice, once for each of them. */
  readonly shippedPerEntry: number;
}

export async function countedRun(
  folder: string,
  clients: number,
  seconds: number,
): Promise<Counts> {
  const data = join(folder, `traced-${clients}`);
  const traceOf = (id: string): string => join(data, `${id}.trace`);
  const nodes = await startThree(data, (id) => ['--trace', traceOf(id), '--trace-limit', '1024']);
  try {
    const leader = await leaderOf(nodes);
    const { perSecond } = await putLoadOn(leader.address, { work: 'put', clients, seconds });
    return countsOf(await linesOf(traceOf(leader.id)), perSecond * seconds);
  } finally {
    for (const node of nodes) node.process.kill();
  }
}

export interface TraceLine {
  readonly event: string;
  readonly to?: readonly string[];
  readonly message?: { readonly entries?: { readonly list: readonly unknown[] } };
  readonly entries?: { readonly list: readonly unknown[] } | null;
}

export function countsOf(lines: readonly TraceLine[], operations: number): Counts {
  let syncs = 0;
  let entries = 0;
  let shipped = 0;
  for (const { event, to = [], message, entries: own } of lines) {
    if (event === 'persisted') syncs += 1;
    if (event === 'persist') entries += own?.list.length ?? 0;
    if (event === 'send') shipped += (message?.entries?.list.length ?? 0) * to.length;
  }
  return {
    operationsPerSync: operations / syncs,
    entriesPerSync: entries / syncs,
    shippedPerEntry: shipped / entries,
  };
}

async function linesOf(path: string): Promise<TraceLine[]> {
  const lines: TraceLine[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    // The newest one may be in the midst of being written.
    if (line.endsWith('}')) lines.push(JSON.parse(line) as TraceLine);
  }
  return lines;
}
