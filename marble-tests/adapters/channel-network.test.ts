/**
 * The network over channels, within one process or page: what healthy peers do is the acceptance
 * suite's; here are the strangers, the liars, and those who do not answer.
 */
import type { Observable } from 'rxjs';
import { concat, from, merge, NEVER, of, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Content } from '../../adapters/channel-frame.js';
import {
  broadcastChannel,
  type Channel,
  channelNetwork,
  type ChannelNetworkOptions,
  type NetworkEvent,
  type PeerChannel,
  portsTo,
} from '../../adapters/channel-network.js';
import { byteCodec, packSnapshot } from '../../adapters/codec.js';
import { messageCodec } from '../../adapters/message-codec.js';
import { networkAcceptance } from '../../adapters/testing/network-acceptance.js';
import type { NetworkAction } from '../../lib/action.js';
import { clusterOf } from '../../lib/cluster-config.js';
import { entriesOf } from '../../lib/entries.js';
import type { NetworkInput } from '../../lib/input.js';
import type { Message } from '../../lib/message.js';
import type { NodeId } from '../../lib/position.js';

type Bytes = Uint8Array;
type Options = Partial<ChannelNetworkOptions<Bytes, Bytes>>;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const adapterOf = (id: NodeId, channels: Observable<PeerChannel>, options: Options = {}) =>
  channelNetwork({
    ...{ cluster: 'ours', id, channels, commands: byteCodec, snapshots: byteCodec },
    ...options,
  });

let buses = 0;
const newBus = (): string => `bus-${Math.random()}-${(buses += 1)}`;

/** The suite throws where something is wrong; vitest wants to see an assertion. */
const test = (name: string, body: () => void | Promise<void>) =>
  it(name, async () => expect(await body()).toBeUndefined());

const samples = {
  command: (number: number) => Uint8Array.of(number, 1),
  data: (number: number) => new Uint8Array(100_000).fill(number),
};
const quick = { handshakeTimeoutMs: 500 };

describe('channelNetwork over a BroadcastChannel', () => {
  networkAcceptance(test, () => {
    const bus = newBus();
    return { ...samples, adapter: (id) => adapterOf(id, broadcastChannel(bus), quick) };
  });
});

/** The ends of the ports between all pairs of three nodes, and how many listeners they have. */
function portsOfThree(): { ports: Record<NodeId, Record<NodeId, Channel>>; held: () => number } {
  const ids = ['a', 'b', 'c'];
  const ports: Record<NodeId, Record<NodeId, Channel>> = { a: {}, b: {}, c: {} };
  let held = 0;
  const counted = (port: MessagePort): Channel => {
    cleanups.push(() => port.close());
    return {
      postMessage: (data) => port.postMessage(data),
      start: () => port.start(),
      addEventListener: (type, listener) => {
        held += 1;
        port.addEventListener(type, listener as never);
      },
      removeEventListener: (type, listener) => {
        held -= 1;
        port.removeEventListener(type, listener as never);
      },
    };
  };
  for (const one of ids) {
    for (const other of ids.filter((id) => id > one)) {
      const { port1, port2 } = new MessageChannel();
      (ports[one] ?? {})[other] = counted(port1);
      (ports[other] ?? {})[one] = counted(port2);
    }
  }
  return { ports, held: () => held };
}

describe('channelNetwork over MessagePorts', () => {
  networkAcceptance(test, () => {
    const { ports, held } = portsOfThree();
    return { ...samples, held, adapter: (id) => adapterOf(id, portsTo(ports[id] ?? {}), quick) };
  });
});

/** A channel whose other end is the test: what is posted, and what is heard. */
class TestChannel implements Channel {
  readonly posted: ({ readonly to: NodeId[] } & Content)[] = [];
  readonly listeners = new Map<string, Set<(event: { readonly data: unknown }) => void>>();
  isClosed = false;

  postMessage(data: unknown): void {
    if (this.isClosed) throw new Error('closed');
    this.posted.push(data as (typeof this.posted)[number]);
  }

