/** The way from one node to another, through a TCP proxy that can be made a bad one. */
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Random } from '../simulation/random.js';

/** What a way does to the bytes on it. */
export type Weather =
  | { readonly type: 'clear' }
  /** Connections are reset, and new ones too. */
  | { readonly type: 'cut' }
  /** Nothing passes, and nobody is told; what waits arrives, late, when the weather is clear. */
  | { readonly type: 'held' }
  /** Bytes and goodbyes vanish: what was open stays half open, in clear weather too. */
  | { readonly type: 'swallowed' }
  /** Each piece takes `delayMs`, and up to `spreadMs` more; the order stays. */
  | { readonly type: 'slow'; readonly delayMs: number; readonly spreadMs: number };

export const clear: Weather = { type: 'clear' };

/** What waits for a receiver that does not read, before the sender is made to wait as well. */
const highWaterBytes = 1 << 20;

/**
 * Of the connections that one node dials to one other. Both ways of them have the same weather: a
 * node sends its messages on the connections that it has dialled, so that a way that is closed in
 * one direction is one link that is, and the link of the other direction is not.
 */
export class Link {
  private weather: Weather = clear;
  private readonly connections = new Set<Connection>();

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
    private readonly random: Random,
  ) {
    server.on('connection', (near) => this.onConnection(near));
  }

  /** From a port of its own to that port of this machine. */
  static async open(targetPort: number, random: Random): Promise<Link> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Link(server, targetPort, random);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  set(weather: Weather): void {
    this.weather = weather;
    for (const connection of this.connections) connection.set(weather);
  }

  /** Resets what is open, half open or not. New connections are had in the same weather. */
  reset(): void {
    for (const connection of this.connections) connection.reset();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private onConnection(near: Socket): void {
    if (this.weather.type === 'cut') {
      near.on('error', () => undefined);
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.targetPort, '127.0.0.1');
    const connection = new Connection(near, far, this.random, () =>
      this.connections.delete(connection),
    );
    this.connections.add(connection);
    connection.set(this.weather);
  }
}

class Connection {
  private readonly ways: readonly [Way, Way];
  private open = 2;

  constructor(
    private readonly near: Socket,
    private readonly far: Socket,
    random: Random,
    onClosed: () => void,
  ) {
    this.ways = [new Way(near, far, random), new Way(far, near, random)];
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.open -= 1;
        if (this.open === 0) onClosed();
      });
    }
  }

  set(weather: Weather): void {
    if (weather.type === 'cut') this.reset();
    else for (const way of this.ways) way.set(weather);
  }

  reset(): void {
    this.near.resetAndDestroy();
    this.far.resetAndDestroy();
  }
}

/** A piece of bytes, or null for the end, and when it is to arrive. */
type Piece = readonly [Buffer | null, number];

/** One direction of a connection. */
class Way {
  private weather: Weather = clear;
  private readonly pieces: Piece[] = [];
  private timer: NodeJS.Timeout | null = null;
  /** The receiver misses some bytes: it must not be given any that come behind them. */
  private isLost = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly random: Random,
  ) {
    from.on('data', (bytes) => this.take(bytes));
    from.on('close', () => this.take(null));
    to.on('drain', () => this.flow());
    to.on('close', () => this.forget());
  }

  set(weather: Weather): void {
    this.weather = weather;
    if (weather.type === 'swallowed') {
      this.isLost = true;
      this.forget();
    }
    this.flow();
    this.deliver();
  }

  private get isHeld(): boolean {
    return this.weather.type === 'held' && !this.isLost;
  }

  private flow(): void {
    if (this.isHeld) this.from.pause();
    else if (this.to.writableLength < highWaterBytes) this.from.resume();
  }

  private take(bytes: Buffer | null): void {
    if (this.isLost) return;
    const last = this.pieces.at(-1)?.[1] ?? 0;
    this.pieces.push([bytes, Math.max(last, performance.now() + this.delayMs())]);
    this.deliver();
  }

  private delayMs(): number {
    if (this.weather.type !== 'slow') return 0;
    return this.weather.delayMs + this.random.next() * this.weather.spreadMs;
  }

  private deliver(): void {
    if (this.timer !== null || this.isHeld) return;
    for (let piece = this.pieces[0]; piece !== undefined; piece = this.pieces[0]) {
      const remainingMs = piece[1] - performance.now();
      if (remainingMs > 0) {
        this.timer = setTimeout(() => {
          this.timer = null;
          this.deliver();
        }, remainingMs);
        return;
      }
      this.pieces.shift();
      this.pass(piece[0]);
    }
  }

  private pass(bytes: Buffer | null): void {
    if (bytes === null) this.to.destroy();
    else if (!this.to.write(bytes) && this.to.writableLength >= highWaterBytes) this.from.pause();
  }

  private forget(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.pieces.length = 0;
  }
}
