/**
 * The simulator: it finds nothing where nothing is wrong, repeats itself exactly, and finds,
 * shortens and draws what was planted. That it finds much more is shown by marble-tests/mutants.
 */
import { concatMap, filter, finalize, merge, Subject, tap } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCampaign, type Totals } from '../../adapters/testing/simulation/campaign.js';
import { faultKinds } from '../../adapters/testing/simulation/faults.js';
import type { Core } from '../../adapters/testing/simulation/member.js';
import type { SimulationOptions } from '../../adapters/testing/simulation/simulate.js';
import { simulate } from '../../adapters/testing/simulation/simulate.js';
import { Violation } from '../../adapters/testing/simulation/violation.js';
import type { SimulatedInput } from '../../adapters/testing/simulation/witness.js';
import { MemoryDisk, memoryStore } from '../../adapters/memory-store.js';
import { raft } from '../../lib/index.js';

/** A node that, from some write on, believes its disk before the disk has said anything. */
function hastyFrom(sequence: number): Core {
  return (config, turn) => (input$) => {
    const early$ = new Subject<SimulatedInput>();
    const late$ = input$.pipe(
      filter((input) => input.type !== 'persisted' || input.sequence < sequence),
      finalize(() => early$.complete()),
    );
    return merge(late$, early$).pipe(
      raft(config, turn),
      tap((action) => {
        if (action.type !== 'persist' || action.sequence < sequence) return;
        early$.next({ type: 'persisted', sequence: action.sequence });
      }),
    );
  };
}

const hasty = hastyFrom(4);

async function violationOf<S, C, R>(options: SimulationOptions<S, C, R>): Promise<Violation> {
  try {
    await simulate(options);
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
  throw new Error(`seed ${options.seed} breaks no rule`);
}

/** The first of a few seeds that breaks a rule, which not every one does. */
async function firstViolation<S, C, R>(
  options: Omit<SimulationOptions<S, C, R>, 'seed'>,
): Promise<Violation> {
  for (let seed = 1; seed <= 100; seed += 1) {
    try {
      await simulate({ ...options, seed, shrinkRuns: 0 });
    } catch (error) {
      if (error instanceof Violation) return error;
      throw error;
    }
  }
  throw new Error('no seed breaks a rule');
}

describe('a campaign', { timeout: 120_000 }, () => {
  let totals: Totals;
  beforeAll(async () => {
    const everything = { firstSeed: 1, seeds: 300, steps: null, nodes: [3, 5, 7] };
    totals = await runCampaign({ ...everything, faults: faultKinds });
  }, 120_000);

  it('keeps every rule, and lives when its world heals', () => {
    expect(totals).toMatchObject({ seeds: 300, violation: null });
  });

  it('sees every fault, and work being done', () => {
    // A world in which nothing happens would keep every rule.
    for (const kind of faultKinds) expect(totals.faults[kind], kind).toBeGreaterThan(50);
    expect(totals.elections).toBeGreaterThan(300);
    expect(totals.commands).toBeGreaterThan(1500);
    expect(totals.reads).toBeGreaterThan(600);
  });
});

describe('a run', { timeout: 60_000 }, () => {
  it('is the same for the same seed, and another for another', async () => {
    const run = (seed: number) => simulate({ seed, nodes: 5 });
    const first = await run(11);
    expect(await run(11)).toEqual(first);
    expect((await run(12)).digest).not.toBe(first.digest);
    expect(first.digest).toMatch(/^[0-9a-f]{16}$/);
  });

  it('is the same whatever runs beside it', async () => {
    const alone = await simulate({ seed: 3 });
    const together = await Promise.all([1, 2, 3, 4].map((seed) => simulate({ seed })));
    expect(together[2]).toEqual(alone);
  });

  it.each([
    [2101386, 3, 'a majority heals that a change under way makes too small'],
    [2105234, 7, 'an entry is committed by a configuration that is not yet handed to the disk'],
    [2105813, 7, 'the same'],
  ])('seed %i with %i nodes: no fault is seen where %s', async (seed, nodes) => {
    expect((await simulate({ seed, nodes, shrinkRuns: 0 })).commits).toBeGreaterThan(0);
  });

  it('has the faults that were asked for, and no others', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const { faults } = await simulate({ seed, faults: ['crash', 'drop'] });
      const seen = faultKinds.filter((kind) => faults[kind] > 0);
      expect(['crash', 'drop']).toEqual(expect.arrayContaining(seen));
    }
    const { faults, commands } = await simulate({ seed: 1, faults: [] });
    expect(Object.values(faults).every((count) => count === 0)).toBe(true);
    expect(commands).toBeGreaterThan(0);
  });

  it.each([1, 2, 4, 6])('keeps every rule with %i voters', async (nodes) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      expect((await simulate({ seed, nodes })).commits).toBeGreaterThan(0);
    }
  });

  it('refuses options that mean nothing', async () => {
    await expect(simulate({ seed: 1.5 })).rejects.toThrow('seed');
    await expect(simulate({ seed: 1, nodes: 8 })).rejects.toThrow('nodes');
    const half = { seed: 1, initialState: {} };
    await expect(simulate(half)).rejects.toThrow('belong together');
  });
});