  addEventListener(type: string, listener: (event: { readonly data: unknown }) => void): void {
    const all = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, all.add(listener));
  }

  removeEventListener(type: string, listener: (event: { readonly data: unknown }) => void): void {
    this.listeners.get(type)?.delete(listener);
  }

  hear(data: unknown, type = 'message'): void {
    for (const listener of this.listeners.get(type) ?? []) listener({ data });
  }

  of<T extends Content['type']>(type: T) {
    return this.posted.filter((each): each is (typeof this.posted)[number] & { type: T } => {
      return each.type === type;
    });
  }
}

/** Node a with one channel, in virtual time. */
function nodeA(peer: NodeId | null, options: Options = {}) {
  const channel = new TestChannel();
  const time = new VirtualTimeScheduler();
  const action$ = new Subject<NetworkAction<Bytes, Bytes>>();
  const events: NetworkEvent[] = [];
  const inputs: NetworkInput<Bytes, Bytes>[] = [];
  const ends: unknown[] = [];
  const adapter = adapterOf('a', concat(of({ channel, peer }), NEVER), {
    onEvent: (event) => void events.push(event),
    scheduler: time,
    random: () => 0,
    ...options,
  });
  const subscription = action$.pipe(adapter).subscribe({
    next: (input) => inputs.push(input),
    error: (error: unknown) => ends.push(error),
    complete: () => ends.push('complete'),
  });
  cleanups.push(() => subscription.unsubscribe());
  const send = (message = call(), to: NodeId = 'b') =>
    action$.next({ type: 'sendMessage', to, message });
  const wait = (ms: number) => {
    time.schedule(() => undefined, ms);
    time.maxFrames = time.now() + ms;
    time.flush();
  };
  return { channel, action$, events, inputs, ends, send, wait, subscription };
}

const call = (from: NodeId = 'a', length = 1): Message<Bytes> => {
  const command = new Uint8Array(length);
  const entries = entriesOf({ term: 1, index: 1 }, [{ type: 'command', command }]);
  return { type: 'appendEntriesCall', from, term: 1, round: 1, commitIndex: 0, entries };
};
const encode = (message: Message<Bytes>) => messageCodec(byteCodec).encode(message);
const snapshot = {
  position: { term: 1, index: 2 },
  config: clusterOf(['a']),
  data: Uint8Array.of(7),
};
const envelope = { rxraft: 1, cluster: 'ours', from: 'b', to: ['a'] };
const frame = { ...envelope, type: 'message', bytes: encode(call('b')), ask: null };

