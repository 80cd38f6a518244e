/** A whole cluster on this machine: a process for each node, kept running, and told of. */
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import type { Observable } from 'rxjs';
import {
  concat,
  lastValueFrom,
  map,
  merge,
  of,
  ReplaySubject,
  takeUntil,
  takeWhile,
  tap,
  timer,
} from 'rxjs';
import type { NodeId } from '../../lib/position.js';
import { parseAddress } from './addresses.js';
import type { ChildEvent } from './child.js';
import { child } from './child.js';
import { pageServer } from './page-server.js';
import { Processes } from './processes.js';
import { lineOf } from './node-process.js';
import type { NodeEvent } from './server.js';
import type { Paint } from './terminal.js';
import { table } from './terminal.js';

export interface StartOptions {
  /** The program that has the command `node`. */
  readonly program: string;
  /** The folder of all nodes: each has one of its own in it. */
  readonly data: string;
  /** `host:port` of each node, by its id. */
  readonly members: Readonly<Record<NodeId, string>>;
  /** Further arguments for each node. */
  readonly nodeArgs: readonly string[];
  /** Of web pages that may read and write, beside the live page. */
  readonly origins: readonly string[];
  /** Clients find these nodes without being told where. */
  readonly areDefault: boolean;
  /** Of the live page; another one is taken where it is in use. 0: any that is free. */
  readonly pagePort: number;
  readonly stop$: Observable<unknown>;
  readonly say: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly paint: Paint;
}

/** A leader is announced within this time, or its absence is. */
const leaderMs = 10_000;

/**
 * Runs the cluster until `stop$` emits, which replays, and resolves with the exit code of the
 * program: 0, or 1 when a node could not be started at all.
 */
export async function start(options: StartOptions): Promise<number> {
  for (const address of Object.values(options.members)) {
    if (await isFree(address)) continue;
    options.complain(
      `${address} is in use: a cluster is probably running here already (see npx rxraft status). ` +
        'Stop it, or choose other ports with --ports, and another folder with --data.\n',
    );
    return 1;
  }
  const stop$ = new ReplaySubject<unknown>(1);
  const asked = options.stop$.subscribe(() => {
    options.say('\nStopping …\n');
    stop$.next(null);
  });
  const processes = new Processes(Object.keys(options.members));
  const page = await pageServer({ ...options, port: options.pagePort, processes });
  const origins = [...page.origins, ...options.origins];
  const nodeArgs = [...options.nodeArgs, '--allow-origin', origins.join(',')];
  stop$.subscribe(() => processes.thawAll());
  const teller = new Teller(options, page.url, () => stop$.next(null));
  const nodes = Object.entries(options.members).map(([id, listen]) =>
    child<NodeEvent>({
      program: options.program,
      args: argsOf({ ...options, nodeArgs }, id, listen),
      stop$,
      wanted$: processes.wanted(id),
    }).pipe(
      tap((event) => processes.onEvent(id, event)),
      // A node that was removed is not started again.
      takeWhile((event) => event.type !== 'ended' || !teller.isRemoved(id), true),
      map((event) => () => teller.onEvent(id, event)),
    ),
  );
  const noLeader$ = timer(leaderMs).pipe(
    map(() => () => teller.onLate()),
    takeUntil(stop$),
  );
  await lastValueFrom(
    concat(
      of(() => teller.onStart()),
      merge(...nodes, noLeader$),
    ).pipe(tap((tell) => tell())),
  );
  asked.unsubscribe();
  page.close();
  return teller.onStopped();
}

function argsOf(options: StartOptions, id: NodeId, listen: string): readonly string[] {
  const peers = Object.entries(options.members).filter(([peer]) => peer !== id);
  const list = peers.map(([peer, address]) => `${peer}=${address}`).join(',');
  return [
    ...['node', '--id', id, '--data', join(options.data, id), '--listen', listen],
    ...(list === '' ? ['--alone'] : ['--peers', list]),
    ...options.nodeArgs,
  ];
}

