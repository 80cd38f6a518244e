/**
 * Two nodes in a page, whose third member is hostile: on a BroadcastChannel, and at a relay on a
 * real socket, which may be hostile itself. They agree on commands all the while.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect as connectTcp } from 'node:net';
import type { Observable, Subscription } from 'rxjs';
import { firstValueFrom, from, timeout } from 'rxjs';
import { afterEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { NetworkEvent, PeerChannel } from '../../adapters/channel-network.js';
import { broadcastChannel, channelNetwork } from '../../adapters/channel-network.js';
import { clock } from '../../adapters/clock.js';
import { machine } from '../../adapters/machine.js';
import { MemoryDisk, memoryStore } from '../../adapters/memory-store.js';
import { relay } from '../../adapters/relay.js';
import { relayedChannel } from '../../adapters/relayed-channel.js';
import { Random } from '../../adapters/testing/simulation/random.js';
import { turnScheduler } from '../../adapters/turn-scheduler.js';
import { loop } from '../../lib/loop.js';
import { raft } from '../../lib/raft.js';
import { until } from '../cluster/cluster.js';
import { memoryInUse } from '../memory.js';
import {
  bytesOf,
  cluster,
  codecs,
  frames,
  greeting,
  initialVoters,
  textOf,
} from './hostile-page.js';
import { mutateBytes, mutateValue } from './mutate.js';

const total = Number(process.env['RXRAFT_FUZZ_INPUTS'] ?? 2_000_000);
const seed = Number(process.env['RXRAFT_SEED'] ?? Date.now() % 2 ** 31);
const rounds = Math.max(10, Math.ceil(total / 5000));

/** What may still be in use afterwards, in MiB. */
const growthAtMost = 16;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A node that keeps the last command, and counts what it did not take. */
class Member {
  refused = 0;
  error: unknown = null;
  private readonly last = machine({
    reducer: (_: number, command: number) => ({ state: command, result: command }),
    initialState: 0,
    scheduler: turnScheduler,
    snapshotEvery: { entries: 100 },
  });

  constructor(id: string, channels: Observable<PeerChannel>) {
    const onEvent = ({ type }: NetworkEvent): void => {
      if (type === 'refused' || type === 'dropped') this.refused += 1;
    };
    const { storage, recovered } = memoryStore(new MemoryDisk<readonly number[], number>());
    const network = channelNetwork({ cluster, id, channels, onEvent, ...codecs });
    const core = raft<readonly number[], number>(
      { id, initialVoters, ...recovered },
      turnScheduler,
    );
    const adapters = { clock: clock(), storage, network, machine: this.last.adapter };
    const run: Subscription = loop(core, adapters).subscribe({
      error: (error: unknown) => (this.error = error),
    });
    cleanups.push(() => run.unsubscribe());
  }

  /** False as well when nobody has agreed on it within ten seconds. */
  async does(number: number): Promise<boolean> {
    const result$ = from(this.last.dispatch(number)).pipe(timeout(10_000));
    return (await firstValueFrom(result$).catch(() => null)) === number;
  }
}

/** So many rounds of it, and in each the members agree on a command. */
async function survive(
  members: readonly Member[],
  attack: (random: Random) => unknown,
): Promise<void> {
  let before = 0;
  for (let number = 0; number < rounds; number += 1) {
    if (number === Math.ceil(rounds / 10)) before = await memoryInUse();
    await attack(Random.of(seed, number));
    const isDone = async (): Promise<boolean> => {
      for (const member of members) {
        expect(member.error).toBeNull();
        if (await member.does(number)) return true;
      }
      return false;
    };
    await until('a command is done', isDone, 30_000);
  }
  for (const { refused } of members) expect(refused).toBeGreaterThan(0);
  expect((await memoryInUse()) - before).toBeLessThan(growthAtMost);
}

it(`a hostile tab, RXRAFT_SEED=${seed}: the others agree all the while`, async () => {
  const name = `fuzzed ${seed}`;
  const members = ['a', 'b'].map((id) => new Member(id, broadcastChannel(name)));
  const hostile = new BroadcastChannel(name);
  cleanups.push(() => hostile.close());
  await survive(members, (random) => frames(random).forEach((frame) => hostile.postMessage(frame)));
}, 3_600_000);

/** Greets, or almost, says all that, and is gone. */
function converse(url: string, words: unknown, posts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const end = (): void => {
      clearTimeout(late);
      socket.terminate();
      resolve();
    };
    const late = setTimeout(end, 5000);
    socket.on('error', end);
    socket.on('close', end);
    socket.on('pong', end);
    socket.on('open', () => {
      socket.send(textOf(words));
      for (const post of posts) socket.send(post);
      socket.ping();
    });
  });
}

/** Listens on a port of its own. */
async function listening(): Promise<{ server: ReturnType<typeof createServer>; host: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A relay that answers a greeting, which is kept, with what it likes, until it hangs up. */
async function hostileRelay(heard: Set<string>): Promise<string> {
  const { server, host } = await listening();
  const random = Random.of(seed, -1);
  const sockets = new WebSocketServer({ server });
  cleanups.push(() => sockets.clients.forEach((socket) => socket.terminate()));
  sockets.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.once('message', (words) => {
      heard.add((words as Buffer).toString());
      const welcome = ['rxraft relay', 1];
      socket.send(textOf(random.chance(0.7) ? welcome : mutateValue(random, welcome)));
      for (const post of bytesOf(random, frames(random))) socket.send(post);
      for (const text of ['["alive"]', '1048576', '{', '']) socket.send(text);
      if (random.chance(0.5)) socket.terminate();
      else socket.close(4001, 'x\0\u001b[2J');
    });
  });
  return `ws://${host}/relay`;
}

it(`a hostile node at a relay, RXRAFT_SEED=${seed}: the others agree all the while`, async () => {
  const { server, host } = await listening();
  const url = `ws://${host}/relay`;
  const relaying = relay(server, { cluster }).subscribe();
  cleanups.push(() => relaying.unsubscribe());
  const heard = new Set<string>();
  const hostileUrl = await hostileRelay(heard);
  const random = Random.of(seed, -2);
  const dialled = new Set<WebSocket>();
  /** One of two that are dialled is the hostile one. */
  const Dialled = class extends WebSocket {
    constructor(to: string) {
      super(random.chance(0.5) ? hostileUrl : to);
      dialled.add(this);
      this.on('close', () => dialled.delete(this));
    }
  };
  const reconnectMs = { minimum: 5, maximum: 50 };
  const members = ['a', 'b'].map((id) => {
    const options = { url, cluster, id, reconnectMs, WebSocket: Dialled as never };
    return new Member(id, relayedChannel(options));
  });
  await survive(members, async (chance) => {
    const posts = bytesOf(chance, frames(chance));
    await Promise.all([
      converse(url, greeting, posts),
      converse(url, mutateValue(chance, greeting), posts),
      shout(host, mutateBytes(chance, Buffer.from(upgrade))),
    ]);
    // Whoever is dialled anew may be the hostile one.
    if (chance.chance(0.2)) for (const each of dialled) each.terminate();
  });
  expect(heard.size).toBe(2);
}, 3_600_000);

const upgrade =
  'GET /relay HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n';

/** Bytes on a plain socket, and the end. */
function shout(host: string, bytes: Uint8Array): Promise<void> {
  const [name = '', port] = host.split(':');
  return new Promise((resolve) => {
    const socket = connectTcp(Number(port), name);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.setTimeout(200, () => socket.destroy());
    socket.write(bytes, () => socket.end());
    socket.resume();
  });
}
