/**
 * The command line, a process for each call. Its exit codes are what is noted: 0 done, 1 refused or
 * not found, 3 unknown. That a key is not there, and not that nobody answers, its text says.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Asked, Door, DoorOptions, Outcome, Way } from './way.js';
import { patienceMs } from './way.js';

/** A process takes its time to start, on a busy machine much of it. */
export const commandLine: Way = {
  ...{ name: 'command line', rows: 1, atOnce: 1, pauseMs: 500 },
  open: (options) => new CommandLineDoor(options),
};

/** The process has a patience of its own, from its first request on. */
const mostMs = 60_000;

interface Ran {
  /** Null: it was killed. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

class CommandLineDoor implements Door {
  private turn: number;
  private readonly running = new Set<ChildProcess>();

  constructor(private readonly options: DoorOptions) {
    this.turn = options.first;
  }

  async ask(asked: Asked): Promise<Outcome> {
    const nodes = this.options.nodes();
    const at = this.turn++ % nodes.length;
    const list = [...nodes.slice(at), ...nodes.slice(0, at)].join();
    const flags = ['--nodes', list, '--timeout', String(patienceMs / 1000)];
    return outcomeOf(asked, await this.run([...argumentsOf(asked), ...flags]));
  }

  leave(): void {
    for (const each of this.running) each.kill('SIGKILL');
    this.turn += 1;
  }

  private run(args: readonly string[]): Promise<Ran> {
    const child = spawn(process.execPath, [this.options.program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    this.running.add(child);
    const late = setTimeout(() => child.kill('SIGKILL'), mostMs);
    const [stdout, stderr]: Buffer[][] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout?.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr?.push(chunk));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(late);
        this.running.delete(child);
        const said = Buffer.concat(stderr ?? []).toString();
        resolve({ code, stdout: Buffer.concat(stdout ?? []), stderr: said });
      });
    });
  }
}

export function argumentsOf({ op, key, value, expected, isStale }: Asked): string[] {
  const condition = typeof expected === 'string' ? ['--if', expected] : [];
  if (op === 'get') return ['get', key, ...(isStale === true ? ['--stale'] : [])];
  if (op === 'delete') return ['delete', key, ...condition];
  return ['put', key, value ?? '', ...(expected === null ? ['--if-absent'] : condition)];
}

export function outcomeOf({ op, key, expected }: Asked, { code, stdout, stderr }: Ran): Outcome {
  if (code === null || code === 3) return { outcome: 'unknown' };
  if (code === 0) {
    return op === 'get' ? { outcome: 'ok', result: stdout.toString() } : { outcome: 'ok' };
  }
  if (code !== 1) throw new Error(`exit code ${code} is no answer to a ${op}: ${stderr}`);
  const mayMiss = op === 'get' || (op === 'delete' && expected === undefined);
  const isMissing = mayMiss && stderr.trim() === `${key}: not found`;
  return isMissing ? { outcome: 'ok', result: null } : { outcome: 'fail' };
}
