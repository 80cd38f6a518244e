/** Whole clusters in virtual time, from a seed: see `simulate`. */
import type { Store } from '../../storage.js';
import type { Application, Put, Registers } from './application.js';
import { registers } from './application.js';
import type { ClusterPlan } from './cluster.js';
import { SimulatedCluster } from './cluster.js';
import type { StorePlace } from './disk.js';
import type { FaultCounts, FaultKind } from './faults.js';
import { faultKinds } from './faults.js';
import type { Core } from './member.js';
import { shorten } from './shrink.js';
import { Violation } from './violation.js';

export interface SimulationOptions<
  State = Registers,
  Command = Put,
  Result = number,
> extends Partial<Application<State, Command, Result>> {
  /**
   * An integer: the same seed and options give the same run, on any machine and version of Node.
   */
  readonly seed: number;
  /** Voters at first: 1 to 7. Two more nodes wait to be added. Default 3. */
  readonly nodes?: number;
  /** Events under faults, before the world heals. Default 200 for each of `nodes`. */
  readonly steps?: number;
  /** What may go wrong. Default: everything. */
  readonly faults?: readonly FaultKind[];
  /** Names of decisions that are not to be taken: those of a violation that was made shorter. */
  readonly without?: readonly string[];
  /** Another core than `raft`, or one with an observer around it. */
  readonly core?: Core;
  /** Another store than one in memory, opened for each run of a node. */
  readonly openStore?: (place: StorePlace) => Store<Uint8Array, Uint8Array>;
  /** Runs that may be spent on making the history of a violation shorter. Default 200. */
  readonly shrinkRuns?: number;
}

/** What a run saw. */
export interface SimulationReport {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly elections: number;
  /** Entries of the log that were committed, and commands that were applied. */
  readonly commits: number;
  readonly commands: number;
  readonly reads: number;
  readonly messages: number;
  /** Commands, reads and changes by how they ended. */
  readonly endings: {
    readonly done: number;
    readonly notApplied: number;
    readonly unknown: number;
    readonly failed: number;
  };
  readonly faults: Readonly<FaultCounts>;
  /** The fingerprint of all that happened: the same for the same run. */
  readonly digest: string;
}

/**
 * Runs a cluster of the real core, operator, circle, clock and machine in virtual time, on disks
 * and a network that fail as the seed says. After every step the rules of the paper are checked
 * (its Figure 3), and that clients see one register, linearizable, that loses nothing and does
 * nothing twice. Then the world heals for a majority, and the cluster must live: a leader, a
 * commit, convergence, and an end for every request.
 *
 *     await simulate({ seed: 1 });
 *     await simulate({ seed: 1, reducer, initialState, command: (random) => random.below(10) });
 *
 * Resolves with what was seen. Rejects with a Violation, whose history was made as short as could
 * be: it is told by further runs, because to remember it would cost every other run a quarter of
 * its time.
 */
export async function simulate<State = Registers, Command = Put, Result = number>(
  options: SimulationOptions<State, Command, Result>,
): Promise<SimulationReport> {
  const plan = planOf(options);
  const result = await runOnce({ ...plan, hasWords: false });
  if (!(result instanceof Violation)) return result;
  const told = await runOnce(plan);
  if (!(told instanceof Violation)) throw unrepeatable(result);
  throw await shorten(told, options.shrinkRuns ?? 200, (change) => runOnce({ ...plan, ...change }));
}

function unrepeatable({ rule, again, history, decisions, digest }: Violation): Violation {
  const text = `${rule}: and not in a second run, so something hangs on more than the seed`;
  return new Violation(text, again, history, decisions, digest);
}

export function planOf<State, Command, Result>(
  options: SimulationOptions<State, Command, Result>,
): ClusterPlan<State, Command, Result> {
  const { seed, nodes = 3, steps = 200 * nodes, faults = faultKinds, without = [] } = options;
  const whole = { seed, nodes, steps };
  for (const [field, value] of Object.entries(whole)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`${field}: ${value} is not an integer from 0 on`);
    }
  }
  if (nodes < 1 || nodes > 7) throw new RangeError(`nodes: ${nodes} is not within 1 to 7`);
  return {
    ...{ seed, nodes, steps, faults, without, hasWords: true },
    application: applicationOf(options),
    core: options.core ?? null,
    openStore: options.openStore ?? null,
  };
}

/** Another reducer needs its own state and commands: all three, or none. */
function applicationOf<State, Command, Result>(
  options: SimulationOptions<State, Command, Result>,
): Application<State, Command, Result> {
  const { reducer, initialState, command, invariant } = options;
  if (reducer !== undefined && initialState !== undefined && command !== undefined) {
    return { reducer, initialState, command, ...(invariant === undefined ? {} : { invariant }) };
  }
  if (reducer !== undefined || initialState !== undefined || command !== undefined) {
    throw new TypeError('reducer, initialState and command belong together: give all of them');
  }
  return registers as unknown as Application<State, Command, Result>;
}

async function runOnce<State, Command, Result>(
  plan: ClusterPlan<State, Command, Result>,
): Promise<SimulationReport | Violation> {
  const cluster = new SimulatedCluster(plan);
  await cluster.run();
  const { world, ledger, stepsTaken, broken, network } = cluster;
  const { history, decisions, witness, time } = world;
  const { seed, nodes, without } = plan;
  if (broken !== null) {
    const again = { seed, nodes, steps: Math.min(stepsTaken, plan.steps), without };
    const lines = history.lines;
    const end = lines.findIndex((line) => line.mark === '!') + 1;
    const { taken } = decisions;
    return new Violation(broken, again, lines.slice(0, end), taken, history.digest.text);
  }
  const { reads, ...endings } = ledger.counts;
  return {
    seed,
    steps: stepsTaken,
    virtualMs: time.now,
    elections: witness.elections,
    commits: witness.commits.lastIndex,
    commands: ledger.applied,
    reads,
    messages: network.messages,
    endings,
    faults: decisions.counts,
    digest: history.digest.text,
  };
}
