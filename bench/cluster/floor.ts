/**
 * The floor: what a cluster of this shape costs without Raft. A leader that is fixed, two
 * followers, the same sockets, the same frames and the same disk. Everything that arrives in a turn
 * is one block; one write and one fdatasync run at a time, what gathers meanwhile is the next; a
 * block is acknowledged when the leader and one follower have it on disk, and applied to a map.
 * There is no term, no election, no check of anything: nobody should keep data in it.
 *
 *     node floor.js leader <file> <port> <follower's address> <follower's address>
 *     node floor.js follower <file> <port>
 */
import { fdatasync, openSync, write } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import type { Request } from '../../adapters/key-value/client-protocol.js';
import { keyValueProtocol } from '../../adapters/key-value/client-protocol.js';
import type { AnyCommand, Command } from '../../adapters/key-value/commands.js';
import { packBlock, unpackBlock } from '../../adapters/key-value/commands.js';
import { emptyState, lookUp, reducer } from '../../adapters/key-value/reducer.js';
import type { Asked } from '../../adapters/gateway/protocol.js';
import { decodeRequests, encodeAnswer } from '../../adapters/gateway/protocol.js';

const [, , role = '', file = '', port = '', ...followers] = process.argv;

const state = emptyState();

function apply(commands: readonly AnyCommand[]): void {
  for (const command of commands) reducer(state, command);
}

/** A file that is appended to, one write with one sync at a time. */
class Disk {
  private readonly descriptor: number;
  private gathered: Uint8Array[] = [];
  private isWriting = false;
  private count = 0;

  constructor(
    path: string,
    /** So many blocks are on disk. */
    private readonly onDurable: (count: number) => void,
  ) {
    this.descriptor = openSync(path, 'a');
  }

  append(block: Uint8Array): void {
    this.gathered.push(block);
    this.flush();
  }

  private flush(): void {
    if (this.isWriting || this.gathered.length === 0) return;
    const blocks = this.gathered;
    this.gathered = [];
    this.isWriting = true;
    const bytes = Buffer.concat(blocks);
    write(this.descriptor, bytes, (failure) => {
      if (failure !== null) throw failure;
      fdatasync(this.descriptor, (error) => {
        if (error !== null) throw error;
        this.isWriting = false;
        this.count += blocks.length;
        this.onDurable(this.count);
        this.flush();
      });
    });
  }
}

/** What one sends in a turn leaves in one write. */
function corked(socket: WebSocket, wire: IncomingMessage['socket'] | null) {
  let isCorked = false;
  return (frame: Uint8Array): void => {
    if (!isCorked && wire !== null) {
      isCorked = true;
      wire.cork();
      process.nextTick(() => {
        isCorked = false;
        wire.uncork();
      });
    }
    socket.send(frame);
  };
}

type Send = ReturnType<typeof corked>;

interface Block {
  readonly commands: readonly Command[];
  readonly askers: readonly { readonly send: Send; readonly id: number }[];
}

/** The leader's blocks, and how far each copy of them is. */
class Leader {
  private readonly disk: Disk;
  private readonly blocks: Block[] = [];
  private readonly durable: number[];
  private readonly sends: Send[];
  private done = 0;
  private gathered: { send: Send; id: number; command: Command }[] = [];

  constructor(path: string, sockets: readonly WebSocket[]) {
    this.durable = [0, ...sockets.map(() => 0)];
    this.disk = new Disk(path, (count) => this.onDurable(0, count));
    this.sends = sockets.map((socket) => (frame) => socket.send(frame));
    for (const [at, socket] of sockets.entries()) {
      socket.on('message', (data) => this.onDurable(at + 1, (data as Buffer).readDoubleBE(0)));
    }
  }

  onRequest(send: Send, frame: Uint8Array): void {
    for (const { asked } of decodeRequests(keyValueProtocol, frame)) this.onAsked(send, asked);
  }

  private onAsked(send: Send, { id, request }: Asked<Request>): void {
    if (request.type === 'get') {
      const value = lookUp(state, request.key);
      const answer =
        value === undefined ? ({ type: 'missing' } as const) : { type: 'value' as const, value };
      send(encodeAnswer(keyValueProtocol, id, answer));
      return;
    }
    if (request.type !== 'command') throw new Error(`the floor has no ${request.type}`);
    if (this.gathered.length === 0) setImmediate(() => this.propose());
    this.gathered.push({ send, id, command: request.command });
  }

  private propose(): void {
    const askers = this.gathered;
    this.gathered = [];
    const commands = askers.map((each) => each.command);
    const block = packBlock(commands);
    this.blocks.push({ commands, askers });
    for (const send of this.sends) send(block);
    this.disk.append(block);
  }

  private onDurable(copy: number, count: number): void {
    this.durable[copy] = count;
    const [, majority = 0] = [...this.durable].sort((a, b) => b - a);
    for (; this.done < majority; this.done += 1) {
      const { commands, askers } = this.blocks.shift() as Block;
      apply(commands);
      for (const { send, id } of askers) {
        send(encodeAnswer(keyValueProtocol, id, { type: 'done' }));
      }
    }
  }
}

function serve(onSocket: (socket: WebSocket, request: IncomingMessage) => void): void {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', onSocket);
  server.listen(Number(port), '127.0.0.1');
}

function lead(): void {
  const sockets = followers.map((address) => {
    return new WebSocket(`ws://${address}`, {
      perMessageDeflate: false,
      generateMask: () => undefined,
    });
  });
  const leader = new Leader(file, sockets);
  let open = 0;
  for (const socket of sockets) {
    socket.on('open', () => {
      open += 1;
      if (open < sockets.length) return;
      serve((client, request) => {
        const send = corked(client, request.socket);
        client.on('message', (data) => leader.onRequest(send, data as Buffer));
        client.on('error', () => undefined);
      });
    });
  }
}

function follow(): void {
  serve((socket) => {
    const disk = new Disk(file, (count) => {
      const frame = Buffer.alloc(8);
      frame.writeDoubleBE(count);
      socket.send(frame);
    });
    socket.on('message', (data) => {
      disk.append(data as Buffer);
      apply(unpackBlock(data as Buffer));
    });
  });
}

if (role === 'leader') lead();
else follow();
