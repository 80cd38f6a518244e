/**
 * Proposes one command after the other to a cluster whose log has a length already: each line is
 * their number, the answer is the CPU time in nanoseconds. The arguments are nodes and length.
 */
import { createInterface } from 'node:readline';
import { CoreCluster } from '../core/cluster.js';
import { cpuTimeOf } from '../cpu-time.js';

const [, , size = '3', length = '1000'] = process.argv;

const command = new Uint8Array(128);

const cluster = new CoreCluster<Uint8Array>({
  size: Number(size),
  terms: 1,
  sizeOf: (bytes) => bytes.length,
});

const few = 1000;

function propose(): void {
  cluster.leader.proposeCommand(command);
  cluster.act(cluster.leader);
  cluster.deliver();
}

for (let done = 0; done < Number(length); done += few) {
  for (let at = 0; at < few; at += 1) cluster.leader.proposeCommand(command);
  cluster.act(cluster.leader);
  cluster.deliver();
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const time = cpuTimeOf(() => {
    for (let at = 0; at < Number(line); at += 1) propose();
  });
  process.stdout.write(`${time}\n`);
});