describe('what arrives', () => {
  it('is taken when it is right', () => {
    const { channel, inputs, events } = nodeA('b');
    channel.hear(frame);
    expect(inputs).toEqual([{ type: 'received', message: call('b') }]);
    expect(events).toEqual([]);
  });

  it.each<[string, unknown, string | null, string]>([
    ['nothing', undefined, 'b', 'malformed'],
    ['a text', 'hello', 'b', 'malformed'],
    ['the frame of another library', { type: 'message', from: 'b' }, 'b', 'malformed'],
    ['a field too many (H9)', { ...frame, more: 1 }, 'b', 'malformed'],
    ['a key __proto__ (H4)', JSON.parse('{"__proto__":{"rxraft":1}}'), 'b', 'malformed'],
    ['a buffer that is none', { ...frame, bytes: [1, 2] }, 'b', 'malformed'],
    ['an ask that counts nothing (H6)', { ...frame, ask: 1.5 }, 'b', 'malformed'],
    ['a sender without an id', { ...frame, from: '' }, 'b', 'malformed'],
    ['too many receivers', { ...frame, to: new Array<string>(2000).fill('a') }, 'b', 'malformed'],
    ['another version', { ...frame, rxraft: 2 }, 'b', 'version'],
    ['another cluster (H1)', { ...frame, cluster: 'theirs' }, 'b', 'cluster'],
    ['another than the port is to (H2)', { ...frame, from: 'c' }, 'c', 'sender'],
    ['this node itself', { ...frame, from: 'a' }, 'a', 'sender'],
    ['what is for another (H2)', { ...frame, to: ['c'] }, 'b', 'receiver'],
  ])('from a stranger is refused and counted: %s', (_, data, from, reason) => {
    const { channel, inputs, events } = nodeA('b');
    channel.hear(data);
    expect(inputs).toEqual([]);
    expect(events).toEqual([{ type: 'refused', from, reason }]);
    channel.hear(frame);
    expect(inputs).toHaveLength(1);
  });

  it('of a cluster that began with other voters is refused, where both know theirs (D19)', () => {
    const [one, other] = [['a', 'b'], ['b']].map((initialVoters) => {
      const { channel } = nodeA(null, { initialVoters });
      return channel.posted[0] as unknown as { readonly voters: number };
    });
    const { channel, inputs, events } = nodeA('b', { initialVoters: ['b', 'a'] });
    channel.hear({ ...frame, voters: other?.voters });
    expect([inputs, events]).toEqual([
      [],
      [{ type: 'refused', from: 'b', reason: 'initialVoters' }],
    ]);
    channel.hear({ ...frame, voters: one?.voters });
    channel.hear(frame);
    expect(inputs).toHaveLength(2);
    const unknowing = nodeA('b');
    unknowing.channel.hear({ ...frame, voters: other?.voters });
    expect(unknowing.inputs).toHaveLength(1);
  });

  it('broken on the way is refused and counted', () => {
    const { channel, events } = nodeA('b');
    channel.hear(frame, 'messageerror');
    expect(events).toEqual([{ type: 'refused', from: 'b', reason: 'malformed' }]);
  });

  it('on a bus for another is none of ours, and for no reason to count', () => {
    const { channel, inputs, events } = nodeA(null);
    channel.hear({ ...frame, to: ['c'] });
    expect([inputs, events]).toEqual([[], []]);
    channel.hear({ ...frame, to: ['c', 'a'] });
    expect(inputs).toHaveLength(1);
    channel.hear({ ...frame, from: 'a', to: ['b'] });
    expect(events).toEqual([{ type: 'refused', from: 'a', reason: 'sender' }]);
  });

  const large = packSnapshot({ ...snapshot, data: new Uint8Array(2000) }, byteCodec);
  it.each<[string, Content, string]>([
    [
      'bytes that are no message',
      { type: 'message', bytes: Uint8Array.of(1), ask: null },
      'malformed',
    ],
    [
      'in the name of another (H2)',
      { type: 'message', bytes: encode(call('c')), ask: null },
      'foreignSender',
    ],
    [
      'that is too large (H10)',
      { type: 'message', bytes: encode(call('b', 2000)), ask: null },
      'tooLarge',
    ],
    [
      'a snapshot that is none',
      { type: 'snapshot', term: 1, bytes: Uint8Array.of(1), ask: 1 },
      'malformed',
    ],
    [
      'a snapshot that is too large',
      {
        type: 'snapshot',
        term: 1,
        bytes: large,
        ask: 1,
      },
      'tooLarge',
    ],
  ])('from a peer is dropped and counted: %s', (_, content, reason) => {
    const { channel, inputs, events } = nodeA('b', { maxFrameBytes: 1000, maxSnapshotBytes: 1000 });
    channel.hear({ ...envelope, ...content });
    expect(inputs).toEqual([]);
    expect(events).toMatchObject([{ type: 'dropped', from: 'b', reason }]);
    expect(channel.of('answer')).toEqual([]);
  });

  it('is answered when that is asked for, on the way on which it came', () => {
    const { channel } = nodeA('b');
    channel.hear({ ...frame, ask: 5 });
    channel.hear({ ...envelope, type: 'ask', ask: 6 });
    channel.hear({
      ...envelope,
      type: 'snapshot',
      term: 1,
      bytes: packSnapshot(snapshot, byteCodec),
      ask: 7,
    });
    expect(channel.of('answer').map(({ to, ask }) => [...to, ask])).toEqual([
      ['b', 5],
      ['b', 6],
      ['b', 7],
    ]);
  });
});

