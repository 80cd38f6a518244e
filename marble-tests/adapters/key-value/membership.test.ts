/** Changes of members (§6), made by a leader whose log does what it is told. */
import { BehaviorSubject } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Change, NodeStatus } from '../../../adapters/key-value/client-protocol.js';
import type { AnyCommand } from '../../../adapters/key-value/commands.js';
import { ChangeRefused } from '../../../adapters/change-refused.js';
import type { InForce } from '../../../adapters/config-in-force.js';
import type { Membership } from '../../../adapters/key-value/membership.js';
import { membership } from '../../../adapters/key-value/membership.js';
import { emptyState, reducer } from '../../../adapters/key-value/reducer.js';
import { NotLeader, OutcomeUnknown, Refused } from '../../../adapters/machine.js';
import type { ClusterConfig } from '../../../lib/index.js';
import { clusterOf, isJointConsensus, toFinalConfig } from '../../../lib/cluster-config.js';
import type { LogPosition } from '../../../lib/position.js';

const home = (id: string): string => `127.0.0.1:710${id.slice(1)}`;

let inForce$: BehaviorSubject<InForce>;
let leader$: BehaviorSubject<string | null>;
/** What was proposed, in order: addresses and configurations. */
let log: (AnyCommand | ClusterConfig)[];
/** What the log answers to the next configurations, instead of taking them. */
let refusals: Error[];
/** Nodes that run, by their addresses. */
let running: Map<string, { id: string; applied: number; voters: string[] }>;
/** Nodes do not apply what is decided. */
let lagging = false;
/** How often nodes were looked at. */
let looks = 0;
/** Somebody else leads from then on. */
let isOverAt: 'joint' | null = null;
let state = emptyState();
let leader: Membership;

function take(config: ClusterConfig): void {
  const index = inForce$.value.index + 1;
  inForce$.next({ config, index, isCommitted: true });
  for (const each of running.values()) if (!lagging) each.applied = index;
  if (!isJointConsensus(config)) return;
  if (isOverAt === 'joint') leader$.next('n2');
  else take(toFinalConfig(config));
}

beforeEach(() => {
  state = emptyState();
  log = [];
  refusals = [];
  lagging = false;
  looks = 0;
  isOverAt = null;
  const config = clusterOf(['n1', 'n2', 'n3']);
  inForce$ = new BehaviorSubject<InForce>({ config, index: 1, isCommitted: true });
  leader$ = new BehaviorSubject<string | null>('n1');
  running = new Map(
    ['n1', 'n2', 'n3', 'n4'].map((id) => [home(id), { id, applied: 0, voters: [] }]),
  );
  leader = membership({
    ...{ id: 'n1', inForce$, leader$, patienceMs: 300, pauseMs: 1 },
    machine: {
      state,
      dispatch: async (command) => {
        log.push(command);
        return reducer(state, command).result;
      },
      changeConfig: async (config): Promise<LogPosition> => {
        const refusal = refusals.shift();
        if (refusal !== undefined) throw refusal;
        log.push(config);
        take(config);
        return { term: 1, index: inForce$.value.index };
      },
    },
    addressOf: (id) => state.addresses.get(id) ?? (/^n[123]$/.test(id) ? home(id) : undefined),
    ask: async (address) => {
      looks += 1;
      return (running.get(address) ?? null) as NodeStatus | null;
    },
  });
});

const add = (id: string, address = home(id)): Change => ({ type: 'add', id, address });
const remove = (id: string): Change => ({ type: 'remove', id });
const members = (): ClusterConfig => inForce$.value.config;
const configs = (): ClusterConfig[] => log.filter((each) => 'voters' in each);

async function reasonOf(change: Change): Promise<string> {
  const error: unknown = await leader.lead(change).then(
    () => 'done',
    (each: unknown) => each,
  );
  return error instanceof ChangeRefused ? error.reason : String(error);
}

