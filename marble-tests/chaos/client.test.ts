/** A client notes what it is told, and knows whether it was served. */
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { cleanUp, temporaryFolder } from '../cluster/cluster.js';
import { Random } from '../simulation/random.js';
import { ChaosClient } from './client.js';
import { now } from './clock.js';
import { HistoryFile } from './history-file.js';
import { frames } from './ways/frames.js';
import type { Asked, Outcome } from './ways/way.js';

afterEach(cleanUp);

const get: Asked = { op: 'get', key: 'x' };
const stale: Asked = { ...get, isStale: true };
const put: Asked = { op: 'put', key: 'x', value: 'a' };
const ok: Outcome = { outcome: 'ok' };
const found: Outcome = { outcome: 'ok', result: 'a' };

function clientOf(answer: Outcome | null): readonly [ChaosClient, HistoryFile] {
  const history = new HistoryFile(join(temporaryFolder(), 'history.jsonl'));
  const door = { ask: async () => answer, leave: () => undefined };
  const random = new Random(1);
  return [new ChaosClient({ id: 1, way: frames, door, random, history }), history];
}

it.each<[string, Outcome | null, readonly Asked[], boolean]>([
  ['a read and a write', found, [get, put], true],
  ['a read alone', found, [get, get], false],
  ['a write alone', ok, [put], false],
  ['a write, and a read that may be stale', found, [put, stale], false],
  ['a refusal', { outcome: 'fail' }, [get, put], false],
  ['an outcome that nobody knows', { outcome: 'unknown' }, [get, put], false],
  ['nobody', null, [get, put], false],
])('that was given %s', async (_, answer, asked, isServed) => {
  const [client] = clientOf(answer);
  const before = now();
  for (const each of asked) await client.call(each);
  expect(client.isServedSince(before)).toBe(isServed);
  expect(client.isServedSince(now())).toBe(false);
});

it('notes nothing where nobody was asked, and stale reads apart', async () => {
  const [client, history] = clientOf(null);
  await client.call(get);
  expect([history.operations, client.outcomes.unreachable]).toEqual([[], 1]);
  const [other, notes] = clientOf(found);
  await other.call(stale);
  expect([notes.operations, notes.stale.length]).toEqual([[], 1]);
});

it('has no return where the outcome is not known', async () => {
  const [client, history] = clientOf({ outcome: 'unknown' });
  await client.call(put);
  expect(history.operations).toMatchObject([{ ...put, outcome: 'unknown', return: null }]);
});
