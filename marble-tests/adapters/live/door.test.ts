/**
 * "A page that does not keep up is cut off, and is told why; nothing that it says can end the node,
 * keep it busy without bound, or fill its memory." And a page of another site is not let in (H3).
 */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Subscription } from 'rxjs';
import { NEVER, Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Answer, Request } from '../../../adapters/key-value/client-protocol.js';
import type { LiveDoorOptions } from '../../../adapters/live/door.js';
import { liveDoor } from '../../../adapters/live/door.js';
import { faultOfAllowedOrigin } from '../../../adapters/live/origin.js';
import { liveProtocol } from '../../../adapters/live/protocol.js';
import { maxRequestBytes } from '../../../adapters/live/request.js';

let server: Server;
let door: Subscription;
let port: number;
const sockets: WebSocket[] = [];

async function open(options: Partial<LiveDoorOptions> = {}): Promise<void> {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
  door = liveDoor(server, {
    frame$: NEVER,
    answer: async () => ({ type: 'done' }),
    addresses: () => [`127.0.0.1:${port}`, 'n2.example:7102'],
    ...options,
  }).subscribe();
}

interface Coming {
  readonly origin?: string;
  readonly path?: string;
  readonly protocol?: string;
}

function come({ origin, path = '/live', protocol = liveProtocol }: Coming = {}): WebSocket {
  const headers = origin === undefined ? {} : { origin };
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol, { headers });
  sockets.push(socket);
  return socket;
}

/** `open`, the refusal of a door, or how it was closed: whatever comes first. */
function fate(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('open', () => resolve('open'));
    socket.on('unexpected-response', (_, response) => resolve(String(response.statusCode)));
    socket.on('error', (error) => resolve(error.message));
  });
}

function ending(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('close', (code, reason) => resolve(`${code} ${reason.toString()}`));
  });
}

function frame(socket: WebSocket): Promise<unknown> {
  return new Promise((resolve) => {
    socket.once('message', (data) => resolve(JSON.parse((data as Buffer).toString())));
  });
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) {
    socket.on('error', () => undefined);
    socket.terminate();
  }
  door.unsubscribe();
  expect(server.listenerCount('upgrade')).toBe(0);
  await new Promise((resolve) => server.close(resolve));
});

describe('which pages are let in', () => {
  it('those that a node of the cluster serves, by its address or as localhost', async () => {
    await open();
    const origins = [
      `http://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      'http://n2.example:7102',
    ];
    for (const origin of origins) expect(await fate(come({ origin })), origin).toBe('open');
  });

  it('not those of any other site (H3)', async () => {
    await open();
    const strangers = [
      'http://evil.example',
      `http://evil.example:${port}`,
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port + 1}`,
      `http://127.0.0.1:${port}.evil.example`,
      'http://127.0.0.1',
      'http://localhost',
      'http://n2.example',
      'null',
      '',
    ];
    for (const origin of strangers) expect(await fate(come({ origin })), origin).toBe('403');
  });

  it('those of an origin that was configured, exactly', async () => {
    await open({ origins: ['https://cluster.example.org'] });
    expect(await fate(come({ origin: 'https://cluster.example.org' }))).toBe('open');
    expect(await fate(come({ origin: 'https://cluster.example.org:444' }))).toBe('403');
    expect(await fate(come({ origin: 'http://cluster.example.org' }))).toBe('403');
  });

  it('programs, which have no origin', async () => {
    await open();
    expect(await fate(come())).toBe('open');
  });

  it('none of another version, and not more than its limit', async () => {
    await open({ limits: { pages: 2 } });
    expect(await fate(come({ protocol: 'rxraft.live.0' }))).toBe('400');
    expect(await fate(come())).toBe('open');
    expect(await fate(come())).toBe('open');
    expect(await fate(come())).toBe('503');
  });
});

it('an origin that is configured must be one', () => {
  expect(faultOfAllowedOrigin('https://a.example:8443')).toBe(null);
  expect(faultOfAllowedOrigin('capacitor://localhost')).toBe(null);
  for (const text of [
    'ws://a.example',
    'a.example:80',
    'a.example',
    'https://a.example/',
    'https://a.example/x',
    'file://x',
    '*',
  ]) {
    expect(faultOfAllowedOrigin(text), text).toContain('is no origin of a page');
  }
});

