/** `--trace`: what a real node writes is Raft, through a `kill -9`, and its user is told. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { replay } from '../trace/model.js';
import { cleanUp, freePorts, Run, temporaryFolder } from './cluster.js';
import { LoadClient, put } from './load.js';

afterEach(cleanUp);

async function nodeArgs(trace: string): Promise<{ listen: string; args: string[] }> {
  const [port] = await freePorts(1);
  const listen = `127.0.0.1:${port}`;
  const data = join(temporaryFolder(), 'a');
  const args = [
    'node',
    '--alone',
    '--id',
    'a',
    '--data',
    data,
    '--listen',
    listen,
    '--trace',
    trace,
  ];
  return { listen, args };
}

async function write(listen: string, count: number): Promise<void> {
  const client = new LoadClient([listen]);
  for (let number = 0; number < count; number += 1) {
    expect(await client.ask(put(`key ${number}`, 'value'))).toEqual({ type: 'done' });
  }
  client.close();
}

it('has all runs of a node that was killed, each begun with what was durable', async () => {
  const trace = join(temporaryFolder(), 'trace.jsonl');
  const { listen, args } = await nodeArgs(trace);
  for (let runs = 1; runs <= 3; runs += 1) {
    const run = new Run([...args, '--snapshot-every', '10']);
    await run.says(/leads in term/);
    await write(listen, 20);
    run.kill('SIGKILL');
    await run.ended;
    const { events } = replay(readFileSync(trace, 'utf8').split('\n').slice(0, -1));
    expect(events.get('start')).toBe(runs);
    expect(events.get('apply')).toBeGreaterThanOrEqual(20 * runs);
    expect(events.get('snapshot')).toBeGreaterThanOrEqual(runs);
  }
});

it('that ends before its node does is told of, and the node goes on', async () => {
  const { listen, args } = await nodeArgs('/dev/full');
  const run = new Run(args);
  await run.says(/leads in term/);
  expect(run.output).toContain('a has no trace any more: /dev/full can');
  await write(listen, 3);
  run.kill('SIGTERM');
  expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
});

it('that can not be had is refused before the node listens', async () => {
  const { args } = await nodeArgs(join(temporaryFolder(), 'not there', 'trace.jsonl'));
  const { code, stderr, stdout } = await new Run(args).ended;
  expect([code, stdout.toString()]).toEqual([1, '']);
  expect(stderr).toMatch(/^rxraft: the trace can't be written to .*not there/);
});
