/**
 * The key-value cluster of this project: three processes, each with its own folder on one disk.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '../../adapters/key-value/connection.js';
import type { ClusterContender } from './contender.js';
import type { Load, Measured } from './load.js';
import { putLoadOn } from './load.js';
import type { NodeProcess } from './node-process.js';
import { eventually, freeAddresses, nodeProcess } from './node-process.js';

const program = fileURLToPath(new URL('../../adapters/key-value/command-line.js', import.meta.url));

export interface RxraftNode {
  readonly id: string;
  readonly address: string;
  readonly process: NodeProcess;
}

/** Starts one node. `flags` are further options of `rxraft node`. */
export function startNode(
  id: string,
  members: ReadonlyMap<string, string>,
  folder: string,
  flags: readonly string[] = [],
): RxraftNode {
  const address = members.get(id) ?? '';
  const peers = [...members].map(([peer, at]) => `${peer}=${at}`).join(',');
  const data = join(folder, id);
  const who = ['node', '--id', id, '--data', data, '--listen', address];
  const others = members.size === 1 ? ['--alone'] : ['--peers', peers];
  const process_ = nodeProcess(process.execPath, [program, ...who, ...others, ...flags]);
  return { id, address, process: process_ };
}

/** Starts three. `flagsOf` gives further options. */
export async function startThree(
  folder: string,
  flagsOf: (id: string) => readonly string[] = () => [],
): Promise<readonly RxraftNode[]> {
  mkdirSync(folder, { recursive: true });
  const addresses = await freeAddresses(3);
  const members = new Map(addresses.map((address, at) => [`n${at + 1}`, address]));
  return [...members.keys()].map((id) => startNode(id, members, folder, flagsOf(id)));
}

/** The node that leads, as soon as one does and can be written to. */
export async function leaderOf(nodes: readonly RxraftNode[]): Promise<RxraftNode> {
  return eventually(async () => {
    for (const node of nodes) {
      const answer = await statusOf(node.address).catch(() => null);
      if (answer?.role === 'leader') return node;
    }
    return null;
  });
}

export async function statusOf(address: string) {
  const connection = await connect(address, { connectTimeoutMs: 500 });
  try {
    const answer = await connection.ask({ type: 'status' });
    return answer.type === 'status' ? answer.status : null;
  } finally {
    connection.close();
  }
}

export async function rxraftCluster(folder: string): Promise<ClusterContender> {
  const nodes = await startThree(join(folder, 'rxraft'));
  const stop = (): void => nodes.forEach((node) => node.process.kill());
  try {
    await leaderOf(nodes);
    return {
      name: 'rxraft',
      processes: nodes.map((node) => node.process),
      load: (load) => undisturbed(nodes, load),
      stop,
    };
  } catch (error) {
    stop();
    throw error;
  }
}

/** A machine that stands still for a while has another leader afterwards: then it is done anew. */
async function undisturbed(nodes: readonly RxraftNode[], load: Load): Promise<Measured> {
  for (let attempt = 1; ; attempt += 1) {
    const leader = await leaderOf(nodes);
    try {
      return await putLoadOn(leader.address, load);
    } catch (error) {
      if (attempt === attemptsAtMost) throw error;
    }
  }
}

const attemptsAtMost = 5;
