/** Nodes that die and hang, under load: what was acknowledged stays, and the service comes back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, Cluster, until } from './cluster.js';
import { get, Load, LoadClient, put } from './load.js';

afterEach(cleanUp);

/** Waits for the next write to be acknowledged: how long after `begin`, in milliseconds. */
async function nextWrite(load: Load, begin: number): Promise<number> {
  await until('a write is acknowledged', async () => load.acknowledgedAt > begin + 1);
  return Math.round(load.acknowledgedAt - begin);
}

/** Every node has applied the same, and says so by itself. */
async function expectSameEverywhere(cluster: Cluster, load: Load): Promise<void> {
  await until('all nodes have applied the same', async () => {
    const { leader, followers } = await cluster.live();
    return followers.every((node) => node.applied === leader.applied && node.keys === leader.keys);
  });
  const [last] = [...load.acknowledged].slice(-1);
  for (const node of cluster.nodes) {
    const client = new LoadClient([node]);
    const answer = await client.ask(get(last?.[0] ?? '', true));
    client.close();
    expect(answer).toEqual({ type: 'value', value: new Uint8Array(Buffer.from(last?.[1] ?? '')) });
  }
}

describe('under load', () => {
  it('loses nothing to a kill -9 of the leader, and writes again', async () => {
    const cluster = await Cluster.start();
    const load = new Load(cluster.nodes, 'a');
    for (let round = 0; round < 2; round += 1) {
      const { leader } = await cluster.live();
      await sleep(300);
      process.kill(leader.pid, 'SIGKILL');
      // What was acknowledged before the leader was dead is still on its way for a moment.
      await sleep(20);
      const elapsedMs = 20 + (await nextWrite(load, performance.now()));
      console.log(`writes again ${elapsedMs} ms after kill -9 of the leader`);
      await cluster.run.says(new RegExp(`${leader.id} runs again`));
    }
    await load.stop();
    expect(load.acknowledged.size).toBeGreaterThan(100);
    expect(await load.faults()).toEqual([]);
    await expectSameEverywhere(cluster, load);
  });

  it('acknowledges nothing without a majority, and goes on when there is one again', async () => {
    const cluster = await Cluster.start();
    const load = new Load(cluster.nodes, 'a');
    await sleep(300);
    const { leader, followers } = await cluster.live();
    const [other] = followers;
    for (const node of [leader, other]) process.kill(node?.pid ?? 0, 'SIGKILL');
    const begin = performance.now() + 50;
    await sleep(1000);
    expect(load.acknowledgedAt).toBeLessThan(begin);
    // Both are started again 2 s after their end.
    console.log(`writes again ${await nextWrite(load, begin)} ms after kill -9 of two nodes`);
    await load.stop();
    expect(await load.faults()).toEqual([]);
    await expectSameEverywhere(cluster, load);
  });

  it('finds everything after a kill -9 of all nodes, and of the program too', async () => {
    const before = await Cluster.start();
    const load = new Load(before.nodes, 'a');
    await sleep(700);
    const { leader, followers } = await before.live();
    before.run.kill('SIGKILL');
    for (const { pid } of [leader, ...followers]) process.kill(pid, 'SIGKILL');
    await before.run.ended;
    await load.stop();
    const { folder, ports } = before;
    const after = await Cluster.start({ folder, ports });
    expect(load.acknowledged.size).toBeGreaterThan(50);
    expect(await load.faults()).toEqual([]);
    await expectSameEverywhere(after, load);
  });

  it('goes on without a leader that hangs, which finds its place when it wakes', async () => {
    const cluster = await Cluster.start();
    const load = new Load(cluster.nodes, 'a');
    const { leader } = await cluster.live();
    await sleep(300);
    process.kill(leader.pid, 'SIGSTOP');
    await sleep(20);
    const elapsedMs = 20 + (await nextWrite(load, performance.now()));
    console.log(`writes again ${elapsedMs} ms after the leader hangs`);
    await sleep(1000);
    process.kill(leader.pid, 'SIGCONT');
    await load.stop();
    expect(await load.faults()).toEqual([]);
    await expectSameEverywhere(cluster, load);
    expect((await cluster.live()).followers.map(({ pid }) => pid)).toContain(leader.pid);
  });
});

describe('a follower that is far behind', () => {
  it('catches up by the snapshot of the leader', async () => {
    const cluster = await Cluster.start({ snapshotEvery: 40 });
    const { leader, followers } = await cluster.live();
    const id = followers[0]?.id ?? '';
    process.kill(followers[0]?.pid ?? 0, 'SIGKILL');
    const client = new LoadClient([leader.address]);
    // One after the other: each is an entry of its own.
    for (let i = 0; i < 200; i += 1) {
      expect(await client.ask(put(`key ${i}`, `value ${i}`))).toEqual({ type: 'done' });
    }
    await cluster.run.says(new RegExp(`${id} was far behind, and has the leader's snapshot`));
    await until('it has applied everything', async () => {
      const live = await cluster.live();
      return live.followers.every(({ applied }) => applied === live.leader.applied);
    });
    const address = followers[0]?.address ?? '';
    const follower = new LoadClient([address]);
    for (const i of [0, 100, 199]) {
      const value = new Uint8Array(Buffer.from(`value ${i}`));
      expect(await follower.ask(get(`key ${i}`, true))).toEqual({ type: 'value', value });
    }
    client.close();
    follower.close();
  });

  it('finds all of it again after a stop and a start', async () => {
    const before = await Cluster.start({ snapshotEvery: 25 });
    const client = new LoadClient(before.nodes);
    for (let i = 0; i < 120; i += 1) await client.ask(put(`key ${i}`, `value ${i}`));
    client.close();
    await before.stop();
    const { folder, ports } = before;
    const after = await Cluster.start({ folder, ports, snapshotEvery: 25 });
    const again = new LoadClient(after.nodes);
    for (let i = 0; i < 120; i += 1) {
      const value = new Uint8Array(Buffer.from(`value ${i}`));
      expect(await again.ask(get(`key ${i}`))).toEqual({ type: 'value', value });
    }
    again.close();
  });
});