/** Could this program listen there? */
function isFree(address: string): Promise<boolean> {
  const { host, port } = parseAddress(address);
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Tells the user what happens, in the order of time. */
class Teller {
  private readonly pids = new Map<NodeId, number>();
  private readonly listening = new Set<NodeId>();
  private readonly ended = new Set<NodeId>();
  private readonly removed = new Set<NodeId>();
  private leader: NodeId | null = null;
  private term = 0;
  /** Everything has been running once, with a leader. */
  private isIntroduced = false;
  private hasFailed = false;
  private isStopping = false;

  constructor(
    private readonly options: StartOptions,
    private readonly pageUrl: string,
    private readonly stop: () => void,
  ) {
    options.stop$.subscribe(() => (this.isStopping = true));
  }

  onStart(): void {
    const { members, paint, say } = this.options;
    const count = Object.keys(members).length;
    say(`${paint.bold('rxraft')}: a cluster of ${count} on this machine, data in ${this.folder}\n`);
  }

  onEvent(id: NodeId, event: ChildEvent<NodeEvent>): void {
    switch (event.type) {
      case 'started':
        return this.onStarted(id, event.pid);
      case 'message':
        return this.onMessage(id, event.message);
      case 'line':
        return this.options.complain(`${id}: ${event.text}\n`);
      case 'ended':
        return this.onEnded(id, event);
    }
  }

  isRemoved(id: NodeId): boolean {
    return this.removed.has(id);
  }

  onLate(): void {
    if (this.isIntroduced || this.isStopping) return;
    this.options.say('No node leads yet: is this machine very busy? It goes on trying.\n');
  }

  onStopped(): number {
    if (this.hasFailed) return 1;
    this.options.say(`Stopped. The data is in ${this.folder}: start again to find all of it.\n`);
    return 0;
  }

  private get folder(): string {
    const { data } = this.options;
    const path = relative(process.cwd(), data);
    return path.startsWith('..') ? data : `./${path}`;
  }

  private onStarted(id: NodeId, pid: number): void {
    this.pids.set(id, pid);
    if (this.ended.delete(id))
      this.options.say(`${this.time()} ${id} runs again: process ${pid}\n`);
  }

  private onMessage(id: NodeId, event: NodeEvent): void {
    if (event.type === 'listening') {
      this.listening.add(id);
      this.introduce();
    } else if (event.type === 'roleChanged') {
      if (event.role === 'leader') this.onLeader(id, event.currentTerm);
    } else {
      if (event.type === 'removed') this.removed.add(id);
      const line = lineOf(event, `${this.folder}/${id}`);
      if (line !== null) this.options.say(`${this.time()} ${id} ${line}\n`);
    }
  }

  private onLeader(id: NodeId, term: number): void {
    if (term <= this.term) return;
    this.leader = id;
    this.term = term;
    if (this.isIntroduced) {
      const process_ = `process ${this.pids.get(id)}`;
      this.options.say(`${this.time()} ${this.strong(id)} leads in term ${term}: ${process_}\n`);
    }
    this.introduce();
  }

  private onEnded(
    id: NodeId,
    { cause, pauseMs }: Extract<ChildEvent<never>, { type: 'ended' }>,
  ): void {
    if (this.isStopping || this.hasFailed || this.isRemoved(id)) return;
    const pid = this.pids.get(id);
    if (!this.listening.has(id)) {
      // Nothing that a second try would mend: its own words came before.
      this.options.complain(`${id} could not be started: it ${cause}\n`);
      this.hasFailed = true;
      return this.stop();
    }
    if (this.leader === id) this.leader = null;
    this.ended.add(id);
    const again =
      pauseMs === null
        ? 'the page wanted it so, and starts it again'
        : `it is started again in ${pauseMs / 1000} s`;
    this.options.say(`${this.time()} ${this.strong(id)} (process ${pid}) ${cause}; ${again}\n`);
  }

  /** Once: when all nodes run, and one of them leads. */
  private introduce(): void {
    const { members, areDefault, paint, say } = this.options;
    if (this.isIntroduced || this.leader === null) return;
    if (this.listening.size < Object.keys(members).length) return;
    this.isIntroduced = true;
    const rows = Object.entries(members).map(([id, address]) => [
      `  ${id}`,
      address,
      `process ${this.pids.get(id)}${id === this.leader ? ', leads' : ''}`,
    ]);
    const nodes = Object.values(members).join(',');
    const commands = [
      ...(areDefault ? [] : [[`export RXRAFT_NODES=${nodes}`, 'these are not the usual ports']]),
      ['npx rxraft put color blue', 'done when a majority has it on disk'],
      ['npx rxraft get color', 'any node may be asked'],
      ['npx rxraft put color red --if blue', 'compare and set'],
      ['npx rxraft status', 'who leads, and how far each node is'],
      [`kill -9 ${this.pids.get(this.leader)}`, `the leader, ${this.leader}: nothing is lost`],
    ].map(([command = '', why = '']) => [`  ${command}`, paint.dim(`# ${why}`)]);
    say(`\n${table(rows)}\n\nSee it live, and kill nodes there:\n\n  ${this.pageUrl}\n`);
    say(`\nIn another terminal, try:\n\n${table(commands)}\n\n`);
    say('Ctrl-C stops it; started again it finds all data. What happens meanwhile:\n\n');
  }

  private strong(id: NodeId): string {
    return this.options.paint.bold(id);
  }

  private time(): string {
    return this.options.paint.dim(new Date().toTimeString().slice(0, 8));
  }
}
