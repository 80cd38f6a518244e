/**
 * The network over WebSockets, on the loopback of one process: what a healthy cluster does is the
 * acceptance suite's; here are the strangers, the broken connections and the slow readers.
 */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createRawServer, type Socket } from 'node:net';
import {
  asyncScheduler,
  type SchedulerAction,
  type SchedulerLike,
  Subject,
  type Subscription,
  throwError,
} from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClientOptions, type ServerOptions, WebSocket, WebSocketServer } from 'ws';
import { byteCodec, packSnapshot } from '../../adapters/codec.js';
import { messageCodec } from '../../adapters/message-codec.js';
import { networkAcceptance } from '../../adapters/testing/network-acceptance.js';
import {
  acceptPeers,
  type NetworkEvent,
  wsNetwork,
  type WsNetworkOptions,
} from '../../adapters/ws-network.js';
import type { NetworkAction } from '../../lib/action.js';
import { entriesOf } from '../../lib/entries.js';
import type { NetworkInput } from '../../lib/input.js';
import type { Message } from '../../lib/message.js';
import type { NodeId } from '../../lib/position.js';
import { memoryInUse } from '../memory.js';

type Action = NetworkAction<Uint8Array, Uint8Array>;
type Input = NetworkInput<Uint8Array, Uint8Array>;
type Options = Partial<WsNetworkOptions<Uint8Array, Uint8Array>>;

const codec = messageCodec(byteCodec);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Real time, with generous bounds: the condition holds within ten seconds. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ten seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function listen(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closed(server: { close(done: () => void): unknown }): Promise<void> {
  await new Promise<void>((resolve) => void server.close(resolve));
}

/** The HTTP servers of some nodes, and where each is. */
class Site {
  readonly ports = new Map<NodeId, number>();
  readonly servers = new Map<NodeId, Server>();

  async open(id: NodeId): Promise<Server> {
    const server = createServer();
    this.servers.set(id, server);
    this.ports.set(id, await listen(server, this.ports.get(id)));
    cleanups.push(() => this.shut(id));
    return server;
  }

  async shut(id: NodeId): Promise<void> {
    const server = this.servers.get(id);
    this.servers.delete(id);
    if (server === undefined) return;
    server.closeAllConnections();
    await closed(server);
  }

  connections(id: NodeId): Promise<number> {
    return new Promise((resolve) => {
      this.servers.get(id)?.getConnections((_, count) => resolve(count));
    });
  }

  readonly address = (id: NodeId): string | undefined => {
    const port = this.ports.get(id);
    return port === undefined ? undefined : `127.0.0.1:${port}`;
  };

  adapter(id: NodeId, options: Options = {}): ReturnType<typeof wsNetwork<Uint8Array, Uint8Array>> {
    const server = this.servers.get(id);
    if (server === undefined) throw new Error(`no server for ${id}`);
    return wsNetwork({
      cluster: 'ours',
      id,
      peers: this.address,
      commands: byteCodec,
      snapshots: byteCodec,
      sockets: acceptPeers(server),
      reconnectMs: { minimum: 5, maximum: 50 },
      ...options,
    });
  }
}

/** One node: its actions, and what it was told. */
class Node {
  readonly action$ = new Subject<Action>();
  readonly inputs: Input[] = [];
  readonly events: NetworkEvent[] = [];
  readonly errors: unknown[] = [];
  readonly subscription: Subscription;
  completed = false;

  constructor(site: Site, id: NodeId, options: Options = {}) {
    const onEvent = (event: NetworkEvent): void => void this.events.push(event);
    this.subscription = this.action$.pipe(site.adapter(id, { onEvent, ...options })).subscribe({
      next: (input) => this.inputs.push(input),
      error: (error: unknown) => this.errors.push(error),
      complete: () => (this.completed = true),
    });
    cleanups.push(() => this.subscription.unsubscribe());
  }

  send(to: NodeId, message: Message<Uint8Array>): void {
    this.action$.next({ type: 'sendMessage', to, message });
  }

  of<T extends NetworkEvent['type']>(type: T): Extract<NetworkEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<NetworkEvent, { type: T }> => {
      return event.type === type;
    });
  }

  /** Sends until the other one hears it. */
  async reaches(to: NodeId, other: Node, from: NodeId): Promise<void> {
    const before = other.inputs.length;
    await until(() => {
      this.send(to, vote(from));
      return other.inputs.length > before;
    }, `${to} hears ${from}`);
  }
}

const vote = (from: NodeId, term = 1): Message<Uint8Array> => ({
  type: 'requestVoteReply',
  from,
  term,
  voteGranted: true,
});

/** An append of one command of so many bytes. */
function heavy(from: NodeId, bytes: number): Message<Uint8Array> {
  const entries = entriesOf({ term: 1, index: 1 }, [
    { type: 'command', command: new Uint8Array(bytes).fill(7) },
  ]);
  return { type: 'appendEntriesCall', from, term: 1, round: 1, commitIndex: 0, entries };
}

