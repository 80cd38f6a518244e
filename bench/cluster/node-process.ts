/**
 * Processes that a benchmark starts, asks for their CPU time, and ends.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

export interface NodeProcess {
  readonly pid: number;
  /** Until it has ended. */
  readonly ended: Promise<void>;
  /** In milliseconds, of all of its threads; NaN where the system does not tell. */
  cpuMs(): number;
  kill(): void;
}

/** What it writes goes nowhere, except its complaints, which are thrown when it ends by itself. */
export function nodeProcess(command: string, args: readonly string[]): NodeProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  let killed = false;
  child.stderr.on(
    'data',
    (data: Buffer) => (complaints = `${complaints}${data.toString()}`.slice(-4000)),
  );
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (killed || code === 0) resolve();
      else
        reject(
          new Error(`${command} ${args[0] ?? ''} ended with ${signal ?? code}: ${complaints}`),
        );
    });
  });
  ended.catch(() => undefined);
  const { pid = 0 } = child;
  return {
    pid,
    ended,
    cpuMs: () => cpuMsOf(pid),
    kill: () => {
      killed = true;
      child.kill('SIGKILL');
    },
  };
}

/** Linux counts in hundredths of a second, for all that it runs on. */
const tickMs = 10;

function cpuMsOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the name, which may have spaces and parentheses of its own.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * tickMs;
  } catch {
    return NaN;
  }
}

/** Addresses on this machine that nobody listens on now. */
export async function freeAddresses(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports.map((port) => `127.0.0.1:${port}`);
}

/** Asks again and again until there is an answer. Rejects when there is none in time. */
export async function eventually<T>(ask: () => Promise<T | null>, timeoutMs = 120_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask().catch(() => null);
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`nothing within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