describe('what is sent', () => {
  it('to oneself, too large, or where no way leads is counted, and goes nowhere', () => {
    const { channel, send, events } = nodeA('b', { maxFrameBytes: 1000 });
    send(call(), 'a');
    send(call(), 'nobody');
    // What is committed can't be forgotten: it is only reported.
    send({ ...call('a', 2000), commitIndex: 2 } as Message<Uint8Array>, 'b');
    expect(events.map((each) => 'reason' in each && each.reason)).toEqual([
      'toSelf',
      'unknownPeer',
      'tooLarge',
    ]);
    channel.isClosed = true;
    send();
    expect(events.at(-1)).toEqual({ type: 'unsent', to: 'b', reason: 'disconnected' });
    expect(channel.of('message')).toEqual([]);
  });

  it('to many on a bus goes once; on ports once to each', () => {
    const bus = nodeA(null);
    bus.action$.next({ type: 'broadcastMessage', to: ['b', 'c'], message: call() });
    expect(bus.channel.of('message').map(({ to }) => to)).toEqual([['b', 'c']]);
    const [b, c] = [new TestChannel(), new TestChannel()];
    const both = nodeA(null, { channels: merge(portsTo({ b, c }), NEVER) });
    both.action$.next({ type: 'broadcastMessage', to: ['b', 'c'], message: call() });
    expect([b, c].map((each) => each.of('message').map(({ to }) => to))).toEqual([
      [['b']],
      [['c']],
    ]);
  });

  const small = { maxBufferedFrames: 8, probeMs: { minimum: 100, maximum: 400 } };

  it('to one who does not answer is bounded in frames, then tried after growing pauses (H13)', () => {
    const { channel, send, wait, events } = nodeA('b', small);
    for (let count = 0; count < 100; count += 1) send();
    expect(channel.of('message')).toHaveLength(8);
    expect(events).toHaveLength(92);
    expect(events[0]).toEqual({ type: 'unsent', to: 'b', reason: 'overloaded' });
    const tries: number[] = [];
    for (let ms = 0; ms < 2000; ms += 50) {
      wait(50);
      send();
      if (channel.of('message').length > 8 + tries.length) tries.push(ms + 50);
    }
    expect(tries).toEqual([100, 300, 700, 1100, 1500, 1900]);
  });

  it('to one who does not answer is bounded in bytes (H13)', () => {
    const { channel, send } = nodeA('b', { maxBufferedBytes: 10_000 });
    for (let count = 0; count < 100; count += 1) send(call('a', 950));
    const lengths = channel.of('message').map(({ bytes }) => bytes.length);
    expect(lengths).toHaveLength(10);
    expect(lengths.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(10_000);
  });

  it('flows on when it is answered: a long way needs few answers', () => {
    const { channel, send, events } = nodeA('b', small);
    let answered = 0;
    for (let count = 0; count < 100; count += 1) {
      send();
      const last = channel.of('message').at(-1);
      if (last?.ask === null || last === undefined) continue;
      answered += 1;
      channel.hear({ ...envelope, type: 'answer', ask: last.ask });
    }
    expect([channel.of('message').length, events, answered]).toEqual([100, [], 50]);
  });

  it('flows on when a peer has begun anew, and not for an answer to another run', () => {
    const { channel, send } = nodeA('b', small);
    for (let count = 0; count < 10; count += 1) send();
    channel.hear({ ...envelope, type: 'answer', ask: 2 ** 50 });
    send();
    expect(channel.of('message')).toHaveLength(8);
    channel.hear({ ...envelope, to: [], type: 'hello' });
    send();
    expect(channel.of('message')).toHaveLength(9);
  });
});

describe('a snapshot', () => {
  const install = { type: 'installSnapshot', to: 'b', term: 3, snapshot } as const;

  it('goes when the peer has said that it is there, and ends when it has it', () => {
    const { channel, action$, inputs } = nodeA('b');
    action$.next(install);
    expect([channel.of('ask').length, channel.of('snapshot').length]).toEqual([1, 0]);
    channel.hear({ ...envelope, type: 'answer', ask: channel.of('ask')[0]?.ask });
    expect(channel.of('snapshot')).toHaveLength(1);
    expect(inputs).toEqual([]);
    channel.hear({ ...envelope, type: 'answer', ask: channel.of('snapshot')[0]?.ask });
    expect(inputs).toEqual([{ type: 'snapshotSent', to: 'b' }]);
  });

  it.each<[string, Options, boolean, string]>([
    ['who does not answer', {}, false, 'no answer in time'],
    ['who does not take it', {}, true, 'no answer in time'],
    ['when it is too large', { maxSnapshotBytes: 2 }, false, 'too large'],
  ])('to one %s fails, and that is said once after a pause', (_, options, isThere, cause) => {
    const { channel, action$, inputs, events, wait } = nodeA('b', options);
    action$.next(install);
    if (isThere) channel.hear({ ...envelope, type: 'answer', ask: channel.of('ask')[0]?.ask });
    wait(30_000);
    expect(events).toEqual([{ type: 'transferFailed', to: 'b', cause }]);
    wait(2000);
    expect(inputs).toEqual([{ type: 'snapshotSent', to: 'b' }]);
    expect(channel.of('snapshot')).toHaveLength(isThere ? 1 : 0);
  });

  it('of an older term is given up', () => {
    const { action$, inputs, send } = nodeA('b');
    action$.next(install);
    send({ ...call(), term: 4 });
    expect(inputs).toEqual([{ type: 'snapshotSent', to: 'b' }]);
  });
});

describe('a newer channel', () => {
  it('takes the place of an older one to the same peer, and nobody listens to that (H16)', () => {
    const [older, newer, other] = [new TestChannel(), new TestChannel(), new TestChannel()];
    const ways = [
      { channel: older, peer: 'b' },
      { channel: other, peer: 'c' },
      { channel: newer, peer: 'b' },
    ];
    const { send, inputs } = nodeA(null, { channels: concat(from(ways), NEVER) });
    send();
    expect([older, newer].map((each) => each.of('message').length)).toEqual([0, 1]);
    for (const channel of [older, newer]) channel.hear(frame);
    expect(inputs).toHaveLength(1);
    const held = [older, other, newer].map(({ listeners }) =>
      [...listeners.values()].map(({ size }) => size),
    );
    expect(held).toEqual([
      [0, 0],
      [1, 1],
      [1, 1],
    ]);
  });
});

describe('the end', () => {
  it('leaves no listener behind', () => {
    const { channel, action$, ends, inputs } = nodeA('b');
    action$.complete();
    channel.hear(frame);
    expect([ends, inputs]).toEqual([['complete'], []]);
    expect([...channel.listeners.values()].map(({ size }) => size)).toEqual([0, 0]);
  });

  it('comes with an error of the channels, of onEvent, or of a codec', () => {
    const failing = nodeA('b', { channels: throwError(() => new Error('no channels')) });
    expect(failing.ends).toEqual([new Error('no channels')]);
    const onEvent = () => {
      throw new Error('of onEvent');
    };
    const counting = nodeA('b', { onEvent });
    counting.channel.hear('hello');
    expect(counting.ends).toEqual([new Error('of onEvent')]);
    const encode = () => {
      throw new TypeError('no bytes');
    };
    const speaking = nodeA('b', { commands: { ...byteCodec, encode } });
    speaking.send();
    expect(speaking.ends).toEqual([new TypeError('no bytes')]);
  });

  it.each([
    { id: '' },
    { cluster: 'c'.repeat(300) },
    { maxFrameBytes: 0 },
    { stallTimeoutMs: 2 ** 31 },
  ])('comes before the start for an option out of range: %o', (option) => {
    expect(() => adapterOf('a', NEVER, option)).toThrow(RangeError);
  });
});
