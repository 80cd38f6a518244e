/** `/kv/:key`, `/status`, `/health`, `/ready` over HTTP, on a node that is none. */
import type { IncomingHttpHeaders, Server } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import type { Subscription } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Answer, NodeStatus, Request } from '../../../adapters/key-value/client-protocol.js';
import { maxValueBytes } from '../../../adapters/key-value/commands.js';
import type { HttpNode, HttpOptions } from '../../../adapters/key-value/http.js';
import { httpDoor } from '../../../adapters/key-value/http.js';
import { etagOf } from '../../../adapters/key-value/http-reply.js';

let server: Server;
let door: Subscription;
let port: number;
let asked: Request[] = [];

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const status = { id: 'n1', role: 'leader' } as unknown as NodeStatus;

async function open(
  answer: Answer | ((request: Request) => Promise<Answer>) = { type: 'done' },
  options: Partial<HttpOptions> & Partial<HttpNode> = {},
): Promise<void> {
  asked = [];
  const node: HttpNode = {
    answer: async (request) => {
      asked.push(request);
      return typeof answer === 'function' ? answer(request) : answer;
    },
    status: () => status,
    unreadiness: async () => null,
    ...options,
  };
  server = createServer({ requestTimeout: 2000, connectionsCheckingInterval: 50 });
  door = httpDoor(server, { node: () => node, ...options }).subscribe();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
}

afterEach(async () => {
  door.unsubscribe();
  for (const event of ['request', 'checkContinue', 'clientError']) {
    expect(server.listenerCount(event)).toBe(0);
  }
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

interface Replied {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Of an error. */
  readonly reason: string | null;
}

/** One request, its path as it stands, and all of its answer. */
function ask(
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: Uint8Array | string } = {},
): Promise<Replied> {
  const { headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const all = Buffer.concat(chunks);
        const isError = (response.statusCode ?? 0) >= 400 && all.length > 0;
        const reason = isError
          ? (JSON.parse(all.toString()) as { error: { reason: string } }).error.reason
          : null;
        const { statusCode = 0, headers: replied } = response;
        resolve({ status: statusCode, headers: replied, body: all, reason });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** What comes back on a connection for these bytes, until it is closed. */
function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let output = '';
    socket.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(output));
    socket.write(Buffer.from(text, 'latin1'));
  });
}

describe('a key', () => {
  it('is what stands behind /kv/, byte for byte', async () => {
    await open({ type: 'value', value: bytes('x') });
    const keys: [string, Uint8Array][] = [
      ['color', bytes('color')],
      ['', bytes('')],
      ['a/b//c', bytes('a/b//c')],
      ['a%2Fb%2f%00%FF', new Uint8Array([97, 47, 98, 47, 0, 255])],
      ['a+b', bytes('a+b')],
      ['%25', bytes('%')],
      ['%D0%BA', bytes('к')],
      ['__proto__', bytes('__proto__')],
      ['..%2f..', bytes('../..')],
    ];
    for (const [path, key] of keys) {
      expect((await ask('GET', `/kv/${path}`)).status).toBe(200);
      expect(asked.at(-1)).toEqual({ type: 'get', key, stale: false });
    }
  });

  it('that nobody has encoded is refused with the mend', async () => {
    await open();
    const line = `GET /kv/${Buffer.from('к').toString('latin1')} HTTP/1.1`;
    expect(await raw(`${line}\r\nHost: localhost\r\n\r\n`)).toMatch(/ 400 .*percent-encoded/s);
  });

  it('is put, read and deleted', async () => {
    const value = new Uint8Array(Array.from({ length: 256 }, (_, i) => i));
    const key = bytes('k');
    await open(async ({ type }) => (type === 'get' ? { type: 'value', value } : { type: 'done' }));
    const put = await ask('PUT', '/kv/k', { body: value });
    expect([put.status, put.body.length, put.headers.etag]).toEqual([204, 0, etagOf(value)]);
    expect(asked).toEqual([
      { type: 'command', command: { type: 'put', key, value, condition: null } },
    ]);
    const got = await ask('GET', '/kv/k');
    expect(new Uint8Array(got.body)).toEqual(value);
    expect(got.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '256',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      etag: etagOf(value),
    });
    expect(got.headers['access-control-allow-origin']).toBe(undefined);
    const head = await ask('HEAD', '/kv/k');
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([
      200,
      '256',
      0,
    ]);
    await ask('GET', '/kv/k?stale');
    expect(asked.at(-1)).toEqual({ type: 'get', key, stale: true });
    expect((await ask('DELETE', '/kv/k')).status).toBe(204);
    const command = { type: 'delete', key, condition: null };
    expect(asked.at(-1)).toEqual({ type: 'command', command });
  });

  it('may have an empty value, and one that comes in pieces', async () => {
    await open();
    await ask('PUT', '/kv/k');
    expect(asked.at(-1)).toMatchObject({ command: { value: bytes('') } });
    const text =
      'PUT /kv/k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n';
    expect(await raw(text)).toMatch(/^HTTP\/1.1 204 /);
    expect(asked.at(-1)).toMatchObject({ command: { value: bytes('abc') } });
  });
});

