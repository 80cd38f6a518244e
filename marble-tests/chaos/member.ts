/** A node of the cluster: the real program as a process of its own, to be hurt. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../cluster/cluster.js';
import { stamp } from './clock.js';

const diskFaults = new URL('./disk-faults.mjs', import.meta.url).href;

/**
 * A pipe for the trace, and who brings it to its file, behind a line that a kill has torn. Held
 * open for the node: who reads it need not wait for one that ends before it has begun.
 */
const traceByPipe =
  '{ [ -p "$PIPE" ] || mkfifo "$PIPE"; } && echo >>"$TRACE" && ' +
  '{ cat <"$PIPE" >>"$TRACE" & exec 4>"$PIPE"; }';

/** What a disk does, as `disk-faults.mjs` understands it. */
export type DiskFault = `stall ${number}` | 'sync kept' | 'sync lost' | 'space' | 'well';

/** Of a start, with a busy machine and everything that is to be recovered. */
const startMs = 180_000;

/** For an orderly stop, and for the end of a node whose disk has failed. */
const stopMs = 60_000;

export interface MemberOptions {
  /** The program that has the command `node`. */
  readonly program: string;
  readonly id: string;
  readonly port: number;
  /** Of a node of the first hour: `host:port` of the others, by their ids. */
  readonly peers: Readonly<Record<string, string>>;
  /** Of a node that comes later: `host:port` of nodes that are there. Else empty. */
  readonly contacts: readonly string[];
  readonly folder: string;
  readonly log: string;
  /** All events of the protocol, of all its runs. */
  readonly trace: string;
  readonly snapshotEvery: number;
  /** It leads, by its own word. */
  readonly onLeads: (id: string, term: number) => void;
  /** It has been sent a snapshot. */
  readonly onInstalled: () => void;
  /** It has ended, and nobody has hurt it so that it should. */
  readonly onFault: (text: string) => void;
}

export class Member {
  /** It listens, and no signal has stopped it. */
  isWell = false;
  private running: ChildProcess | null = null;
  private ended: Promise<number | null> = Promise.resolve(null);
  /** By its own word. */
  wasRemoved = false;
  /** It does not run any more. */
  private isRetired = false;
  private isPaused = false;
  private mayEnd = false;
  private hasDiskFailed = false;

  constructor(private readonly options: MemberOptions) {}

  get id(): string {
    return this.options.id;
  }

