/**
 * Judges once more what was kept: `RXRAFT_EVIDENCE=<folder> npx vitest run --mode evidence`, of a
 * folder that chaos has left, or of any with histories (`*history.jsonl`), traces
 * (`*.trace.jsonl`, whole, one for each node), or both.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkHistory, describeFailure } from '../linearizability/checker.js';
import { readHistory } from '../linearizability/history.js';
import { checkable } from '../chaos/history-file.js';
import { replayNodes } from '../trace/replay.js';
import { linesOfFile } from '../trace/trace-lines.js';

const folder = process.env['RXRAFT_EVIDENCE'] ?? '';
const names = folder === '' ? [] : readdirSync(folder).sort();
const histories = names.filter((name) => name.endsWith('history.jsonl'));
const traces = names.filter((name) => name.endsWith('.trace.jsonl'));

describe('the evidence', { timeout: 3_600_000 }, () => {
  it('is there', () => {
    expect(folder, 'RXRAFT_EVIDENCE: name the folder').not.toBe('');
    expect(histories.length + traces.length, `${folder} has none`).toBeGreaterThan(0);
  });

  it('shows one store to all clients, in each history', () => {
    for (const name of histories) {
      const history = readHistory(readFileSync(join(folder, name), 'utf8'));
      const { failures, operations } = checkHistory(history.map(checkable));
      console.log(`${name}: ${operations} operations`);
      expect(failures.map(describeFailure), name).toEqual([]);
    }
  });

  it('shows Raft in the traces of all nodes', () => {
    const { lines } = replayNodes(traces.map((name) => linesOfFile(join(folder, name))));
    console.log(`${traces.length} traces, ${lines} lines`);
    expect(lines).toBeGreaterThanOrEqual(traces.length);
  });
});