describe('a page', () => {
  it('is told what the feed says, while it is there', async () => {
    const frame$ = new Subject<string>();
    await open({ frame$ });
    const socket = come();
    await fate(socket);
    await expect.poll(() => frame$.observed).toBe(true);
    frame$.next('{"a":1}');
    expect(await frame(socket)).toEqual({ a: 1 });
    socket.close();
    await expect.poll(() => frame$.observed).toBe(false);
  });

  it('puts and reads, many at once, and each answer has the number of its request', async () => {
    const asked: Request[] = [];
    const answers: Answer[] = [{ type: 'done' }, { type: 'value', value: Buffer.from('blü') }];
    await open({
      answer: async (request) => {
        asked.push(request);
        return answers[asked.length - 1] ?? { type: 'missing' };
      },
    });
    const socket = come();
    await fate(socket);
    const said: unknown[] = [];
    socket.on('message', (data) => said.push(JSON.parse((data as Buffer).toString())));
    socket.send(JSON.stringify({ type: 'put', id: 7, key: 'ä', value: 'blü' }));
    socket.send(JSON.stringify({ type: 'get', id: 9, key: 'ä' }));
    await expect
      .poll(() => said)
      .toEqual([
        { type: 'answer', id: 7, outcome: 'done', text: '' },
        { type: 'answer', id: 9, outcome: 'value', text: 'blü' },
      ]);
    expect(asked[1]).toEqual({ type: 'get', key: new TextEncoder().encode('ä'), stale: false });
  });

  it('is shown the beginning of a long value', async () => {
    await open({ answer: async () => ({ type: 'value', value: Buffer.alloc(1 << 20, 'x') }) });
    const socket = come();
    await fate(socket);
    socket.send(JSON.stringify({ type: 'get', id: 1, key: 'k' }));
    const { text } = (await frame(socket)) as { text: string };
    expect(text).toHaveLength(4096 + '… (1048576 bytes)'.length);
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '7'],
    ['an unknown kind', '{"type":"stop","id":1}'],
    ['an unknown field', '{"type":"get","id":1,"key":"k","x":1}'],
    ['a number that is none', '{"type":"get","id":"1","key":"k"}'],
    ['a key that is no text', '{"type":"get","id":1,"key":{"__proto__":1}}'],
    ['bytes', Buffer.from('{"type":"get","id":1,"key":"k"}')],
    ['a long unknown kind that is not ASCII', `{"type":"${'中'.repeat(99)}"}`],
  ])('that says %s is cut off with a reason', async (_, said) => {
    await open();
    const socket = come();
    await fate(socket);
    socket.send(said);
    expect(await ending(socket)).toMatch(/^1007 not rxraft\.live\.1: ./);
  });

  it('that says too much is cut off, or refused', async () => {
    await open();
    const socket = come();
    await fate(socket);
    const key = 'k'.repeat(maxRequestBytes);
    socket.send(JSON.stringify({ type: 'get', id: 1, key }));
    expect(await ending(socket)).toMatch(/^1009/);
  });

  it('that asks for too much at once is refused what is over it', async () => {
    const waiting: ((answer: Answer) => void)[] = [];
    const answer = (): Promise<Answer> => new Promise((resolve) => waiting.push(resolve));
    await open({ answer, limits: { requests: 2 } });
    const socket = come();
    await fate(socket);
    for (const id of [1, 2, 3]) socket.send(JSON.stringify({ type: 'get', id, key: 'k' }));
    expect(await frame(socket)).toMatchObject({ id: 3, outcome: 'refused' });
    waiting.forEach((resolve) => resolve({ type: 'missing' }));
    expect(await frame(socket)).toMatchObject({ id: 1, outcome: 'missing' });
  });

  it('that does not read is cut off with a reason, and what it was owed is let go', async () => {
    const frame$ = new Subject<string>();
    await open({ frame$, limits: { unreadBytes: 100_000 } });
    const socket = come();
    await fate(socket);
    await expect.poll(() => frame$.observed).toBe(true);
    socket.pause();
    const text = JSON.stringify('x'.repeat(60_000));
    // What the system buffers is not bounded by us: as much as it takes.
    for (let each = 0; each < 10_000 && frame$.observed; each += 1) {
      frame$.next(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(frame$.observed).toBe(false);
    socket.resume();
    expect(await ending(socket)).toMatch(/^(1013 this page reads too slowly|1006)/);
  });
});

it('all pages are sent away when the door closes', async () => {
  await open();
  const socket = come();
  await fate(socket);
  door.unsubscribe();
  expect(await ending(socket)).toBe('1001 the node is stopping');
});