describe('a condition', () => {
  it('is in the query, or in a header', async () => {
    await open();
    const cases: [string, Record<string, string>, unknown][] = [
      ['?if=blue', {}, bytes('blue')],
      ['?if=a+b%2B%00', {}, bytes('a b+\0')],
      ['?if=', {}, bytes('')],
      ['?if-absent', {}, 'absent'],
      ['', { 'if-none-match': '*' }, 'absent'],
    ];
    for (const [query, headers, condition] of cases) {
      expect((await ask('PUT', `/kv/k${query}`, { headers, body: 'v' })).status).toBe(204);
      expect(asked.at(-1)).toMatchObject({ command: { type: 'put', condition } });
    }
    await ask('DELETE', '/kv/k?if=blue');
    expect(asked.at(-1)).toMatchObject({ command: { type: 'delete', condition: bytes('blue') } });
  });

  it('that names an ETag compares and sets', async () => {
    const value = bytes('blue');
    await open(async ({ type }) => (type === 'get' ? { type: 'value', value } : { type: 'done' }));
    const headers = { 'if-match': etagOf(value) };
    expect((await ask('PUT', '/kv/k', { headers, body: 'red' })).status).toBe(204);
    expect(asked).toMatchObject([
      { type: 'get', stale: false },
      { command: { value: bytes('red'), condition: value } },
    ]);
    asked = [];
    const other = { 'if-match': etagOf(bytes('green')) };
    expect((await ask('DELETE', '/kv/k', { headers: other })).status).toBe(412);
    expect(asked).toHaveLength(1);
  });

  it('that names an ETag fails where nothing is', async () => {
    await open({ type: 'missing' });
    const headers = { 'if-match': '"x"' };
    expect((await ask('PUT', '/kv/k', { headers, body: 'red' })).status).toBe(412);
  });

  it.each([
    ['two', '?if=a&if-absent', {}],
    ['two in other words', '?if=a', { 'if-none-match': '*' }],
    ['of an unknown kind', '?unless=a', {}],
    ['with a value too many', '?if-absent=1', {}],
    ['said twice', '?if=a&if=b', {}],
    ['of any ETag', '', { 'if-match': '*' }],
    ['of two ETags', '', { 'if-match': '"a", "b"' }],
    ['of no ETag', '', { 'if-none-match': '"a"' }],
    ['that is cut off', '?if=%4', {}],
  ])('%s is refused, and nothing is asked', async (_, query, headers) => {
    await open();
    const replied = await ask('PUT', `/kv/k${query}`, { headers: { ...headers }, body: 'v' });
    expect([replied.status, replied.reason]).toEqual([400, 'malformed']);
    expect(asked).toEqual([]);
  });
});

