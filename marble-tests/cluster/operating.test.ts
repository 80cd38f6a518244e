/** The manual for operators: its lines of curl answer what it says, and its commands exist. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

it('knows every command that it names', async () => {
  const { stdout } = await new Run(['--help']).ended;
  const names = [...manual.matchAll(/rxraft (\w+)/g)].map(([, name]) => name ?? '');
  expect(new Set(names).size).toBeGreaterThan(6);
  for (const name of new Set(names))
    expect(stdout.toString()).toMatch(new RegExp(`^ +${name}`, 'm'));
});