/** The scheduler of rxjs, what waits on it, and how long it was asked to wait. */
function countingScheduler(): {
  readonly scheduler: SchedulerLike;
  readonly pending: Set<Subscription>;
  readonly delays: number[];
} {
  const pending = new Set<Subscription>();
  const delays: number[] = [];
  const schedule = <T>(
    work: (this: SchedulerAction<T>, state?: T) => void,
    delay = 0,
    state?: T,
  ): Subscription => {
    const action = asyncScheduler.schedule(work, delay, state);
    delays.push(delay);
    pending.add(action);
    action.add(() => pending.delete(action));
    return action;
  };
  return { scheduler: { now: () => asyncScheduler.now(), schedule }, pending, delays };
}

const hello = ['rxraft', 1, 'ours', 'b', 'a', 'messages', '', ''];

/** Somebody who dials node `a` by hand: what it hears, and how that ends. */
class Caller {
  readonly heard: string[] = [];
  readonly socket: WebSocket;
  ended: readonly [number, string] | null = null;

  constructor(site: Site, words: unknown, options: ClientOptions = {}) {
    this.socket = new WebSocket(`ws://${site.address('a')}/peer`, options);
    this.socket.on('error', (error) => (this.ended = [0, error.message]));
    this.socket.on('message', (data: Buffer) => this.heard.push(data.toString()));
    this.socket.on('close', (code, reason) => (this.ended ??= [code, reason.toString()]));
    const text = typeof words === 'string' ? words : JSON.stringify(words);
    this.socket.on('open', () => this.socket.send(text));
    cleanups.push(() => this.socket.terminate());
  }
}

/** A WebSocket server in the place of node `b`, which does what the test says. */
async function impostor(site: Site, options: ServerOptions = {}): Promise<WebSocketServer> {
  site.ports.delete('b');
  const server = new WebSocketServer({ ...options, server: await site.open('b') });
  cleanups.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return server;
}

const welcome = '["rxraft",1,"ours","b"]';

async function open(options: Options = {}): Promise<{ site: Site; a: Node }> {
  const site = new Site();
  await site.open('a');
  site.ports.set('b', 9);
  return { site, a: new Node(site, 'a', options) };
}

async function pair(options: Options = {}): Promise<{ site: Site; a: Node; b: Node }> {
  const site = new Site();
  await site.open('a');
  await site.open('b');
  return { site, a: new Node(site, 'a', options), b: new Node(site, 'b', options) };
}

describe('wsNetwork', () => {
  networkAcceptance<Uint8Array, Uint8Array>(
    (name, body) => it(name, () => expect(Promise.resolve().then(body)).resolves.toBeUndefined()),
    async () => {
      const site = new Site();
      for (const id of ['a', 'b', 'c', 'nowhere']) await site.open(id);
      await site.shut('nowhere');
      const connections = new Set<Socket>();
      for (const server of site.servers.values()) {
        server.on('connection', (socket) => {
          connections.add(socket);
          socket.on('close', () => connections.delete(socket));
        });
      }
      const { scheduler, pending } = countingScheduler();
      return {
        adapter: (id) => site.adapter(id, { scheduler, pingMs: 60_000 }),
        command: (number) => Uint8Array.of(number),
        data: (number) => new Uint8Array(700_000).fill(number),
        held: () => connections.size + pending.size,
      };
    },
  );

  it('the first message to a peer waits for the dial: the first election is not lost', async () => {
    const { a, b } = await pair();
    a.send('b', vote('a', 1));
    a.send('b', vote('a', 2));
    await until(() => b.inputs.length > 0, 'b hears it');
    expect(b.inputs).toEqual([{ type: 'received', message: vote('a', 2) }]);
    b.subscription.unsubscribe();
    await until(() => a.of('disconnected').length > 0, 'the connection is lost');
    expect(a.of('unsent')).toEqual([{ type: 'unsent', to: 'b', reason: 'disconnected' }]);
  });

  it('what waited for a dial that failed is forgotten: nothing stale is delivered', async () => {
    const { site, a } = await open({ reconnectMs: { minimum: 300, maximum: 300 } });
    await site.open('b');
    await site.shut('b');
    a.send('b', vote('a', 1));
    await until(() => a.of('disconnected').length > 0, 'the dial fails');
    a.send('b', vote('a', 2));
    await site.open('b');
    const b = new Node(site, 'b');
    await until(() => a.of('connected').length > 0, 'the next one succeeds');
    a.send('b', vote('a', 3));
    await until(() => b.inputs.length > 0, 'b hears what comes then');
    expect(b.inputs).toEqual([{ type: 'received', message: vote('a', 3) }]);
    expect(a.of('unsent')).toHaveLength(2);
  });

  it('messages of one turn arrive in order', async () => {
    const { a, b } = await pair();
    await a.reaches('b', b, 'a');
    const terms = (): number[] =>
      b.inputs.flatMap((input) => (input.type === 'received' ? [input.message.term] : []));
    for (let term = 2; term <= 100; term += 1) a.send('b', vote('a', term));
    await until(() => terms().includes(100), 'the last arrives');
    const expected = Array.from({ length: 99 }, (_, at) => at + 2);
    expect(terms().filter((term) => term > 1)).toEqual(expected);
  });

  it('nothing goes to oneself (B20), nor to whom nobody knows', async () => {
    const { a } = await open();
    a.send('a', vote('a'));
    a.send('stranger', vote('a'));
    expect(a.of('unsent').map(({ to, reason }) => [to, reason])).toEqual([
      ['a', 'toSelf'],
      ['stranger', 'unknownPeer'],
    ]);
  });

  it('an option out of range is refused, by its name', () => {
    const site = new Site();
    site.servers.set('a', createServer());
    const wrong: [string, Options][] = [
      ['pingMs', { pingMs: 0 }],
      ['handshakeTimeoutMs', { handshakeTimeoutMs: 2 ** 31 }],
      ['maxFrameBytes', { maxFrameBytes: Number.NaN }],
      ['reconnectMs.minimum', { reconnectMs: { minimum: 0, maximum: 1 } }],
      ['id', { id: '' }],
      ['cluster', { cluster: 'x'.repeat(257) }],
    ];
    for (const [name, options] of wrong) {
      expect(() => site.adapter('a', options), name).toThrow(name);
    }
  });
});

