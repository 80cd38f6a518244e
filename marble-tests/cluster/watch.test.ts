/** Watches and snapshots of a real cluster. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { cleanUp, Cluster, Run } from './cluster.js';

afterEach(cleanUp);

describe('watch', () => {
  it('prints what changes through the loss of its node, in order and once, until Ctrl-C', async () => {
    const cluster = await Cluster.start();
    const { leader } = await cluster.live();
    const nodes = [leader.address, ...cluster.nodes.filter((each) => each !== leader.address)];
    const put = async (n: number): Promise<void> => {
      expect((await cluster.client(['put', `k${n}`, `v${n}`])).code).toBe(0);
    };
    await put(0);
    const watch = new Run(['watch', '--nodes', nodes.join(','), '--prefix', 'k', '--from', '1']);
    await watch.says(/put k0 v0/);
    await put(1);
    await watch.says(/put k1 v1/);
    process.kill(leader.pid, 'SIGKILL');
    await watch.says(/going on with the next node/);
    await put(2);
    expect((await cluster.client(['put', 'other', 'x'])).code).toBe(0);
    expect((await cluster.client(['delete', 'k1'])).code).toBe(0);
    await watch.says(/delete k1/);
    watch.kill('SIGINT');
    const { code, stdout } = await watch.ended;
    const words = stdout.toString().trim().split('\n');
    expect([code, words.map((line) => line.replace(/^\d+ /, ''))]).toEqual([
      ...[0, ['put k0 v0', 'put k1 v1', 'put k2 v2', 'delete k1']],
    ]);
  });

  it('begins with the values where a snapshot has replaced the log', async () => {
    const cluster = await Cluster.start();
    for (const key of ['a', 'b']) expect((await cluster.client(['put', key, 'v'])).code).toBe(0);
    const taken = await cluster.client(['snapshot']);
    expect(taken.code).toBe(0);
    expect(taken.stdout.toString()).toMatch(/^(n\d {2}127.0.0.1:\d+ +a snapshot up to \d+\n){3}$/);
    await cluster.stop();
    const { folder, ports } = cluster;
    const again = await Cluster.start({ folder, ports });
    const args = ['watch', '--nodes', again.nodes.join(','), '--from', '1', '--json'];
    const watch = new Run(args);
    await watch.says(/"key":"b"/);
    watch.kill('SIGINT');
    const { code, stdout } = await watch.ended;
    const lines = stdout.toString().trim().split('\n');
    expect(code).toBe(0);
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { type: 'compacted' },
      { type: 'current', key: 'a', value: 'v' },
      { type: 'current', key: 'b', value: 'v' },
      { type: 'complete' },
    ]);
  });

  it.each(['SIGTERM', 'SIGINT', 'the loss of all nodes'] as const)(
    'ends by %s behind a whole line, also when its reader is slow',
    async (cause) => {
      const cluster = await Cluster.start();
      const value = Buffer.alloc(1 << 20, 'v');
      for (let n = 0; n < 4; n += 1) {
        expect((await cluster.client(['put', `k${n}`, '-'], value)).code).toBe(0);
      }
      const flags = ['--nodes', cluster.nodes.join(','), '--timeout', '0.5'];
      const watch = new Run(['watch', ...flags, '--from', '1', '--json']);
      const { stdout } = watch.process;
      await new Promise<void>((resolve) => {
        stdout?.once('data', () => {
          stdout.pause();
          resolve();
        });
      });
      if (cause === 'the loss of all nodes') {
        await cluster.stop();
        await watch.says(/^rxraft: /m);
      } else {
        watch.kill(cause);
        await sleep(500);
      }
      stdout?.resume();
      const ran = await watch.ended;
      const lines = ran.stdout.toString().split('\n');
      expect([ran.code, lines.at(-1)]).toEqual([cause.startsWith('SIG') ? 0 : 1, '']);
      for (const line of lines.slice(0, -1)) expect(() => void JSON.parse(line)).not.toThrow();
    },
  );

  it.each([
    [['watch', 'x', '--prefix', 'y'], 'exclude each other'],
    [['watch', '--from', '0'], 'from 1 on'],
    [['watch', '--hex', 'x'], 'is not hexadecimal'],
  ])('2: %j', async (args, complaint) => {
    const ran = await new Run(args).ended;
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(complaint)]);
  });

  it('lets no node speak to the terminal when it gives up (H3)', async () => {
    const hostile = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    hostile.on('connection', (socket) => socket.close(4000, '\u001b[2Jowned'));
    await once(hostile, 'listening');
    const { port } = hostile.address() as AddressInfo;
    const flags = ['--nodes', `127.0.0.1:${port}`, '--timeout', '0.2'];
    const { code, stderr } = await new Run(['watch', ...flags]).ended;
    hostile.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/\nrxraft: .*\ufffd\[2Jowned/);
    expect(stderr).not.toContain('\u001b');
  });

  it('gives up when no node answers, and says why, once for each', async () => {
    const nodes = '127.0.0.1:1,127.0.0.1:2';
    const ran = await new Run(['watch', '--nodes', nodes, '--timeout', '2']).ended;
    const [one, two, last, ...more] = ran.stderr.trim().split('\n');
    expect([ran.code, one, two]).toEqual([
      1,
      '127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1: going on with the next node',
      '127.0.0.1:2: connect ECONNREFUSED 127.0.0.1:2: going on with the next node',
    ]);
    expect([last, more]).toEqual([expect.stringMatching(/^rxraft: .*ECONNREFUSED/), []]);
  });
});
