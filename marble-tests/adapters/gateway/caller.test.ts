/** "The next node is asked where this one is of no use": what a server may do to a caller. */
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { client } from '../../../adapters/client.js';
import { valueCodec } from '../../../adapters/codec.js';
import type { AnySocketClass } from '../../../adapters/gateway/any-socket.js';
import type { Failure } from '../../../adapters/gateway/protocol.js';
import { decodeRequests, encodeAnswer } from '../../../adapters/gateway/protocol.js';
import { OutcomeUnknown } from '../../../adapters/machine-errors.js';
import type { ReplicaAnswer, ReplicaRequest } from '../../../adapters/replica/protocol.js';
import { replicaProtocol } from '../../../adapters/replica/protocol.js';

type Answer = ReplicaAnswer<number> | Failure;
type Answers = (request: ReplicaRequest, socket: WebSocket) => Answer | null;

const webSocket = WebSocket as unknown as AnySocketClass;
const protocol = replicaProtocol<number>(valueCodec());
const done: Answer = { type: 'result', result: 1 };
const servers: WebSocketServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Its address. `answers`: null says nothing. */
async function serve(answers: Answers): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  servers.push(server);
  server.on('connection', (socket) =>
    socket.on('message', (data) => {
      for (const { asked } of decodeRequests(protocol, data as Buffer)) {
        const answer = answers(asked.request, socket);
        if (answer !== null) socket.send(encodeAnswer(protocol, asked.id, answer));
      }
    }),
  );
  await new Promise((resolve) => server.on('listening', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const come = (urls: readonly string[], timeoutMs = 10_000) =>
  client<string, number>(urls, { webSocket, timeoutMs });

it('leaves a node that does not answer in time: the next one is asked then', async () => {
  const silent = await serve(() => null);
  const honest = await serve(() => done);
  const { dispatch, close } = come([silent, honest], 100);
  await expect(dispatch('x')).rejects.toThrow('no answer in time');
  expect(await dispatch('y')).toBe(1);
  close();
});

it('waits on for others of whom the silence of one says nothing', async () => {
  const late: (() => void)[] = [];
  const slow = await serve((_, socket) => {
    late.push(() => socket.send(encodeAnswer(protocol, late.length, done)));
    return null;
  });
  const { dispatch, close } = come([slow], 2000);
  const first = dispatch('x').catch((error: unknown) => error);
  await expect.poll(() => late.length, { timeout: 10_000 }).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const second = dispatch('y');
  expect(await first).toBeInstanceOf(OutcomeUnknown);
  late.at(-1)?.();
  expect(await second).toBe(1);
  close();
});

it('takes no text for a length of memory (H10)', async () => {
  const address = await serve((_, socket) => {
    socket.send(String(2 ** 30));
    return null;
  });
  const { dispatch, close } = come([address]);
  await expect(dispatch('x')).rejects.toThrow('it breaks the protocol: text');
  close();
});
