/**
 * A campaign with replicas: programs that use the package, each with a replicated reducer, under
 * the harm that the key-value program is under.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until } from '../../cluster/cluster.js';
import { checkHistory, describeFailure } from '../../linearizability/checker.js';
import { Random } from '../../simulation/random.js';
import type { CampaignOptions } from '../campaign.js';
import { clusterLines, counted, Progress, replayed } from '../campaign.js';
import { Fleet } from '../fleet.js';
import { checkable, HistoryFile } from '../history-file.js';
import { Nemesis } from '../nemesis.js';
import { Chain } from './chain.js';
import { ReplicaClient } from './client.js';
import { replicasRecover } from './ends.js';
import { Filler } from './filler.js';
import { replicaMemberFaults } from './member-faults.js';
import { Observers } from './observers.js';
import { judgePromises } from './promises.js';

export const replicaProgram = fileURLToPath(new URL('./program.mjs', import.meta.url));

const clientCount = 12;
const progressMs = 10_000;

/** On a busy machine, with all nodes at the start of their processes. */
const firstLeaderMs = 180_000;

/** What must not have happened and did, in words. Says how it goes, and what it was in the end. */
export async function replicaCampaign(options: CampaignOptions): Promise<readonly string[]> {
  const { program = replicaProgram, say } = options;
  const fleet = await Fleet.open(options.nodes, options.seed, program);
  let isClean = false;
  try {
    await campaignOn(fleet, options);
    isClean = fleet.faults.length === 0;
    return fleet.faults;
  } finally {
    const keeps = !isClean && options.program === undefined;
    await fleet.close(keeps);
    if (keeps) say(`What happened is in ${fleet.folder}`);
  }
}

async function campaignOn(fleet: Fleet, options: CampaignOptions): Promise<void> {
  const { seconds, seed, say } = options;
  const isBroken = (): boolean => fleet.faults.length > 0;
  await until('a leader', async () => isBroken() || fleet.leader !== null, firstLeaderMs);
  if (isBroken()) return;
  const fault = (text: string): void => fleet.fault(text);
  const history = new HistoryFile(join(fleet.folder, 'history.jsonl'));
  const chain = new Chain(fault);
  const world = { nodes: () => fleet.addresses, history, chain, fault };
  const clients = Array.from(
    { length: clientCount },
    (_, id) => new ReplicaClient(id, new Random(seed + 1000 + id), world),
  );
  const failed = (error: unknown): void => fleet.fault(String(error));
  const filler = new Filler(new Random(seed + 2000), world, fleet.snapshotEvery >= 300);
  const work = Promise.all([...clients, filler].map((each) => each.work().catch(failed)));
  const observers = await Observers.open(fleet, chain);
  const nemesis = new Nemesis(fleet, seed, options.changes ? replicaMemberFaults : []);
  const progress = new Progress(options, fleet, history, nemesis);
  const ticks = setInterval(() => say(progress.line), progressMs);
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && !isBroken()) await sleep(200);
  clearInterval(ticks);
  await nemesis.stop();
  say(progress.line);
  const { longestWithoutWriteMs } = history;
  const quiet = async (): Promise<void> => {
    for (const each of [...clients, filler]) each.stop();
    await work;
  };
  const reach = (version: number): boolean => observers.reach(version);
  if (!isBroken()) await replicasRecover(fleet, world, quiet, reach);
  else await Promise.all([quiet(), ...fleet.members.map((member) => member.crash())]);
  observers.close();
  history.flush();
  const { failures } = checkHistory(history.operations.map(checkable));
  for (const failure of failures) fleet.fault(describeFailure(failure));
  const files = fleet.folders.map((folder) => `${folder}.states`).filter(existsSync);
  for (const path of files) chain.readFile(path);
  const promises = judgePromises(fleet.folder, isBroken() ? [] : fleet.ids, fault);
  const trace = await replayed(fleet);
  say(
    [
      `${options.nodes} replicas${options.changes ? ', changing' : ''}, ${seconds} s, seed ${seed}: ${fleet.faults.length} violations`,
      `  operations: ${counted(Object.entries(history.outcomes))}`,
      `  versions seen: ${chain.size}; states by observers: ${observers.line}`,
      `  ids: ${filler.line}; full out of snapshots: ${counted(Object.entries(chain.full))}`,
      `  recipes: ${promises}`,
      `  longest time without a successful write: ${Math.round(longestWithoutWriteMs)} ms`,
      ...clusterLines(fleet, nemesis, trace),
    ].join('\n'),
  );
}
