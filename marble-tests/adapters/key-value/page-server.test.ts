/** Who may stop and start nodes: only the page from here, and only who knows the secret. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { PageServer } from '../../../adapters/key-value/page-server.js';
import { pageServer } from '../../../adapters/key-value/page-server.js';
import { Processes } from '../../../adapters/key-value/processes.js';

const members = { n1: '127.0.0.1:7101', n2: '127.0.0.1:7102' };
let processes: Processes;
let page: PageServer;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  processes = new Processes(Object.keys(members));
  page = await pageServer({ port: 0, members, processes });
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
  page.close();
});

function come(token: string, origin?: string, path = '/control'): WebSocket {
  const headers = origin === undefined ? {} : { origin };
  const url = new URL(page.url);
  const socket = new WebSocket(`ws://${url.host}${path}?token=${token}`, { headers });
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

const secret = (): string => new URL(page.url).hash.slice(1);

function fate(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('message', (data) => resolve((data as Buffer).toString()));
    socket.on('unexpected-response', (_, response) => resolve(String(response.statusCode)));
    socket.on('close', (code, reason) => resolve(`${code} ${reason.toString()}`));
  });
}

describe('the door of the page', () => {
  it('lets its own page in, with the secret, and says how the processes are', async () => {
    for (const origin of [...page.origins, undefined]) {
      expect(JSON.parse(await fate(come(secret(), origin)))).toEqual({
        type: 'processes',
        processes: { n1: 'ended', n2: 'ended' },
      });
    }
  });

  it('refuses a wrong secret, or none, and any other page with the right one', async () => {
    for (const token of ['', 'x', secret().slice(1), `${secret()}x`]) {
      expect(await fate(come(token, page.origins[0])), token).toBe('403');
    }
    const { port } = new URL(page.url);
    const strangers = [
      'http://evil.example',
      `http://evil.example:${port}`,
      'http://127.0.0.1:7101',
    ];
    for (const origin of [...strangers, 'null']) {
      expect(await fate(come(secret(), origin)), origin).toBe('403');
    }
    expect(await fate(come(secret(), page.origins[0], '/other'))).toBe('404');
  });

  it('is not brought down by a path that is no URL', async () => {
    for (const path of ['//', '//[', '///']) {
      expect(await fate(come(secret(), 'http://evil.example', path)), path).toBe('404');
    }
  });

  it('cuts off who says what it does not know', async () => {
    for (const said of ['{', '7', '{"type":"stop"}', '{"type":"stop","node":"n1","x":1}']) {
      const socket = come(secret());
      await fate(socket);
      const end = new Promise((resolve) => socket.on('close', resolve));
      socket.send(said);
      expect(await end, said).toBe(1007);
    }
  });

  it('serves the page and the addresses of the nodes, and nothing else', async () => {
    const { origin } = new URL(page.url);
    expect((await fetch(`${origin}/`)).status).toBe(200);
    expect(await (await fetch(`${origin}/cluster.json`)).json()).toEqual({ members });
    expect((await fetch(`${origin}/package.json`)).status).toBe(404);
    expect((await fetch(`${origin}/`, { method: 'POST' })).status).toBe(404);
  });

  it('takes another port where the wanted one is in use', async () => {
    const port = Number(new URL(page.url).port);
    const other = await pageServer({ port, members, processes });
    expect(new URL(other.url).port).not.toBe(String(port));
    other.close();
  });
});

describe('the processes', () => {
  const state = (): unknown => processes.state$.value['n1'];
  const ended = { type: 'ended', cause: '', pauseMs: null } as const;

  it('run until the page stops them, and again when it starts them', () => {
    const wanted: boolean[] = [];
    processes.wanted('n1').subscribe((each) => wanted.push(each));
    processes.onEvent('n1', { type: 'started', pid: 1 << 30 });
    expect(state()).toBe('running');
    processes.onRequest({ type: 'stop', node: 'n1' });
    processes.onEvent('n1', ended);
    expect(state()).toBe('stopped');
    processes.onRequest({ type: 'start', node: 'n1' });
    expect(state()).toBe('ended');
    expect(wanted).toEqual([true, false, true]);
  });

  it('that end by themselves are wanted as before', () => {
    const wanted: boolean[] = [];
    processes.wanted('n1').subscribe((each) => wanted.push(each));
    processes.onEvent('n1', { type: 'started', pid: 1 << 30 });
    processes.onEvent('n1', { ...ended, pauseMs: 2000 });
    expect(state()).toBe('ended');
    expect(wanted).toEqual([true]);
  });

  it('that are gone are not frozen, and strangers are nobody', () => {
    processes.onEvent('n1', { type: 'started', pid: 1 << 30 });
    processes.onRequest({ type: 'freeze', node: 'n1' });
    expect(state()).toBe('running');
    for (const node of ['n9', 'constructor', '__proto__']) {
      processes.onRequest({ type: 'stop', node });
    }
    expect(processes.state$.value).toEqual({ n1: 'running', n2: 'ended' });
  });
});
