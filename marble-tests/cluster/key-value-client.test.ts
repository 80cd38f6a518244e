/** The typed client of the store on a real cluster, whose leader is killed under it. */
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { WatchEvent } from '../../adapters/key-value-client.js';
import { keyValueClient } from '../../adapters/key-value-client.js';
import { OutcomeUnknown } from '../../adapters/machine.js';
import { cleanUp, Cluster } from './cluster.js';

afterEach(cleanUp);

it('loses nothing that was acknowledged when the leader is killed, and is told it once', async () => {
  const cluster = await Cluster.start();
  const { leader } = await cluster.live();
  const store = keyValueClient(cluster.nodes, { webSocket: WebSocket, timeoutMs: 20_000 });
  const events: WatchEvent<string, string>[] = [];
  const watching = store.watch$({ prefix: 'n' }, { from: 1 }).subscribe((each) => {
    events.push(each);
  });
  const put = async (key: string): Promise<string | null> => {
    try {
      await store.put(key, key);
      return key;
    } catch (error) {
      expect(error).toBeInstanceOf(OutcomeUnknown);
      return null;
    }
  };
  const puts: Promise<string | null>[] = [];
  let count = 0;
  const some = (): number =>
    puts.push(...Array.from({ length: 20 }, () => put(`n${(count += 1)}`)));
  for (let i = 0; i < 5; i += 1) {
    some();
    await puts.at(-1);
  }
  expect(await Promise.all(puts)).not.toContain(null);
  some();
  process.kill(leader.pid, 'SIGKILL');
  // On a connection whose other end is dead nobody can know it at once.
  await expect.poll(() => put(`n${(count += 1)}`), { timeout: 20_000 }).not.toBeNull();
  some();
  const outcomes = await Promise.all(puts);
  expect(outcomes.slice(-20)).not.toContain(null);
  const done = outcomes.filter((key) => key !== null);
  for (const key of done) expect(await store.get(key)).toBe(key);
  const told = (): string[] =>
    events.flatMap((each) => (each.type === 'changes' ? each.changes.map(({ key }) => key) : []));
  await expect.poll(told, { timeout: 20_000 }).toEqual(expect.arrayContaining(done));
  expect(new Set(told()).size).toBe(told().length);
  watching.unsubscribe();
  store.close();
});
