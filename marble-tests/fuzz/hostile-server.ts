/**
 * A server on a real socket that speaks what clients understand, or almost: wrong frames, answers
 * that nobody asked for, doubled ones, frames and messages without end, an end in the middle.
 */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { valueCodec } from '../../adapters/codec.js';
import type { Protocol, Typed } from '../../adapters/gateway/protocol.js';
import { decodeRequests } from '../../adapters/gateway/protocol.js';
import type { Request, StoreAnswer } from '../../adapters/key-value/client-protocol.js';
import { keyValueProtocol } from '../../adapters/key-value/client-protocol.js';
import type { ReplicaAnswer, ReplicaRequest } from '../../adapters/replica/protocol.js';
import { replicaProtocol } from '../../adapters/replica/protocol.js';
import type { Random } from '../../adapters/testing/simulation/random.js';
import { texts } from './dictionary.js';
import { mutateBytes, mutateText } from './mutate.js';
import { pack, packedMutant } from './packed.js';

const replicas = replicaProtocol<unknown>(valueCodec());
const index = 5;
/** Clears a screen that it is written to. */
const escape = '\x1b[2J';
const members = { a: '127.0.0.1:1' };

/** What an honest node would say. The state that it has is the one of `honestState`. */
function storeAnswer(request: Request): StoreAnswer {
  switch (request.type) {
    case 'get':
      return { type: 'value', value: Buffer.from('honest') };
    case 'watch':
      return { type: 'watching', index };
    case 'snapshot':
      return { type: 'snapshot', index };
    case 'status': {
      const counts = { pid: 1, term: 1, commit: index, applied: index, keys: 1 };
      const names = { id: 'a', cluster: 'x', address: members.a, leader: 'a' };
      const config = { members, voters: ['a'], nonVoters: [] };
      return { type: 'status', status: { ...counts, ...names, ...config, role: 'leader' } };
    }
    default:
      return { type: 'done' };
  }
}

export const honestState = 'honest';

function replicaAnswer(request: ReplicaRequest): ReplicaAnswer<unknown> {
  if (request.type === 'dispatch') return { type: 'result', result: 'honest' };
  if (request.type !== 'watch') return { type: 'readIndex', index };
  if (request.after !== null) return { type: 'entries', index, blocks: [] };
  return { type: 'snapshot', index, state: pack(honestState) };
}

/** Ids and honest answers to what is asked in a frame, as the values that they are packed from. */
function answersTo(name: string, frame: Uint8Array): readonly (readonly unknown[])[] {
  const with_ = <Asked, Answer extends Typed>(
    protocol: Protocol<Asked, Answer>,
    answer: (request: Asked) => Answer,
  ): unknown[][] =>
    decodeRequests(protocol, frame).map(({ asked: { id, request } }) => [
      ...[id, 0],
      ...protocol.fieldsOfAnswer(answer(request)),
    ]);
  return name === replicas.name
    ? with_(replicas, replicaAnswer)
    : with_(keyValueProtocol, storeAnswer);
}

const welcome =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n';

export class HostileServer {
  isHonest = false;
  /** Frames, and answers to a greeting. */
  said = 0;
  address = '';
  private readonly wires = new Set<Socket>();
  private readonly server: Server = createServer();
  private readonly sockets = new WebSocketServer({ noServer: true });

  constructor(private readonly random: Random) {}

  async open(): Promise<this> {
    this.server.on('connection', (wire) => {
      this.wires.add(wire);
      wire.on('error', () => undefined);
      wire.on('close', () => this.wires.delete(wire));
    });
    this.server.on('upgrade', (request, _, head) => {
      const wire = request.socket;
      if (!this.isHonest && this.random.chance(0.2)) return this.greetBadly(wire);
      this.sockets.handleUpgrade(request, wire, head, (socket) => this.serve(socket, wire));
    });
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.address = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  get connections(): number {
    return this.wires.size;
  }

  cut(): void {
    for (const wire of this.wires) wire.destroy();
  }

  close(): Promise<unknown> {
    this.cut();
    return new Promise((resolve) => this.server.close(resolve));
  }

  private greetBadly(wire: Socket): void {
    const { random } = this;
    this.said += 1;
    switch (random.below(5)) {
      case 0:
        wire.destroy();
        break;
      case 1:
        break;
      case 2:
        wire.write('HTTP/1.1 503 No\r\n\r\n');
        this.endlessly(wire, () => wire.write(escape.repeat(100)));
        break;
      case 3:
        wire.end(`HTTP/1.1 302 There\r\nLocation: ws://${this.address}/client\r\n\r\n`);
        break;
      default:
        wire.write(mutateBytes(random, Buffer.from(welcome)));
    }
  }

  private serve(socket: WebSocket, wire: Socket): void {
    const { isHonest } = this;
    socket.on('error', () => undefined);
    if (!isHonest && this.random.chance(0.1)) this.misbehave(socket, wire);
    socket.on('message', (data) => {
      for (const answer of answersTo(socket.protocol, data as Buffer)) {
        if (isHonest) socket.send(pack(answer));
        else this.say(socket, wire, answer);
      }
    });
  }

  /** Something, in the place of an answer. */
  private say(socket: WebSocket, wire: Socket, answer: readonly unknown[]): void {
    const { random } = this;
    const [id, ...fields] = answer;
    this.said += 1;
    switch (random.below(10)) {
      case 0:
        return socket.send(pack([random.pick([0, -1, 2 ** 53, 1, 2, 3, 1e6]), ...fields]));
      case 1:
        for (let times = 3; times > 0; times -= 1) socket.send(packedMutant(random, [answer]));
        return undefined;
      case 2:
        return socket.send(mutateText(random, random.pick([...texts, '1048576']) ?? ''));
      case 3:
        return this.misbehave(socket, wire);
      case 4:
        return socket.send(
          pack(
            random.pick([
              [id, 1, 2, 'lead?'],
              [id, 2, 'who?'],
              [id, 1, 9, 1],
            ]),
          ),
        );
      case 5:
        return undefined;
      case 6:
        return socket.send(pack(answer));
      default:
        return socket.send(packedMutant(random, [answer]));
    }
  }

  /** What no frame is, or no end of one. */
  private misbehave(socket: WebSocket, wire: Socket): void {
    const { random } = this;
    const piece = packedMutant(random, [[1, 0, 1], 'x'.repeat(1000)]);
    switch (random.below(6)) {
      case 0:
        return socket.terminate();
      case 1:
        return socket.close(random.pick([1000, 1011, 3000, 4001]), random.pick(['', 'x', escape]));
      case 2:
        return void wire.write(mutateBytes(random, Buffer.from([0x82, 3, 0x91, 1, 0])));
      case 3:
        return void wire.end(Buffer.from([0x82, 100, 0x91]));
      case 4:
        return this.endlessly(wire, () => socket.send(piece));
      default:
        return this.endlessly(wire, () => socket.send(piece, { fin: false }));
    }
  }

  /** Again and again, as long as somebody is there to hear it, and does. */
  private endlessly(wire: Socket, say: () => unknown): void {
    const next = (): void => {
      if (wire.destroyed || this.isHonest) return;
      if (wire.writableLength < 1 << 16) say();
      setImmediate(next);
    };
    next();
  }
}
