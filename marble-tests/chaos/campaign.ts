/**
 * A campaign: a cluster of real processes, clients at work, harm done to it for some time; then the
 * harm ends, and the cluster has to recover. What clients saw is checked for linearizability, and
 * what the nodes wrote against a model from the paper.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { until } from '../cluster/cluster.js';
import { checkHistory, describeFailure } from '../linearizability/checker.js';
import { replaySteps } from '../trace/replay.js';
import { Violation } from '../trace/rules.js';
import { linesOfFile } from '../trace/trace-lines.js';
import { Crew } from './crew.js';
import { Fleet } from './fleet.js';
import { HeavyWriter } from './heavy-writer.js';
import { checkable, HistoryFile } from './history-file.js';
import { memberFaults } from './member-faults.js';
import { Nemesis } from './nemesis.js';
import { recovery } from './recovery.js';
import { faultsOfStale } from './stale-reads.js';
import { Viewers } from './viewers.js';
import { Watchers } from './watchers.js';

export interface CampaignOptions {
  readonly nodes: number;
  readonly seconds: number;
  readonly seed: number;
  /** Do members come and go? */
  readonly changes: boolean;
  /** Another program than the one that is built here. */
  readonly program?: string;
  readonly say: (text: string) => void;
}

const progressMs = 10_000;

/** On a busy machine, with all nodes at the start of their processes. */
const firstLeaderMs = 180_000;

/** What must not have happened and did, in words. Says how it goes, and what it was in the end. */
export async function campaign(options: CampaignOptions): Promise<readonly string[]> {
  const fleet = await Fleet.open(options.nodes, options.seed, options.program);
  let isClean = false;
  try {
    const faults = await campaignOn(fleet, options);
    isClean = faults.length === 0;
    return faults;
  } finally {
    const keeps = !isClean && options.program === undefined;
    await fleet.close(keeps);
    if (keeps) options.say(`What happened is in ${fleet.folder}`);
  }
}

async function campaignOn(fleet: Fleet, options: CampaignOptions): Promise<readonly string[]> {
  const { seconds, seed, say } = options;
  const hasBegun = async (): Promise<boolean> => fleet.faults.length > 0 || fleet.leader !== null;
  await until('a leader', hasBegun, firstLeaderMs);
  if (fleet.faults.length > 0) return fleet.faults;
  const history = new HistoryFile(join(fleet.folder, 'history.jsonl'));
  const viewers = new Viewers(fleet, seed);
  const crew = new Crew(fleet, seed, history, (node) => viewers.load('client', node));
  const heavy = new HeavyWriter(fleet, seed, history);
  const watchers = new Watchers(fleet, seed);
  const nemesis = new Nemesis(fleet, seed, options.changes ? memberFaults : []);
  const progress = new Progress(options, fleet, history, nemesis);
  const ticks = setInterval(() => say(progress.line), progressMs);
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && fleet.faults.length === 0) await sleep(200);
  clearInterval(ticks);
  await Promise.all([nemesis.stop(), heavy.stop()]);
  say(progress.line);
  const { longestWithoutWriteMs } = history;
  const told = async (): Promise<void> => {
    await viewers.settled();
    await watchers.settled(history.operations);
  };
  if (fleet.faults.length === 0) await recovery(fleet, history, crew, told);
  // Nobody waits for a cluster that is known to be broken.
  else
    await Promise.all([
      crew.quiet(),
      watchers.stop(),
      viewers.stop(),
      ...fleet.members.map((member) => member.crash()),
    ]);
  history.flush();
  const begin = performance.now();
  const verdict = checkHistory(history.operations.map(checkable));
  const checkedMs = Math.round(performance.now() - begin);
  for (const failure of verdict.failures) fleet.fault(describeFailure(failure));
  for (const fault of faultsOfStale(history.stale, history.operations)) fleet.fault(fault);
  const watched = watchers.check(history.operations);
  const viewed = viewers.check();
  const trace = await replayed(fleet);
  say(
    [
      `${options.nodes} nodes${options.changes ? ', changing' : ''}, ${seconds} s, seed ${seed}: ${fleet.faults.length} violations`,
      `  operations: ${counted(Object.entries(history.outcomes))}; checked in ${checkedMs} ms`,
      ...crew.lines.map((line) => `    ${line}`),
      `  watches: ${watched}`,
      `  live page: ${viewed}`,
      `  longest time without a successful write: ${Math.round(longestWithoutWriteMs)} ms`,
      ...clusterLines(fleet, nemesis, trace),
    ].join('\n'),
  );
  return fleet.faults;
}

/** What a campaign says of its cluster in the end. */
export function clusterLines(fleet: Fleet, nemesis: Nemesis, trace: string): readonly string[] {
  return [
    `  traces: ${trace}`,
    `  elections won: ${fleet.leaders.size}, up to term ${fleet.term}`,
    `  snapshots sent: ${fleet.installations}, with one every ${fleet.snapshotEvery} entries`,
    `  faults: ${counted(nemesis.counts)}`,
  ];
}

/** Replays what the nodes have written, and says how much it was. */
export async function replayed(fleet: Fleet): Promise<string> {
  const begin = performance.now();
  const { traces } = fleet;
  const bytes = traces.reduce((sum, path) => sum + statSync(path).size, 0);
  let lines = 0;
  try {
    const steps = replaySteps(traces.map(linesOfFile));
    for (let step = steps.next(); ; step = steps.next()) {
      lines = step.done === true ? step.value.lines : step.value;
      if (step.done === true) break;
      await turn();
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    fleet.fault(`the traces are not Raft: ${error.message}`);
  }
  const ms = Math.round(performance.now() - begin);
  return `${lines} lines, ${Math.round(bytes / 1e6)} MB, replayed in ${ms} ms`;
}

export class Progress {
  private readonly begin = performance.now();

  constructor(
    private readonly options: CampaignOptions,
    private readonly fleet: Fleet,
    private readonly history: HistoryFile,
    private readonly nemesis: Nemesis,
  ) {}

  get line(): string {
    const { fleet, history, nemesis, options } = this;
    const seconds = Math.round((performance.now() - this.begin) / 1000);
    const harm = [...nemesis.counts.values()].reduce((sum, count) => sum + count, 0);
    return [
      `${seconds} of ${options.seconds} s, ${options.nodes} nodes`,
      `${history.operations.length} operations (${counted(Object.entries(history.outcomes))})`,
      `${harm} faults${[...nemesis.present].map((name) => `, now ${name}`).join('')}`,
      `${fleet.leader} leads in term ${fleet.term}, after ${fleet.leaders.size} elections`,
    ].join('; ');
  }
}

export function counted(counts: Iterable<readonly [string, number]>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}
