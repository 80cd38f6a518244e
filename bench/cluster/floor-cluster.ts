/** The floor program as a cluster of three. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'node:net';
import type { ClusterContender } from './contender.js';
import { putLoadOn } from './load.js';
import { eventually, freeAddresses, nodeProcess } from './node-process.js';

const program = fileURLToPath(new URL('floor.js', import.meta.url));

export async function floorCluster(folder: string): Promise<ClusterContender> {
  const data = join(folder, 'floor');
  mkdirSync(data, { recursive: true });
  const [leader = '', ...followers] = await freeAddresses(3);
  const start = (role: string, address: string, others: readonly string[]) => {
    const [, port = ''] = address.split(':');
    const args = [program, role, join(data, port), port, ...others];
    return nodeProcess(process.execPath, args);
  };
  const below = followers.map((address) => start('follower', address, []));
  const processes = [...below];
  const stop = (): void => processes.forEach((each) => each.kill());
  try {
    await Promise.all(followers.map((address) => eventually(() => reached(address))));
    processes.unshift(start('leader', leader, followers));
    await eventually(() => reached(leader));
  } catch (error) {
    stop();
    throw error;
  }
  return { name: 'floor', processes, load: (load) => putLoadOn(leader, load), stop };
}

function reached(address: string): Promise<true> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
