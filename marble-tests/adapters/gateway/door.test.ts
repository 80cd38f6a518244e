/**
 * "Nothing that a client says can end the node, keep it busy without bound, or fill its memory."
 */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Subscription } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { DoorOptions } from '../../../adapters/gateway/door-options.js';
import { clientDoor } from '../../../adapters/gateway/door.js';
import type { Asked } from '../../../adapters/gateway/protocol.js';
import {
  decodeAnswer,
  encodeBatch,
  encodeRequest as encode,
  maxBatch,
} from '../../../adapters/gateway/protocol.js';
import type { Answer, Request, StoreAnswer } from '../../../adapters/key-value/client-protocol.js';
import { keyValueProtocol as protocol } from '../../../adapters/key-value/client-protocol.js';
import { maxKeyBytes } from '../../../adapters/key-value/commands.js';
import type { Connection, ConnectOptions } from '../../../adapters/key-value/connection.js';
import { connect, ConnectionLost } from '../../../adapters/key-value/connection.js';

const key = new Uint8Array(Buffer.from('color'));
const get: Request = { type: 'get', key, stale: false };
const done: Answer = { type: 'done' };
const encodeRequest = (asked: Asked<Request>): Uint8Array => encode(protocol, asked);

let server: Server;
let door: Subscription;
let address: string;
let connections: Connection[] = [];
const sockets: WebSocket[] = [];

async function open(options: Partial<DoorOptions<Request, StoreAnswer>> = {}): Promise<void> {
  server = createServer();
  door = clientDoor(server, {
    cluster: 'x',
    protocol,
    answer: async () => done,
    ...options,
  }).subscribe();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function come(options: ConnectOptions = {}): Promise<Connection> {
  const connection = await connect(address, options);
  connections.push(connection);
  return connection;
}

afterEach(async () => {
  for (const connection of connections) connection.close();
  connections = [];
  for (const socket of sockets.splice(0)) socket.terminate();
  door.unsubscribe();
  expect(server.listenerCount('upgrade')).toBe(0);
  await new Promise((resolve) => server.close(resolve));
});

/** How a socket ends that says these things: its close code and reason, or an error. */
function ending(path: string, say: readonly (Uint8Array | string)[] = []): Promise<string> {
  const socket = new WebSocket(`ws://${address}${path}`, protocol.name);
  return new Promise((resolve) => {
    socket.on('open', () => say.forEach((each) => socket.send(each)));
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', (code, reason) => resolve(`${code} ${reason.toString()}`));
  });
}

describe('a client', () => {
  it('may have many requests under way, answered in any order', async () => {
    const waiting: ((answer: Answer) => void)[] = [];
    await open({ answer: () => new Promise((resolve) => waiting.push(resolve)) });
    const client = await come();
    const answers = [client.ask(get), client.ask(get), client.ask(get)];
    await expect.poll(() => waiting.length).toBe(3);
    waiting[2]?.({ type: 'missing' });
    waiting[0]?.({ type: 'conflict' });
    waiting[1]?.(done);
    expect(await Promise.all(answers)).toEqual([{ type: 'conflict' }, done, { type: 'missing' }]);
  });

  it('sends no compressed frames: a few bytes can not unfold to many (H10)', async () => {
    await open();
    const socket = new WebSocket(`ws://${address}/client`, protocol.name);
    sockets.push(socket);
    await new Promise((resolve) => socket.on('open', resolve));
    expect(socket.extensions).toBe('');
  });

  it('is told of an answer that fails, and others are served on', async () => {
    let asked = 0;
    const answer = (): Promise<Answer> => {
      asked += 1;
      if (asked === 1) throw new Error('at once');
      return asked === 2 ? Promise.reject(new Error('later')) : Promise.resolve(done);
    };
    await open({ answer, limits: { requests: 1 } });
    const client = await come();
    for (const text of ['at once', 'later']) {
      expect(await client.ask(get)).toEqual({ type: 'refused', reason: 'failed', text });
    }
    expect(await client.ask(get)).toEqual(done);
  });

  it('says what it wants byte for byte, and whether it passes it on', async () => {
    const asked: [Request, boolean][] = [];
    const answer = async (request: Request, forwarded: boolean): Promise<Answer> => {
      asked.push([request, forwarded]);
      return { type: 'value', value: key };
    };
    await open({ answer });
    expect(await (await come()).ask(get)).toEqual({ type: 'value', value: key });
    await (await come({ forwarded: true, cluster: 'x' })).ask(get);
    expect(asked).toEqual([
      [get, false],
      [get, true],
    ]);
  });

  it('learns that its node has stopped, and that its requests are lost', async () => {
    await open({ answer: () => new Promise(() => undefined) });
    const client = await come();
    const answer = client.ask(get);
    await new Promise((resolve) => setTimeout(resolve, 20));
    door.unsubscribe();
    await expect(answer).rejects.toThrow(ConnectionLost);
    await expect(answer).rejects.toThrow('the node is stopping');
    await expect(client.ask(get)).rejects.toThrow(ConnectionLost);
  });

  it('that is silent is given up by the node', async () => {
    // Of both the answers come late where a busy machine holds this process up: but not so late.
    await open({ pingMs: 1000 });
    const honest = await come();
    const silent = new WebSocket(`ws://${address}/client`, protocol.name, { autoPong: false });
    expect(await new Promise((resolve) => silent.on('close', resolve))).toBe(1006);
    expect(await honest.ask(get)).toEqual(done);
  });

  it('gives up a node that is silent, and tells who waits', async () => {
    await open();
    const mute = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false });
    await new Promise((resolve) => mute.on('listening', resolve));
    const { port } = mute.address() as AddressInfo;
    const client = await connect(`127.0.0.1:${port}`, { pingMs: 30 });
    await expect(client.ask(get)).rejects.toThrow('the node is silent');
    expect(client.isOpen).toBe(false);
    for (const socket of mute.clients) socket.terminate();
    await new Promise((resolve) => mute.close(resolve));
  });
});