describe('a handshake', () => {
  it('tells both sides who the other is', async () => {
    const { site, a } = await open();
    const caller = new Caller(site, hello);
    await until(() => caller.heard.length > 0, 'the welcome');
    expect(caller.heard).toEqual(['["rxraft",1,"ours","a"]']);
    expect(a.events).toEqual([{ type: 'accepted', from: 'b' }]);
  });

  it.each([
    ['of another cluster', ['rxraft', 1, 'theirs', 'b', 'a', 'messages', '', ''], 'cluster', 'b'],
    [
      'meant for another node',
      ['rxraft', 1, 'ours', 'b', 'c', 'messages', '', ''],
      'receiver',
      'b',
    ],
    ['of another version', ['rxraft', 2, 'whatever'], 'version', null],
    ['from the node itself', ['rxraft', 1, 'ours', 'a', 'a', 'messages', '', ''], 'sender', 'a'],
    ['from an unknown node', ['rxraft', 1, 'ours', 'z', 'a', 'messages', '', ''], 'sender', 'z'],
    ['for an unknown use', ['rxraft', 1, 'ours', 'b', 'a', 'gossip', ''], 'malformed', null],
    ['with a bad id', ['rxraft', 1, 'ours', '', 'a', 'messages', '', ''], 'malformed', null],
    ['with too much', [...hello, 1], 'malformed', null],
    ['of something else', { cluster: 'ours', from: 'b', to: 'a' }, 'malformed', null],
    ['of endless words', JSON.stringify(hello) + ' '.repeat(4096), 'malformed', null],
    ['of long words', [...hello.slice(0, 7), 'x'.repeat(257)], 'malformed', null],
  ])('%s is refused before a word is taken (H1)', async (_, words, reason, from) => {
    const { site, a } = await open();
    const caller = new Caller(site, words);
    caller.socket.on('open', () => caller.socket.send(codec.encode(vote('b', 99))));
    await until(() => caller.ended !== null, 'the end');
    expect(caller.ended).toEqual([4001, reason]);
    expect(caller.heard).toEqual([JSON.stringify(['refused', reason])]);
    expect(a.events).toEqual([{ type: 'refused', from, reason }]);
    expect(a.inputs).toEqual([]);
  });

  it('of a cluster that began with other voters is refused, whatever its name (D19)', async () => {
    const site = new Site();
    await site.open('a');
    await site.open('b');
    const a = new Node(site, 'a', { initialVoters: ['a', 'b', 'c'] });
    const b = new Node(site, 'b', { initialVoters: ['a', 'b'] });
    a.send('b', vote('a'));
    b.send('a', vote('b'));
    await until(
      () => a.of('refused').length > 0 && b.of('disconnected').length > 0,
      'a refuses, and b is told',
    );
    expect(a.of('refused')[0]).toMatchObject({ from: 'b', reason: 'initialVoters' });
    expect(b.of('disconnected')[0]).toMatchObject({ cause: 'refused: initialVoters' });
    expect([a.inputs, b.inputs]).toEqual([[], []]);
  });

  it.each([
    ['in another order', ['b', 'a', 'c']],
    ['unknown to the one who joined later', undefined],
  ])('of the same beginning is heard: its voters are %s (D19)', async (_, initialVoters) => {
    const site = new Site();
    await site.open('a');
    await site.open('b');
    const a = new Node(site, 'a', { initialVoters: ['a', 'b', 'c'] });
    const b = new Node(site, 'b', { initialVoters });
    await a.reaches('b', b, 'a');
    await b.reaches('a', a, 'b');
    expect([...a.of('refused'), ...b.of('refused')]).toEqual([]);
  });

  it('without the shared secret is refused (H3)', async () => {
    const { site, a } = await open({ token: 'secret' });
    for (const token of ['', 'secreT', 'secret ']) {
      const caller = new Caller(site, [...hello.slice(0, 6), token, '']);
      await until(() => caller.ended !== null, 'the end');
      expect(caller.ended).toEqual([4001, 'token']);
    }
    const caller = new Caller(site, [...hello.slice(0, 6), 'secret', '']);
    await until(() => caller.heard.length > 0, 'the welcome');
    expect(a.of('accepted')).toHaveLength(1);
  });

  it('nodes that share a secret speak to each other', async () => {
    const { a, b } = await pair({ token: 'secret' });
    await a.reaches('b', b, 'a');
    expect(b.inputs[0]).toEqual({ type: 'received', message: vote('a') });
  });

  it('that does not come in time is no handshake', async () => {
    const { site, a } = await open({ handshakeTimeoutMs: 50 });
    const caller = new Caller(site, hello);
    caller.socket.removeAllListeners('open');
    await until(() => caller.ended !== null, 'the end');
    expect(a.events).toEqual([{ type: 'refused', from: null, reason: 'late' }]);
  });

  it('that is longer than words are is not gathered: it is cut off in the midst (H10)', async () => {
    const { site, a } = await open({ handshakeTimeoutMs: 60_000 });
    const caller = new Caller(site, hello);
    caller.socket.removeAllListeners('open');
    caller.socket.on('open', () => caller.socket.send(new Uint8Array(60_000), { fin: false }));
    await until(() => caller.ended !== null, 'the end');
    expect(a.events).toEqual([{ type: 'refused', from: null, reason: 'malformed' }]);
  });

  it('so many strangers at once, and no more', async () => {
    const { site, a } = await open({ maxStrangers: 2 });
    const silent = [0, 1].map(() => new Caller(site, 'nothing'));
    for (const each of silent) each.socket.removeAllListeners('open');
    await until(() => silent.every(({ socket }) => socket.readyState === 1), 'two are open');
    const third = new Caller(site, hello);
    await until(() => third.ended !== null, 'the end of the third');
    expect(a.events).toEqual([{ type: 'refused', from: null, reason: 'overloaded' }]);
    silent[0]?.socket.terminate();
    await until(() => {
      const next = new Caller(site, hello);
      return next.heard.length > 0 || a.of('accepted').length > 0;
    }, 'there is room again');
  });

  it('whoever is greeted is no stranger any more', async () => {
    const { site, a } = await open({ maxStrangers: 1 });
    site.ports.set('c', 9);
    for (const from of ['b', 'c']) {
      const caller = new Caller(site, ['rxraft', 1, 'ours', from, 'a', 'messages', '', '']);
      await until(() => caller.heard.length > 0 || caller.ended !== null, 'an answer');
    }
    expect(a.events).toEqual([
      { type: 'accepted', from: 'b' },
      { type: 'accepted', from: 'c' },
    ]);
  });

  it('a web page must not speak to peers: a request with an Origin is refused (H3)', async () => {
    const { site, a } = await open();
    const caller = new Caller(site, hello, { origin: 'http://127.0.0.1' });
    await until(() => caller.ended !== null, 'the end');
    expect(caller.ended).toEqual([0, 'Unexpected server response: 403']);
    expect(a.events).toEqual([]);
  });

  it('the same where the owner of the server has let it in (H3)', async () => {
    const site = new Site();
    const server = await site.open('a');
    site.ports.set('b', 9);
    const sockets$ = new Subject<{ socket: WebSocket; request: never }>();
    const owner = new WebSocketServer({ server, path: '/peer' });
    cleanups.push(() => owner.close());
    owner.on('connection', (socket, request) =>
      sockets$.next({ socket, request: request as never }),
    );
    const a = new Node(site, 'a', { sockets: sockets$ });
    const caller = new Caller(site, hello, { origin: 'http://127.0.0.1' });
    await until(() => caller.ended !== null, 'the end');
    expect(a.events).toEqual([{ type: 'refused', from: null, reason: 'origin' }]);
  });

  it('the one that dials refuses a foreign answer', async () => {
    const answers: [string, string][] = [
      ['["rxraft",1,"theirs","b"]', 'refused: cluster'],
      ['["rxraft",1,"ours","c"]', 'refused: receiver'],
      ['["rxraft",2,"ours","b"]', 'refused: version'],
      ['["refused","token"]', 'refused: token'],
      ['hello', 'refused: malformed'],
    ];
    const { site, a } = await open();
    const server = await impostor(site);
    let answer = '';
    const taken: boolean[] = [];
    server.on('connection', (socket) => {
      socket.on('message', (_, isBinary) => {
        taken.push(isBinary);
        socket.send(answer);
      });
    });
    for (const [words, cause] of answers) {
      answer = words;
      a.events.length = 0;
      await until(() => {
        a.send('b', vote('a'));
        return a.of('disconnected').some((event) => event.cause === cause);
      }, cause);
      expect(a.of('connected')).toEqual([]);
    }
    expect(taken).not.toContain(true);
  });
});

