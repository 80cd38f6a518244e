/**
 * Runs the cases of the core when told to. Each line of standard input is
 * `<case> <nodes> <entries>`; the answer is one line, the nanoseconds of CPU time that it took. The
 * first argument is what commands carry. `bench/peers/noraft` understands the same lines.
 */
import { createInterface } from 'node:readline';
import { cpuTimeOf } from '../cpu-time.js';
import type { CoreCase, Payload } from './cases.js';
import { coreRun, countAtMost } from './cases.js';

const payload = process.argv[2] as Payload;

createInterface({ input: process.stdin }).on('line', (line) => {
  const [name, size, count] = line.split(' ');
  let time = 0;
  for (let left = Number(count); left > 0; left -= countAtMost) {
    const some = Math.min(left, countAtMost);
    time += cpuTimeOf(coreRun(name as CoreCase, Number(size), some, payload));
  }
  process.stdout.write(`${time}\n`);
});
