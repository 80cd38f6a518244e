/**
 * A node whose disk fails ends, and acknowledges nothing of it: "never retry-and-ack". And the
 * faults that the campaigns inject are there, or the campaigns would prove nothing.
 */
import { afterEach, expect, it } from 'vitest';
import { until } from '../cluster/cluster.js';
import { get, LoadClient, put } from '../cluster/load.js';
import { Fleet } from './fleet.js';
import type { DiskFault } from './member.js';

let fleet: Fleet;
let client: LoadClient;

afterEach(async () => {
  client.close();
  await fleet.close(false);
});

async function begin(): Promise<void> {
  fleet = await Fleet.open(1, 1);
  client = new LoadClient(fleet.addresses);
  await until('it leads', async () => fleet.leader !== null);
}

async function valueOf(key: string): Promise<string> {
  const answer = await client.ask(get(key));
  return answer.type === 'value' ? Buffer.from(answer.value).toString() : answer.type;
}

it.each<[DiskFault, string]>([
  ['sync kept', 'after'],
  ['sync lost', 'before'],
  ['space', 'before'],
])('%s: the node ends, and what it acknowledged is there', async (fault, value) => {
  await begin();
  const [member] = fleet.members;
  expect(await client.ask(put('key', 'before'))).toEqual({ type: 'done' });
  member?.disk(fault);
  // Of two writes at once, so that there is one that the node could go on with.
  const answers = [client.ask(put('key', 'after')), client.ask(put('other', 'after'))];
  expect((await Promise.all(answers)).map(({ type }) => type)).toEqual(['unknown', 'unknown']);
  await member?.failsStop(5000);
  expect([member?.isRunning, fleet.faults]).toEqual([false, []]);
  await member?.start();
  await until('it has what it has', async () => (await valueOf('key')) === value);
});

it('stall: a write takes as long as that', async () => {
  await begin();
  const [member] = fleet.members;
  member?.disk('stall 300');
  const begun = performance.now();
  expect(await client.ask(put('key', 'value'))).toEqual({ type: 'done' });
  expect(performance.now() - begun).toBeGreaterThan(290);
  member?.disk('well');
  await until('it is quick again', async () => {
    const again = performance.now();
    await client.ask(put('key', 'value'));
    return performance.now() - again < 290;
  });
});
