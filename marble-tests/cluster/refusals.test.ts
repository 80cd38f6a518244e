/** Bad data folders, taken ports, hostile frames: named, turned away, and nothing harmed. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { keyValueProtocol } from '../../adapters/key-value/client-protocol.js';
import { cleanUp, Cluster, freePorts, isAlive, Run, temporaryFolder } from './cluster.js';
import { get, Load, LoadClient, put } from './load.js';

afterEach(cleanUp);

/** A cluster of one node, which has stored this much, and its folder. */
async function storedFolder(values: number): Promise<{ folder: string; node: string[] }> {
  const folder = join(temporaryFolder(), 'a');
  const [port] = await freePorts(1);
  const listen = `127.0.0.1:${port}`;
  const node = ['node', '--alone', '--id', 'a', '--data', folder, '--listen', listen];
  const run = new Run(node);
  await run.says(/leads in term/);
  const client = new LoadClient([listen]);
  for (let i = 0; i < values; i += 1) {
    expect(await client.ask(put(`key ${i}`, 'v'.repeat(1000)))).toEqual({ type: 'done' });
  }
  client.close();
  run.kill('SIGTERM');
  expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
  return { folder, node };
}

function contentOf(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => !/^(LOG|LOG.old|LOCK)$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'hex')]));
}

describe('a data folder', () => {
  it('that is damaged is refused, again and again', async () => {
    const { folder, node } = await storedFolder(50);
    const [log] = readdirSync(folder).filter((name) => name.endsWith('.log'));
    const path = join(folder, log ?? '');
    const bytes = readFileSync(path);
    bytes.fill(0x55, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 64);
    writeFileSync(path, bytes);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const ran = await new Run(node).ended;
      expect(ran.code).toBe(1);
      expect(ran.stderr).toMatch(/^rxraft: .*rxraft-\w+\/a/);
      expect(ran.stdout.length).toBe(0);
    }
  });

  it('of another node, or of another cluster, is refused and left as it was', async () => {
    const { folder, node } = await storedFolder(3);
    const begin = await new Run(node.map((arg) => (arg === 'a' ? 'b' : arg))).ended;
    expect(begin.code).toBe(1);
    expect(begin.stderr).toContain(folder);
    const other = await new Run([...node, '--cluster', 'another']).ended;
    expect(other.code).toBe(1);
    expect(other.stderr).toContain(folder);
    const run = new Run(node);
    await run.says(/leads in term/);
    const client = new LoadClient([node.at(-1) ?? '']);
    expect((await client.ask(get('key 2'))).type).toBe('value');
    client.close();
  });

  it('with the things of somebody else is refused, and not a byte is written', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'holiday.jpg'), 'a picture');
    mkdirSync(join(folder, 'letters'));
    const [port] = await freePorts(1);
    const args = [
      'node',
      '--alone',
      '--id',
      'a',
      '--data',
      folder,
      '--listen',
      `127.0.0.1:${port}`,
    ];
    const ran = await new Run(args).ended;
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/it holds other things, such as (holiday.jpg|letters)/);
    expect(readdirSync(folder).sort()).toEqual(['holiday.jpg', 'letters']);
  });

  it('that is a file is refused', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'text');
    const [port] = await freePorts(1);
    const args = ['node', '--alone', '--id', 'a', '--data', path, '--listen', `127.0.0.1:${port}`];
    const ran = await new Run(args).ended;
    expect([ran.code, readFileSync(path, 'utf8')]).toEqual([1, 'text']);
    expect(ran.stderr).toContain(path);
  });

  it('that is in use is refused, and its user served', async () => {
    const { folder, node } = await storedFolder(3);
    const run = new Run(node);
    await run.says(/leads in term/);
    const [port] = await freePorts(1);
    const second = await new Run([...node.slice(0, -1), `127.0.0.1:${port}`]).ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`${folder}: another process, .* holds it`));
    const client = new LoadClient([node.at(-1) ?? '']);
    expect((await client.ask(get('key 2'))).type).toBe('value');
    client.close();
  });
});

describe('a port in use', () => {
  it('is named, and the data is left as it was', async () => {
    const { folder, node } = await storedFolder(3);
    const before = contentOf(folder);
    const server = createServer();
    const port = Number((node.at(-1) ?? '').split(':')[1]);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const ran = await new Run(node).ended;
    await new Promise((resolve) => server.close(resolve));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(`127.0.0.1:${port} is in use`);
    expect(contentOf(folder)).toEqual(before);
  });
});

