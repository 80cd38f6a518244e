/** "A typed client: many in flight, reconnects, typed errors with the three outcomes, bounded." */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Subscription } from 'rxjs';
import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Client, ClientOptions } from '../../adapters/client.js';
import { client } from '../../adapters/client.js';
import { valueCodec } from '../../adapters/codec.js';
import type { AnySocketClass } from '../../adapters/gateway/any-socket.js';
import { clientUrl } from '../../adapters/gateway/any-socket.js';
import { clientDoor } from '../../adapters/gateway/door.js';
import type { Failure } from '../../adapters/gateway/protocol.js';
import {
  CommandFailed,
  NotApplied,
  NotLeader,
  OutcomeUnknown,
  Overloaded,
} from '../../adapters/machine.js';
import type { ReplicaAnswer, ReplicaRequest } from '../../adapters/replica/protocol.js';
import { replicaProtocol } from '../../adapters/replica/protocol.js';
import { freeAddresses } from './free-addresses.js';

type Answer = ReplicaAnswer<number> | Failure;

/** A node that answers as it is told to: 'hang' not at all, 'cut' by ending its connections. */
class FakeNode {
  readonly asked: ReplicaRequest[] = [];
  answers: (Answer | Promise<Answer> | 'hang' | 'cut')[] = [];
  private server: Server = createServer();
  private door: Subscription | null = null;
  address = '';

  async open(address = '127.0.0.1:0'): Promise<void> {
    const [host = '', port = ''] = address.split(':');
    this.server = createServer();
    this.door = clientDoor(this.server, {
      cluster: 'x',
      protocol: replicaProtocol<number>(valueCodec()),
      answer: (request) => this.answer(request),
    }).subscribe();
    await new Promise<void>((resolve) => this.server.listen(Number(port), host, resolve));
    this.address = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): Promise<unknown> {
    this.door?.unsubscribe();
    return new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: ReplicaRequest): Promise<Answer> {
    this.asked.push(request);
    const answer = this.answers.shift() ?? { type: 'result', result: this.asked.length };
    if (answer === 'cut') {
      this.door?.unsubscribe();
      void this.close().then(() => this.open(this.address));
    }
    if (answer === 'hang' || answer === 'cut') return new Promise(() => undefined);
    return Promise.resolve(answer);
  }
}

const webSocket = WebSocket as unknown as AnySocketClass;
let node: FakeNode;
let clients: Client<string, number>[];

function come(options: ClientOptions<string, number> = {}, urls = [node.address]) {
  const come_ = client<string, number>(urls, { webSocket, ...options });
  clients.push(come_);
  return come_;
}

beforeEach(async () => {
  node = new FakeNode();
  clients = [];
  await node.open();
});
afterEach(async () => {
  for (const each of clients) each.close();
  await node.close();
});

