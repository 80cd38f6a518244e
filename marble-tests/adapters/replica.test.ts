/** Three nodes on real sockets and a real disk, as an application has them. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Replica, ReplicaOptions } from '../../adapters/replica.js';
import { ConfigError } from '../../lib/config.js';
import { ChangeRefused, CommandFailed, replica } from '../../adapters/replica.js';
import type { NetworkEvent } from '../../adapters/ws-network.js';
import { freeAddresses } from './free-addresses.js';

type Counter = Replica<number, number, number>;
type Options = ReplicaOptions<number, number, number>;

const reducer = (sum: number, by: number): { state: number; result: number } => {
  if (by < 0) throw new RangeError('only upwards');
  return { state: sum + by, result: sum + by };
};

let folder: string;
let nodes: Record<string, string>;
let running: Counter[];

function start(id: string, options: Partial<Options> = {}): Counter {
  const parts = { id, nodes, folder: join(folder, id), reducer, initialState: 0 };
  const node = replica({ ...parts, patienceMs: 20_000, ...options });
  running.push(node);
  return node;
}

const role = (node: Counter, is: boolean): Promise<unknown> =>
  firstValueFrom(node.isLeader$.pipe(filter((leads) => leads === is)));

/** A change, asked for again where a busy machine let it be refused: that does no harm. */
async function surely(change: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await change();
    } catch (error) {
      if (!(error instanceof ChangeRefused) || tries === 5) throw error;
    }
  }
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replica-'));
  const [a = '', b = '', c = ''] = await freeAddresses(3);
  nodes = { a, b, c };
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((node) => node.stop().catch(() => undefined)));
  await rm(folder, { recursive: true, force: true });
});

describe('three nodes', () => {
  it('have one state, which any of them changes and reads, and a new leader after a stop', async () => {
    const [a, b, c] = [start('a'), start('b'), start('c')] as const;
    const sums = await Promise.all([a, b, c].map((node) => node.dispatch(1)));
    expect(sums.sort()).toEqual([1, 2, 3]);
    expect(await Promise.all([a, b, c].map((node) => node.read((sum) => sum)))).toEqual([3, 3, 3]);
    for (const node of [a, b, c]) {
      await expect(node.dispatch(-1)).rejects.toThrow(new CommandFailed('only upwards'));
    }
    const leader = await Promise.race([a, b, c].map((node) => role(node, true).then(() => node)));
    const rest = [a, b, c].filter((node) => node !== leader);
    await leader.stop();
    const ids = Array.from({ length: 20 }, (_, i) => `request ${i}`);
    const [first] = rest as [Counter, Counter];
    const added = await Promise.all(ids.map((requestId) => first.dispatch(1, { requestId })));
    expect(Math.max(...added)).toBe(23);
    const back = start(leader.id);
    expect(await back.read((sum) => sum)).toBe(23);
  });

  it('find their state again when all have been stopped', async () => {
    const before = ['a', 'b', 'c'].map((id) => start(id, { snapshotEvery: { entries: 5 } }));
    for (let i = 0; i < 12; i += 1) await before[i % 3]?.dispatch(1);
    await Promise.all(before.map((node) => node.stop()));
    const after = ['a', 'b', 'c'].map((id) => start(id));
    expect(await after[0]?.read((sum) => sum)).toBe(12);
  });

  it('become others, one by one, while the cluster runs (§6)', async () => {
    const [a, b, c] = [start('a'), start('b'), start('c')] as const;
    expect(await a.dispatch(1)).toBe(1);
    const [d = ''] = await freeAddresses(1);
    // They are told where it lives before they need it, as from a file that is read again.
    const later = start('d', { nodes: { ...nodes, d }, initialVoters: [], patienceMs: 20_000 });
    await c.stop();
    const again = start('c', { addressOf: (id) => (id === 'd' ? d : undefined) });
    for (const node of [a, b]) await node.stop();
    const rest = ['a', 'b'].map((id) => start(id, { nodes: { ...nodes, d } }));
    await surely(() => again.changeVoters(['a', 'b', 'c', 'd']));
    expect(await later.dispatch(1, { requestId: 'second' })).toBe(2);
    await surely(() => later.changeVoters(['b', 'c', 'd']));
    await rest[0]?.stop();
    expect(await later.dispatch(1, { requestId: 'third' })).toBe(3);
    expect(await rest[1]?.read((sum) => sum)).toBe(3);
  });

  it('are not ended by a voter that nobody knows, and whose address is not to be had', async () => {
    const addressOf = (id: string): string => {
      throw new RangeError(`no address of ${id}`);
    };
    const started = ['a', 'b', 'c'].map((id) => start(id, { addressOf }));
    const [a] = started as [Counter];
    expect(await a.dispatch(1)).toBe(1);
    void a.changeVoters(['a', 'b', 'c', 'stranger']).catch(() => undefined);
    await firstValueFrom(a.status$.pipe(filter(({ config }) => config.nonVoters.length > 0)));
    expect(await a.dispatch(1)).toBe(2);
  });

  it('that were given other nodes never hear each other, whatever their cluster (D19)', async () => {
    const said: NetworkEvent[] = [];
    const onNetworkEvent = (event: NetworkEvent): void => void said.push(event);
    const { a = '', b = '' } = nodes;
    start('a', { onNetworkEvent });
    // The first entries of their logs differ, at one position.
    start('b', { nodes: { a, b } });
    const refused = { type: 'refused', from: 'b', reason: 'initialVoters' };
    await expect.poll(() => said, { timeout: 10_000 }).toContainEqual(refused);
    expect(said.map(({ type }) => type)).not.toContain('accepted');
  });
});

