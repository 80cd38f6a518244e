/** The nodes of a cluster, as they are given on the command line. */
import { resolve } from 'node:path';
import { faultOfNodeId } from '../../lib/cluster-config.js';
import type { NodeId } from '../../lib/position.js';
import { faultOfAllowedOrigin } from '../live/origin.js';
import { faultOfAddress, isLoopback, parseAddress } from './addresses.js';
import { UsageError } from './input.js';
import type { NodeOptions } from './server.js';

export type Members = Readonly<Record<NodeId, string>>;

/** Nodes n1, n2, … on these ports of this machine. Throws a UsageError. */
export function startMembers(ports: string): Members {
  const list = ports.split(',').map((port) => `127.0.0.1:${port.trim()}`);
  for (const address of list) refuse('--ports', faultOfAddress(address));
  if (new Set(list).size !== list.length) throw new UsageError('--ports: a port is listed twice');
  if (list.length > 9) throw new UsageError('--ports: at most nine nodes');
  return Object.fromEntries(list.map((address, at) => [`n${at + 1}`, address]));
}

/** Follows from the members: what is started together belongs together. */
export function clusterName(members: Members): string {
  return Object.keys(members).sort().join(',');
}

interface TraceFlags {
  readonly trace?: string;
  /** In MiB. */
  readonly traceLimit?: number;
}

/** The options of the command `node`. */
export interface NodeFlags extends TraceFlags {
  readonly id: string;
  readonly data: string;
  readonly listen: string;
  readonly peers?: string;
  readonly alone?: true;
  /** Addresses of nodes of a cluster that is there. */
  readonly join?: readonly string[];
  readonly cluster?: string;
  readonly snapshotEvery?: number;
  readonly insecure?: true;
  readonly allowOrigin?: string;
}

/** What a node is made from. Throws a UsageError that names the culprit. */
export function nodeOptions(flags: NodeFlags): NodeOptions {
  const { id, listen, snapshotEvery } = flags;
  refuse('--id', faultOfNodeId(id));
  refuse('--listen', faultOfAddress(listen));
  if (flags.insecure !== true && !isLoopback(parseAddress(listen))) {
    throw new UsageError(
      `--listen: ${listen} can be reached from other machines, and there is no authentication ` +
        'yet: whoever reaches it can read and change everything, and pass for a node. If only ' +
        'machines that you trust can reach it, say --insecure; else listen on 127.0.0.1',
    );
  }
  const { join: contacts = [] } = flags;
  const members = { [id]: listen, ...peersOf(flags.peers ?? '') };
  refuseAccident(Object.keys(members).length === 1, flags);
  const founded = contacts.length > 0 ? null : clusterName(members);
  const cluster = flags.cluster ?? founded;
  if (cluster !== null && (cluster === '' || cluster.length > 256)) {
    throw new UsageError('--cluster: give a name of 1 to 256 characters');
  }
  const origins = originsOf(flags.allowOrigin);
  const options = { id, cluster, folder: resolve(flags.data), listen, members, origins };
  return {
    ...options,
    ...(contacts.length > 0 ? { contacts } : {}),
    ...(snapshotEvery === undefined ? {} : { snapshotEvery }),
    ...traceOf(flags),
  };
}

/** Of web pages. Throws a UsageError. */
export function originsOf(flag: string | undefined): readonly string[] {
  const origins = flag?.split(',').map((each) => each.trim()) ?? [];
  for (const origin of origins) refuse('--allow-origin', faultOfAllowedOrigin(origin));
  return origins;
}

function traceOf({ trace: path, traceLimit }: TraceFlags): Pick<NodeOptions, 'trace'> {
  if (path === undefined && traceLimit === undefined) return {};
  if (path === undefined || path === '') {
    throw new UsageError('--trace: give the file that the trace is written to');
  }
  const limit = traceLimit === undefined ? {} : { limitBytes: traceLimit * 2 ** 20 };
  return { trace: { path: resolve(path), ...limit } };
}

/** A cluster of one is begun by an explicit word only, not by a list that was forgotten. */
function refuseAccident(isOne: boolean, { peers, alone, join }: NodeFlags): void {
  const given = Object.entries({ '--peers': peers, '--alone': alone, '--join': join });
  const names = given.filter(([, each]) => each !== undefined).map(([name]) => name);
  if (names.length > 1) {
    throw new UsageError(`${names.join(' and ')} exclude each other: give one of them`);
  }
  if (!isOne || alone === true || join !== undefined) return;
  const mend =
    'name the other nodes of a new cluster, or say --alone for a cluster of one node, or --join ' +
    'for a cluster that is there';
  throw new UsageError(`--peers: ${mend}`);
}

/** This node itself may be among them, so that all nodes can be given the same list. */
function peersOf(text: string): Members {
  const peers = new Map<NodeId, string>();
  for (const each of text.split(',').filter((part) => part.trim() !== '')) {
    const at = each.indexOf('=');
    if (at === -1) throw new UsageError(`--peers: ${JSON.stringify(each)} is not ID=HOST:PORT`);
    const id = each.slice(0, at).trim();
    const address = each.slice(at + 1).trim();
    refuse('--peers', faultOfNodeId(id) ?? faultOfAddress(address));
    if (peers.has(id)) throw new UsageError(`--peers: ${id} is listed twice`);
    peers.set(id, address);
  }
  return Object.fromEntries(peers);
}

function refuse(option: string, fault: string | null): void {
  if (fault !== null) throw new UsageError(`${option}: ${fault}`);
}
