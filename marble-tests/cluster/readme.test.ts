/**
 * The commands of the README, as they stand there, in a copy of the project as a clone has it; and
 * the package, installed as a stranger installs it.
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, temporaryFolder, until } from './cluster.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The lines of all shell blocks, in order. */
const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, text]) =>
  (text ?? '').trim().split('\n'),
);

const shell = (command: string, cwd: string): string =>
  execFileSync('sh', ['-c', command], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', RXRAFT_NODES: '' },
  });

/** What a clone would have: neither what is installed nor what is built. */
function clone(): string {
  const folder = temporaryFolder();
  const names = shell('git ls-files --cached --others --exclude-standard', root).trim().split('\n');
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    cpSync(join(root, name), join(folder, name));
  }
  return folder;
}

describe('the README', { timeout: 240_000 }, () => {
  let folder = '';
  let cluster: ChildProcess | null = null;

  beforeAll(() => {
    folder = clone();
  });

  afterAll(async () => {
    cluster?.kill('SIGKILL');
    await cleanUp();
    // What was installed are many files, and a disk that is busy takes its time with them.
  }, 240_000);

  it('starts three nodes from one command, and its other commands do what they say', async () => {
    const [install, start, ...rest] = commands;
    expect([install, start]).toEqual(['npm ci', 'npm start']);
    shell(`${install} --no-audit --no-fund`, folder);
    const running = spawn('sh', ['-c', `exec ${start}`], { cwd: folder, detached: true });
    cluster = running;
    let output = '';
    running.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until('a leader', async () => /kill -9 \d+/.test(output), 30_000);

    const clients = rest.filter((line) => line.startsWith('npx rxraft'));
    expect(clients).toHaveLength(5);
    const answers = clients.map((line) => shell(line, folder));
    expect(answers[1]).toBe('blue');
    expect(answers[4]).toMatch(/n\d leads/);

    const ended = new Promise((resolve) => running.on('close', resolve));
    process.kill(-(running.pid ?? 0), 'SIGINT');
    await ended;
    cluster = null;
  });

  it('installs: every door of the package opens', () => {
    const packed = shell('npm pack --silent --ignore-scripts', folder).trim();
    const home = temporaryFolder();
    writeFileSync(join(home, 'package.json'), '{ "private": true, "type": "module" }');
    const install = commands.find((line) => line.startsWith('npm install')) ?? '';
    expect(install).toBe('npm install rxraft rxjs');
    shell(install.replace('rxraft', join(folder, packed)) + ' --no-audit --no-fund', home);
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      exports: Record<string, unknown>;
    };
    const doors = Object.keys(exports).filter((door) => door !== './package.json');
    const names = doors.map((door) => `import('rxraft${door.slice(1)}')`);
    const count = `console.log((await Promise.all([${names.join(', ')}])).length)`;
    writeFileSync(join(home, 'open.js'), count);
    expect(shell('node open.js', home).trim()).toBe(String(doors.length));
    expect(shell('npx rxraft --version', home).trim()).toBe('0.1.0');
  });
});
