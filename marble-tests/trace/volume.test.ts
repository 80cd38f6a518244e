/** Traces of any length, in files, of processes that were killed: in flat memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Model } from './model.js';
import { Parcels } from './parcels.js';
import { replayNodes } from './replay.js';
import { linesOfFile } from './trace-lines.js';
import { TracedCluster } from './traced-cluster.js';

describe('what was sent', () => {
  it('is remembered for a while, and not for ever', () => {
    const parcels = new Parcels(100);
    for (let number = 0; number < 10_000; number += 1) {
      parcels.add(`parcel ${number}`);
      expect(parcels.has(`parcel ${Math.max(0, number - 99)}`)).toBe(true);
      expect(parcels.size).toBeLessThanOrEqual(200);
    }
    expect(parcels.has('parcel 0')).toBe(false);
    expect(parcels.has('parcel 10000')).toBe(false);
  });
});

/** A long run: snapshots, a new leader now and then, and a node that was away for long. */
function longRun(): readonly string[] {
  const cluster = new TracedCluster({ snapshotEvery: 5, writeMs: 5 });
  for (let round = 0; round < 12; round += 1) {
    const leader = cluster.leader();
    const away = round % 3 === 0 ? leader : (cluster.voters.find((id) => id !== leader) ?? '');
    cluster.crash(away);
    for (let count = 0; count < 25; count += 1) {
      cluster.propose(cluster.leader());
      cluster.run(30);
    }
    cluster.start(away);
    cluster.run(2000);
  }
  cluster.stop();
  return cluster.lines;
}

describe('what was in the logs', () => {
  it('is remembered as far back as it matters', () => {
    const lines = longRun();
    const [whole, short] = [new Model(), new Model(20)];
    let most = 0;
    for (const line of lines) {
      whole.take(line);
      short.take(line);
      most = Math.max(most, short.remembered);
    }
    expect(whole.remembered).toBeGreaterThan(300);
    expect(most).toBeLessThan(60);
    expect(short.summary).toEqual(whole.summary);
  });
});

describe('a trace in a file', () => {
  it('is read line by line, wherever a piece of it ends', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rxraft-lines-'));
    const path = join(folder, 'trace.jsonl');
    const lines = Array.from(
      { length: 30_000 },
      (_, at) => `Zeile ${at}: ${'ü€😀'.repeat(at % 9)}`,
    );
    writeFileSync(path, `${lines.join('\n')}\n`);
    expect([...linesOfFile(path)]).toEqual(lines);
    writeFileSync(path, 'one\n\ntorn', { flag: 'w' });
    expect([...linesOfFile(path)]).toEqual(['one', '', 'torn']);
    writeFileSync(path, '');
    expect([...linesOfFile(path)]).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe('a line that a kill has torn', () => {
  /** Of a node alone: three runs, each ended by a crash, and where each begins. */
  function threeRuns(): { lines: string[]; starts: number[] } {
    const cluster = new TracedCluster({ voters: ['a'] });
    for (let run = 0; run < 3; run += 1) {
      cluster.start('a');
      cluster.propose(cluster.leader());
      cluster.run(100);
      cluster.crash('a');
    }
    const { lines } = cluster;
    const starts = [...lines.keys()].filter((at) => lines[at]?.startsWith('{"version":'));
    return { lines, starts };
  }

  const torn = '{"node":"a","run":1,"line":9,"event":"per';

  it('is left out, at the end of a run and of the trace: nobody has seen what it tells', () => {
    const { lines, starts } = threeRuns();
    expect(starts).toHaveLength(3);
    const [, second = 0, third = 0] = starts;
    const parts = [lines.slice(0, second), lines.slice(second, third), lines.slice(third)];
    const trace = parts.flatMap((part) => [...part, torn, '', '']);
    expect(replayNodes([trace])).toEqual(replayNodes([lines]));
  });

  it('is refused in the midst of a run', () => {
    const { lines, starts } = threeRuns();
    const at = (starts[1] ?? 0) + 3;
    expect(() => replayNodes([[...lines.slice(0, at), torn, ...lines.slice(at)]])).toThrow(
      /^format: /,
    );
    // What is JSON, and no line, was never torn: also at the end.
    expect(() => replayNodes([[...lines, '{}']])).toThrow(/^format: /);
  });
});