/** Opens a WebSocket, says something, and waits for its end, or for a moment. */
async function hostile(
  url: string,
  frames: readonly (Uint8Array | string)[],
  options: { protocol?: string; origin?: string } = {},
): Promise<string> {
  const { protocol, origin } = options;
  const socket = new WebSocket(url, protocol === undefined ? [] : [protocol], {
    ...(origin === undefined ? {} : { origin }),
  });
  const end = new Promise<string>((resolve) => {
    socket.on('close', (code, reason) => resolve(`${code} ${reason.toString()}`));
    socket.on('error', (error) => resolve(error.message));
    socket.on('open', () => {
      for (const frame of frames) socket.send(frame);
    });
  });
  const ended = await Promise.race([end, sleep(4000, 'still open')]);
  socket.terminate();
  return ended;
}

async function rawBytes(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  // What it is answered must be read, or its end is never seen.
  socket.resume();
  socket.end(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
}

describe('a disk that is full', () => {
  it('ends the node with 1 and a word, and what was acknowledged is there afterwards', async () => {
    const folder = join(temporaryFolder(), 'a');
    const [port] = await freePorts(1);
    const listen = `127.0.0.1:${port}`;
    const node = ['node', '--alone', '--id', 'a', '--data', folder, '--listen', listen];
    const run = new Run(node, { fileBlocks: 6000 });
    await run.says(/leads in term/);
    const client = new LoadClient([listen]);
    const acknowledged: string[] = [];
    for (let i = 0; acknowledged.length === i; i += 1) {
      const answer = await client.ask(put(`key ${i}`, `${i}`.repeat(500_000)));
      if (answer.type === 'done') acknowledged.push(`key ${i}`);
    }
    client.close();
    const ran = await run.ended;
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/^rxraft: .*look after this disk.*File too large/);
    expect(acknowledged.length).toBeGreaterThan(1);

    const again = new Run(node);
    await again.says(/leads in term/);
    const reader = new LoadClient([listen]);
    for (const key of acknowledged) expect((await reader.ask(get(key))).type).toBe('value');
    reader.close();
  });
});

describe('hostile frames on both sockets', () => {
  it('are turned away while an honest client is served', async () => {
    const cluster = await Cluster.start();
    const before = await cluster.live();
    const load = new Load(cluster.nodes, 'a', 4, 1);
    const client = { protocol: keyValueProtocol.name };
    const [node = ''] = cluster.nodes;
    const url = `ws://${node}`;

    const origin = 'http://evil.example';
    expect(await hostile(`${url}/client`, [], { ...client, origin })).toContain('403');
    expect(await hostile(`${url}/peer`, [], { origin })).toContain('403');
    expect(await hostile(`${url}/client`, [])).toContain('400');
    expect(await hostile(`${url}/client?cluster=other`, [], client)).toContain('409');
    expect(await hostile(`${url}/elsewhere`, [])).toContain('404');
    expect(await hostile(`${url}/client`, ['words'], client)).toMatch(/^1007 /);
    expect(await hostile(`${url}/client`, [Buffer.alloc(0)], client)).toMatch(/^1007 /);
    expect(await hostile(`${url}/client`, [Buffer.alloc(4 << 20)], client)).toMatch(/^1009|reset/);
    const deep = Buffer.alloc(1 << 20, 0x91);
    expect(await hostile(`${url}/client`, [deep], client)).toMatch(/^1007 /);
    const hello = JSON.stringify([
      'rxraft',
      1,
      'n1,n2,n3',
      'constructor',
      'n1',
      'messages',
      '',
      '',
    ]);
    expect(await hostile(`${url}/peer`, [hello])).toContain('sender');

    const garbage = Array.from({ length: 150 }, (_, i) => randomBytes(1 + ((i * 7) % 300)));
    await Promise.all([
      ...garbage.map((frame, i) =>
        hostile(`ws://${cluster.nodes[i % 3]}/client`, [frame, frame], client),
      ),
      ...garbage.map((frame, i) => hostile(`ws://${cluster.nodes[i % 3]}/peer`, [frame, hello])),
      ...garbage.map((bytes, i) => rawBytes(cluster.ports[i % 3] ?? 0, bytes)),
    ]);

    const acknowledged = load.acknowledged.size;
    await sleep(300);
    expect(load.acknowledged.size).toBeGreaterThan(acknowledged);
    await load.stop();
    expect(await load.faults()).toEqual([]);
    const after = await cluster.live();
    const pids = ({ leader, followers }: typeof after): number[] =>
      [leader, ...followers].map(({ pid }) => pid).sort();
    expect(pids(after)).toEqual(pids(before));
    expect(pids(after).every(isAlive)).toBe(true);
    expect(after.leader.term).toBe(before.leader.term);
  });
});