describe('a frame', () => {
  async function greeted(options: Options = {}): Promise<{ a: Node; caller: Caller; site: Site }> {
    const { site, a } = await open(options);
    const caller = new Caller(site, hello);
    await until(() => caller.heard.length > 0, 'the welcome');
    a.events.length = 0;
    return { site, a, caller };
  }

  it('in the name of another node is dropped and counted (H2)', async () => {
    const { a, caller } = await greeted();
    caller.socket.send(codec.encode(vote('c', 7)));
    caller.socket.send(codec.encode(vote('b', 8)));
    await until(() => a.inputs.length > 0, 'the good one');
    expect(a.inputs).toEqual([{ type: 'received', message: vote('b', 8) }]);
    expect(a.events).toMatchObject([{ type: 'dropped', from: 'b', reason: 'foreignSender' }]);
  });

  it('that is no message is dropped and counted, and life goes on (H9)', async () => {
    const { a, caller } = await greeted();
    const good = codec.encode(vote('b', 8));
    const bad = [new Uint8Array(0), Uint8Array.of(1, 2, 3), good.slice(1), good.slice(0, -1)];
    for (const each of bad) caller.socket.send(each);
    caller.socket.send('text');
    caller.socket.send(JSON.stringify({ ...vote('b') }));
    caller.socket.send(good);
    await until(() => a.inputs.length > 0, 'the good one');
    expect(a.inputs).toHaveLength(1);
    expect(a.of('dropped').map(({ reason }) => reason)).toEqual(Array(6).fill('malformed'));
    const words = 'words where a message should be';
    expect(a.of('dropped').map(({ cause }) => cause === words)).toEqual([
      ...[false, false, false, false],
      ...[true, true],
    ]);
    expect(a.errors).toEqual([]);
  });

  it('over the limit closes its connection, and is never held whole (H10)', async () => {
    const site = new Site();
    const server = await site.open('a');
    site.ports.set('b', 9);
    const a = new Node(site, 'a', { sockets: acceptPeers(server, { maxPayload: 1000 }) });
    const caller = new Caller(site, hello);
    await until(() => caller.heard.length > 0, 'the welcome');
    caller.socket.send(codec.encode(heavy('b', 2000)));
    await until(() => caller.ended !== null, 'the end');
    expect(caller.ended?.[0]).toBe(1009);
    expect(a.of('dropped')).toMatchObject([{ from: 'b', reason: 'tooLarge' }]);
    expect([a.inputs, a.errors]).toEqual([[], []]);
  });

  it('is never compressed: a few bytes can not unfold to many (H10)', async () => {
    const { caller } = await greeted();
    expect(caller.socket.extensions).toBe('');
    const site = new Site();
    await site.open('a');
    const server = await impostor(site, { perMessageDeflate: true });
    const offered: unknown[] = [];
    server.on('connection', (_, { headers }) => offered.push(headers['sec-websocket-extensions']));
    const a = new Node(site, 'a');
    a.send('b', vote('a', 1));
    await until(() => offered.length > 0, 'the dialling');
    expect(offered).toEqual([undefined]);
  });

  it('over the limit of the network is dropped where the server lets it in (H10)', async () => {
    const { a, caller } = await greeted({ maxFrameBytes: 1000 });
    caller.socket.send(codec.encode(heavy('b', 2000)));
    caller.socket.send(codec.encode(vote('b', 8)));
    await until(() => a.inputs.length > 0, 'the good one');
    expect(a.inputs).toEqual([{ type: 'received', message: vote('b', 8) }]);
    expect(a.of('dropped')).toMatchObject([{ from: 'b', reason: 'tooLarge' }]);
  });

  it('over the limit does not leave, and is reported', async () => {
    const { a, b } = await pair({ maxFrameBytes: 1000 });
    await a.reaches('b', b, 'a');
    a.events.length = 0;
    a.send('b', { ...heavy('a', 2000), commitIndex: 9 } as Message<Uint8Array>);
    expect(a.events).toEqual([{ type: 'unsent', to: 'b', reason: 'tooLarge' }]);
    await a.reaches('b', b, 'a');
    expect(a.of('disconnected')).toEqual([]);
  });

  it('of an older connection of a peer is not taken: the newer one closes it (H16)', async () => {
    const { site, a, caller } = await greeted();
    const newer = new Caller(site, hello);
    await until(() => newer.heard.length > 0, 'the welcome');
    caller.socket.send(codec.encode(vote('b', 7)));
    await until(() => caller.ended !== null, 'the older one ends');
    newer.socket.send(codec.encode(vote('b', 8)));
    await until(() => a.inputs.length > 0, 'the newer one is heard');
    expect(a.inputs).toEqual([{ type: 'received', message: vote('b', 8) }]);
    expect(newer.ended).toBeNull();
  });
});

