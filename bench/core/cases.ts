/**
 * The five cases of the core: one proposal at a time until it is committed, a hundred at a time in
 * three ways, and heartbeats.
 */
import { CoreCluster } from './cluster.js';

export const coreCases = {
  single: 'one proposal at a time until committed',
  merged: '100 proposals, then actions',
  apart: '100 proposals, actions after each',
  terms: 'the same with 10,000 terms in the log',
  heartbeat: 'heartbeat round trips',
} as const;

export type CoreCase = keyof typeof coreCases;

/** What a command carries. Void: nothing, and bytes are not counted. */
export type Payload = 'void' | '128 bytes';

/** Proposals between two deliveries. */
const atOnce = 100;

const payloads = Array.from({ length: 1000 }, () => new Uint8Array(128));

/** Entries, or heartbeats, of one cluster at most: its log stays within 100,000. */
export const countAtMost = 90_000;

/** What is to be done, entry by entry or round by round, on a cluster that is set up already. */
export interface CoreRun {
  (): void;
}

/** A fresh cluster, and a run of so many entries or heartbeats. Nothing is left uncommitted. */
export function coreRun(name: CoreCase, size: number, count: number, payload: Payload): CoreRun {
  const terms = name === 'terms' ? 10_000 : 1;
  if (payload === 'void') {
    const cluster = new CoreCluster<undefined>({ size, terms, sizeOf: null });
    return () => run(cluster, name, count, () => undefined);
  }
  const sizeOf = (command: Uint8Array): number => command.length;
  const cluster = new CoreCluster<Uint8Array>({ size, terms, sizeOf });
  // Whoever reads a socket has made them, and lets the garbage collector have them again: that is
  // no work of the core. So they are some that have been there for long.
  let next = 0;
  return () => run(cluster, name, count, () => payloads[next++ % payloads.length] as Uint8Array);
}

function run<C>(cluster: CoreCluster<C>, name: CoreCase, count: number, command: () => C): void {
  const batches = count / atOnce;
  switch (name) {
    case 'single':
      for (let at = 0; at < count; at += 1) propose(cluster, 1, command, false);
      return;
    case 'merged':
      for (let at = 0; at < batches; at += 1) propose(cluster, atOnce, command, false);
      return;
    case 'apart':
    case 'terms':
      for (let at = 0; at < batches; at += 1) propose(cluster, atOnce, command, true);
      return;
    case 'heartbeat':
      for (let at = 0; at < count; at += 1) {
        cluster.leader.heartbeat();
        cluster.act(cluster.leader);
        cluster.deliver();
      }
      return;
  }
}

function propose<C>(
  cluster: CoreCluster<C>,
  count: number,
  command: () => C,
  actionsAfterEach: boolean,
): void {
  const { leader } = cluster;
  let last = leader.proposeCommand(command());
  for (let at = 1; at < count; at += 1) {
    if (actionsAfterEach) cluster.act(leader);
    last = leader.proposeCommand(command());
  }
  cluster.act(leader);
  cluster.deliver();
  if (typeof last === 'string' || leader.commitStatus(last) !== 'committed') {
    throw new Error('a proposal was not committed');
  }
}
