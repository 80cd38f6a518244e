/** The commands of a client: byte for byte, with limits, conditions and exit codes. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../adapters/key-value/connection.js';
import { maxKeyBytes, maxValueBytes } from '../../adapters/key-value/commands.js';
import type { Ran } from './cluster.js';
import { cleanUp, Cluster, Run, temporaryFolder, until } from './cluster.js';
import { get } from './load.js';

let cluster: Cluster;
const client = (args: readonly string[], input?: Uint8Array): Promise<Ran> =>
  cluster.client(args, input);

beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(cleanUp);

describe('keys and values', () => {
  it.each([
    ['a text', 'blue'],
    ['__proto__', 'polluted?'],
    ['constructor', '__proto__'],
    ['', 'of the empty key'],
    ['of the empty value', ''],
    ['ключ 🔑 \n\t', 'значение 🗝️\n'],
    ['--leading', '-5'],
  ])('%j comes back byte for byte from every node', async (key, value) => {
    expect((await client(['put', '--', key, value])).code).toBe(0);
    for (const node of cluster.nodes) {
      const ran = await new Run(['get', '--nodes', node, '--', key]).ended;
      expect([ran.code, ran.stdout.toString(), ran.stderr]).toEqual([0, value, '']);
    }
    expect((await client(['delete', '--', key])).code).toBe(0);
    expect((await client(['get', '--', key])).code).toBe(1);
  });

  it('of all bytes, from the standard input and from a file', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const key = bytes.toString('hex');
    expect((await client(['put', '--hex', key, '-'], bytes)).code).toBe(0);
    expect((await client(['get', '--hex', key])).stdout).toEqual(bytes);
    const file = join(temporaryFolder(), 'value');
    writeFileSync(file, bytes);
    expect((await client(['put', 'from a file', '--file', file])).code).toBe(0);
    expect((await client(['get', 'from a file'])).stdout).toEqual(bytes);
    expect((await client(['put', 'nothing', '-'], Buffer.alloc(0))).code).toBe(0);
    expect(await client(['get', 'nothing'])).toMatchObject({ code: 0, stdout: Buffer.alloc(0) });
  });

  it('of up to 64 KiB and 1 MiB', async () => {
    const key = 'k'.repeat(maxKeyBytes);
    const value = randomBytes(maxValueBytes);
    expect((await client(['put', key, '-'], value)).code).toBe(0);
    expect((await client(['get', key])).stdout.equals(value)).toBe(true);
  });

  it('over the limit are refused in clear words', async () => {
    const tooLong = randomBytes(maxValueBytes + 1);
    const value = await client(['put', 'long', '-'], tooLong);
    expect([value.code, value.stderr]).toEqual([
      1,
      `rxraft: the standard input has too many bytes: the limit of a value is ${maxValueBytes}\n`,
    ]);
    const key = await client(['get', 'k'.repeat(maxKeyBytes + 1)]);
    expect(key.code).toBe(1);
    expect(key.stderr).toContain(`the limit is ${maxKeyBytes}`);
    expect((await client(['get', 'long'])).code).toBe(1);
  });

  it('over the limit are refused by a node as well, on a connection that goes on', async () => {
    const connection = await connect(cluster.nodes[0] ?? '');
    const key = Buffer.from('long');
    const value = Buffer.alloc(maxValueBytes + 1);
    const command = { type: 'put', key, value, condition: null } as const;
    expect(await connection.ask({ type: 'command', command })).toEqual({
      type: 'refused',
      reason: 'tooLarge',
      text: `the value has ${value.length} bytes, and the limit is ${maxValueBytes}`,
    });
    const longKey = Buffer.alloc(maxKeyBytes + 1);
    expect(await connection.ask({ type: 'get', key: longKey, stale: true })).toMatchObject({
      reason: 'tooLarge',
    });
    expect(await connection.ask(get('long'))).toEqual({ type: 'missing' });
    connection.close();
  });
});

describe('exit codes', () => {
  it('0 and 1: compare and set', async () => {
    const run = async (...args: string[]): Promise<number | null> => (await client(args)).code;
    expect(await run('put', 'x', 'a', '--if', 'nothing')).toBe(1);
    expect(await run('put', 'x', 'a', '--if-absent')).toBe(0);
    expect(await run('put', 'x', 'b', '--if-absent')).toBe(1);
    expect(await run('put', 'x', 'b', '--if', 'b')).toBe(1);
    expect(await run('put', 'x', 'b', '--if', 'a')).toBe(0);
    expect(await run('delete', 'x', '--if', 'a')).toBe(1);
    expect((await client(['get', 'x'])).stdout.toString()).toBe('b');
    expect(await run('delete', 'x', '--if', 'b')).toBe(0);
    expect(await run('delete', 'x')).toBe(1);
    const refused = await client(['put', 'x', 'a', '--if', '']);
    expect(refused.stderr).toBe('x: it has another value, or none: nothing was changed\n');
  });

  it('1: not found, and no node there', async () => {
    expect(await client(['get', 'nowhere'])).toMatchObject({
      code: 1,
      stderr: 'nowhere: not found\n',
    });
    const lonely = await new Run(['get', 'x', '--nodes', '127.0.0.1:1']).ended;
    expect(lonely.code).toBe(1);
    expect(lonely.stderr).toContain('127.0.0.1:1');
    expect(lonely.stderr).toContain('ECONNREFUSED');
    expect((await new Run(['status', '--nodes', '127.0.0.1:1']).ended).code).toBe(1);
  });

  it.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['help', 'pt'], "unknown command 'pt'\n(Did you mean put?)"],
    [['put'], "missing required argument 'key'"],
    [['put', 'x'], 'there is no VALUE'],
    [['put', 'x', 'y', '--file', 'z'], 'exclude each other'],
    [['put', 'x', 'y', '--if', 'z', '--if-absent'], 'exclude each other'],
    [['get', 'x', 'y'], 'too many arguments'],
    [['get', 'x', '--nodes', 'nonsense'], '"nonsense" is no address'],
    [['get', 'x', '--timeout', 'soon'], 'a number of seconds'],
    [['get', '--hex', 'xyz'], 'is not hexadecimal'],
    [['start', '--ports', '7101,7101'], 'listed twice'],
    [['start', '--ports', '99999'], '"127.0.0.1:99999" is no address'],
    [['start', '--snapshot-every', '0'], 'a whole number of entries'],
    [['node'], "required option '--id <id>'"],
    [['node', '--id', 'a', '--data', 'x', '--listen', '0.0.0.0:7101'], '--insecure'],
    [['node', '--id', '', '--data', 'x', '--listen', '127.0.0.1:1'], '--id'],
    [['node', '--id', 'a', '--data', 'x', '--listen', 'nowhere'], '--listen'],
    [['node', '--id', 'a', '--data', 'x', '--listen', '127.0.0.1:1', '--peers', 'b'], '--peers'],
    [['node', '--id', 'a', '--data', 'x', '--listen', '127.0.0.1:1'], 'or say --alone'],
    [['node', '--id', 'a', '--data', 'x', '--listen', '127.0.0.1:1', '--join', 'b'], '"b" is no'],
    [
      [
        ...['node', '--id', 'a', '--data', 'x', '--listen', '127.0.0.1:1'],
        ...['--join', '127.0.0.1:2', '--peers', 'b=127.0.0.1:3'],
      ],
      'exclude each other',
    ],
    [['add', 'n4'], "missing required argument 'host:port'"],
    [['add', 'n4', 'nowhere'], '"nowhere" is no address'],
    [['add', '', '127.0.0.1:1'], 'is no node id'],
    [['remove'], "missing required argument 'id'"],
  ])('2: %j', async (args, complaint) => {
    const ran = await new Run(args, { folder: temporaryFolder() }).ended;
    expect([ran.code, ran.stdout.length]).toEqual([2, 0]);
    expect(ran.stderr).toContain(complaint);
  });

  it('3: nobody knows, when the leader loses its majority under way', async () => {
    // On a busy machine the leader may have given up before the client has even come.
    await until('the client has come in time', async () => {
      const { leader, followers } = await cluster.live();
      for (const { pid } of followers) process.kill(pid, 'SIGSTOP');
      const ran = await new Run(['put', 'lost', 'x', '--nodes', leader.address]).ended;
      for (const { pid } of followers) process.kill(pid, 'SIGCONT');
      if (ran.code === 1 && ran.stderr.includes('knows no leader')) return false;
      expect([ran.code, ran.stdout.length]).toEqual([3, 0]);
      expect(ran.stderr).toContain('nobody knows whether it was done');
      return true;
    });
    await cluster.live();
  });
});

describe('help and status', () => {
  it('helps, with and without being asked', async () => {
    const help = await new Run(['--help']).ended;
    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(help.stdout.toString()).toContain('Exit codes: 0 done, 1 refused or not found');
    const none = await new Run([]).ended;
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('Usage: rxraft');
    expect((await new Run(['--version']).ended).stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('is no wider than a terminal of 80 columns, for any command', async () => {
    const { stdout } = await new Run(['--help']).ended;
    const names = [...stdout.toString().matchAll(/^ {2}([a-z]+) .*\S {2,}[A-Z]/gm)];
    expect(names.length).toBeGreaterThan(9);
    for (const [, name = ''] of names) {
      const help = name === 'help' ? stdout : (await new Run([name, '--help']).ended).stdout;
      for (const line of help.toString().split('\n')) {
        expect(line.length, `${name}: ${line}`).toBeLessThanOrEqual(80);
      }
    }
  });

  it('names every node, also those that do not answer and those that were not listed', async () => {
    const { leader, followers } = await cluster.live();
    const one = await new Run(['status', '--nodes', leader.address]).ended;
    for (const { id, pid } of [leader, ...followers]) {
      expect(one.stdout.toString()).toMatch(new RegExp(`^${id} .* ${pid} `, 'm'));
    }
    expect(one.stdout.toString()).toContain(`${leader.id} leads`);
    const [follower] = followers;
    process.kill(follower?.pid ?? 0, 'SIGKILL');
    const without = await client(['status']);
    expect(without.code).toBe(0);
    expect(without.stdout.toString()).toMatch(
      new RegExp(`^${follower?.id} +${follower?.address} +- +not reachable$`, 'm'),
    );
    await cluster.live();
  });
});