describe('what it is answered', () => {
  it.each<[Answer, number, string]>([
    [{ type: 'missing' }, 404, 'missing'],
    [{ type: 'conflict' }, 412, 'conflict'],
    [{ type: 'refused', reason: 'noLeader', text: 't' }, 503, 'noLeader'],
    [{ type: 'refused', reason: 'overloaded', text: 't' }, 429, 'overloaded'],
    [{ type: 'refused', reason: 'tooLarge', text: 't' }, 413, 'tooLarge'],
    [{ type: 'refused', reason: 'failed', text: 't' }, 500, 'failed'],
    [{ type: 'unknown', text: 't' }, 504, 'unknown'],
  ])('%j', async (answer, code, reason) => {
    await open(answer);
    const replied = await ask('PUT', '/kv/k', { body: 'v' });
    expect([replied.status, replied.reason]).toEqual([code, reason]);
    expect(replied.headers['retry-after']).toBe(code === 503 || code === 429 ? '1' : undefined);
    expect(replied.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('is an error of the node, when the node has one', async () => {
    await open(async () => Promise.reject(new Error('a fault')));
    const replied = await ask('GET', '/kv/k');
    expect([replied.status, replied.reason]).toEqual([500, 'failed']);
  });
});

describe('the node itself', () => {
  it('says how it is', async () => {
    await open();
    expect(JSON.parse((await ask('GET', '/status')).body.toString())).toEqual(status);
    expect(JSON.parse((await ask('GET', '/health')).body.toString())).toEqual({ up: true });
    expect(JSON.parse((await ask('GET', '/ready')).body.toString())).toEqual({ ready: true });
    for (const path of ['/status?x', '/ready?format=text']) {
      expect((await ask('GET', path)).status).toBe(400);
    }
  });

  it('is not ready without a leader, and healthy all the same', async () => {
    await open(undefined, { unreadiness: async () => 'no leader is known' });
    const ready = await ask('GET', '/ready');
    expect([ready.status, ready.reason, ready.headers['retry-after']]).toEqual([
      ...[503, 'notReady', '1'],
    ]);
    expect((await ask('GET', '/health')).status).toBe(200);
  });

  it('is healthy, and nothing else, while it starts', async () => {
    await open(undefined, { node: () => null });
    expect((await ask('GET', '/health')).status).toBe(200);
    for (const path of ['/kv/k', '/status', '/ready']) {
      const replied = await ask('GET', path);
      expect([replied.status, replied.reason]).toEqual([503, 'notRunning']);
    }
  });

  it('tells what there is to whoever asks for something else', async () => {
    await open();
    for (const path of ['/', '/kv', '/KV/k', '/status/', '/constructor', '//kv/k']) {
      const replied = await ask('GET', path);
      expect([replied.status, replied.reason]).toEqual([404, 'noSuchPath']);
      expect(replied.body.toString()).toContain('/kv/KEY, /status, /health and /ready');
    }
    for (const [method, path, allow] of [
      ['POST', '/kv/k', 'GET, HEAD, PUT, DELETE'],
      ['OPTIONS', '/kv/k', 'GET, HEAD, PUT, DELETE'],
      ['PATCH', '/kv/k', 'GET, HEAD, PUT, DELETE'],
      ['PUT', '/status', 'GET, HEAD'],
    ] as const) {
      const replied = await ask(method, path);
      expect([replied.status, replied.headers.allow]).toEqual([405, allow]);
    }
    expect(asked).toEqual([]);
  });
});

describe('/status', () => {
  const told = {
    ...{ id: 'n1', role: 'follower', term: 3, commit: 1207, applied: 1206 },
    ...{ address: '127.0.0.1:7101', leader: 'n2' },
  } as NodeStatus;
  const type = async (path: string, accept?: string): Promise<string | undefined> => {
    const { headers } = await ask('GET', path, accept === undefined ? {} : { headers: { accept } });
    expect(headers.vary).toBe('accept');
    return headers['content-type']?.split(';')[0];
  };

  it('is a small table for who asks for text, aligned, with - where nobody leads', async () => {
    let leader: string | null = 'n2';
    await open(undefined, { status: () => ({ ...told, leader }) });
    const text = async (): Promise<string[]> => {
      const { body, status: code } = await ask('GET', '/status?format=text');
      expect(code).toBe(200);
      return body.toString().split('\n');
    };
    expect(await text()).toEqual([
      'node  role      term  commit  applied  address         leader',
      'n1    follower  3     1207    1206     127.0.0.1:7101  n2',
      '',
    ]);
    leader = null;
    expect((await text())[1]).toMatch(/127\.0\.0\.1:7101 {2}-$/);
  });

  it.each([
    ...[undefined, '*/*', '', 'text/html,application/xml;q=0.9,*/*;q=0.8', 'text/*'],
    ...['application/json', 'application/json, text/plain, */*', 'text/plain, application/json'],
    ...['text/plain;q=0', 'text/plain;q=x', 'text/plain;q=0.5, */*', ', ;q=, ;;'],
    ...['text/plain; q=0.4, application/*;q=0.5'],
  ])('stays JSON for programs, which accept %j', async (accept) => {
    await open();
    expect(await type('/status', accept)).toBe('application/json');
  });

  it.each([
    ...['text/plain', 'text/plain;charset=utf-8', 'TEXT/Plain', 'text/plain, */*;q=0.1'],
    ...['text/plain, */*', 'text/html, text/plain;q=0.5', 'application/json;q=0.5, text/plain'],
  ])('is text for who prefers it, and accepts %j', async (accept) => {
    await open(undefined, { status: () => told });
    expect(await type('/status', accept)).toBe('text/plain');
  });

  it('goes by the query before the header, and refuses a format that it does not know', async () => {
    await open(undefined, { status: () => told });
    expect(await type('/status?format=json', 'text/plain')).toBe('application/json');
    expect(await type('/status?format=text', 'application/json')).toBe('text/plain');
    for (const query of ['format', 'format=', 'format=html', 'format=text&x', 'x=text']) {
      const replied = await ask('GET', `/status?${query}`, { headers: { accept: 'text/plain' } });
      expect([replied.status, replied.reason]).toEqual([400, 'malformed']);
      expect(replied.body.toString()).toContain('?format=text');
    }
  });
});

describe('a web page', () => {
  it('of another origin is turned away, whatever it asks (H3)', async () => {
    await open();
    for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${port + 1}`]) {
      for (const method of ['PUT', 'DELETE', 'GET', 'OPTIONS']) {
        const replied = await ask(method, '/kv/k', { headers: { origin } });
        expect([replied.status, replied.reason]).toEqual([403, 'origin']);
      }
    }
    expect(asked).toEqual([]);
  });

  it('of this node may ask', async () => {
    await open();
    const headers = { origin: `http://127.0.0.1:${port}` };
    expect((await ask('PUT', '/kv/k', { headers, body: 'v' })).status).toBe(204);
  });

  it('whose own name was made to point here is turned away (H3)', async () => {
    await open(undefined, { names: ['node.internal'] });
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', '[x]']) {
      const headers = { host, origin: `http://${host}` };
      const replied = await ask('PUT', '/kv/k', { headers, body: 'v' });
      expect([replied.status, replied.reason]).toEqual([403, 'host']);
    }
    const known = ['localhost', 'LOCALHOST:1', 'a.localhost', '10.0.0.1:7101', '[::1]:7101'];
    for (const host of [...known, 'node.internal', 'Node.Internal:7101']) {
      expect((await ask('PUT', '/kv/k', { headers: { host }, body: 'v' })).status).toBe(204);
    }
  });
});

describe('a limit', () => {
  it('of a value is said before it comes', async () => {
    await open();
    const length = `Content-Length: ${maxValueBytes + 1}`;
    const head = `PUT /kv/k HTTP/1.1\r\nHost: localhost\r\n${length}\r\n`;
    expect(await raw(`${head}Expect: 100-continue\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 .*close/s);
    expect(await raw(`${head}\r\n`)).toMatch(/^HTTP\/1.1 413 /);
    expect(asked).toEqual([]);
  });

  it('of a value is kept when nobody says how long it is', async () => {
    await open();
    const text =
      'PUT /kv/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n' +
      `${(maxValueBytes + 1).toString(16)}\r\n${'v'.repeat(maxValueBytes + 1)}\r\n`;
    expect(await raw(text)).toMatch(/^HTTP\/1.1 413 /);
    expect(asked).toEqual([]);
  });

  it('of a value lets the longest in', async () => {
    await open();
    const headers = { expect: '100-continue' };
    const body = new Uint8Array(maxValueBytes);
    expect((await ask('PUT', '/kv/k', { headers, body })).status).toBe(204);
  });

  it('of requests refuses the next one, until one is answered', async () => {
    const waiting: ((answer: Answer) => void)[] = [];
    const answer = (): Promise<Answer> => new Promise((resolve) => waiting.push(resolve));
    await open(answer, { limits: { requests: 1 } });
    const first = ask('GET', '/kv/k');
    await expect.poll(() => waiting.length).toBe(1);
    const refused = await ask('GET', '/kv/k');
    expect([refused.status, refused.reason]).toEqual([429, 'overloaded']);
    waiting[0]?.({ type: 'done' });
    expect((await first).status).toBe(204);
    const next = ask('GET', '/kv/k');
    await expect.poll(() => waiting.length).toBe(2);
    waiting[1]?.({ type: 'done' });
    expect((await next).status).toBe(204);
  });

  it('of bytes refuses bodies and answers, and is free again afterwards', async () => {
    await open({ type: 'value', value: new Uint8Array(900) }, { limits: { bytes: 1000 } });
    expect((await ask('PUT', '/kv/k', { body: new Uint8Array(1001) })).status).toBe(429);
    expect((await ask('PUT', '/kv/k', { body: new Uint8Array(500) })).status).toBe(429);
    for (let i = 0; i < 3; i += 1) expect((await ask('GET', '/kv/k')).status).toBe(200);
  });

  it('of bytes never calls undone what nobody knows', async () => {
    await open({ type: 'unknown', text: 't' }, { limits: { bytes: 10 } });
    const replied = await ask('PUT', '/kv/k', { body: 'v' });
    expect([replied.status, replied.reason]).toEqual([504, 'unknown']);
  });

  it('of patience cuts off who does not read', async () => {
    const value = new Uint8Array(32 << 20);
    await open({ type: 'value', value }, { limits: { unreadMs: 100 } });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET /kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await expect.poll(() => asked.length).toBe(1);
    await expect
      .poll(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count))))
      .toBe(0);
    socket.destroy();
  });

  it('of time ends a request that never ends', async () => {
    await open();
    const text = 'PUT /kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc';
    expect(await raw(text)).toMatch(/^$|^HTTP\/1.1 408 /);
    expect(asked).toEqual([]);
  });

  it('of a head is said', async () => {
    await open();
    const replied = await raw(`GET /kv/${'k'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect(replied).toMatch(/^HTTP\/1.1 431 .*"reason":"tooLarge"/s);
  });
});

describe('what is no request', () => {
  it.each([
    ['nonsense', 'nonsense\r\n\r\n', /^HTTP\/1.1 400 .*"reason":"malformed"/s],
    ['no host', 'GET /kv/k HTTP/1.1\r\n\r\n', /^HTTP\/1.1 400 /],
    ['no path', 'GET http://localhost/kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1.1 400 /],
    ['a strange key', 'GET /kv/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1.1 400 /],
    [
      'two lengths',
      'PUT /kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n' +
        'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1.1 400 /,
    ],
    [
      'a strange expectation',
      'PUT /kv/k HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx',
      /^HTTP\/1.1 417 /,
    ],
    [
      'compressed bytes',
      'PUT /kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\n' +
        'Content-Length: 1\r\n\r\nx',
      /^HTTP\/1.1 415 /,
    ],
  ])('%s', async (_, text, expected) => {
    await open();
    const head = text.replace('\r\n', '\r\nConnection: close\r\n');
    expect(await raw(head)).toMatch(expected);
    expect(asked).toEqual([]);
    expect((await ask('GET', '/health')).status).toBe(200);
  });

  it('a client that leaves in the middle costs nothing', async () => {
    const waiting: ((answer: Answer) => void)[] = [];
    await open(() => new Promise((resolve) => waiting.push(resolve)), { limits: { requests: 1 } });
    for (const text of [
      'PUT /kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc',
      'GET /kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ]) {
      const socket = connect(port, '127.0.0.1');
      socket.write(text);
      await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
    }
    await expect.poll(async () => (await ask('GET', '/health')).status).toBe(200);
    for (const resolve of waiting) resolve({ type: 'done' });
    await expect.poll(async () => (await ask('GET', '/status')).status).toBe(200);
  });
});