describe('a batch', () => {
  const batch = (...requests: readonly Request[]): Uint8Array[] =>
    requests.map((request, at) => encodeRequest({ id: at + 1, forwarded: false, request }));
  const command = { type: 'delete', key, condition: null } as const;

  it('is what a client says in one turn: one frame, and many answers', async () => {
    const asked: Request[] = [];
    const answer = async (request: Request): Promise<Answer> => {
      asked.push(request);
      return request.type === 'get' ? { type: 'missing' } : done;
    };
    await open({ answer });
    let bytes = 0;
    server.on('connection', (socket) => socket.on('close', () => (bytes = socket.bytesRead)));
    const client = await come();
    const requests = Array.from({ length: 100 }, (_, i): Request => {
      return i % 2 === 0 ? get : { type: 'command', command };
    });
    const answers = await Promise.all(requests.map((request) => client.ask(request)));
    expect(answers.map(({ type }) => type)).toEqual(
      requests.map(({ type }) => (type === 'get' ? 'missing' : 'done')),
    );
    expect(asked).toEqual(requests);
    client.close();
    await expect.poll(() => bytes).toBeGreaterThan(0);
    // As frames of their own they would have a mask of four bytes and a head of two each.
    const alone = batch(...requests).reduce((sum, each) => sum + each.length, 0);
    expect(bytes).toBeLessThan(alone + 100 * 4 + 400);
  });

  it('with one that is none is refused wholly, and its culprit is named', async () => {
    let asked = 0;
    const answer = async (): Promise<Answer> => {
      asked += 1;
      return done;
    };
    await open({ answer });
    const honest = batch(get, { type: 'command', command });
    const strange = encodeBatch([...honest, Uint8Array.from([0x93, 3, 0xc2, 99])]);
    const why = 'request 3 of 3: a request of no known kind';
    expect(await ending('/client', [strange])).toBe(`1007 not ${protocol.name}: ${why}`);
    const nested = encodeBatch([...honest, encodeBatch(honest)]);
    expect(await ending('/client', [nested])).toContain('request 3 of 3: a request without its');
    const tooLong = encodeBatch(Array.from({ length: maxBatch + 1 }, () => honest[0] ?? key));
    expect(await ending('/client', [tooLong])).toContain('the limit is 1024');
    expect(asked).toBe(0);
  });

  it('counts as many requests as it has: those over a limit are refused', async () => {
    const limits = { requests: 2 };
    await open({ limits, answer: () => new Promise(() => undefined) });
    const client = await come();
    const answers = [1, 2, 3, 4].map(() => client.ask(get));
    for (const last of answers.slice(2)) {
      expect(await last).toMatchObject({ type: 'refused', reason: 'overloaded' });
    }
    for (const first of answers.slice(0, 2)) first.catch(() => undefined);
  });
});

