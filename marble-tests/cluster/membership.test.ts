/** Members come and go under load, and find each other again after everything was down. */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClusterReport } from '../../adapters/key-value/status.js';
import type { Ran } from './cluster.js';
import { cleanUp, Cluster, freePorts, Run, temporaryFolder, until } from './cluster.js';
import { Load } from './load.js';

afterEach(cleanUp);

const at = (port: number | undefined): string => `127.0.0.1:${port}`;

const ask = (nodes: readonly string[], ...args: string[]): Promise<Ran> => {
  const [command = '', ...rest] = args;
  return new Run([command, '--nodes', nodes.join(','), ...rest]).ended;
};

async function reportOf(nodes: readonly string[]): Promise<ClusterReport> {
  const { stdout } = await ask(nodes, 'status', '--json');
  return JSON.parse(stdout.toString()) as ClusterReport;
}

/** Until these, and no others, vote, one of them leads, and all have applied something. */
async function untilVoters(nodes: readonly string[], ...ids: string[]): Promise<ClusterReport> {
  let report: ClusterReport = { leader: null, nodes: [] };
  await until(`the voters are ${ids.join()}`, async () => {
    report = await reportOf(nodes);
    const voters = report.nodes.filter(({ membership }) => membership === 'voter');
    const applied = voters.map((node) => (node.reachable ? node.applied : -1));
    return (
      ids.includes(report.leader ?? '') &&
      voters.map(({ id }) => id).join() === ids.join() &&
      applied.every((index) => index > 0)
    );
  });
  return report;
}

describe('a fourth node', () => {
  it('is added on any node under load, survives alone, and the leader may leave', async () => {
    const cluster = await Cluster.start();
    const [port] = await freePorts(1);
    const [n1 = '', n2 = '', n3 = ''] = cluster.nodes;
    const n4 = at(port);
    const command = ['node', '--id', 'n4', '--data', join(cluster.folder, 'n4'), '--listen', n4];
    const joining = [...command, '--join', `${n1},${n2}`];

    const early = await ask([n1], 'add', 'n4', n4);
    expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('start it with')]);
    const run = new Run(joining);
    await run.says(/listens on/);
    expect((await ask([n4], 'get', 'x')).code).toBe(1);

    const load = new Load(cluster.nodes, 'a', 4, 2);
    for (const node of [n1, n2, n3])
      expect(await ask([node], 'add', 'n4', n4)).toMatchObject({ code: 0 });
    const { leader, nodes } = await untilVoters([n1], 'n1', 'n2', 'n3', 'n4');
    // With a leader of the three: its end is to be seen in their output.
    const leaves = leader === 'n4' ? 'n1' : (leader ?? '');
    expect(nodes).toHaveLength(4);
    const removed = await ask([n4], 'remove', leaves);
    expect([removed.code, removed.stderr]).toEqual([0, `${leaves} is no member\n`]);
    expect((await ask([n4], 'remove', leaves)).code).toBe(0);
    await cluster.run.says(new RegExp(`${leaves} was removed from the cluster, and stops`));
    await load.stop();
    expect(load.acknowledged.size).toBeGreaterThan(50);
    expect(await load.faults([n1, n2, n3, n4].filter((_, i) => `n${i + 1}` !== leaves))).toEqual(
      [],
    );
    const rest = ['n1', 'n2', 'n3', 'n4'].filter((id) => id !== leaves);
    await untilVoters([n4], ...rest);

    // With its old command line, though none of those that it once asked may be there.
    run.kill('SIGKILL');
    await run.ended;
    const again = new Run([...command, '--join', at(1)]);
    await again.says(/follows|leads/);
    await untilVoters([n4], ...rest);
  });
});

