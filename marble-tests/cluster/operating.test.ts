/** The manual for operators: its lines of curl answer what it says, and its commands exist. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { Snippets } from '../snippets.js';
import { cleanUp, Cluster, Run, until } from './cluster.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const manual = readFileSync(`${root}docs/OPERATING.md`, 'utf8');

afterAll(cleanUp);

it('answers every line of curl as the manual says', async () => {
  const cluster = await Cluster.start();
  await until('all are ready', async () => {
    const answers = await Promise.all(
      cluster.nodes.map(async (node) => (await fetch(`http://${node}/ready`)).ok),
    );
    return answers.every(Boolean);
  });
  const lines = [...manual.matchAll(/^curl (.*?) +# (\d+)$/gm)];
  expect(lines.length).toBeGreaterThan(10);
  for (const [line, args = '', status] of lines) {
    const here = args.replace(
      /127\.0\.0\.1:710(\d)/,
      (_, n: string) => cluster.nodes[Number(n) - 1] ?? '',
    );
    const command = `curl -s -o /dev/null -w '%{http_code}' ${here}`;
    const code = execFileSync('sh', ['-c', command], { cwd: root, encoding: 'utf8' });
    expect(code, line).toBe(status);
  }
});

it('has a program that compiles, and does what its comments say', async () => {
  const snippets = new Snippets('docs/OPERATING.md', 'operating');
  try {
    expect(snippets.complaints()).toEqual([]);
    const { paint } = await snippets.start<{
      readonly paint: (nodes: readonly string[]) => Promise<(string | undefined)[]>;
    }>(snippets.programs[0] ?? '', 'paint');
    const cluster = await Cluster.start();
    await cluster.live();
    const told = await paint(cluster.nodes);
    expect(told.filter((each) => each === 'red').length).toBeGreaterThan(0);
    expect(told).not.toContain('green');
  } finally {
    snippets.remove();
  }
});

it('gets the keys out of the copy of one folder, and into a new cluster', async () => {
  const old = await Cluster.start();
  await old.live();
  const odd = Buffer.from([0xff, 1]);
  expect((await old.client(['put', 'color', 'blue'])).code).toBe(0);
  expect((await old.client(['put', 'odd', '-'], odd)).code).toBe(0);
  expect((await old.client(['snapshot'])).code).toBe(0);
  old.run.kill('SIGINT');
  await old.run.ended;

  const peers = old.nodes.map((address, at) => `n${at + 1}=${address}`).join();
  const [address = ''] = old.nodes;
  const where = ['--id', 'n1', '--data', join(old.folder, 'data', 'n1'), '--listen', address];
  const copy = new Run(['node', ...where, '--peers', peers]);
  await copy.says(/listens on/);
  const watch = new Run(['watch', '--nodes', address, '--from', '1', '--json']);
  await watch.says(/"complete"}\n$/);
  watch.kill('SIGINT');
  const file = join(old.folder, 'keys.jsonl');
  writeFileSync(file, (await watch.ended).stdout);
  copy.kill('SIGINT');
  await copy.ended;

  const snippets = new Snippets('docs/OPERATING.md', 'operating-restore');
  try {
    const { restore } = await snippets.start<{
      readonly restore: (file: string, nodes: readonly string[]) => Promise<void>;
    }>(snippets.programs[1] ?? '', 'restore');
    const young = await Cluster.start();
    await young.live();
    await restore(file, young.nodes);
    expect((await young.client(['get', 'color'])).stdout.toString()).toBe('blue');
    expect((await young.client(['get', 'odd'])).stdout).toEqual(odd);
  } finally {
    snippets.remove();
  }
});

it('knows every command that it names', async () => {
  const { stdout } = await new Run(['--help']).ended;
  const names = [...manual.matchAll(/rxraft (\w+)/g)].map(([, name]) => name ?? '');
  expect(new Set(names).size).toBeGreaterThan(6);
  for (const name of new Set(names))
    expect(stdout.toString()).toMatch(new RegExp(`^ +${name}`, 'm'));
});