describe('a node', () => {
  it('whose address is taken says so, and leaves its folder alone', async () => {
    const taken = createServer();
    const [host = '', port = ''] = (nodes['a'] ?? '').split(':');
    await new Promise<void>((resolve) => taken.listen(Number(port), host, resolve));
    const errors: unknown[] = [];
    const node = start('a');
    node.state$.subscribe({ error: (error: unknown) => errors.push(error) });
    await expect(node.stop()).rejects.toThrow('is in use');
    expect(errors).toHaveLength(1);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('whose folder holds other things leaves them alone, and says so to who dispatches', async () => {
    await mkdir(join(folder, 'a'));
    await writeFile(join(folder, 'a', 'letter.txt'), 'dear');
    const node = start('a', { nodes: { a: nodes['a'] ?? '' } });
    await expect(node.dispatch(1)).rejects.toThrow('other things, such as letter.txt');
    await expect(node.stop()).rejects.toThrow('choose a new or an empty folder');
    expect(await readdir(join(folder, 'a'))).toEqual(['letter.txt']);
  });

  it('whose folder is held says so, and gives its address back', async () => {
    await start('a', { nodes: { a: nodes['a'] ?? '' } }).dispatch(1);
    const [other = ''] = await freeAddresses(1);
    const second = start('a', { nodes: { a: other } });
    await expect(
      new Promise((_, reject) => second.status$.subscribe({ error: reject })),
    ).rejects.toThrow('holds it');
    await second.stop().catch(() => undefined);
    const server = createServer();
    const [host = '', port = ''] = other.split(':');
    await new Promise<void>((resolve) => server.listen(Number(port), host, resolve));
    await new Promise((resolve) => server.close(resolve));
  });

  it.each<[string, Partial<Options>, string]>([
    ['an id that is not among the nodes', { id: 'd' }, 'id: "d" is not among the nodes'],
    ['an address that is none', { nodes: { a: 'nowhere' } }, 'nodes: "nowhere" is no address'],
    ['no ids', { id: '', nodes: { '': '127.0.0.1:1' } }, 'nodes: '],
    [
      'one address twice',
      { nodes: { a: '127.0.0.1:7001', b: '127.0.0.1:7001' } },
      'nodes: two of them have one address',
    ],
    ['a block that no frame has room for', { limits: { blockBytes: 16 << 20 } }, 'blockBytes'],
    ['no nodes', { nodes: undefined as never }, 'nodes: say where each node listens, as in'],
    ['a node without an address', { nodes: { a: 7001 as never } }, 'nodes: 7001 is no address'],
    ['no folder', { folder: undefined as never }, 'folder: name a folder for this node alone'],
    ['a folder without a name', { folder: '' }, 'folder: name a folder for this node alone'],
    ['a page without its scheme', { origins: ['shop.example'] }, 'origins: "shop.example" is no'],
    ['a page with a slash', { origins: ['https://shop.example/'] }, 'origins: "https://shop.ex'],
    ['a number for snapshots', { snapshotEvery: 100 as never }, 'snapshotEvery: 100 is none'],
    ['an open address', { nodes: { a: '0.0.0.0:7001' } }, 'say insecure: true'],
  ])('can not have %s', (_, options, text) => {
    expect(() => start('a', options)).toThrow(text);
  });

  it('without anything names what it needs first', () => {
    expect(() => replica({} as Options)).toThrow(ConfigError);
  });

  it('that begins with a voter whom nobody finds ends, and one that has a log does not', async () => {
    const term = (node: Counter): Promise<unknown> =>
      firstValueFrom(node.status$.pipe(filter((status) => status.term > 0)));
    const initialVoters = ['a', 'b', 'lost'];
    const lost = start('a', { initialVoters });
    await expect(lost.dispatch(1)).rejects.toThrow('initialVoters: "lost" is not among the nodes');
    await expect(lost.stop()).rejects.toThrow(ConfigError);
    const begun = start('a', { initialVoters, addressOf: () => undefined });
    await term(begun);
    await begun.stop();
    const again = start('a', { initialVoters });
    await term(again);
    await again.stop();
  });

  it('that can not be made holds neither its address nor its folder', async () => {
    const alone = { nodes: { a: nodes['a'] ?? '' } };
    const faults: readonly Partial<Options>[] = [
      { limits: { waiters: 0 } },
      { initialState: Symbol('none') as unknown as number },
      { cluster: 'c'.repeat(257) },
      { patienceMs: NaN },
    ];
    for (const fault of faults)
      expect(() => start('a', { ...alone, ...fault })).toThrow(ConfigError);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await readdir(folder)).toEqual([]);
    expect(await start('a', alone).dispatch(1)).toBe(1);
  });

  it('answers a browser with words, or as it is told to', async () => {
    start('a', { nodes: { a: nodes['a'] ?? '' } });
    const told = { nodes: { b: nodes['b'] ?? '' }, onRequest: hello };
    const b = start('b', told);
    expect(await b.dispatch(1)).toBe(1);
    expect((await fetch(`http://${nodes['a']}/`)).status).toBe(426);
    expect(await (await fetch(`http://${nodes['b']}/`)).text()).toBe('hello');
  });

  it('lets in its own pages, and those that are listed, and no others (H3)', async () => {
    const origins = ['https://shop.example'];
    const a = start('a', { nodes: { a: nodes['a'] ?? '' }, origins });
    await a.dispatch(1);
    const address = nodes['a'] ?? '';
    const local = `localhost:${address.split(':')[1]}`;
    const tries: [string, string | undefined, string][] = [
      [`http://${address}`, undefined, 'open'],
      [`http://${local}`, local, 'open'],
      ['https://shop.example', undefined, 'open'],
      ['http://evil.example', undefined, '403'],
      [`http://${local}`, undefined, '403'],
      // A name that was made to point here.
      ['http://evil.example', 'evil.example', '403'],
      ['null', undefined, '403'],
    ];
    for (const [origin, host, outcome] of tries) {
      const headers = host === undefined ? {} : { host };
      const socket = new WebSocket(`ws://${address}/client`, 'rxraft.replica.1', {
        ...{ origin, headers },
      });
      const said = await new Promise<string>((resolve) => {
        socket.on('open', () => resolve('open'));
        socket.on('error', (error) => resolve(error.message));
      });
      socket.terminate();
      expect(said, `${origin} ${host}`).toContain(outcome);
    }
  });
});

function hello(_: unknown, response: { end(text: string): void }): void {
  response.end('hello');
}
