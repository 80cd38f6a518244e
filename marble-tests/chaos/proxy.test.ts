/** The proxy does to connections what it says, or the campaigns would prove nothing. */
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../cluster/cluster.js';
import { Random } from '../simulation/random.js';
import { clear, Link } from './proxy.js';

/** Long enough for what would happen at once. */
const momentMs = 100;

/** One end of a connection, and what it has heard. */
class End {
  text = '';
  isClosed = false;

  constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => (this.text += bytes.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => (this.isClosed = true));
  }
}

let server: Server;
let link: Link;
/** What the server has accepted. */
let accepted: End[];
let dialled: End[];

beforeEach(async () => {
  accepted = [];
  dialled = [];
  server = createServer((socket) => accepted.push(new End(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  link = await Link.open((server.address() as AddressInfo).port, new Random(1));
});

afterEach(async () => {
  for (const { socket } of [...dialled, ...accepted]) socket.destroy();
  await link.close();
  await new Promise((resolve) => server.close(resolve));
});

function dial(): End {
  const end = new End(connect(link.port, '127.0.0.1'));
  dialled.push(end);
  return end;
}

async function connected(): Promise<readonly [End, End]> {
  const count = accepted.length;
  const near = dial();
  await until('it is accepted', async () => accepted.length > count);
  return [near, accepted[count] as End];
}

describe('a link', () => {
  it('that is clear passes bytes and the end, both ways', async () => {
    const [near, far] = await connected();
    near.socket.write('there');
    far.socket.write('back');
    await until('both have heard', async () => far.text === 'there' && near.text === 'back');
    far.socket.destroy();
    await until('the near one knows', async () => near.isClosed);
    const [other, end] = await connected();
    other.socket.destroy();
    await until('the far one knows', async () => end.isClosed);
    expect([far.text, near.text]).toEqual(['there', 'back']);
  });

  it('that is cut resets what is open, and what is dialled', async () => {
    const [near, far] = await connected();
    link.set({ type: 'cut' });
    await until('both know', async () => near.isClosed && far.isClosed);
    const late = dial();
    await until('it is turned away', async () => late.isClosed);
    link.set(clear);
    const [again, end] = await connected();
    again.socket.write('again');
    await until('it is heard', async () => end.text === 'again');
    expect(accepted.length).toBe(2);
  });

  it('that is held keeps everything, in order, until it is clear', async () => {
    const [near, far] = await connected();
    link.set({ type: 'held' });
    near.socket.write('one ');
    near.socket.end('two');
    far.socket.write('back');
    const late = dial();
    late.socket.write('from the start');
    await sleep(momentMs);
    expect([far.text, near.text, near.isClosed]).toEqual(['', '', false]);
    expect(accepted.map(({ text }) => text).join('')).toBe('');
    link.set(clear);
    await until('all is heard', async () => far.text === 'one two' && near.text === 'back');
    await until('the late one too', async () => accepted[1]?.text === 'from the start');
    await until('the end too', async () => far.isClosed);
  });

  it('that swallows leaves connections half open, also when it is clear again', async () => {
    const [near, far] = await connected();
    link.set({ type: 'swallowed' });
    near.socket.write('lost');
    const fromTheStart = dial();
    fromTheStart.socket.write('lost');
    await sleep(momentMs);
    link.set(clear);
    near.socket.write('lost as well');
    fromTheStart.socket.write('lost as well');
    await sleep(momentMs);
    near.socket.destroy();
    await sleep(momentMs);
    expect(accepted.map(({ text }) => text).join('')).toBe('');
    expect([far.isClosed, fromTheStart.isClosed]).toEqual([false, false]);
    const [again, end] = await connected();
    again.socket.write('heard');
    await until('a new one is heard', async () => end.text === 'heard');
    link.reset();
    await until('a reset ends them', async () => far.isClosed && fromTheStart.isClosed);
  });

  it('that is slow takes its time, and keeps the order', async () => {
    const [near, far] = await connected();
    link.set({ type: 'slow', delayMs: 100, spreadMs: 50 });
    const begin = performance.now();
    for (const digit of '0123456789') {
      near.socket.write(digit);
      await sleep(5);
    }
    near.socket.end();
    await sleep(0);
    expect(far.text).toBe('');
    await until('all is heard', async () => far.text.length === 10 && far.isClosed);
    expect(far.text).toBe('0123456789');
    expect(performance.now() - begin).toBeGreaterThan(100);
  });
});