describe('a node that is added', () => {
  it('is known by address, then a non-voter, then a voter', async () => {
    await leader.lead(add('n4'));
    expect(log.slice(0, 4)).toEqual(
      expect.arrayContaining([{ type: 'address', id: 'n4', address: home('n4') }]),
    );
    expect(log.slice(4)).toEqual([
      { voters: ['n1', 'n2', 'n3'], newVoters: [], nonVoters: ['n4'] },
      { voters: ['n1', 'n2', 'n3'], newVoters: ['n1', 'n2', 'n3', 'n4'], nonVoters: [] },
    ]);
    expect(members().voters).toEqual(['n1', 'n2', 'n3', 'n4']);
    expect(state.addresses.get('n2')).toBe(home('n2'));
  });

  it('twice, is added once', async () => {
    await leader.lead(add('n4'));
    const before = log.length;
    await leader.lead(add('n4'));
    expect(log.length).toBe(before);
  });

  it('gets no vote before it has caught up, and one when it has (D14)', async () => {
    lagging = true;
    const adding = leader.lead(add('n4'));
    await expect.poll(() => looks).toBeGreaterThan(5);
    expect(members()).toEqual({ voters: ['n1', 'n2', 'n3'], newVoters: [], nonVoters: ['n4'] });
    running.set(home('n4'), { id: 'n4', applied: 99, voters: [] });
    await adding;
    expect(members().voters).toContain('n4');
  });

  it('stays a non-voter when it does not catch up in time, and goes on from there', async () => {
    lagging = true;
    expect(await reasonOf(add('n4'))).toBe('notCaughtUp');
    expect(members()).toEqual({ voters: ['n1', 'n2', 'n3'], newVoters: [], nonVoters: ['n4'] });
    running.set(home('n4'), { id: 'n4', voters: ['n1'], applied: 99 });
    await leader.lead(add('n4'));
    expect(members().voters).toContain('n4');
    expect(configs()).toHaveLength(2);
  });

  it('waits for what the log refuses for the moment', async () => {
    refusals = [new Refused('notReady'), new Refused('changeInProgress')];
    await leader.lead(add('n4'));
    expect(members().voters).toContain('n4');
  });

  it('is refused where the log goes on refusing', async () => {
    refusals = Array.from({ length: 1000 }, () => new Refused('changeInProgress'));
    expect(await reasonOf(add('n4'))).toBe('changeInProgress');
  });

  it.each(['invalidConfig', 'notReady'] as const)(
    'is told what the log says: %s',
    async (reason) => {
      refusals = Array.from({ length: 1000 }, () => new Refused(reason));
      await expect(leader.lead(add('n4'))).rejects.toThrow(`and says ${reason}`);
    },
  );

  it.each<[string, Change]>([
    ['idTaken', add('n2', home('n4'))],
    ['addressTaken', add('n5', home('n2'))],
    ['silent', add('n5')],
    ['stranger', add('n5', home('n4'))],
  ])('is refused as %s, and nothing is changed', async (reason, change) => {
    expect(await reasonOf(change)).toBe(reason);
    expect(log).toEqual([]);
  });

  it('is refused when it has founded a cluster of its own', async () => {
    running.set(home('n4'), { id: 'n4', applied: 3, voters: ['n4'] });
    expect(await reasonOf(add('n4'))).toBe('stranger');
    running.set(home('n4'), { id: 'n4', applied: 3, voters: ['n4', 'n2'] });
    expect(await reasonOf(add('n4'))).toBe('done');
  });

  it('is refused when no majority would be up', async () => {
    running.delete(home('n2'));
    running.delete(home('n3'));
    expect(await reasonOf(add('n4'))).toBe('noMajority');
    expect(log).toEqual([]);
  });
});

