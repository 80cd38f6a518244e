/** A node as a process: signals end it, its events are lines, or messages to whoever started it. */
import { fromEvent, merge, ReplaySubject, take } from 'rxjs';
import type { NodeEvent, NodeOptions } from './server.js';
import { runNode } from './server.js';

/** How long an orderly stop may take before the process ends anyhow. */
const stopMs = 1500;

/**
 * Runs a node until SIGINT, SIGTERM, or the end of the process that started it. Rejects with what
 * ended the node.
 */
export async function nodeProcess(options: NodeOptions): Promise<void> {
  const stop$ = new ReplaySubject<unknown>(1);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'];
  const signal$ = merge(...signals.map((name) => fromEvent(process, name)));
  const watch = signal$.pipe(take(1)).subscribe(stop$);
  // Whoever started this process was gone before anybody listened.
  if (process.send !== undefined && !process.connected) stop$.next('disconnect');
  // Further signals change nothing: the stop is under way, and has its limit.
  const ignore = signal$.subscribe(() => {
    setTimeout(() => process.exit(process.exitCode ?? 0), stopMs).unref();
  });
  try {
    await runNode(options, stop$, reporter(options));
  } finally {
    watch.unsubscribe();
    ignore.unsubscribe();
    if (process.connected) process.disconnect();
  }
}

function reporter({ id, folder }: NodeOptions): (event: NodeEvent) => void {
  if (process.send !== undefined) {
    return (event) => {
      // Whoever started this process may be gone: then it stops, and has nobody to tell.
      if (process.connected) process.send?.(event, undefined, undefined, () => undefined);
    };
  }
  const said = new Map<string, number>();
  return (event) => {
    const line = lineOf(event, folder);
    if (line === null) return;
    const now = performance.now();
    // A peer that keeps knocking is worth a line a minute.
    if (event.type === 'network' && now - (said.get(line) ?? -Infinity) < 60_000) return;
    if (said.size > 1000) said.clear();
    said.set(line, now);
    process.stdout.write(`${id} ${line}\n`);
  };
}

/** What is said of an event, if anything. */
export function lineOf(event: NodeEvent, folder: string): string | null {
  switch (event.type) {
    case 'listening':
      return `listens on ${event.address}: process ${process.pid}, data in ${folder}`;
    case 'alone':
      return `finds nobody yet at ${event.contacts.join(', ')}, and goes on asking`;
    case 'removed':
      return `was removed from the cluster, and stops: ${folder} is of no more use`;
    case 'roleChanged':
      if (event.role === 'leader') return `leads in term ${event.currentTerm}`;
      if (event.leaderId === null) return null;
      return `follows ${event.leaderId} in term ${event.currentTerm}`;
    case 'snapshotInstalled':
      return `was far behind, and has the leader's snapshot up to entry ${event.index}`;
    case 'traceEnded':
      return `has no trace any more: ${event.path} can't be written (${event.cause})`;
    case 'network':
      return lineOfNetwork(event.event);
  }
}

function lineOfNetwork(event: Extract<NodeEvent, { type: 'network' }>['event']): string | null {
  switch (event.type) {
    case 'refused': {
      const who = event.from === null ? 'a connection' : `the node ${JSON.stringify(event.from)}`;
      const text = event.reason === 'sender' ? strangerHere : faultText(event.reason);
      return `has turned ${who} away at the door for nodes: ${text}`;
    }
    case 'disconnected': {
      const [, fault] = /^refused.*?(\w+)$/.exec(event.cause) ?? [];
      if (fault === undefined) return null;
      const text = fault === 'sender' ? strangerThere : faultText(fault);
      return `was turned away by ${event.to}: ${text}`;
    }
    case 'unsent':
      if (event.reason !== 'tooLarge') return null;
      return `has an entry for ${event.to} that is too long for its network: maxFrameBytes`;
    case 'transferFailed':
      return `could not send its snapshot to ${event.to}: ${event.cause}`;
    default:
      return null;
  }
}

const strangerHere =
  'it is not known here. If members have changed while this node was away, start this one again ' +
  'with --join and the address of a member';

const strangerThere =
  'this node is not known there. If it was removed while it was away, it is of no more use: see ' +
  'rxraft status';

function faultText(fault: string): string {
  if (fault !== 'initialVoters') return fault;
  return 'it began with other nodes, start all nodes of a new cluster with the same --peers';
}
