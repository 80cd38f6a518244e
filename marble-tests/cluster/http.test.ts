/** The store over HTTP, as a person with curl meets it. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxValueBytes } from '../../adapters/key-value/commands.js';
import { cleanUp, Cluster, temporaryFolder, until } from './cluster.js';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(cleanUp);

const url = (path: string, node = 0): string => `http://${cluster.nodes[node]}${path}`;

async function reasonOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { reason: string } }).error.reason;
}

/** What curl writes, and nothing when it fails. */
function curl(...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile('curl', ['-s', ...args], { encoding: 'latin1' }, (_, stdout) => resolve(stdout));
  });
}

describe('a value', () => {
  it('is put on one node and read on all, byte for byte', async () => {
    const value = randomBytes(1000);
    const key = 'a%2F%00%FF%25';
    const put = await fetch(url(`/kv/${key}`, 1), { method: 'PUT', body: value });
    expect(put.status).toBe(204);
    for (const node of [0, 1, 2]) {
      const got = await fetch(url(`/kv/${key}`, node));
      expect(Buffer.from(await got.arrayBuffer()).equals(value)).toBe(true);
    }
    const hex = Buffer.from('a/\0\xff%', 'latin1').toString('hex');
    expect((await cluster.client(['get', '--hex', hex])).stdout.equals(value)).toBe(true);
    expect((await fetch(url(`/kv/${key}`, 2), { method: 'DELETE' })).status).toBe(204);
    expect((await fetch(url(`/kv/${key}`))).status).toBe(404);
  });

  it('is compared and set, and one of many writers wins', async () => {
    const target = url('/kv/counter');
    await fetch(target, { method: 'PUT', body: '0' });
    const add = async (node: number): Promise<void> => {
      for (;;) {
        const got = await fetch(url('/kv/counter', node));
        const headers = { 'if-match': got.headers.get('etag') ?? '' };
        const body = String(Number(await got.text()) + 1);
        const put = await fetch(url('/kv/counter', node), { method: 'PUT', headers, body });
        if (put.status === 204) return;
        expect(put.status).toBe(412);
      }
    };
    await Promise.all([0, 1, 2, 0, 1, 2].map(add));
    expect(await (await fetch(target)).text()).toBe('6');
    const absent = await fetch(url('/kv/counter?if-absent'), { method: 'PUT', body: 'x' });
    expect([absent.status, await reasonOf(absent)]).toEqual([412, 'conflict']);
    expect((await fetch(url('/kv/counter?if=6'), { method: 'DELETE' })).status).toBe(204);
  });

  it('goes both ways through curl, up to its limit', async () => {
    const file = join(temporaryFolder(), 'value');
    const value = randomBytes(maxValueBytes);
    writeFileSync(file, value);
    const code = ['-o', '/dev/null', '-w', '%{http_code}'];
    expect(await curl(...code, '-T', file, url('/kv/long'))).toBe('204');
    expect(Buffer.from(await curl(url('/kv/long', 1)), 'latin1').equals(value)).toBe(true);
    writeFileSync(file, Buffer.concat([value, value]));
    expect(await curl(...code, '-T', file, url('/kv/long'))).toBe('413');
    expect(await curl('-X', 'PUT', '-d', 'blue', url('/kv/color'))).toBe('');
    expect(await curl(url('/kv/color?stale'))).toBe('blue');
  });
});

describe('a node', () => {
  it('says how it is', async () => {
    const status = (await (await fetch(url('/status'))).json()) as Record<string, unknown>;
    expect(status).toMatchObject({ id: 'n1', address: cluster.nodes[0] });
    expect((await fetch(url('/health'))).status).toBe(200);
    await until('it is ready', async () => (await fetch(url('/ready'))).status === 200);
  });

  it('turns away pages of other origins, and hosts that it is not', async () => {
    const evil = ['-H', 'Origin: http://evil.example'];
    expect(await curl(...evil, '-X', 'PUT', '-d', 'x', url('/kv/color'))).toContain('"origin"');
    expect(await curl('-H', 'Host: evil.example', url('/kv/color'))).toContain('"host"');
  });

  it('is up, and neither ready nor of use, without a majority', async () => {
    const { leader, followers } = await cluster.live();
    const at = cluster.nodes.indexOf(leader.address);
    for (const { pid } of followers) process.kill(pid, 'SIGSTOP');
    const put = await fetch(url('/kv/lost', at), { method: 'PUT', body: 'x' });
    expect([put.status, await reasonOf(put)]).toEqual([504, 'unknown']);
    await until('it is not ready', async () => (await fetch(url('/ready', at))).status === 503);
    expect((await fetch(url('/health', at))).status).toBe(200);
    const again = await fetch(url('/kv/lost', at), { method: 'PUT', body: 'x' });
    expect([again.status, again.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await reasonOf(again)).toBe('noLeader');
    for (const { pid } of followers) process.kill(pid, 'SIGCONT');
    await until('it is ready again', async () => (await fetch(url('/ready', at))).status === 200);
  });
});