describe('whoever is no client', () => {
  it('is turned away with a word at the door', async () => {
    await open();
    const page = { origin: 'http://evil.example' };
    const socket = new WebSocket(`ws://${address}/client`, protocol.name, page);
    const error = await new Promise<Error>((resolve) => socket.on('error', resolve));
    expect(error.message).toContain('403');
    const strange = new WebSocket(`ws://${address}/client`, 'rxraft.key-value.999');
    const answer = await new Promise<string>((resolve) =>
      strange.on('unexpected-response', (_, response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk)));
        response.on('end', () => resolve(`${response.statusCode} ${text}`));
      }),
    );
    strange.on('error', () => undefined);
    strange.terminate();
    expect(answer).toBe(`400 this node speaks ${protocol.name}, use a client of its version\n`);
    expect(await ending('/elsewhere')).toContain('404');
    await expect(come({ cluster: 'y' })).rejects.toThrow('belongs to the cluster x, not to y');
  });

  it('is left to peers on their path', async () => {
    await open();
    let count = 0;
    server.on('upgrade', (request, stream) => {
      if (request.url === '/peer') count += 1;
      stream.destroy();
    });
    await ending('/peer');
    expect(count).toBe(1);
    server.removeAllListeners('upgrade');
  });

  it('turns away whoever comes to the path of peers when no peer is let in any more', async () => {
    await open();
    expect(await ending('/peer')).toContain('404');
  });

  it('ends its own connection with what is no request', async () => {
    await open();
    const honest = await come();
    expect(await ending('/client', ['words'])).toMatch(/^1007 not rxraft.key-value.1: words/);
    expect(await ending('/client', [new Uint8Array([1, 2, 3])])).toMatch(/^1007 /);
    expect(await ending('/client', [new Uint8Array(3 << 20)])).toMatch(/^1009|reset|EPIPE/);
    expect(await honest.ask(get)).toEqual(done);
  });
});

