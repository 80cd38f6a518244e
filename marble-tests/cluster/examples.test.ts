/** Each example, as it stands there, in three processes. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freeAddresses } from '../adapters/free-addresses.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

let data: string;
let ports: string;
let running: ChildProcess[];

/** What a process says, line by line. */
function run(
  example: string,
  id: string,
): { readonly lines: string[]; readonly child: ChildProcess } {
  const env = { ...process.env, DATA: data, PORTS: ports };
  const child = spawn(process.execPath, [`examples/${example}.mjs`, id], { cwd: root, env });
  running.push(child);
  const lines: string[] = [];
  let rest = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
  }
  return { lines, child };
}

const patience = { timeout: 60_000, interval: 50 };

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'examples-'));
  ports = (await freeAddresses(3)).map((address) => address.split(':')[1]).join();
  running = [];
});
afterEach(async () => {
  for (const child of running) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  await rm(data, { recursive: true, force: true });
});

it('counter: all see one sum, through the loss of a process', async () => {
  const all = ['a', 'b', 'c'].map((id) => run('counter', id));
  const added = (i: number) => () =>
    all[i]?.lines.filter((line) => /^I added one: \d+$/.test(line)).length;
  for (const i of [0, 1, 2]) await expect.poll(added(i), patience).toBeGreaterThan(1);
  all[0]?.child.kill('SIGKILL');
  const before = added(1)() ?? 0;
  await expect.poll(added(1), patience).toBeGreaterThan(before + 2);
  const ended = once(all[1]?.child as ChildProcess, 'exit');
  all[1]?.child.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
});

it('cron: every firing runs once, through the loss of the process that runs it', async () => {
  const all = ['a', 'b', 'c'].map((id) => run('cron', id));
  const reports = (): string[] =>
    all.flatMap(({ lines }) => lines).filter((line) => /^report \d+ in term \d+$/.test(line));
  await expect.poll(() => reports().length, patience).toBeGreaterThan(1);
  all.find(({ lines }) => lines.length > 0)?.child.kill('SIGKILL');
  const before = reports().length;
  await expect.poll(() => reports().length, patience).toBeGreaterThan(before + 2);
  const seconds = reports().map((line) => line.split(' ')[1]);
  expect(new Set(seconds).size).toBe(seconds.length);
});

it('lock: tokens grow from holder to holder', async () => {
  const said: number[] = [];
  const all = ['a', 'b', 'c'].map((id) => run('lock', id));
  const tokens = (): number[] =>
    all.flatMap(({ lines }) => lines.map((line) => Number(/with token (\d+)$/.exec(line)?.[1])));
  await expect.poll(() => tokens().length, patience).toBeGreaterThan(2);
  said.push(...tokens());
  expect(new Set(said).size).toBe(said.length);
  expect(said.every((token) => token > 0)).toBe(true);
});

it('settings: each process raises the limit, and no step is lost', async () => {
  const all = ['a', 'b', 'c'].map((id) => run('settings', id));
  const limits = (i: number) => (): number[] =>
    (all[i]?.lines ?? []).flatMap((line) => /limit of (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  for (const i of [0, 1, 2]) {
    await expect.poll(() => limits(i)().at(-1), patience).toBeGreaterThan(14);
    const steps = limits(i)();
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  }
});
