/** What the clients write down is what the checker judges. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { cleanUp, temporaryFolder } from '../cluster/cluster.js';
import { checkHistory, checkLines } from '../linearizability/checker.js';
import type { Operation } from '../linearizability/history.js';
import { now } from './clock.js';
import { checkable, HistoryFile } from './history-file.js';

afterEach(cleanUp);

const written = {
  ...{ client: 1, op: 'put', key: 'x', value: 'a', call: 1, return: 2, outcome: 'ok' },
} as const satisfies Operation;

const found: Operation = { client: 2, op: 'get', key: 'x', call: 3, return: 4, outcome: 'ok' };

it('finds a stale read, in memory and in the file', () => {
  const history = new HistoryFile(join(temporaryFolder(), 'history.jsonl'));
  history.add(written);
  history.add({ ...found, result: null });
  history.flush();
  expect(checkHistory(history.operations.map(checkable)).isLinearizable).toBe(false);
  expect(checkLines(readFileSync(history.path, 'utf8')).isLinearizable).toBe(false);
  expect(history.outcomes).toEqual({ ok: 2, fail: 0, unknown: 0 });
});

it('takes a delete that found nothing for a get', () => {
  const nothing: Operation = { ...found, op: 'delete', result: null };
  const verdict = (...history: Operation[]): boolean =>
    checkHistory(history.map(checkable)).isLinearizable;
  expect(verdict(nothing)).toBe(true);
  expect(verdict(written, nothing)).toBe(false);
  expect(verdict(written, { ...found, op: 'delete' })).toBe(true);
});

it('has one clock that never stands behind', () => {
  const times = Array.from({ length: 1000 }, now);
  expect(times.every(Number.isSafeInteger)).toBe(true);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});