describe('what is planted', { timeout: 60_000 }, () => {
  it('is found: a message leaves before what it depends on is durable', async () => {
    const { rule } = await violationOf({ seed: 1, core: hasty, shrinkRuns: 0 });
    expect(rule).toMatch(/^\(8\) n\d .*not durable/);
  });

  it('is made shorter, and seen again', async () => {
    const long = await violationOf({ seed: 1, core: hasty, shrinkRuns: 0 });
    const short = await violationOf({ seed: 1, core: hasty });
    expect(short.rule.slice(0, 3)).toBe(long.rule.slice(0, 3));
    expect(short.again.steps).toBeLessThanOrEqual(long.again.steps);
    expect(short.decisions.length).toBeLessThan(long.decisions.length / 2);
    expect(short.history.length).toBeLessThan(long.history.length);
    const again = await violationOf({ ...short.again, core: hasty, shrinkRuns: 0 });
    expect(again.digest).toBe(short.digest);
    expect(again.history).toEqual(short.history);
  });

  it('is made shorter within the runs that may be spent', async () => {
    let runs = 0;
    const counting: Core = (config, turn) => {
      if (config.id === 'n1' && config.generation === 1) runs += 1;
      return hastyFrom(12)(config, turn);
    };
    await violationOf({ seed: 1, core: counting, shrinkRuns: 7 });
    // Once to find it, and once to have its history.
    expect(runs).toBe(2 + 7);
  });

  it('is told by runs that begin on empty disks, where the disks are not the simulator’s', async () => {
    type Bytes = Uint8Array;
    const disks = new Map<string, MemoryDisk<Bytes, Bytes>>();
    const openStore: SimulationOptions['openStore'] = ({ id, isNew, scheduler }) => {
      const disk = (isNew ? null : disks.get(id)) ?? new MemoryDisk<Bytes, Bytes>();
      disks.set(id, disk);
      return memoryStore(disk, { scheduler, writeMs: () => 1 });
    };
    const { rule, history } = await violationOf({ seed: 1, core: hasty, openStore });
    expect(rule).toMatch(/^\(8\) n\d .*not durable/);
    expect(history.at(-1)?.text).toBe(rule);
  });

  it('is told as well when it is broken in one run only', async () => {
    let runs = 0;
    const core: Core = (config, turn) => {
      if (config.id === 'n1' && config.generation === 1) runs += 1;
      return (runs === 1 ? hasty : raft)(config, turn);
    };
    const { rule } = await violationOf({ seed: 1, core });
    expect(rule).toMatch(/^\(8\) .*not in a second run/);
  });

  it('is drawn, a line for each node, and explained', async () => {
    const { diagram, rule, history } = await violationOf({ seed: 1, core: hasty });
    expect(diagram).toMatch(/^n1 +[A-Za-z/=#~+!-]+$/m);
    expect(diagram).toMatch(/^world +[-+]*!$/m);
    expect(diagram).toContain('! the rule is broken');
    expect(diagram.trimEnd().endsWith(rule)).toBe(true);
    expect(history.at(-1)).toMatchObject({ mark: '!', text: rule });
    expect(
      Math.max(
        ...diagram
          .split('\n')
          .slice(0, 5)
          .map((line) => line.length),
      ),
    ).toBeLessThan(80);
  });

  it('has nothing to find in a store or a core that answers by promises', async () => {
    const openStore: SimulationOptions['openStore'] = ({ id, isNew, scheduler }) => {
      const disk = (isNew ? null : disks.get(id)) ?? new MemoryDisk<Uint8Array, Uint8Array>();
      disks.set(id, disk);
      const store = memoryStore(disk, { scheduler, writeMs: () => 1 });
      const storage: typeof store.storage = (action$) =>
        action$.pipe(
          store.storage,
          concatMap((input) => Promise.resolve(input)),
        );
      return { ...store, storage };
    };
    const disks = new Map<string, MemoryDisk<Uint8Array, Uint8Array>>();
    const core: Core = (config, turn) => (input$) =>
      input$.pipe(
        concatMap((input) => Promise.resolve(input)),
        raft(config, turn),
      );
    for (const own of [{ openStore }, { core }]) {
      expect((await simulate({ seed: 2, ...own })).commits).toBeGreaterThan(0);
    }
  });

  it('is found: a store that forgets', async () => {
    const openStore: SimulationOptions['openStore'] = () => memoryStore(new MemoryDisk());
    expect((await firstViolation({ openStore })).rule).toMatch(/^\(S\) the store of n\d/);
  });

  it('is found: a store that fails when its node ends, be it the end of the run', async () => {
    const openStore: SimulationOptions['openStore'] = ({ scheduler }) => {
      const store = memoryStore(new MemoryDisk<Uint8Array, Uint8Array>(), { scheduler });
      const fail = (): never => {
        throw new RangeError('no such place');
      };
      return { ...store, storage: (action$) => store.storage(action$).pipe(finalize(fail)) };
    };
    const { rule, history } = await violationOf({ seed: 1, openStore, faults: [], steps: 0 });
    expect(rule).toMatch(/^\(T\) n\d ends with .*no such place/s);
    expect(history.at(-1)?.text).toBe(rule);
  });

  it('is found: a node that dies of itself', async () => {
    const core: Core = (config, turn) => (input$) =>
      input$.pipe(
        raft(config, turn),
        tap((action) => {
          if (action.type === 'roleChanged' && action.role === 'leader') throw new Error('no!');
        }),
      );
    expect((await firstViolation({ core })).rule).toMatch(/^n\d died: Error: no!/);
  });

  it('is found: a cluster that never elects anyone', async () => {
    const core: Core = (config, turn) => (input$) =>
      input$.pipe(
        filter((input) => input.type !== 'timedOut'),
        raft(config, turn),
      );
    expect((await violationOf({ seed: 1, core, shrinkRuns: 3 })).rule).toMatch(/^\(L\) no leader/);
  });
});

describe('a reducer of the user', { timeout: 60_000 }, () => {
  const counter = {
    reducer: (sum: number, add: number) => ({ state: sum + add, result: sum + add }),
    initialState: 0,
    command: () => 1,
  };

  it('is replicated', async () => {
    const report = await simulate({ seed: 1, ...counter, invariant: (sum) => sum >= 0 });
    expect(report.commands).toBeGreaterThan(0);
  });

  it('may refuse a command, the same on every node', async () => {
    const reducer = (sum: number): never => {
      throw new Error(`enough: ${sum}`);
    };
    expect((await simulate({ seed: 1, ...counter, reducer })).commands).toBeGreaterThan(0);
  });

  it('E15: is caught when it is not pure', async () => {
    let calls = 0;
    const reducer = (sum: number) => ({ state: sum + 1, result: (calls += 1) });
    const { rule } = await firstViolation({ ...counter, reducer });
    expect(rule).toMatch(/^\(4\) n\d has another result for command \d+: is the reducer pure\?/);
  });

  it('is caught when its states are not the same', async () => {
    let calls = 0;
    const reducer = () => ({ state: (calls += 1), result: 0 });
    const { rule } = await firstViolation({ ...counter, reducer });
    expect(rule).toContain('the states of two nodes differ');
  });

  it('is caught when it breaks its invariant', async () => {
    const invariant = (sum: number): void => {
      if (sum > 2) throw new Error(`${sum} is too much`);
    };
    const { rule } = await firstViolation({ ...counter, invariant });
    expect(rule).toMatch(/^\(I\) the state of n\d breaks its invariant: Error: 3 is too much/);
  });
});