describe('a limit', () => {
  it('of a key is said to who breaks it, and the connection goes on', async () => {
    await open();
    const client = await come();
    const long: Request = { ...get, key: new Uint8Array(maxKeyBytes + 1) };
    expect(await client.ask(long)).toMatchObject({ type: 'refused', reason: 'tooLarge' });
    expect(await client.ask(get)).toEqual(done);
  });

  it('of clients turns the next one away, until one has left', async () => {
    await open({ limits: { clients: 1 } });
    const first = await come();
    await expect(come()).rejects.toThrow('too many clients');
    first.close();
    await expect
      .poll(() =>
        come().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });

  it.each([
    ['requests', { requests: 1 }],
    ['bytes', { requestBytes: encodeRequest({ id: 1, forwarded: false, request: get }).length }],
  ])('of %s refuses the next one, until one is answered', async (_, limits) => {
    const waiting: ((answer: Answer) => void)[] = [];
    await open({ limits, answer: () => new Promise((resolve) => waiting.push(resolve)) });
    const client = await come();
    const first = client.ask(get);
    await expect.poll(() => waiting.length).toBe(1);
    expect(await client.ask(get)).toMatchObject({ type: 'refused', reason: 'overloaded' });
    waiting[0]?.(done);
    expect(await first).toEqual(done);
    const next = client.ask(get);
    await expect.poll(() => waiting.length).toBe(2);
    waiting[1]?.(done);
    expect(await next).toEqual(done);
  });

  it('of answers that nobody reads cuts off who does not read', async () => {
    const value = new Uint8Array(1 << 20);
    await open({
      answer: async () => ({ type: 'value', value }),
      limits: { unreadBytes: 8 << 20 },
    });
    const socket = new WebSocket(`ws://${address}/client`, protocol.name);
    await new Promise((resolve) => socket.on('open', resolve));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.pause();
    for (let id = 0; id < 200; id += 1) {
      socket.send(encodeRequest({ id, forwarded: false, request: get }));
    }
    await expect
      .poll(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count))))
      .toBe(0);
    socket.resume();
    await closed;
  });

  it('of unread answers withholds one that has no room, and cuts off nobody else', async () => {
    const long: Answer = { type: 'value', value: new Uint8Array(2 << 20) };
    const answer = async (request: Request): Promise<Answer> =>
      request.type === 'get' ? long : done;
    await open({ answer, limits: { unreadBytes: 3 << 20 } });
    const client = await come();
    const command = { type: 'delete', key, condition: null } as const;
    const asked = [...Array.from({ length: 6 }, () => get), { type: 'command', command } as const];
    const answers = await Promise.all(asked.map((request) => client.ask(request)));
    const types = answers.map(({ type }) => type);
    expect(new Set(types.slice(0, -1))).toEqual(new Set(['value', 'unknown']));
    expect(types.at(-1)).toBe('done');
  });

  it('of short answers behind a long one withholds only so many: who reads none is cut off', async () => {
    const long: Answer = { type: 'value', value: new Uint8Array(16 << 20) };
    const answer = async (request: Request): Promise<Answer> =>
      request.type === 'get' ? long : done;
    const patient = { ...protocol, maxAnswerBytes: 32 << 20 };
    await open({ answer, protocol: patient, limits: { unreadBytes: 1 << 20 } });
    const socket = new WebSocket(`ws://${address}/client`, protocol.name);
    sockets.push(socket);
    await new Promise((resolve) => socket.on('open', resolve));
    socket.on('error', () => undefined);
    socket.pause();
    const command = { type: 'delete', key, condition: null } as const;
    socket.send(encodeRequest({ id: 0, forwarded: false, request: get }));
    for (let id = 1; id <= 20_000; id += 1) {
      socket.send(encodeRequest({ id, forwarded: false, request: { type: 'command', command } }));
    }
    const connections = (): Promise<number> =>
      new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await expect.poll(connections, { timeout: 10_000 }).toBe(0);
  });

  it('of unread answers counts what is kept with each, however short it is', async () => {
    const long: Answer = { type: 'value', value: new Uint8Array(16 << 20) };
    let asked = 0;
    const answer = async (request: Request): Promise<Answer> => {
      asked += 1;
      return request.type === 'get' ? long : done;
    };
    const patient = { ...protocol, maxAnswerBytes: 32 << 20 };
    await open({ answer, protocol: patient, limits: { unreadBytes: 17 << 20 } });
    const socket = new WebSocket(`ws://${address}/client`, protocol.name);
    sockets.push(socket);
    await new Promise((resolve) => socket.on('open', resolve));
    const types: string[] = [];
    socket.on('message', (frame: Buffer) => {
      types.push(decodeAnswer(protocol, frame).answer.type);
    });
    socket.pause();
    const command = { type: 'delete', key, condition: null } as const;
    socket.send(encodeRequest({ id: 0, forwarded: false, request: get }));
    for (let id = 1; id <= 5000; id += 1) {
      socket.send(encodeRequest({ id, forwarded: false, request: { type: 'command', command } }));
    }
    await expect.poll(() => asked, { timeout: 10_000 }).toBe(5001);
    await new Promise(setImmediate);
    socket.resume();
    await expect.poll(() => types.length, { timeout: 10_000 }).toBe(5001);
    const told = types.filter((type) => type === 'done').length;
    // In one MiB.
    expect(told).toBeGreaterThan(1000);
    expect(told).toBeLessThan(2000);
  });

  it('of unread answers lets one be longer where nothing before it is unread', async () => {
    const long: Answer = { type: 'value', value: new Uint8Array(2 << 20) };
    await open({ answer: async () => long, limits: { unreadBytes: 1 << 20 } });
    expect((await (await come()).ask(get)).type).toBe('value');
  });

  it('of all answers under way refuses reads, and nothing else', async () => {
    const value = new Uint8Array(1 << 20);
    const answer = async (request: Request): Promise<Answer> =>
      request.type === 'get' ? { type: 'value', value } : done;
    await open({ answer, limits: { answerBytes: 1 } });
    const client = await come();
    const [first, second] = await Promise.all([client.ask(get), client.ask(get)]);
    expect([first.type, second.type]).toEqual(['value', 'refused']);
    const command = { type: 'delete', key, condition: null } as const;
    expect(await client.ask({ type: 'command', command })).toEqual(done);
    // What has been read counts no more.
    expect((await client.ask(get)).type).toBe('value');
  });
});

