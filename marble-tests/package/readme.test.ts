/**
 * The README is the front door, so what it shows is run as it stands there: each program is
 * compiled as a stranger would compile it, then started. The commands of the README are run by
 * `marble-tests/cluster/readme.test.ts`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { clock } from '../../adapters/clock.js';
import { machine } from '../../adapters/machine.js';
import { memoryNetwork } from '../../adapters/memory-network.js';
import { memoryStore } from '../../adapters/memory-store.js';
import type { Adapters } from '../../lib/index.js';
import { Snippets } from '../snippets.js';

const readme = new Snippets('README.md', 'readme');
const { programs } = readme;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

describe('the README', { timeout: 120_000 }, () => {
  afterAll(() => {
    vi.restoreAllMocks();
    readme.remove();
  });

  it('has four programs, which compile', { timeout: 120_000 }, () => {
    expect(programs).toHaveLength(4);
    expect(readme.complaints()).toEqual([]);
  });

  it('replicates a reducer, and prints what it says it prints', async () => {
    const lines: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...words) => {
      lines.push(words.join(' '));
    });
    const disk = mkdtempSync(join(tmpdir(), 'rxraft-readme-'));
    let program = (programs[0] ?? '').replace('./data', disk);
    for (const port of ['7001', '7002', '7003']) {
      expect(program).toContain(`:${port}`);
      program = program.replace(`:${port}`, `:${await freePort()}`);
    }
    type Replicas = Record<'a' | 'b' | 'c', { stop: () => Promise<void> }>;
    const nodes = await readme.start<Replicas>(`${program}\nexport { a, b, c };`, 'replica');
    await vi.waitFor(() => expect(lines).toContain('c 42'), 10_000);
    log.mockRestore();
    const said = [...(programs[0] ?? '').matchAll(/\/\/ (.*)$/gm)].map(([, words]) => words);
    expect(said).toEqual(['c 40, later c 42', 'the sum is 42', '42']);
    expect(lines.filter((line) => !line.startsWith('c '))).toEqual(['the sum is 42', '42']);
    expect(lines[0]).toBe('c 40');
    await Promise.all([nodes.a.stop(), nodes.b.stop(), nodes.c.stop()]);
    rmSync(disk, { recursive: true });
  });

  it('composes, and stops when told to', async () => {
    const lines: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line) => lines.push(String(line)));
    type Program = { run: (adapters: Adapters) => () => void };
    const { run } = await readme.start<Program>(programs[1] ?? '', 'compose');
    const reducer = (state: number): { state: number; result: null } => ({ state, result: null });
    const { adapter } = machine({ reducer, initialState: 0 });
    const stop = run({
      clock: clock(),
      storage: memoryStore().storage,
      network: memoryNetwork().node('a'),
      machine: adapter as Adapters['machine'],
    });
    await vi.waitFor(() => expect(lines).toContain('candidate'), 5000);
    stop();
    const count = lines.length;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    log.mockRestore();
    expect(lines).toHaveLength(count);
  });

  it('draws an election, and would notice another one', async () => {
    type Program = { election: () => void };
    const { election } = await readme.start<Program>(programs[2] ?? '', 'diagram');
    expect(election).not.toThrow();
    const wrong = (programs[2] ?? '').replace("'fc---l-'", "'fc-l---'");
    expect((await readme.start<Program>(wrong, 'wrong-diagram')).election).toThrow(/l/);
  });

  it('runs three nodes over WebSockets and disks', async () => {
    type Node = {
      counter: { dispatch: (by: number) => Promise<number>; state: number };
      server: { close: () => void; closeAllConnections: () => void };
      store: { close: () => Promise<void> };
      running: { unsubscribe: () => void };
    };
    type Program = {
      startNode: (id: string, folder: string, addresses: object) => Promise<Node>;
    };
    const { startNode } = await readme.start<Program>(programs[3] ?? '', 'pipe');
    const disk = mkdtempSync(join(tmpdir(), 'rxraft-readme-'));
    const addresses: Record<string, string> = {};
    for (const id of ['a', 'b', 'c']) addresses[id] = `127.0.0.1:${await freePort()}`;
    const nodes = await Promise.all(
      Object.keys(addresses).map((id) => startNode(id, join(disk, id), addresses)),
    );
    const sum = await vi.waitFor(() => Promise.any(nodes.map((node) => node.counter.dispatch(7))), {
      timeout: 15_000,
      interval: 100,
    });
    expect(sum).toBe(7);
    await vi.waitFor(
      () => expect(nodes.map((node) => node.counter.state)).toEqual([7, 7, 7]),
      5000,
    );
    for (const node of nodes) node.running.unsubscribe();
    for (const node of nodes) node.server.close();
    for (const node of nodes) node.server.closeAllConnections();
    await Promise.all(nodes.map((node) => node.store.close()));
    rmSync(disk, { recursive: true });
  });
});
