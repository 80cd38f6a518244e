/**
 * "A typed client for it that works on Node and in browsers and finds the leader by itself": its
 * outcomes, its watches, and whom it asks.
 */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Subscription } from 'rxjs';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { byteCodec, DecodeError, textCodec, valueCodec } from '../../adapters/codec.js';
import { clientDoor } from '../../adapters/gateway/door.js';
import type { Failure } from '../../adapters/gateway/protocol.js';
import type { CallerOptions } from '../../adapters/gateway/caller.js';
import { keyValueClient } from '../../adapters/key-value-client.js';
import type { Answer, Request, StoreAnswer } from '../../adapters/key-value/client-protocol.js';
import { keyValueProtocol as protocol } from '../../adapters/key-value/client-protocol.js';
import { maxKeyBytes } from '../../adapters/key-value/commands.js';
import { emptyState, lookUp, reducer } from '../../adapters/key-value/reducer.js';
import { NotApplied, OutcomeUnknown, Overloaded } from '../../adapters/machine.js';

/** Who leads in this test, and what all nodes have. */
let leader: string | null;
let state = emptyState();

/** A node that passes nothing on, and counts what it is asked. */
class FakeNode {
  asked: Request[] = [];
  says: (Answer | 'hang')[] = [];
  told: StoreAnswer[] = [];
  /** Its connections. */
  open = 0;
  address = '';
  private server: Server = createServer();
  private door: Subscription | null = null;

  constructor(readonly id: string) {}

  async start(): Promise<void> {
    const { told } = this;
    this.server = createServer();
    this.server.on('upgrade', (_, socket) => {
      this.open += 1;
      socket.on('close', () => (this.open -= 1));
    });
    this.door = clientDoor<Request, StoreAnswer>(this.server, {
      ...{ cluster: 'x', protocol, answer: (request) => this.answer(request) },
      watch: (request, signal) => {
        if (request.type !== 'watch') return null;
        this.asked.push(request);
        return tell(told.splice(0), signal);
      },
    }).subscribe();
    const [, port = '0'] = this.address.split(':');
    await new Promise<void>((resolve) =>
      this.server.listen(Number(port), '127.0.0.1', () => resolve()),
    );
    this.address = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.door?.unsubscribe();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: Request): Promise<Answer> {
    if (request.type === 'status') return { type: 'status', status: statusOf(this) };
    this.asked.push(request);
    const said = this.says.shift();
    if (said === 'hang') return new Promise(() => undefined);
    if (said !== undefined) return said;
    if (request.type === 'command') return { type: reducer(state, request.command).result };
    if (request.type !== 'get') throw new Error(request.type);
    const value = lookUp(state, request.key);
    return value === undefined ? { type: 'missing' } : { type: 'value', value };
  }
}

const statusOf = ({ id, address }: FakeNode) => ({
  ...{ id, cluster: 'x', address, pid: 1, role: 'follower' as const, term: 1, leader },
  ...{ commit: 0, applied: 0, keys: 0, members: {}, voters: [], nonVoters: [] },
});