describe('who watches', () => {
  const request: Request = { type: 'watch', key, isPrefix: true, from: null };
  const watching = (index: number): StoreAnswer => ({ type: 'watching', index });

  it('is told one answer after the other, until it leaves', async () => {
    let isLeft = false;
    const tell = async function* (signal: AbortSignal): AsyncGenerator<StoreAnswer> {
      yield watching(1);
      yield watching(2);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      isLeft = true;
    };
    await open({ watch: (asked, signal) => (asked.type === 'watch' ? tell(signal) : null) });
    const client = await come();
    const told: Answer[] = [];
    const listening = client.answers(request).subscribe({
      next: (answer) => told.push(answer),
      error: () => undefined,
    });
    await expect.poll(() => told).toEqual([watching(1), watching(2)]);
    // Others are served meanwhile.
    expect(await client.ask(get)).toEqual(done);
    listening.unsubscribe();
    client.close();
    await expect.poll(() => isLeft).toBe(true);
  });

  it('learns that its node is lost', async () => {
    await open({ watch: () => null });
    const client = await come();
    const ended = new Promise((resolve) => client.answers(get).subscribe({ error: resolve }));
    door.unsubscribe();
    expect(await ended).toBeInstanceOf(ConnectionLost);
    expect(
      await new Promise((resolve) => client.answers(get).subscribe({ error: resolve })),
    ).toBeInstanceOf(ConnectionLost);
  });

  it('is refused when there are too many, and when there is nothing to watch', async () => {
    const hang = new Promise(() => undefined);
    await open({
      limits: { watches: 1 },
      watch: async function* (asked) {
        yield watching(1);
        if (asked.type === 'get') throw new Error('a fault');
        await hang;
      },
    });
    const client = await come();
    const told: Answer[] = [];
    client.answers(get).subscribe({ next: (answer) => told.push(answer), error: () => undefined });
    await expect
      .poll(() => told.at(-1))
      .toEqual({
        ...{ type: 'refused', reason: 'failed', text: 'a fault' },
      });
    for (let i = 0; i < 2; i += 1) {
      client
        .answers(request)
        .subscribe({ next: (each) => told.push(each), error: () => undefined });
    }
    await expect
      .poll(() => told)
      .toContainEqual(expect.objectContaining({ type: 'refused', reason: 'overloaded' }));
  });

  it('and does not read is told no more, and then sent away with a reason', async () => {
    let made = 0;
    const list = [{ key, value: new Uint8Array(1 << 20) }];
    await open({
      limits: { watchBytes: 1 << 20, watchMs: 200 },
      watch: async function* () {
        for (;;) {
          made += 1;
          yield { type: 'changes', index: made, changes: list };
        }
      },
    });
    const socket = new WebSocket(`ws://${address}/client`, protocol.name);
    await new Promise((resolve) => socket.on('open', resolve));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve(`${code} ${reason.toString()}`)),
    );
    socket.pause();
    socket.send(encodeRequest({ id: 1, forwarded: false, request }));
    await expect.poll(() => made).toBeGreaterThan(1);
    let before = -1;
    await expect.poll(() => before === (before = made), { interval: 400 }).toBe(true);
    expect(made).toBeLessThan(40);
    socket.resume();
    expect(await closed).toBe('1008 what is watched changes faster than it is read');
  });

  it('and does not read is held up by the limit for all, and whoever comes then refused', async () => {
    let made = 0;
    const list = [{ key, value: new Uint8Array(256 << 10) }];
    await open({
      limits: { answerBytes: 4 << 20, watchBytes: 16 << 20 },
      watch: async function* () {
        for (;;) {
          made += 1;
          yield { type: 'changes', index: made, changes: list };
        }
      },
    });
    const asked = encodeRequest({ id: 1, forwarded: false, request });
    for (let each = 0; each < 10; each += 1) {
      const socket = new WebSocket(`ws://${address}/client`, protocol.name);
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.on('open', resolve));
      sockets.push(socket);
      socket.pause();
      socket.send(asked);
    }
    let before = -1;
    await expect
      .poll(() => before === (before = made), { interval: 400, timeout: 9000 })
      .toBe(true);
    // What the system buffers is not ours. Without the common limit it would be 640, and that.
    expect(made).toBeLessThan(400);
    const client = await come();
    const answer = await new Promise((resolve) =>
      client.answers(request).subscribe({ next: resolve, error: () => undefined }),
    );
    expect(answer).toMatchObject({ type: 'refused', reason: 'overloaded' });
  });
});
