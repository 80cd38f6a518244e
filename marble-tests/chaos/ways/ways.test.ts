/**
 * All ways to come in mean the same: what was done, what was certainly not done, and what nobody
 * knows. A way that took the one for the other would accuse the product of what it did not do, or
 * acquit it.
 */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { program, until } from '../../cluster/cluster.js';
import { Views } from '../../views/checker.js';
import { Fleet } from '../fleet.js';
import { membersBy, Page } from '../page.js';
import { commandLine, outcomeOf as outcomeOfExit } from './command-line.js';
import { batches, frames } from './frames.js';
import { http, outcomeOf as outcomeOfStatus } from './http.js';
import { pages } from './page.js';
import { typed } from './typed.js';
import type { Asked, Door, Outcome, Way } from './way.js';

const ways: readonly Way[] = [frames, batches, http, typed, commandLine];
const named = ways.map((way) => [way.name, way] as const);

const put: Asked = { op: 'put', key: 'a key', value: 'a' };

let door: Door | null = null;

function opened(way: Way, ...nodes: string[]): Door {
  door = way.open({ nodes: () => nodes, first: 0, program });
  return door;
}

afterEach(() => {
  door?.leave();
  door = null;
});

describe('a node that is there', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.open(1, 1);
    await until('it leads', async () => fleet.leader !== null);
  });
  afterAll(() => fleet.close(false));

  it.each(named)('by %s: is asked everything there is', async (name, way) => {
    const asking = opened(way, ...fleet.addresses);
    const steps: readonly (readonly [Partial<Asked>, Outcome])[] = [
      [{ op: 'get' }, { outcome: 'ok', result: null }],
      [{ op: 'delete' }, { outcome: 'ok', result: null }],
      [{ op: 'delete', expected: 'a' }, { outcome: 'fail' }],
      [{ op: 'cas', value: 'a', expected: 'b' }, { outcome: 'fail' }],
      [{ op: 'cas', value: 'a', expected: null }, { outcome: 'ok' }],
      [{ op: 'cas', value: 'a', expected: null }, { outcome: 'fail' }],
      [{ op: 'get' }, { outcome: 'ok', result: 'a' }],
      [{ op: 'cas', value: 'c d+', expected: 'a' }, { outcome: 'ok' }],
      [
        { op: 'get', isStale: true },
        { outcome: 'ok', result: 'c d+' },
      ],
      [{ op: 'delete', expected: 'a' }, { outcome: 'fail' }],
      [{ op: 'delete', expected: 'c d+' }, { outcome: 'ok' }],
      [{ op: 'put', value: 'e' }, { outcome: 'ok' }],
      [{ op: 'cas', value: 'f', expected: 'a' }, { outcome: 'fail' }],
      [{ op: 'cas', value: 'f', expected: 'e' }, { outcome: 'ok' }],
      [{ op: 'delete' }, { outcome: 'ok' }],
      [{ op: 'get' }, { outcome: 'ok', result: null }],
    ];
    for (const [asked, outcome] of steps) {
      const whole = { ...put, value: undefined, ...asked, key: `of ${name}` };
      expect([asked, await asking.ask(whole)]).toEqual([asked, outcome]);
    }
  });

  it.each(named)('by %s: answers calls that are made at once', async (name, way) => {
    const asking = opened(way, ...fleet.addresses);
    const values = ['1', '2', '3', '4'];
    const asked = values.map((value) => ({ ...put, key: `${value} of ${name}`, value }));
    const outcomes = await Promise.all(asked.map((each) => asking.ask(each)));
    expect(outcomes).toEqual(values.map(() => ({ outcome: 'ok' })));
  });
});

/** What it has heard of requests, in frames and over HTTP. */
let heard: number[] = [];
let server: Server;
let address: string;