describe('a cluster that has grown from one', () => {
  it('finds itself again after a kill -9 of all, with the old command lines', async () => {
    const folder = temporaryFolder();
    const ports = await freePorts(3);
    const nodes = ports.map(at);
    const start = (n: number): Run =>
      new Run([
        ...[
          'node',
          '--id',
          `n${n}`,
          '--data',
          join(folder, `n${n}`),
          '--listen',
          nodes[n - 1] ?? '',
        ],
        ...(n === 1 ? ['--alone'] : ['--join', nodes[0] ?? '']),
      ]);
    let runs = [start(1), start(2), start(3)];
    await runs[0]?.says(/leads/);
    for (const n of [2, 3]) {
      await runs[n - 1]?.says(/listens/);
      expect((await ask([nodes[0] ?? ''], 'add', `n${n}`, nodes[n - 1] ?? '')).code).toBe(0);
    }
    expect((await ask(nodes, 'put', 'color', 'blue')).code).toBe(0);
    for (const run of runs) run.kill('SIGKILL');
    await Promise.all(runs.map((run) => run.ended));

    runs = [start(1), start(2), start(3)];
    await untilVoters(nodes, 'n1', 'n2', 'n3');
    expect((await ask(nodes, 'get', 'color')).stdout.toString()).toBe('blue');

    // Down to one again, which is the last.
    for (const id of ['n3', 'n2']) expect((await ask(nodes, 'remove', id)).code).toBe(0);
    const last = await ask([nodes[0] ?? ''], 'remove', 'n1');
    expect([last.code, last.stderr]).toEqual([1, expect.stringContaining('last voter')]);
    for (const run of runs.slice(1)) expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
    expect((await ask([nodes[0] ?? ''], 'get', 'color')).stdout.toString()).toBe('blue');
  });
});

describe('a node that was away while all others were replaced', () => {
  it('says that it needs to be told of one, and comes back when it is', async () => {
    const folder = temporaryFolder();
    const nodes = (await freePorts(5)).map(at);
    const start = (n: number, ...how: string[]): Run => {
      const place = ['--data', join(folder, `n${n}`), '--listen', nodes[n - 1] ?? ''];
      return new Run(['node', '--id', `n${n}`, ...place, ...how]);
    };
    const [n1 = '', , n3 = '', n4 = '', n5 = ''] = nodes;
    const add = async (n: number, how: readonly string[]): Promise<Run> => {
      const run = start(n, '--join', how.join(','));
      await run.says(/listens/);
      expect((await ask(how, 'add', `n${n}`, nodes[n - 1] ?? '')).code).toBe(0);
      return run;
    };
    const first = start(1, '--alone');
    await first.says(/leads/);
    const second = await add(2, [n1]);
    const away = await add(3, [n1]);
    away.kill('SIGTERM');
    await away.ended;
    await add(4, [n1]);
    expect((await ask([n4], 'remove', 'n1')).code).toBe(0);
    await add(5, [n4]);
    expect((await ask([n5], 'remove', 'n2')).code).toBe(0);
    await Promise.all([first.ended, second.ended]);

    const lost = start(3, '--join', n1);
    await lost.says(/turned the node "n." away .* start this one again with --join/);
    const { leader, nodes: told } = await reportOf([n3, n4, n5]);
    expect(['n4', 'n5']).toContain(leader);
    expect(told.find(({ id }) => id === leader)).toMatchObject({ membership: 'voter' });
    lost.kill('SIGTERM');
    await lost.ended;
    await start(3, '--join', n4).says(/follows|leads/);
    await untilVoters([n4], 'n3', 'n4', 'n5');

    // The page of any node finds all of them, whatever that node was started with.
    for (const each of [n3, n4, n5]) {
      const file = await fetch(`http://${each}/cluster.json`);
      expect(await file.json()).toEqual({ members: { n3, n4, n5 } });
    }
  });
});

describe('a node that waits', () => {
  it('for a cluster that does not answer says so, and stops when it is asked to', async () => {
    const [port] = await freePorts(1);
    const data = join(temporaryFolder(), 'n4');
    const run = new Run([
      'node',
      '--id',
      'n4',
      '--data',
      data,
      '--listen',
      at(port),
      '--join',
      at(1),
    ]);
    await run.says(/finds nobody yet at 127.0.0.1:1, and goes on asking/);
    const health = await fetch(`http://${at(port)}/health`);
    const ready = await fetch(`http://${at(port)}/ready`);
    expect([health.status, ready.status]).toEqual([200, 503]);
    run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
  });
});