describe('a client', () => {
  it('has many commands under way, each with its own result', async () => {
    const { dispatch, dispatch$ } = come();
    const results = await Promise.all(Array.from({ length: 100 }, (_, i) => dispatch(`${i}`)));
    expect(results).toEqual(results.map((_, i) => i + 1));
    const cold$ = dispatch$('x');
    expect(node.asked).toHaveLength(100);
    expect(await firstValueFrom(cold$)).toBe(101);
  });

  it.each<[Failure, new (...of: never[]) => Error, string]>([
    [{ type: 'unknown', text: 'lost' }, OutcomeUnknown, 'lost'],
    [{ type: 'refused', reason: 'failed', text: 'no' }, CommandFailed, 'the reducer threw: no'],
    [{ type: 'refused', reason: 'overloaded', text: 'x' }, Overloaded, 'too much is under way: x'],
    [{ type: 'refused', reason: 'tooLarge', text: 'too long' }, NotApplied, 'too long'],
  ])('rejects with a typed error: %o', async (failure, type, text) => {
    node.answers = [failure];
    const error = await come()
      .dispatch('x')
      .catch((each: unknown) => each);
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toBe(text);
    expect(node.asked).toHaveLength(1);
  });

  it('asks again, and another node, where nobody leads', async () => {
    const noLeader: Failure = { type: 'refused', reason: 'noLeader', text: 'nobody' };
    const other = new FakeNode();
    await other.open();
    node.answers = [noLeader];
    const [nobody = ''] = await freeAddresses(1);
    const { dispatch } = come({}, [nobody, node.address, other.address]);
    expect(await dispatch('x')).toBe(1);
    expect([node.asked.length, other.asked.length]).toEqual([1, 1]);
    // And stays there.
    expect(await dispatch('y')).toBe(2);
    clients[0]?.close();
    await other.close();
  });

  it('goes on by a new connection where the old one was lost while nothing was asked', async () => {
    const opened: WebSocket[] = [];
    class Noted extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol);
        opened.push(this);
      }
    }
    const { dispatch } = come({ webSocket: Noted as unknown as AnySocketClass });
    expect(await dispatch('x')).toBe(1);
    await node.close();
    await node.open(node.address);
    await expect.poll(() => opened[0]?.readyState).toBe(WebSocket.CLOSED);
    // It was certainly not sent there: nothing is unknown.
    expect(await dispatch('y')).toBe(2);
    expect(opened).toHaveLength(2);
  });

  it('lets others wait on for a node that refuses one', async () => {
    const other = new FakeNode();
    await other.open();
    let answer: (answer: Answer) => void = () => undefined;
    const late = new Promise<Answer>((resolve) => (answer = resolve));
    node.answers = [late, { type: 'refused', reason: 'noLeader', text: 'nobody' }];
    const { dispatch } = come({}, [node.address, other.address]);
    const first = dispatch('x');
    await expect.poll(() => node.asked.length).toBe(1);
    expect(await dispatch('y')).toBe(1);
    expect(other.asked).toHaveLength(1);
    answer({ type: 'result', result: 7 });
    expect(await first).toBe(7);
    clients[0]?.close();
    await other.close();
  });

  it('does not know what a lost connection has done, and does not send it again', async () => {
    node.answers = ['cut'];
    const { dispatch } = come();
    await expect(dispatch('x')).rejects.toThrow(OutcomeUnknown);
    expect(node.asked).toHaveLength(1);
    expect(await dispatch('y')).toBe(2);
  });

  it('does not know what an answer means that is none of its command', async () => {
    node.answers = [{ type: 'readIndex', index: 1 }];
    await expect(come().dispatch('x')).rejects.toThrow(new OutcomeUnknown('a strange answer'));
  });

  it('sends a command with an id again, because that is harmless', async () => {
    node.answers = ['cut', { type: 'unknown', text: 'no leader any more' }];
    expect(await come().dispatch('x', { requestId: '1' })).toBe(3);
    expect(node.asked).toEqual([node.asked[0], node.asked[0], node.asked[0]]);
  });

  it('keeps its doubt when a command with an id is refused later on', async () => {
    node.answers = ['cut', { type: 'refused', reason: 'overloaded', text: 'full' }];
    await expect(come().dispatch('x', { requestId: '1' })).rejects.toThrow(OutcomeUnknown);
  });

  it('gives up in time: unknown what was sent, certainly not done what was not', async () => {
    node.answers = ['hang'];
    const { dispatch } = come({ timeoutMs: 100 });
    await expect(dispatch('x')).rejects.toThrow('no answer in time');
    const [nobody = ''] = await freeAddresses(1);
    const error = await come({ timeoutMs: 100 }, [nobody])
      .dispatch('x')
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NotApplied);
    expect((error as Error).message).toContain(nobody);
    expect(error).not.toBeInstanceOf(NotLeader);
  });

  it('gives up in time also where nobody takes its connection', async () => {
    const mute = createTcpServer((socket) => void socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const url = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
    const { dispatch } = come({ timeoutMs: 100, connectTimeoutMs: 1e6 }, [url]);
    await expect(dispatch('x')).rejects.toThrow(NotApplied);
    clients[0]?.close();
    await new Promise((resolve) => mute.close(resolve));
  });

  it('is sent no more when its time is over before there is a connection', async () => {
    const sockets = new WebSocketServer({ noServer: true });
    const streams: Duplex[] = [];
    // The first is never let in, the second too late.
    const slow = createServer().on('upgrade', (request, stream, head) => {
      if (streams.push(stream) === 1) return;
      setTimeout(() => sockets.handleUpgrade(request, stream, head, () => undefined), 350);
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const url = `127.0.0.1:${(slow.address() as AddressInfo).port}`;
    const reconnectMs = { minimum: 50, maximum: 50 };
    const { dispatch } = come({ timeoutMs: 1000, connectTimeoutMs: 700, reconnectMs }, [url]);
    await expect(dispatch('x')).rejects.toThrow(NotApplied);
    clients[0]?.close();
    for (const stream of streams) stream.destroy();
    await new Promise((resolve) => slow.close(resolve));
  });

  it('that is closed tells who waits, and asks nobody any more', async () => {
    node.answers = ['hang'];
    const { dispatch, close } = come();
    const waiting = dispatch('x');
    await expect.poll(() => node.asked.length).toBe(1);
    close();
    await expect(waiting).rejects.toThrow('the client was closed');
    await expect(dispatch('y')).rejects.toThrow('the client is closed');
  });

  it('has a limit, and refuses what can not be', async () => {
    node.answers = ['hang'];
    const { dispatch } = come({ maxUnderway: 1, timeoutMs: 500 });
    const first = dispatch('x').catch((error: unknown) => error);
    await expect(dispatch('y')).rejects.toThrow(Overloaded);
    expect(await first).toBeInstanceOf(OutcomeUnknown);
    await expect(dispatch('x'.repeat(2 << 20))).rejects.toThrow('the limit is');
    await expect(dispatch('x', { requestId: '' })).rejects.toThrow('a request id is');
    await expect(dispatch((() => 1) as never)).rejects.toThrow("can't be encoded");
    expect(() => come({}, [])).toThrow('no urls');
    await expect(come({ cluster: 'y', timeoutMs: 100 }).dispatch('x')).rejects.toThrow(NotApplied);
  });
});

it.each([
  ['127.0.0.1:7001', 'ws://127.0.0.1:7001/client'],
  ['http://a:1', 'ws://a:1/client'],
  ['https://a', 'wss://a/client'],
  ['wss://a/b', 'wss://a/b'],
])('the address %s means %s', (address, url) => {
  expect(clientUrl(address)).toBe(url);
  expect(clientUrl(address, 'my cluster')).toBe(`${url}?cluster=my+cluster`);
});
