/** The file of a trace: what is written is there, and it stays within its limit. */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TraceFile } from '../../adapters/trace-file.js';
import { traceFile, TraceFileError } from '../../adapters/trace-file.js';

let folder: string;
let path: string;
let file: TraceFile | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxraft-trace-'));
  path = join(folder, 'trace.jsonl');
  file = null;
});

afterEach(() => {
  file?.close();
  rmSync(folder, { recursive: true });
});

const linesOf = (name: string): string[] => readFileSync(name, 'utf8').split('\n').slice(0, -1);

describe('a trace file', () => {
  it('has each line as soon as it is written, behind those of the run before', () => {
    writeFileSync(path, 'before\n');
    file = traceFile({ path });
    file.write('one');
    expect(linesOf(path)).toEqual(['before', 'one']);
    file.write('häßlich');
    expect(linesOf(path)).toEqual(['before', 'one', 'häßlich']);
  });

  it('leaves a line that a kill has torn to itself', () => {
    writeFileSync(path, 'whole\n{"node":"a","ru');
    file = traceFile({ path });
    file.write('next');
    expect(linesOf(path)).toEqual(['whole', '{"node":"a","ru', 'next']);
  });

  it('has no more than its limit, the newest lines, also across runs', () => {
    const written: string[] = [];
    for (let run = 0; run < 5; run += 1) {
      file = traceFile({ path, limitBytes: 1000 });
      for (let number = 0; number < 40; number += 1) {
        const line = `line ${number} of run ${run}`;
        file.write(line);
        written.push(line);
        const names = [`${path}.1`, path].filter(existsSync);
        const kept = names.flatMap(linesOf);
        expect(written.slice(-kept.length)).toEqual(kept);
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(written.length, 20));
        const sizes = names.map((name) => statSync(name).size);
        expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(1000);
      }
      file.close();
    }
    expect(written).toHaveLength(200);
  });

  it('takes a line that is longer than its limit', () => {
    file = traceFile({ path, limitBytes: 10 });
    const long = 'x'.repeat(100);
    for (const line of [long, 'short', long]) file.write(line);
    expect([linesOf(`${path}.1`), linesOf(path)]).toEqual([['short'], [long]]);
  });

  it('ends when the system refuses a line, and says so once', () => {
    // The device that is always full; where there is none, a file under a folder that has gone.
    const causes: Error[] = [];
    const onEnded = (cause: Error): number => causes.push(cause);
    const hasFull = existsSync('/dev/full');
    file = traceFile({ path: hasFull ? '/dev/full' : path, limitBytes: 20, onEnded });
    if (!hasFull) rmSync(folder, { recursive: true });
    for (let number = 0; number < 5; number += 1) file.write('a line of twenty bytes');
    expect(causes).toHaveLength(1);
    expect(causes[0]?.message).toMatch(/ENOSPC|ENOENT/);
  });

  it('writes nothing when it is closed, and may be closed again', () => {
    file = traceFile({ path });
    file.write('one');
    file.close();
    file.close();
    file.write('two');
    expect(linesOf(path)).toEqual(['one']);
  });

  it('that can not be had is named, with the mend', () => {
    const wrong = join(folder, 'not there', 'trace.jsonl');
    expect(() => traceFile({ path: wrong })).toThrow(TraceFileError);
    const said = `the trace can't be written to ${wrong}: choose a file`;
    expect(() => traceFile({ path: wrong })).toThrow(said);
    for (const limitBytes of [NaN, 1, -1]) {
      expect(() => traceFile({ path, limitBytes })).toThrow(`limitBytes: ${limitBytes} is not 2`);
    }
  });

  it('is closed whatever the system says to that: a node that ends has a reason of its own', () => {
    file = traceFile({ path });
    file.write('one');
    // The system refuses to close what is closed, as it may what it could not write.
    closeSync(file['file' as keyof TraceFile] as unknown as number);
    expect(() => file?.close()).not.toThrow();
    file.write('two');
    expect(linesOf(path)).toEqual(['one']);
  });
});
