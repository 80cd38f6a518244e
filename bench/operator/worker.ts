/**
 * Does proposals in one of three ways when told to: each line is their number, the answer is the
 * CPU time in nanoseconds. The way is the first argument.
 */
import { createInterface } from 'node:readline';
import { cpuTimeOf } from '../cpu-time.js';
import { circle, direct, operator } from './contenders.js';

const ways = { direct, operator, loop: circle };

export type Way = keyof typeof ways;

const way = ways[process.argv[2] as Way];

createInterface({ input: process.stdin }).on('line', (line) => {
  const contender = way();
  process.stdout.write(`${cpuTimeOf(() => contender(Number(line)))}\n`);
});
