/**
 * A real node, in a process of its own, over real sockets: peers, clients and whoever speaks HTTP,
 * or nothing at all, say what they like, and an honest client is served all the while.
 */
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { byteCodec } from '../../adapters/codec.js';
import type { Answer } from '../../adapters/key-value/client-protocol.js';
import { keyValueProtocol } from '../../adapters/key-value/client-protocol.js';
import { messageCodec } from '../../adapters/message-codec.js';
import { Random } from '../../adapters/testing/simulation/random.js';
import { cleanUp, freePorts, Run, temporaryFolder, until } from '../cluster/cluster.js';
import { get, LoadClient, put } from '../cluster/load.js';
import type { Edge } from './edge.js';
import { answersEdge, requestsEdge } from './edges/clients.js';
import { handshakeEdge } from './edges/handshake.js';
import { messagesEdge } from './edges/messages.js';
import { snapshotsEdge } from './edges/snapshots.js';
import { mutateBytes, mutateText } from './mutate.js';

const total = Number(process.env['RXRAFT_FUZZ_INPUTS'] ?? 2_000_000);
const seed = Number(process.env['RXRAFT_SEED'] ?? Date.now() % 2 ** 31);
/** A conversation on sockets is thousands of times the work of a call. */
const conversations = Math.max(10, Math.ceil(total / 2000));
const framesEach = 20;

const codec = messageCodec(byteCodec);

afterEach(cleanUp);

/** Says these frames, and waits until it is turned away, or for the end of what it says. */
function converse(
  url = '',
  protocol: string | undefined,
  frames: readonly (Uint8Array | string)[],
): Promise<void> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, protocol);
    const end = (): void => {
      clearTimeout(late);
      socket.terminate();
      resolve();
    };
    const late = setTimeout(end, 5000);
    socket.on('error', end);
    socket.on('close', end);
    socket.on('open', () => {
      for (const frame of frames) socket.send(frame, () => undefined);
      // What comes back after all frames have been read is the sign that they have.
      socket.on('pong', end);
      socket.ping();
    });
  });
}

/** Bytes on a plain socket, to its end. */
function shout(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => socket.end(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    // A request that is not whole is waited for: not by us.
    socket.setTimeout(500, () => socket.destroy());
    socket.resume();
  });
}

const requests = [
  'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
  'GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
  'PUT /kv/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc',
  'GET /kv/a%2fb?stale HTTP/1.1\r\nHost: 127.0.0.1\r\nIf-None-Match: *\r\nConnection: close\r\n\r\n',
  'GET /peer HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
];

/** Members trust each other: what passes for a word of `c` itself is no garbage. */
function isGarbage(frame: Uint8Array): boolean {
  try {
    return codec.decode(frame).from !== 'c';
  } catch {
    return true;
  }
}

/** Two of three members. The third one is hostile. */
async function openNodes(): Promise<{ nodes: readonly Run[]; ports: readonly number[] }> {
  const ports = await freePorts(3);
  const ids = ['a', 'b', 'c'];
  const peers = ids.map((id, at) => `${id}=127.0.0.1:${ports[at]}`).join(',');
  const nodes = ids.slice(0, 2).map((id, at) => {
    const place = ['--data', join(temporaryFolder(), id), '--listen', `127.0.0.1:${ports[at]}`];
    return new Run(['node', '--id', id, ...place, '--peers', peers]);
  });
  await Promise.all(nodes.map((node) => node.says(/leads in term|follows/, 60_000)));
  return { nodes, ports: ports.slice(0, 2) };
}

async function round(number: number, port: number, to: string): Promise<void> {
  const random = Random.of(seed, number);
  const some = (edge: Edge<Uint8Array>): Uint8Array[] =>
    Array.from({ length: framesEach }, () => edge.generate(random));
  const [first = ''] = requests;
  const [client, peer] = ['client', 'peer'].map((path) => `ws://127.0.0.1:${port}/${path}`);
  const hello = (use: string): string =>
    JSON.stringify(['rxraft', 1, 'a,b,c', 'c', to, use, '', '']);
  await Promise.all([
    converse(client, keyValueProtocol.name, some(requestsEdge)),
    converse(client, keyValueProtocol.name, some(answersEdge)),
    converse(peer, undefined, [hello('messages'), ...some(messagesEdge).filter(isGarbage)]),
    converse(peer, undefined, [hello('snapshot'), ...some(snapshotsEdge)]),
    converse(peer, undefined, some(handshakeEdge).map(String)),
    shout(port, mutateBytes(random, Buffer.from(random.pick(requests) ?? first))),
    shout(port, Buffer.from(mutateText(random, random.pick(requests) ?? first))),
  ]);
}

it(`hostile sockets, RXRAFT_SEED=${seed}: an honest client is served all the while`, async () => {
  const { nodes, ports } = await openNodes();
  const honest = new LoadClient(ports.map((port) => `127.0.0.1:${port}`));
  await until('a leader', async () => (await honest.ask(put('x', 'y'))).type === 'done', 60_000);
  for (let number = 0; number < conversations; number += 1) {
    const at = number % 2;
    const hostile = round(number, ports[at] ?? 0, at === 0 ? 'a' : 'b');
    // On a busy machine leaders change: then the same is asked again.
    const asked = put(`honest ${number % 10}`, `${number}`);
    await until('done', async () => (await honest.ask(asked)).type === 'done', 60_000);
    await hostile;
    let answer: Answer = { type: 'missing' };
    await until(
      'an answer',
      async () => {
        answer = await honest.ask(get(`honest ${number % 10}`));
        return answer.type !== 'unknown' && answer.type !== 'refused';
      },
      60_000,
    );
    expect(answer).toEqual({ type: 'value', value: new Uint8Array(Buffer.from(`${number}`)) });
  }
  const inputs = conversations * (5 * framesEach + 2);
  console.log(`${inputs.toLocaleString('en')} inputs on ${conversations * 7} sockets`);
  honest.close();
  for (const node of nodes) {
    node.kill('SIGTERM');
    expect(await node.ended).toMatchObject({ code: 0, stderr: '' });
  }
}, 3_600_000);
