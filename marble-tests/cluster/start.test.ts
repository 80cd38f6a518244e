/** `npm start`: what it prints is true, what it prints to try works, and Ctrl-C loses nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, Cluster, isAlive, Run, temporaryFolder } from './cluster.js';

describe('a cluster on this machine', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(cleanUp);

  it('says which nodes there are, with their processes, and who leads', async () => {
    const { leader, followers } = await cluster.live();
    for (const { id, address, pid } of [leader, ...followers]) {
      const leads = id === leader.id ? ', leads' : '';
      expect(cluster.run.output).toMatch(
        new RegExp(`^ +${id} +${address} +process ${pid}${leads}$`, 'm'),
      );
      expect(isAlive(pid)).toBe(true);
    }
  });

  it('says commands to try, and each of them works as it is printed', async () => {
    const lines = cluster.run.output.split('\n').map((line) => line.replace(/ +# .*$/, '').trim());
    expect(lines).toContain(`export RXRAFT_NODES=${cluster.nodes.join(',')}`);
    const commands = lines.filter((line) => line.startsWith('npx rxraft '));
    expect(commands).toEqual([
      'npx rxraft put color blue',
      'npx rxraft get color',
      'npx rxraft put color red --if blue',
      'npx rxraft status',
    ]);
    for (const command of commands) {
      const ran = await cluster.client(command.split(' ').slice(2));
      expect([command, ran.code, ran.stderr]).toEqual([command, 0, '']);
      if (command.includes(' get ')) expect(ran.stdout.toString()).toBe('blue');
    }
    expect((await cluster.client(['get', 'color'])).stdout.toString()).toBe('red');
  });

  it('says how to kill the leader, tells of its end, of the new leader, and of its return', async () => {
    const { leader } = await cluster.live();
    const [, pid] = /kill -9 (\d+)/.exec(cluster.run.output) ?? [];
    expect(Number(pid)).toBe(leader.pid);
    process.kill(Number(pid), 'SIGKILL');
    await cluster.run.says(new RegExp(`${leader.id} \\(process ${pid}\\) was ended by SIGKILL`));
    await cluster.run.says(/started again in 2 s/);
    await cluster.run.says(/n\d leads in term \d+/);
    await cluster.run.says(new RegExp(`${leader.id} runs again: process \\d+`));
    const after = await cluster.live();
    expect(after.leader.term).toBeGreaterThan(leader.term);
  });

  it('refuses a second start on the same ports, and harms nothing', async () => {
    const args = ['start', '--ports', cluster.ports.join(',')];
    const second = await new Run(args, { folder: cluster.folder }).ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`${cluster.nodes[0]} is in use`);
    expect(second.stderr).toContain('Stop it, or choose other ports with --ports');
    expect((await cluster.client(['get', 'color'])).stdout.toString()).toBe('red');
  });

  it('refuses a second start on the same data, and harms nothing', async () => {
    const other = await Cluster.start();
    await other.stop();
    const args = ['start', '--ports', other.ports.join(',')];
    const second = await new Run(args, { folder: cluster.folder }).ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/data\/n\d: another process, .* holds it/);
    expect((await cluster.client(['get', 'color'])).stdout.toString()).toBe('red');
    const { leader, followers } = await cluster.live();
    expect([leader, ...followers].every(({ pid }) => isAlive(pid))).toBe(true);
  });

  it('stops at Ctrl-C, leaves no process behind, and finds all data again', async () => {
    const { leader, followers } = await cluster.live();
    const { ran, elapsedMs } = await cluster.stop();
    console.log(`Ctrl-C: ${elapsedMs} ms`);
    expect(ran).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect([leader, ...followers].filter(({ pid }) => isAlive(pid))).toEqual([]);

    cluster = await Cluster.start({ folder: cluster.folder, ports: cluster.ports });
    expect((await cluster.client(['get', 'color'])).stdout.toString()).toBe('red');
  });

  it('stops its nodes when it is killed itself', async () => {
    const { leader, followers } = await cluster.live();
    cluster.run.kill('SIGKILL');
    await cluster.run.ended;
    const pids = [leader, ...followers].map(({ pid }) => pid);
    await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([]);
    cluster = await Cluster.start({ folder: cluster.folder, ports: cluster.ports });
    expect((await cluster.client(['get', 'color'])).stdout.toString()).toBe('red');
  });
});

describe('a cluster that can not be started', () => {
  afterAll(cleanUp);

  it('names the culprit, stops the other nodes, and ends with 1', async () => {
    const folder = temporaryFolder();
    const cluster = await Cluster.start({ folder });
    await cluster.stop();
    const twisted = ['start', '--ports', cluster.ports.join(','), '--cluster', 'another'];
    const ran = await new Run(twisted, { folder }).ended;
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/n\d: rxraft: .*data\/n\d/);
    expect(ran.stderr).toMatch(/n\d could not be started/);
    const again = await Cluster.start({ folder, ports: cluster.ports });
    expect((await again.stop()).ran.code).toBe(0);
  });
});