async function* tell(
  answers: readonly StoreAnswer[],
  signal: AbortSignal,
): AsyncGenerator<StoreAnswer> {
  yield* answers;
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

let nodes: FakeNode[];
const closing: { close: () => void }[] = [];
const fast = { reconnectMs: { minimum: 1, maximum: 10 } };
const urls = (): string[] => nodes.map(({ address }) => address);

function come(options: CallerOptions = {}, to = urls()) {
  const store = keyValueClient(to, { webSocket: WebSocket, ...fast, ...options });
  closing.push(store);
  return store;
}

beforeEach(async () => {
  leader = 'a';
  state = emptyState();
  nodes = ['a', 'b', 'c'].map((id) => new FakeNode(id));
  await Promise.all(nodes.map((node) => node.start()));
});
afterEach(async () => {
  for (const each of closing.splice(0)) each.close();
  await Promise.all(nodes.map((node) => node.stop()));
});

describe('a client of the store', () => {
  it('puts, gets, compares and sets, and deletes: with typed outcomes', async () => {
    const { put, get, compareAndSet, delete: remove } = come();
    await put('color', 'blue');
    expect(await get('color')).toBe('blue');
    expect(await get('other', { consistency: 'stale' })).toBeUndefined();
    expect(await compareAndSet('color', 'red', 'green')).toBe('conflict');
    expect(await compareAndSet('color', undefined, 'green')).toBe('conflict');
    expect(await compareAndSet('color', 'blue', 'green')).toBe('done');
    expect(await compareAndSet('new', undefined, '')).toBe('done');
    expect(await get('new')).toBe('');
    expect(await compareAndSet('new', '', undefined)).toBe('done');
    expect(await compareAndSet('new', undefined, undefined)).toBe('done');
    expect([await remove('color'), await remove('color')]).toEqual(['done', 'missing']);
  });

  it('has each of them as a stream, which asks once for each subscription', async () => {
    const { put$, get$, compareAndSet$, delete$ } = come();
    const all$ = [put$('k', 'v'), get$('k'), compareAndSet$('k', 'v', 'w'), delete$('k')];
    expect(nodes[0]?.asked).toEqual([]);
    const outcomes = [];
    for (const each$ of all$) outcomes.push(await firstValueFrom<unknown>(each$));
    expect(outcomes).toEqual([undefined, 'v', 'done', 'done']);
    expect(nodes[0]?.asked).toHaveLength(4);
  });

  it('has keys and values of other types, and says what can not be read', async () => {
    const options = { webSocket: WebSocket, keys: textCodec, values: valueCodec<number[]>() };
    const numbers = keyValueClient(urls(), options);
    const bytes = keyValueClient(urls(), { ...options, keys: byteCodec, values: byteCodec });
    closing.push(numbers, bytes);
    await numbers.put('list', [1, 2]);
    expect(await numbers.get('list')).toEqual([1, 2]);
    expect(await numbers.compareAndSet('list', [1, 2], [3])).toBe('done');
    await bytes.put(Uint8Array.of(107), Uint8Array.of(255));
    await expect(come().get('k')).rejects.toThrow(DecodeError);
    await expect(come().put('\ud800', '')).rejects.toThrow("the key can't be encoded");
    await expect(come().put('k', 1 as never)).rejects.toThrow(NotApplied);
  });

  it.each<[Failure, new (...of: never[]) => Error]>([
    [{ type: 'unknown', text: 'lost' }, OutcomeUnknown],
    [{ type: 'refused', reason: 'overloaded', text: 'x' }, Overloaded],
    [{ type: 'refused', reason: 'tooLarge', text: 'too long' }, NotApplied],
  ])('rejects with a typed error: %o', async (failure, type) => {
    for (const node of nodes) node.says = [failure];
    await expect(come().put('k', 'v')).rejects.toThrow(type);
    await expect(come().get('k'.repeat(maxKeyBytes + 1))).rejects.toThrow('the limit is');
  });
});

describe('the leader', () => {
  /** Whoever looks for the leader looks once a second. */
  const slowly = { timeout: 10_000 };
  const asked = (): number[] => nodes.map((node) => node.asked.length);

  it('is found among the nodes, and asked from then on', async () => {
    leader = 'c';
    const { put } = come();
    await put('k', '0');
    await expect
      .poll(async () => put('k', '1').then(() => nodes[2]?.asked.length), slowly)
      .toBeTruthy();
    const [a = 0, b = 0, c = 0] = asked();
    await Promise.all(Array.from({ length: 50 }, (_, i) => put('k', `${i}`)));
    expect([a >= 1, b, asked()]).toEqual([true, 0, [a, b, c + 50]]);
  });

  it('that can not be reached is left to the others, who pass requests on', async () => {
    leader = 'c';
    await nodes[2]?.stop();
    const { put } = come();
    for (let i = 0; i < 20; i += 1) await put('k', `${i}`);
    expect(asked()).toEqual([20, 0, 0]);
    await nodes[2]?.start();
  });

  it('is found when another one leads, and when its connection is lost', async () => {
    const { get } = come();
    await get('k');
    leader = 'b';
    await expect.poll(async () => get('k').then(() => nodes[1]?.asked.length), slowly).toBeTruthy();
    leader = 'c';
    await nodes[1]?.stop();
    await expect.poll(async () => get('k').then(() => nodes[2]?.asked.length), slowly).toBeTruthy();
    await nodes[1]?.start();
  });

  it('that is found does not cut off what another node was asked before', async () => {
    const [a, b] = nodes;
    leader = 'b';
    if (a !== undefined) a.says = ['hang'];
    const { put, close } = come();
    let error: unknown = null;
    const waiting = put('k', 'v').catch((each: unknown) => (error = each));
    await expect.poll(async () => put('k', 'w').then(() => b?.asked.length), slowly).toBeTruthy();
    await put('k', 'x');
    expect([error, a?.open]).toEqual([null, 1]);
    close();
    await waiting;
    expect(error).toBeInstanceOf(OutcomeUnknown);
    await expect.poll(() => nodes.map((each) => each.open)).toEqual([0, 0, 0]);
  });

  it('is the only one that keeps a connection', async () => {
    leader = 'c';
    const { put } = come();
    await put('k', 'v');
    await expect.poll(() => nodes.map((each) => each.open), slowly).toEqual([0, 0, 1]);
  });
});

const after = (ms: number): Promise<number> =>
  new Promise((resolve) => setTimeout(() => resolve(ms), ms));

describe('a watch', () => {
  const key = textCodec.encode('color');
  const changes = (index: number, text: string | null): StoreAnswer => ({
    ...{ type: 'changes', index },
    changes: [{ key, value: text === null ? null : textCodec.encode(text) }],
  });

  it('goes on at the next node where it was lost, nothing twice', async () => {
    const [a, b] = nodes;
    a?.told.push({ type: 'watching', index: 4 }, changes(5, 'blue'));
    b?.told.push(changes(7, null));
    const { watch$ } = come();
    const events = lastValueFrom(watch$({ key: 'color' }).pipe(take(4), toArray()));
    await expect.poll(() => a?.asked.length).toBe(1);
    await after(50);
    await a?.stop();
    expect(await events).toEqual([
      { type: 'watching', index: 4 },
      { type: 'changes', index: 5, changes: [{ key: 'color', value: 'blue' }] },
      { type: 'lost', cause: expect.stringContaining('the node is stopping') as string },
      { type: 'changes', index: 7, changes: [{ key: 'color', value: undefined }] },
    ]);
    expect([a?.asked, b?.asked]).toEqual(
      [
        [{ type: 'watch', key: Buffer.from(key), isPrefix: false, from: null }],
        [{ type: 'watch', key: Buffer.from(key), isPrefix: false, from: 6 }],
      ].map((list) => list.map((each) => ({ ...each, key: new Uint8Array(each.key) }))),
    );
    await a?.start();
  });

  it('of a prefix from an index on begins with the values where the past is gone', async () => {
    const value = textCodec.encode('blue');
    const values = [{ key, value }];
    nodes[0]?.told.push({ type: 'current', index: 9, isLast: true, values });
    const event = await firstValueFrom(come().watch$({ prefix: 'co' }, { from: 2 }));
    expect(event).toEqual({
      ...{ type: 'current', index: 9, isLast: true, values: [{ key: 'color', value: 'blue' }] },
    });
    expect(nodes[0]?.asked).toMatchObject([{ isPrefix: true, from: 2 }]);
  });

  it('completes when the client is closed, and errors where it can not be read', async () => {
    const { watch$, close } = come();
    const all = lastValueFrom(watch$({ key: 'x' }).pipe(toArray()));
    await expect.poll(() => nodes[0]?.asked.length).toBe(1);
    close();
    expect(await all).toEqual([]);
    nodes[0]?.told.push({
      ...{ type: 'changes', index: 1, changes: [{ key: Uint8Array.of(255), value: null }] },
    });
    await expect(firstValueFrom(come().watch$({ prefix: '' }))).rejects.toThrow(DecodeError);
    const tooLong = 'k'.repeat(maxKeyBytes + 1);
    await expect(firstValueFrom(come().watch$({ key: tooLong }))).rejects.toThrow(NotApplied);
  });
});

it('a client of nothing, or of what is no address, is none', () => {
  expect(() => come({}, [])).toThrow('no urls');
  expect(() => come({}, ['ws://:::'])).toThrow('is no address');
});