describe('a node that is removed', () => {
  it('is no member any more, and done when it is asked again', async () => {
    await leader.lead(remove('n2'));
    expect(members()).toEqual(clusterOf(['n1', 'n3']));
    const before = log.length;
    await leader.lead(remove('n2'));
    expect(log.length).toBe(before);
  });

  it('is forgotten with the next change', async () => {
    await leader.lead(remove('n2'));
    expect(state.addresses.has('n2')).toBe(true);
    await leader.lead(add('n4'));
    expect(state.addresses.has('n2')).toBe(false);
    expect(await reasonOf(remove('n2'))).toBe('unknownNode');
  });

  it('may be the leader', async () => {
    await leader.lead(remove('n1'));
    expect(members()).toEqual(clusterOf(['n2', 'n3']));
  });

  it('may be one without a vote', async () => {
    take({ ...members(), nonVoters: ['n4'] });
    await leader.lead(remove('n4'));
    expect(members()).toEqual(clusterOf(['n1', 'n2', 'n3']));
    expect(configs()).toEqual([clusterOf(['n1', 'n2', 'n3'])]);
  });

  it('may be the one that is down', async () => {
    running.delete(home('n3'));
    expect(await reasonOf(remove('n3'))).toBe('done');
  });

  it('is refused when those who stay could not decide', async () => {
    running.delete(home('n3'));
    expect(await reasonOf(remove('n2'))).toBe('noMajority');
    expect(log).toEqual([]);
  });

  it('is refused when it is the last, or nobody (D16)', async () => {
    take(clusterOf(['n1']));
    expect(await reasonOf(remove('n1'))).toBe('lastVoter');
    expect(await reasonOf(remove('n9'))).toBe('unknownNode');
    expect(await reasonOf(remove('__proto__'))).toBe('unknownNode');
    expect(log).toEqual([]);
  });
});

describe('one change at a time', () => {
  it('refuses the second one, whatever it is', async () => {
    const first = leader.lead(remove('n2'));
    expect(await reasonOf(add('n4'))).toBe('changeInProgress');
    await first;
    expect(await reasonOf(add('n4'))).toBe('done');
  });

  it('lets the same change, asked for again, end as the one that is under way', async () => {
    lagging = true;
    const first = reasonOf(add('n4'));
    const again = reasonOf(add('n4'));
    expect(await reasonOf(add('n4', home('n5')))).toBe('changeInProgress');
    running.set(home('n4'), { id: 'n4', applied: 99, voters: [] });
    expect(await Promise.all([first, again])).toEqual(['done', 'done']);
    expect(configs()).toHaveLength(2);
    for (const id of ['n3', 'n4']) running.delete(home(id));
    const refused = [remove('n2'), remove('n2')].map(reasonOf);
    expect(await Promise.all(refused)).toEqual(['noMajority', 'noMajority']);
  });

  it('waits for a change that an earlier leader has begun, within its patience (D2)', async () => {
    const { config } = inForce$.value;
    inForce$.next({ config, index: 7, isCommitted: false });
    expect(await reasonOf(remove('n2'))).toBe('changeInProgress');
    expect(log).toEqual([]);
    const waiting = leader.lead(remove('n2'));
    inForce$.next({ config, index: 7, isCommitted: true });
    await waiting;
    expect(members()).toEqual(clusterOf(['n1', 'n3']));
  });

  it('goes to the next leader when this one is none any more', async () => {
    leader$.next('n2');
    inForce$.next({ ...inForce$.value, isCommitted: false });
    await expect(leader.lead(remove('n2'))).rejects.toThrow(NotLeader);
  });

  it.each([
    ['add', add('n4')],
    ['remove', remove('n2')],
  ])('is unknown when the log has taken it and the leader is over: %s', async (_, change) => {
    isOverAt = 'joint';
    await expect(leader.lead(change)).rejects.toThrow(OutcomeUnknown);
  });

  it('is unknown when it is in the log and not decided', async () => {
    refusals = [new OutcomeUnknown('lost')];
    await expect(leader.lead(remove('n2'))).rejects.toThrow(OutcomeUnknown);
  });
});
