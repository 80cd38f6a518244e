/**
 * A cluster of three etcd servers, where etcd and Go are installed, under the load of etcd's own
 * client.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterContender } from '../cluster/contender.js';
import { eventually, freeAddresses, nodeProcess } from '../cluster/node-process.js';
import { lineProcess } from '../line-process.js';
import type { Context } from '../part.js';

/** The sources, seen from `dist/bench/peers`. */
const sources = fileURLToPath(new URL('../../../bench/peers/etcd/', import.meta.url));

/** Null, and a note of what to install, where something is missing. */
export async function etcdCluster(
  folder: string,
  { progress, note }: Pick<Context, 'progress' | 'note'>,
): Promise<ClusterContender | null> {
  if (spawnSync('etcd', ['--version']).status !== 0) {
    note('etcd is left out: install it (on Debian: apt-get install etcd-server).');
    return null;
  }
  if (spawnSync('go', ['version']).status !== 0) {
    note('etcd is left out: install Go (https://go.dev/dl), which its client is built with.');
    return null;
  }
  progress("building etcd's client");
  const program = join(folder, 'etcd-load');
  const built = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: sources,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (built.status !== 0) {
    note('etcd is left out: Go could not build its client, and said why above.');
    return null;
  }
  return startEtcd(join(folder, 'etcd'), program);
}

async function startEtcd(folder: string, program: string): Promise<ClusterContender> {
  mkdirSync(folder, { recursive: true });
  const addresses = await freeAddresses(6);
  const nodes = ['e1', 'e2', 'e3'].map((name, at) => ({
    name,
    client: `http://${addresses[at]}`,
    peer: `http://${addresses[at + 3]}`,
  }));
  const cluster = nodes.map(({ name, peer }) => `${name}=${peer}`).join(',');
  const processes = nodes.map(({ name, client, peer }) =>
    nodeProcess('etcd', [
      ...['--name', name, '--data-dir', join(folder, name), '--log-level', 'error'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', cluster, '--initial-cluster-state', 'new'],
    ]),
  );
  const stop = (): void => processes.forEach((each) => each.kill());
  try {
    const leader = await eventually(async () => {
      const lead = await Promise.all(nodes.map(({ client }) => leads(client)));
      return nodes[lead.indexOf(true)] ?? null;
    });
    const client = lineProcess(program, [leader.client.replace('http://', '')]);
    return {
      name: 'etcd',
      processes,
      load: async ({ work, clients, seconds }) => {
        const answer = await client.ask(`${work} ${clients} ${seconds}`);
        const [perSecond = NaN, p50Ms = NaN, p99Ms = NaN] = answer;
        return { perSecond, p50Ms, p99Ms };
      },
      stop: () => {
        client.stop();
        stop();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

async function leads(url: string): Promise<boolean> {
  const response = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' });
  const { header, leader } = (await response.json()) as {
    readonly header: { readonly member_id: string };
    readonly leader?: string;
  };
  return leader === header.member_id;
}
