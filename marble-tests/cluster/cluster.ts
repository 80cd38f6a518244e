/** The real program, as its user runs it: from `dist`, in a folder of its own, on free ports. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ClusterReport, NodeReport } from '../../adapters/key-value/status.js';

export const program = fileURLToPath(
  new URL('../../dist/adapters/key-value/command-line.js', import.meta.url),
);

/** What runs, so that nothing outlives a test that failed. */
const running = new Set<ChildProcess>();
const folders: string[] = [];

export async function cleanUp(): Promise<void> {
  for (const each of running) each.kill('SIGKILL');
  await until('everything has ended', async () => running.size === 0);
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-'));
  folders.push(folder);
  return folder;
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Asks again and again. Rejects when it has never been true within the time. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${timeoutMs} ms, and not yet: ${what}`);
    await sleep(50);
  }
}

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly folder?: string;
  readonly input?: Uint8Array;
  /** No file may grow beyond so many blocks, of 512 or 1,024 bytes: the disk is full then. */
  readonly fileBlocks?: number;
}

/** A program that has been started, and what it has written so far. */
export class Run {
  readonly process: ChildProcess;
  readonly ended: Promise<Ran>;
  /** Both streams, as a terminal would show them. */
  output = '';

  constructor(args: readonly string[], options: RunOptions = {}) {
    const command = [process.execPath, program, ...args];
    const limit = `ulimit -f ${options.fileBlocks ?? 'unlimited'} && exec "$0" "$@"`;
    this.process = spawn('sh', ['-c', limit, ...command], {
      cwd: options.folder ?? tmpdir(),
      env: { ...process.env, RXRAFT_NODES: '', NO_COLOR: '1' },
    });
    running.add(this.process);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const collect = (list: Buffer[]) => (chunk: Buffer) => {
      list.push(chunk);
      this.output += chunk.toString();
    };
    this.process.stdout?.on('data', collect(stdout));
    this.process.stderr?.on('data', collect(stderr));
    this.process.stdin?.on('error', () => undefined);
    this.process.stdin?.end(options.input);
    this.ended = new Promise((resolve) =>
      this.process.on('close', (code, signal) => {
        running.delete(this.process);
        const texts = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
        resolve({ code, signal, ...texts });
      }),
    );
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  async says(text: RegExp, timeoutMs?: number): Promise<void> {
    await until(`${text} in:\n${this.output}`, async () => text.test(this.output), timeoutMs);
  }
}

export interface ClusterOptions {
  readonly folder?: string;
  readonly ports?: readonly number[];
  readonly snapshotEvery?: number;
  /** Of web pages. */
  readonly allowOrigin?: string;
}

export type LiveNode = Extract<NodeReport, { reachable: true }>;

/** Three nodes that `start` has started. */
export class Cluster {
  private constructor(
    readonly run: Run,
    readonly folder: string,
    readonly ports: readonly number[],
  ) {}

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { folder = temporaryFolder(), snapshotEvery, allowOrigin } = options;
    const ports = options.ports ?? (await freePorts(3));
    const args = ['start', '--ports', ports.join(',')];
    if (snapshotEvery !== undefined) args.push('--snapshot-every', String(snapshotEvery));
    if (allowOrigin !== undefined) args.push('--allow-origin', allowOrigin);
    const cluster = new Cluster(new Run(args, { folder }), folder, ports);
    await cluster.run.says(/Ctrl-C stops it/);
    return cluster;
  }

  get nodes(): string[] {
    return this.ports.map((port) => `127.0.0.1:${port}`);
  }

  /** A command of a client, to its end. */
  async client(args: readonly string[], input?: Uint8Array): Promise<Ran> {
    const [command = '', ...rest] = args;
    const all = [command, '--nodes', this.nodes.join(','), ...rest];
    return new Run(all, input === undefined ? {} : { input }).ended;
  }

  async report(): Promise<ClusterReport> {
    const { stdout } = await this.client(['status', '--json']);
    return JSON.parse(stdout.toString()) as ClusterReport;
  }

  /** All that answer, when all of them do and one leads. */
  async live(): Promise<{ leader: LiveNode; followers: LiveNode[] }> {
    let live: LiveNode[] = [];
    let leader: LiveNode | undefined;
    await until('three nodes and a leader', async () => {
      const report = await this.report();
      live = report.nodes.filter((node) => node.reachable);
      leader = live.find((node) => node.id === report.leader);
      return live.length === 3 && leader !== undefined;
    });
    if (leader === undefined) throw new Error('no leader');
    return { leader, followers: live.filter((node) => node !== leader) };
  }

  /** Ctrl-C, and how long it took in milliseconds. */
  async stop(): Promise<{ readonly ran: Ran; readonly elapsedMs: number }> {
    const begin = performance.now();
    this.run.kill('SIGINT');
    const ran = await this.run.ended;
    return { ran, elapsedMs: Math.round(performance.now() - begin) };
  }
}

/** Is there such a process? */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