  get port(): number {
    return this.options.port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get trace(): string {
    return this.options.trace;
  }

  get folder(): string {
    return this.options.folder;
  }

  get isRunning(): boolean {
    return this.running !== null;
  }

  /** `fileBlocks`: no file may grow beyond so many blocks of 512 or 1,024 bytes. */
  begin(fileBlocks?: number): void {
    if (this.running !== null || this.isRetired) return;
    this.say('---- started');
    const { program, trace } = this.options;
    const isSmall = fileBlocks !== undefined;
    const pipe = `${trace}.pipe`;
    const node = ['--import', diskFaults, program, ...this.nodeArgs(isSmall ? pipe : trace)];
    // What a small disk does to the node is not to happen to its trace.
    const begun = isSmall ? `${traceByPipe} && ulimit -f ${fileBlocks} && ` : '';
    const running = spawn('sh', ['-c', `${begun}exec "$0" "$@"`, process.execPath, ...node], {
      env: { ...process.env, NO_COLOR: '1', TRACE: trace, PIPE: pipe },
    });
    this.running = running;
    this.mayEnd = fileBlocks !== undefined;
    this.hasDiskFailed = false;
    running.stdin.on('error', () => undefined);
    for (const input of [running.stdout, running.stderr]) {
      createInterface({ input }).on('line', (line) => this.onLine(line));
    }
    this.ended = new Promise((resolve) =>
      running.on('close', (code, signal) => {
        this.onEnd(code, signal);
        resolve(code);
      }),
    );
  }

  private nodeArgs(trace: string): string[] {
    const { id, peers, contacts, folder, snapshotEvery } = this.options;
    const list = Object.entries(peers).map(([peer, address]) => `${peer}=${address}`);
    const founding = list.length === 0 ? ['--alone'] : ['--peers', list.join(',')];
    const beginning = contacts.length > 0 ? ['--join', contacts.join(',')] : founding;
    return [
      ...['node', '--id', id, '--data', folder, '--listen', this.address],
      ...beginning,
      ...['--snapshot-every', String(snapshotEvery)],
      ...['--trace', trace, '--trace-limit', String(2 ** 30)],
    ];
  }

  /** Starts it, and waits until it listens. */
  async start(): Promise<void> {
    this.begin();
    await this.listens();
  }

  /** Or has ended. A fault of the product if it does neither. */
  async listens(): Promise<void> {
    const isReady = async (): Promise<boolean> => this.isWell || this.running === null;
    await until(`${this.id} listens`, isReady, startMs).catch((error: unknown) =>
      this.options.onFault(String(error)),
    );
  }

  /** SIGKILL, and its end. */
  async crash(): Promise<void> {
    this.kill();
    await this.ended;
  }

  /** SIGTERM: an orderly stop. A process that has not come to its first line yet just ends. */
  async stop(): Promise<void> {
    if (this.running === null) return;
    const isUp = this.isWell;
    this.mayEnd = true;
    this.isWell = false;
    this.running.kill('SIGTERM');
    const code = await Promise.race([this.ended, sleep(stopMs, 'no end' as const)]);
    if (code === 'no end') {
      this.options.onFault(`${this.id} does not stop within ${stopMs} ms of SIGTERM`);
      await this.crash();
    } else if (code !== 0 && !this.hasDiskFailed && (isUp || code !== null)) {
      this.options.onFault(`${this.id} has stopped with exit code ${code}`);
    }
  }

  pause(): void {
    if (!this.isWell) return;
    this.isWell = false;
    this.isPaused = true;
    this.running?.kill('SIGSTOP');
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isWell = true;
    this.isPaused = false;
    this.running?.kill('SIGCONT');
  }

  disk(fault: DiskFault): void {
    this.running?.stdin?.write(`${fault}\n`);
  }

  /** Waits for the end of a node whose disk fails, if it fails by then. It must not go on. */
  async failsStop(timeoutMs: number): Promise<void> {
    const end = this.ended.then(() => undefined);
    await Promise.race([end, sleep(timeoutMs)]);
    if (this.running === null) return;
    this.disk('well');
    await Promise.race([end, sleep(500)]);
    if (!this.hasDiskFailed) return;
    await Promise.race([end, sleep(stopMs)]);
    if (this.running === null) return;
    this.options.onFault(`${this.id} still runs ${stopMs} ms after a write has failed`);
    await this.crash();
  }

  /** It is no member any more: gives it some time to end by itself. */
  async retire(timeoutMs: number): Promise<void> {
    this.isRetired = true;
    this.mayEnd = true;
    await Promise.race([this.ended, sleep(timeoutMs)]);
    await this.crash();
  }

  kill(): void {
    this.mayEnd = true;
    this.isWell = false;
    this.running?.kill('SIGKILL');
  }

  private onLine(line: string): void {
    this.say(line);
    if (line.includes(' listens on ')) this.isWell = true;
    if (line.startsWith('disk fault')) this.hasDiskFailed = true;
    if (line.includes("has the leader's snapshot")) this.options.onInstalled();
    if (line.includes(' finds an error: ')) this.options.onFault(line);
    if (line.includes(' was removed from the cluster')) this.wasRemoved = this.mayEnd = true;
    const term = / leads in term (\d+)$/.exec(line)?.[1];
    if (term !== undefined) this.options.onLeads(this.id, Number(term));
  }

  private onEnd(code: number | null, signal: NodeJS.Signals | null): void {
    this.running = null;
    this.isWell = false;
    this.isPaused = false;
    const how = signal === null ? `exit code ${code}` : signal;
    this.say(`---- ended: ${how}`);
    if (this.mayEnd || this.hasDiskFailed) return;
    this.options.onFault(`${this.id} has ended by itself, with ${how}`);
  }

  private say(line: string): void {
    appendFileSync(this.options.log, `${stamp()} ${line}\n`);
  }
}
