/**
 * The relay, and the channel of a page to it, on the loopback of one process. The page's WebSocket
 * is here that of `ws`, which has the same face; the real one is in `marble-tests/browser`.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Subject, type Subscription } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { channelNetwork, type NetworkEvent } from '../../adapters/channel-network.js';
import { byteCodec, valueCodec } from '../../adapters/codec.js';
import { relay, type RelayOptions } from '../../adapters/relay.js';
import { relayedChannel, type RelayedChannelOptions } from '../../adapters/relayed-channel.js';
import { networkAcceptance } from '../../adapters/testing/network-acceptance.js';
import type { NetworkAction } from '../../lib/action.js';
import type { NetworkInput } from '../../lib/input.js';
import type { Message } from '../../lib/message.js';
import type { NodeId } from '../../lib/position.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server with a relay, which can be taken away and come back. */
class Site {
  readonly events: NetworkEvent[] = [];
  readonly server: Server = createServer();
  private relaying: Subscription | null = null;

  constructor(private readonly options: Partial<RelayOptions> = {}) {}

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => this.close());
    return this.start();
  }

  start(): this {
    const onEvent = (event: NetworkEvent) => void this.events.push(event);
    this.relaying = relay(this.server, { cluster: 'ours', onEvent, ...this.options }).subscribe();
    return this;
  }

  stop(): void {
    this.relaying?.unsubscribe();
  }

  async close(): Promise<void> {
    this.stop();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => void this.server.close(() => resolve()));
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/relay`;
  }

  connections(): Promise<number> {
    return new Promise((resolve) => this.server.getConnections((_, count) => resolve(count)));
  }

  network(id: NodeId, options: Partial<RelayedChannelOptions> = {}) {
    const channels = relayedChannel({
      ...{ url: this.url, cluster: 'ours', id, reconnectMs: { minimum: 5, maximum: 50 } },
      WebSocket: WebSocket as never,
      ...options,
    });
    const codecs = { commands: byteCodec, snapshots: byteCodec };
    const impatient = { handshakeTimeoutMs: 500 };
    return channelNetwork({ cluster: 'ours', id, channels, ...codecs, ...impatient });
  }

  /** Refused for these reasons. */
  reasons(): unknown[] {
    return this.events.flatMap((event) => (event.type === 'refused' ? [event.reason] : []));
  }
}

/** The suite throws where something is wrong; vitest wants to see an assertion. */
const test = (name: string, body: () => void | Promise<void>) =>
  it(name, async () => expect(await body()).toBeUndefined());

describe('channelNetwork over a relay', () => {
  networkAcceptance(test, async () => {
    const site = await new Site().open();
    return {
      command: (number: number) => Uint8Array.of(number, 1),
      data: (number: number) => new Uint8Array(100_000).fill(number),
      adapter: (id: NodeId) => site.network(id),
    };
  });
});

const vote = (from: NodeId): Message<Uint8Array> => ({
  ...{ type: 'requestVoteReply', from, term: 1, voteGranted: true },
});

function start(site: Site, id: NodeId, options: Partial<RelayedChannelOptions> = {}) {
  const action$ = new Subject<NetworkAction<Uint8Array, Uint8Array>>();
  const inputs: NetworkInput<Uint8Array, Uint8Array>[] = [];
  const run = action$.pipe(site.network(id, options)).subscribe((input) => inputs.push(input));
  cleanups.push(() => run.unsubscribe());
  const send = (to: NodeId) => action$.next({ type: 'sendMessage', to, message: vote(id) });
  const reaches = async (to: NodeId, other: { inputs: unknown[] }) => {
    const before = other.inputs.length;
    await expect
      .poll(() => {
        send(to);
        return other.inputs.length > before;
      }, patience)
      .toBe(true);
  };
  return { inputs, run, send, reaches };
}

const patience = { timeout: 15_000 };

/** A connection by hand, and what it is told. */
async function dial(site: Site, headers: Record<string, string> = {}) {
  const socket = new WebSocket(site.url, { headers });
  cleanups.push(() => socket.terminate());
  const heard: unknown[] = [];
  let isClosed = false;
  socket.on('message', (data, isBinary) =>
    heard.push(isBinary ? data : new TextDecoder().decode(data as Buffer)),
  );
  socket.on('close', () => (isClosed = true));
  socket.on('error', (error) => heard.push(error.message));
  await expect.poll(() => socket.readyState, patience).not.toBe(WebSocket.CONNECTING);
  return { socket, heard, closed: () => expect.poll(() => isClosed, patience).toBe(true) };
}

const greeting = (...words: unknown[]) => JSON.stringify(['rxraft relay', 1, ...words]);

describe('a relay', () => {
  it.each<[string, unknown, string]>([
    ['nothing that makes sense', 'hello', 'malformed'],
    ['another version', JSON.stringify(['rxraft relay', 2, 'ours', 'a', '']), 'version'],
    ['another cluster (H1)', greeting('theirs', 'a', 'secret'), 'cluster'],
    ['no token (H3)', greeting('ours', 'a', ''), 'token'],
    ['a wrong token (H3)', greeting('ours', 'a', 'Secret'), 'token'],
    ['no node id', greeting('ours', '', 'secret'), 'malformed'],
    ['a word too many', greeting('ours', 'a', 'secret', 1), 'malformed'],
    ['bytes', new Uint8Array(3), 'malformed'],
  ])('turns away who says %s', async (_, words, reason) => {
    const site = await new Site({ token: 'secret' }).open();
    const { socket, heard, closed } = await dial(site);
    socket.send(words as string);
    await closed();
    expect(heard).toEqual([JSON.stringify(['refused', reason])]);
    expect(site.reasons()).toEqual([reason]);
  });

  it('turns away who says nothing, in time', async () => {
    const site = await new Site({ handshakeTimeoutMs: 20 }).open();
    await (await dial(site)).closed();
    expect(site.reasons()).toEqual(['late']);
  });

  it('gathers no long frame of who has not greeted: it is cut off in the midst of it', async () => {
    const site = await new Site({ handshakeTimeoutMs: 60_000 }).open();
    const { socket, closed } = await dial(site);
    socket.send(new Uint8Array(60_000), { fin: false });
    await closed();
    expect(site.reasons()).toEqual(['malformed']);
  });

  it('turns away too many strangers, and too many nodes', async () => {
    const site = await new Site({ maxStrangers: 2, maxNodes: 1 }).open();
    const [first, second] = [await dial(site), await dial(site)];
    await (await dial(site)).closed();
    first.socket.send(greeting('ours', 'a', ''));
    await expect.poll(() => first.heard, patience).toHaveLength(1);
    second.socket.send(greeting('ours', 'b', ''));
    await second.closed();
    expect(site.reasons()).toEqual(['overloaded', 'overloaded']);
  });

  it('turns away pages of other origins (H3)', async () => {
    const site = await new Site({ origins: ['https://ours.example'] }).open();
    await (await dial(site, { origin: 'https://theirs.example' })).closed();
    expect(site.reasons()).toEqual(['origin']);
    const { socket, heard } = await dial(site, { origin: 'https://ours.example' });
    socket.send(greeting('ours', 'a', ''));
    await expect.poll(() => heard, patience).toEqual([JSON.stringify(['rxraft relay', 1])]);
    const none = await new Site().open();
    await (await dial(none, { origin: 'https://ours.example' })).closed();
  });

  const envelope = { rxraft: 1, cluster: 'ours', from: 'x', to: ['a'] };
  it.each<[string, unknown, string]>([
    ['in the name of another (H2)', { ...envelope, from: 'b', type: 'ask', ask: 1 }, 'sender'],
    ['for another cluster', { ...envelope, cluster: 'c', type: 'ask', ask: 1 }, 'cluster'],
    ['of another version', { ...envelope, rxraft: 2, type: 'ask', ask: 1 }, 'version'],
    ['that are none', { ...envelope, type: 'more' }, 'malformed'],
    ['that can’t be read', null, 'malformed'],
  ])('hands on no frames %s, and goes on', async (_, frame, reason) => {
    const site = await new Site().open();
    const a = start(site, 'a');
    const { socket, heard } = await dial(site);
    socket.send(greeting('ours', 'x', ''));
    await expect.poll(() => heard, patience).toHaveLength(1);
    socket.send(frame === null ? Uint8Array.of(0xc1) : valueCodec().encode(frame));
    await expect.poll(() => site.reasons(), patience).toEqual([reason]);
    const b = start(site, 'b');
    await b.reaches('a', a);
    expect(a.inputs.every((each) => each.type === 'received' && each.message.from === 'b')).toBe(
      true,
    );
  });

  it('drops what a slow node does not read (H13)', async () => {
    const site = await new Site({ maxBufferedBytes: 1 << 20 }).open();
    const slow = await dial(site);
    slow.socket.send(greeting('ours', 'slow', ''));
    await expect.poll(() => slow.heard, patience).toHaveLength(1);
    (slow.socket as unknown as { readonly _socket: Socket })._socket.pause();
    const { socket, heard } = await dial(site);
    socket.send(greeting('ours', 'x', ''));
    await expect.poll(() => heard, patience).toHaveLength(1);
    const bytes = new Uint8Array(1 << 19);
    const frame = valueCodec().encode({
      ...envelope,
      to: ['slow'],
      type: 'message',
      bytes,
      ask: null,
    });
    const isDropping = () => {
      socket.send(frame);
      return site.events.some((event) => event.type === 'unsent' && event.reason === 'overloaded');
    };
    await expect.poll(isDropping, patience).toBe(true);
  });

  it('gives up who is silent (H15)', async () => {
    const site = await new Site({ pingMs: 50 }).open();
    const silent = await dial(site);
    silent.socket.send(greeting('ours', 'x', ''));
    await expect.poll(() => silent.heard.length, patience).toBeGreaterThan(0);
    (silent.socket as unknown as { readonly _socket: Socket })._socket.pause();
    await expect.poll(() => site.connections(), patience).toBe(0);
  });

  it('keeps of one node the newest connection, and closes the older one (H16)', async () => {
    const site = await new Site({ pingMs: 60_000 }).open();
    const [older, newer] = [await dial(site), await dial(site)];
    for (const { socket, heard } of [older, newer]) {
      socket.send(greeting('ours', 'y', ''));
      await expect.poll(() => heard, patience).toHaveLength(1);
    }
    await older.closed();
    expect(newer.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('leaves other paths to others, and the server as it was', async () => {
    const site = await new Site({ path: '/elsewhere' }).open();
    const { heard, closed } = await dial(site);
    await closed();
    expect(heard).toEqual([expect.stringContaining('404')]);
    site.stop();
    expect(site.server.listenerCount('upgrade')).toBe(0);
  });
});

describe('relayedChannel', () => {
  it('dials again when the relay was away, and nobody is deaf or doubled then (H16)', async () => {
    const site = await new Site({ pingMs: 50 }).open();
    const lost: string[] = [];
    const options = { silenceMs: 300, onLost: (cause: string) => void lost.push(cause) };
    const [a, b] = [start(site, 'a', options), start(site, 'b', options)];
    await a.reaches('b', b);
    site.stop();
    await expect.poll(() => lost.length, patience).toBeGreaterThan(0);
    site.start();
    await a.reaches('b', b);
    await b.reaches('a', a);
    const before = b.inputs.length;
    a.send('b');
    await expect.poll(() => b.inputs.length, patience).toBe(before + 1);
  });

  it('says why it is refused, and gives up a relay that is silent', async () => {
    const site = await new Site({ token: 'secret' }).open();
    const lost: string[] = [];
    start(site, 'a', { onLost: (cause) => void lost.push(cause) });
    await expect.poll(() => lost, patience).toContain('refused: token');
    const quiet = await new Site({ pingMs: 60_000 }).open();
    start(quiet, 'a', { silenceMs: 50, onLost: (cause) => void lost.push(cause) });
    await expect.poll(() => lost, patience).toContain('silent');
  });

  it('posts nothing into a connection that is too slow, or not there', async () => {
    const site = await new Site().open();
    const posted: (() => void)[] = [];
    const options = { url: site.url, cluster: 'ours', id: 'a', maxBufferedBytes: 0 };
    const run = relayedChannel({ ...options, WebSocket: WebSocket as never }).subscribe(
      ({ channel }) => posted.push(() => channel.postMessage(new Uint8Array(8 << 20))),
    );
    cleanups.push(() => run.unsubscribe());
    await expect.poll(() => posted.length, patience).toBe(1);
    const flood = () => {
      for (let count = 0; count < 4; count += 1) posted[0]?.();
    };
    expect(flood).toThrow('too slow');
    run.unsubscribe();
    expect(() => posted[0]?.()).toThrow('not connected');
    await expect.poll(() => site.connections(), patience).toBe(0);
  });
});
