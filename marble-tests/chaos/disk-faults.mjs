/**
 * Loaded in front of the program (`node --import`), into the process of a node: makes its database
 * a bad one, as it is told on the standard input. It stands where storage hands a batch to the
 * database and waits for the sync.
 *
 *     stall 200      from now on a batch takes so many milliseconds more
 *     sync kept      the sync of the next batch fails; the bytes are in the file all the same
 *     sync lost      the sync of the next batch fails; the bytes are gone, as after fsyncgate
 *     space          the next batch finds no space left
 *     well           no fault any more
 *
 * What fails, fails once: if the node went on, its next write would succeed. What it does is told
 * as a line of the standard error. When whoever started the node is gone, the node goes too.
 */
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClassicLevel } from 'classic-level';

const failures = {
  sync: 'IO error: fdatasync: Input/output error',
  space: 'IO error: write: No space left on device',
};

let stallMs = 0;
/** @type {readonly string[] | null} */
let next = null;

/** Does a write, or what it was told to do instead. */
async function harmed(write) {
  if (stallMs > 0) await sleep(stallMs);
  if (next === null) return write();
  const [kind, how] = next;
  next = null;
  process.stderr.write(`disk fault: ${kind} ${how ?? ''}\n`);
  if (how === 'kept') await write();
  throw Object.assign(new Error(failures[kind]), { code: 'LEVEL_IO_ERROR' });
}

const list = ClassicLevel.prototype._batch;
ClassicLevel.prototype._batch = function (operations, options) {
  return harmed(() => list.call(this, operations, options));
};

const chained = ClassicLevel.prototype._chainedBatch;
ClassicLevel.prototype._chainedBatch = function () {
  const batch = chained.call(this);
  const write = batch._write;
  batch._write = (options) => harmed(() => write.call(batch, options));
  return batch;
};

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [kind, how] = line.split(' ');
  if (kind === 'stall') stallMs = Number(how);
  else if (kind === 'well') [stallMs, next] = [0, null];
  else next = [kind, how];
});
lines.on('close', () => process.kill(process.pid, 'SIGKILL'));
// The standard input is not let go: a node whose disk has failed ends, whatever else holds it.