describe('a connection', () => {
  it('to a server that accepts and never answers is given up; nothing grows (H15)', async () => {
    const raw: Socket[] = [];
    const server = createRawServer((socket) => raw.push(socket.resume()));
    const port = await listen(server as never);
    cleanups.push(() => closed(server));
    cleanups.push(() => raw.forEach((socket) => socket.destroy()));
    const { site, a } = await open({ handshakeTimeoutMs: 50 });
    site.ports.set('b', port);
    await until(() => {
      a.send('b', heavy('a', 1000));
      return a.of('disconnected').length >= 2;
    }, 'given up twice');
    expect(a.of('disconnected')[0]?.cause).toBe('no welcome in time');
    expect(a.of('connected')).toEqual([]);
    expect(a.of('unsent').length).toBeGreaterThan(0);
    a.subscription.unsubscribe();
    await until(() => raw.every((socket) => socket.destroyed || socket.readableEnded), 'all cut');
  });

  it('that falls silent is noticed by the one that dialled (H15)', async () => {
    const { site, a } = await open({ pingMs: 30 });
    const server = await impostor(site, { autoPong: false });
    server.on('connection', (socket) => {
      socket.on('message', () => socket.send(welcome));
    });
    a.send('b', vote('a'));
    await until(() => a.of('disconnected').length > 0, 'it is noticed');
    expect(a.of('connected')).toHaveLength(1);
    expect(a.of('disconnected')[0]?.cause).toBe('silent');
  });

  it('that falls silent is noticed by the one that accepted (H15)', async () => {
    const { site } = await open({ pingMs: 30 });
    const caller = new Caller(site, hello, { autoPong: false });
    await until(() => caller.ended !== null, 'it was cut');
    expect(caller.heard).toHaveLength(1);
    expect(caller.ended?.[0]).toBe(1006);
  });

  it('that answers pings lives on, however little is said', async () => {
    const { a, b } = await pair({ pingMs: 300 });
    await a.reaches('b', b, 'a');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect([a.of('disconnected'), b.of('disconnected')]).toEqual([[], []]);
    expect(b.of('accepted')).toHaveLength(1);
  });

  it('is had again after the peer has restarted, while somebody wants it (H17)', async () => {
    const { site, a, b } = await pair();
    await a.reaches('b', b, 'a');
    b.subscription.unsubscribe();
    await site.shut('b');
    await until(() => a.of('disconnected').length > 0, 'the loss is noticed');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(a.of('disconnected')).toHaveLength(1);
    a.send('b', vote('a'));
    await until(() => a.of('disconnected').length > 1, 'dialled in vain');
    await site.open('b');
    const again = new Node(site, 'b');
    await a.reaches('b', again, 'a');
    expect(a.of('connected')).toHaveLength(2);
    expect(a.errors).toEqual([]);
  });

  it('pauses longer with every failure in a row, with jitter (H17)', async () => {
    const { scheduler, delays } = countingScheduler();
    const reconnectMs = { minimum: 4, maximum: 20 };
    const { site, a } = await open({ scheduler, reconnectMs, random: () => 0.5 });
    site.ports.delete('b');
    await site.open('b');
    await site.shut('b');
    const pauses = (): number[] => delays.filter((delay) => delay < 100);
    const fails = (times: number): Promise<void> =>
      until(() => {
        a.send('b', vote('a'));
        return a.of('disconnected').length >= times;
      }, `failure ${times}`);
    await fails(5);
    expect(pauses()).toEqual([3, 6, 12, 15, 15]);
    await site.open('b');
    const b = new Node(site, 'b');
    await a.reaches('b', b, 'a');
    delays.length = 0;
    b.subscription.unsubscribe();
    await until(() => pauses().length > 0, 'the connection is lost');
    expect(pauses()[0]).toBe(3);
  });

  it('follows a peer whose address changes', async () => {
    const { site, a, b } = await pair();
    await a.reaches('b', b, 'a');
    const port = site.ports.get('b');
    await site.open('c');
    site.ports.set('b', site.ports.get('c') ?? 0);
    const moved = new Node(site, 'c', { id: 'b' });
    await a.reaches('b', moved, 'a');
    expect(a.of('connected').map(({ address }) => address)).toEqual([
      `127.0.0.1:${port}`,
      `127.0.0.1:${site.ports.get('c')}`,
    ]);
    await expect.poll(() => site.connections('b')).toBe(0);
    site.ports.delete('b');
    a.send('b', vote('a'));
    expect(a.of('unsent').at(-1)?.reason).toBe('unknownPeer');
  });

  it('to a peer that does not read holds no more than its limit (H13)', async () => {
    const { site, a } = await open({ maxBufferedBytes: 1_000_000 });
    const server = await impostor(site);
    server.on('connection', (socket) => {
      socket.once('message', () => {
        socket.send(welcome);
        socket.pause();
      });
    });
    a.send('b', vote('a'));
    await until(() => a.of('connected').length > 0, 'the connection');
    const before = await memoryInUse();
    const message = heavy('a', 100_000);
    for (let turn = 0; turn < 50; turn += 1) {
      for (let each = 0; each < 10; each += 1) a.send('b', message);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(a.of('unsent').length).toBeGreaterThan(300);
    expect(a.of('unsent').every(({ reason }) => reason === 'overloaded')).toBe(true);
    // All that was sent is 50 MB; what is not garbage now is what the connection holds on to.
    expect((await memoryInUse()) - before).toBeLessThan(10);
  });
});

describe('a snapshot', () => {
  const snapshotOf = (data: Uint8Array) => ({
    position: { term: 3, index: 9 },
    config: { voters: ['a', 'b'], newVoters: [], nonVoters: [] },
    data,
  });
  const install = (data: Uint8Array, term = 3): Action => ({
    type: 'installSnapshot',
    to: 'b',
    term,
    snapshot: snapshotOf(data),
  });
  const header = (bytes: Uint8Array, term: unknown = 3, length: unknown = bytes.length): string => {
    const digest = createHash('sha256').update(bytes).digest('hex');
    return JSON.stringify(['snapshot', term, length, digest]);
  };
  const asSnapshot = [...hello.slice(0, 5), 'snapshot', '', ''];

  it('of 3 MiB arrives byte for byte, and messages overtake it', async () => {
    const { a, b } = await pair();
    await a.reaches('b', b, 'a');
    const data = Uint8Array.from({ length: 3 << 20 }, (_, at) => (at * 31 + (at >>> 8)) & 0xff);
    a.action$.next(install(data));
    a.send('b', vote('a', 2));
    await until(() => a.inputs.length > 0, 'the transfer is over');
    expect(a.inputs).toEqual([{ type: 'snapshotSent', to: 'b' }]);
    const [overtaking, last] = b.inputs.slice(-2);
    expect(overtaking).toEqual({ type: 'received', message: vote('a', 2) });
    expect(last).toMatchObject({ type: 'snapshotReceived', from: 'a', term: 3 });
    if (last?.type !== 'snapshotReceived') throw new Error('no snapshot');
    expect(Buffer.compare(last.snapshot.data, data)).toBe(0);
    expect(last.snapshot.config).toEqual(snapshotOf(data).config);
  });

  it('with a byte changed, missing or too many is never seen (C12)', async () => {
    const { site, a } = await open();
    const bytes = packSnapshot(snapshotOf(new Uint8Array(1000).fill(1)), byteCodec);
    const half = bytes.slice(0, 600);
    const [none, long] = ['a snapshot without its header', 'a snapshot of 4503599627370496 bytes'];
    const wrong: [string, ...(string | Uint8Array)[]][] = [
      ['another digest', header(bytes), bytes.slice().fill(2, 500, 501)],
      ['another digest', header(bytes, 3, 600), half],
      ['more bytes than announced', header(bytes), half, half],
      ['words within a snapshot', header(bytes), half, header(bytes)],
      [none, header(bytes, -1), bytes],
      [none, header(bytes, '3'), bytes],
      [none, header(bytes, 1, 0)],
      [none, bytes],
      [long, header(bytes, 1, 2 ** 52), bytes],
      ['the bytes are no MessagePack value', header(half), half],
    ];
    for (const [at, [cause, ...frames]] of wrong.entries()) {
      const caller = new Caller(site, asSnapshot);
      await until(() => caller.heard.length > 0, 'the welcome');
      for (const frame of frames) caller.socket.send(frame);
      await until(() => caller.ended !== null, `the end of ${at}`);
      expect(a.of('dropped')).toHaveLength(at + 1);
      expect(a.of('dropped')[at]).toEqual({
        type: 'dropped',
        from: 'b',
        reason: 'malformed',
        cause,
      });
    }
    expect([a.inputs, a.errors]).toEqual([[], []]);
  });

  it('of which half came is forgotten with its connection, or for a newer one', async () => {
    const { site, a } = await open();
    const bytes = new Uint8Array(1000).fill(1);
    const first = new Caller(site, asSnapshot);
    await until(() => first.heard.length > 0, 'the welcome');
    first.socket.send(header(bytes));
    first.socket.send(bytes.slice(0, 600));
    const second = new Caller(site, asSnapshot);
    await until(() => first.ended !== null, 'the older one ends');
    second.socket.send(bytes.slice(600));
    await until(() => second.ended !== null, 'the rest of another is nothing');
    expect(a.inputs).toEqual([]);
  });

  it('over the limit is not sent, and a peer would not take it', async () => {
    const { a } = await pair({ maxSnapshotBytes: 1000 });
    a.action$.next(install(new Uint8Array(2000)));
    await until(() => a.inputs.length > 0, 'the transfer is over');
    expect(a.of('transferFailed')).toEqual([
      { type: 'transferFailed', to: 'b', cause: 'too large' },
    ]);
    const { site, a: other } = await open({ maxSnapshotBytes: 1000 });
    const caller = new Caller(site, asSnapshot);
    await until(() => caller.heard.length > 0, 'the welcome');
    caller.socket.send(header(new Uint8Array(2000)));
    await until(() => caller.ended !== null, 'the end');
    expect(other.of('dropped')).toHaveLength(1);
  });

  it('is abandoned when the peer is lost on the way, and ends once', async () => {
    const { site, a } = await open();
    const server = await impostor(site);
    server.on('connection', (socket) => {
      let frames = 0;
      socket.on('message', () => {
        frames += 1;
        if (frames === 1) socket.send(welcome);
        if (frames === 3) socket.terminate();
      });
    });
    a.action$.next(install(new Uint8Array(8 << 20)));
    await until(() => a.inputs.length > 0, 'the transfer is over');
    expect(a.inputs).toEqual([{ type: 'snapshotSent', to: 'b' }]);
    expect(a.of('transferFailed')).toHaveLength(1);
  });

  it('is abandoned in a new term, and with it the connection', async () => {
    const { site, a } = await open();
    const server = await impostor(site);
    let ended = 0;
    let greetings = 0;
    server.on('connection', (socket) => {
      socket.once('message', () => {
        greetings += 1;
        socket.send(welcome);
      });
      socket.on('close', () => (ended += 1));
    });
    a.action$.next(install(new Uint8Array(1000)));
    await until(() => greetings === 1, 'the transfer begins');
    a.action$.next(install(new Uint8Array(1000)));
    a.send('nobody', vote('a', 3));
    expect(a.inputs).toEqual([]);
    a.send('nobody', vote('a', 4));
    expect(a.inputs).toEqual([{ type: 'snapshotSent', to: 'b' }]);
    await until(() => ended === 1, 'the connection is cut');
    a.action$.next(install(new Uint8Array(1000), 4));
    await until(() => greetings === 2, 'the next transfer begins');
  });

  it('that makes no progress is given up', async () => {
    const { site, a } = await open({ stallTimeoutMs: 100 });
    const server = await impostor(site);
    server.on('connection', (socket) => {
      socket.once('message', () => socket.send(welcome));
    });
    a.action$.next(install(new Uint8Array(1000)));
    await until(() => a.inputs.length > 0, 'the transfer is over');
    expect(a.of('transferFailed')).toMatchObject([{ cause: 'stalled' }]);
  });
});

describe('the end', () => {
  it('completing closes every connection, dialled and accepted (I15)', async () => {
    const { site, a, b } = await pair();
    await a.reaches('b', b, 'a');
    await b.reaches('a', a, 'b');
    a.action$.complete();
    expect(a.completed).toBe(true);
    await until(() => b.of('disconnected').length > 0, 'b notices');
    await expect.poll(() => site.connections('a')).toBe(0);
    await expect.poll(() => site.connections('b')).toBe(0);
    expect(site.servers.get('a')?.listenerCount('upgrade')).toBe(0);
    expect(b.completed).toBe(false);
  });

  it('an error of the accepted sockets, or of the observer, ends the network', async () => {
    const { site, a } = await open();
    const error = new Error('the server failed');
    const failing = new Node(site, 'a', { sockets: throwError(() => error) });
    expect(failing.errors).toEqual([error]);
    const onEvent = (): never => {
      throw error;
    };
    const thrown = new Node(site, 'a', { onEvent, sockets: new Subject() });
    thrown.send('stranger', vote('a'));
    expect(thrown.errors).toEqual([error]);
    expect(a.errors).toEqual([]);
  });
});

describe('acceptPeers', () => {
  async function status(port: number, path: string): Promise<string> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    return new Promise((resolve) => {
      socket.on('error', (error) => resolve(error.message));
      socket.on('open', () => {
        resolve('open');
        socket.terminate();
      });
    });
  }

  it('takes the path /peer, and leaves others to others (H20)', async () => {
    const site = new Site();
    const server = await site.open('a');
    const port = site.ports.get('a') ?? 0;
    const subscription = acceptPeers(server).subscribe();
    expect(await status(port, '/peer')).toBe('open');
    expect(await status(port, '/peer?x=1')).toBe('open');
    expect(await status(port, '/peers')).toContain('404');
    server.on('upgrade', (request, socket) => {
      if (request.url === '/other') socket.end('HTTP/1.1 418 Teapot\r\n\r\n');
    });
    expect(await status(port, '/other')).toContain('418');
    expect(await status(port, '/peer')).toBe('open');
    subscription.unsubscribe();
    expect(server.listenerCount('upgrade')).toBe(1);
  });

  it('cuts what it has let in when it is unsubscribed', async () => {
    const site = new Site();
    const server = await site.open('a');
    const peers$ = acceptPeers(server);
    const subscriptions = [peers$.subscribe(), peers$.subscribe()];
    const caller = new Caller(site, hello);
    await until(() => caller.socket.readyState === WebSocket.OPEN, 'it is open');
    expect(server.listenerCount('upgrade')).toBe(1);
    for (const each of subscriptions) each.unsubscribe();
    await until(() => caller.ended !== null, 'the end');
    expect(server.listenerCount('upgrade')).toBe(0);
  });
});