/** A node that hears a request and does what it is told with the connection. */
async function listen(onRequest: Parameters<typeof createServer>[1]): Promise<void> {
  heard = [];
  server = createServer((request, response) => {
    heard.push(1);
    onRequest?.(request, response);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      // Of a batch the first byte says how many they are.
      heard.push((data[0] ?? 0) & 0x0f);
      socket.terminate();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

describe('by the page', () => {
  const views = new Views();
  let fleet: Fleet;
  const opening = async (address: string): Promise<Page | null> => {
    const members = await membersBy(address);
    const onNew = (): void => undefined;
    return members && new Page({ name: 'page', views, members, follows: true, onNew });
  };
  /** Until it hears a node. */
  const answerOf = async (asked: Asked): Promise<Outcome> => {
    let outcome: Outcome | null = null;
    const isAnswered = async (): Promise<boolean> => {
      outcome = (await door?.ask(asked)) ?? null;
      return outcome !== null;
    };
    await until('a node answers', isAnswered);
    return outcome ?? { outcome: 'fail' };
  };

  beforeAll(async () => {
    fleet = await Fleet.open(1, 1);
    await until('it leads', async () => fleet.leader !== null);
  });
  afterAll(() => fleet.close(false));

  it('a node that is there is asked what a page can ask', async () => {
    opened(pages(opening), ...fleet.addresses);
    const get = { op: 'get', key: put.key } as const;
    expect(await answerOf(get)).toEqual({ outcome: 'ok', result: null });
    expect(await answerOf(put)).toEqual({ outcome: 'ok' });
    expect(await answerOf(get)).toEqual({ outcome: 'ok', result: 'a' });
    expect(views.check()).toEqual([]);
    expect(views.counts.answers).toBe(3);
  });

  it('a node that stands still may have done what it was asked', async () => {
    const asking = opened(pages(opening), ...fleet.addresses);
    await answerOf(put);
    for (const member of fleet.members) member.pause();
    const outcome = asking.ask(put);
    setTimeout(() => asking.leave(), 100);
    expect(await outcome).toEqual({ outcome: 'unknown' });
    for (const member of fleet.members) member.resume();
  });

  it('a node that is gone has done nothing', async () => {
    for (const member of fleet.members) await member.stop();
    expect(await opened(pages(opening), ...fleet.addresses).ask(put)).toBe(null);
  });
});

describe('a node that is gone', () => {
  it.each(named)('by %s: has done nothing, if it was never there', async (_, way) => {
    await listen(undefined);
    await close();
    const outcome = await opened(way, address).ask(put);
    expect([null, 'fail']).toContain(outcome === null ? null : outcome.outcome);
  });

  it.each(named)('by %s: may have done what it was asked', async (_, way) => {
    await listen(({ socket }) => socket.destroy());
    expect(await opened(way, address).ask(put)).toEqual({ outcome: 'unknown' });
    expect(heard.length).toBe(1);
    await close();
  });

  it('by http: may have done it, if its answer is torn', async () => {
    await listen((_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await opened(http, address).ask({ op: 'get', key: 'x' })).toEqual({
      outcome: 'unknown',
    });
    await close();
  });

  it('by http: may have done it, if a kept connection ends just then', async () => {
    let connections = 0;
    await listen((request, response) => {
      if (heard.length === 1) response.writeHead(204).end();
      else request.socket.resetAndDestroy();
    });
    server.on('connection', () => (connections += 1));
    const asking = opened(http, address);
    expect(await asking.ask(put)).toEqual({ outcome: 'ok' });
    expect(await asking.ask(put)).toEqual({ outcome: 'unknown' });
    expect(connections).toBe(1);
    await close();
  });
});

it('calls at once are one frame', async () => {
  await listen(undefined);
  const asking = opened(batches, address);
  const outcomes = await Promise.all([put, put, put].map((asked) => asking.ask(asked)));
  expect(outcomes).toEqual([put, put, put].map(() => ({ outcome: 'unknown' })));
  expect(heard).toEqual([3]);
  await close();
});

describe('what is no answer', () => {
  const reply = (status: number, reason = ''): Parameters<typeof outcomeOfStatus>[1] => ({
    status,
    body: Buffer.from(JSON.stringify({ error: { reason } })),
  });

  it.each([
    [put, reply(200)],
    [put, reply(404, 'missing')],
    [put, reply(400)],
    [{ ...put, op: 'get' } as const, reply(204)],
    [{ ...put, op: 'get' } as const, reply(404, 'noSuchPath')],
    [put, reply(412)],
  ])('is not taken for one: %j %j', (asked, answer) => {
    expect(() => outcomeOfStatus(asked, answer)).toThrow('no answer to a');
  });

  it('is not taken for one: an exit code of wrong usage', () => {
    const ran = { code: 2, stdout: Buffer.of(), stderr: '' };
    expect(() => outcomeOfExit(put, ran)).toThrow('no answer to a');
  });
});
