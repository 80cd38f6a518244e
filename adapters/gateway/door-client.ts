/** One connection of a client at a node's door, as long as it lasts. */
import type { IncomingMessage } from 'node:http';
import { asyncScheduler, filter, firstValueFrom, interval, map, race, timer } from 'rxjs';
import type { WebSocket } from 'ws';
import { causeOf } from '../cause.js';
import { closeCode, closeReason } from '../close-reason.js';
import { pulse } from '../ws-dial.js';
import type { DoorLimits, DoorOptions } from './door-options.js';
import type { Asked, Failure, Received, Typed } from './protocol.js';
import { decodeRequests, encodeAnswer } from './protocol.js';

/** What is kept with each answer until it has left, however short: measured, and some more. */
const keptBytes = 640;

/** What it takes to say that an answer is withheld, with all that is kept until it has left. */
const noticeBytes = 1024;

/** What all clients together have under way. */
export interface Underway {
  requests: number;
  requestBytes: number;
  answerBytes: number;
  watches: number;
}

export class DoorClient<Request, Answer extends Typed> {
  private isCorked = false;
  /** Of answers, with what is kept of each. */
  private unreadBytes = 0;
  /** Of answers that had no room since all was read. */
  private withheldBytes = 0;
  private readonly presence = new AbortController();

  constructor(
    private readonly socket: WebSocket,
    private readonly request: IncomingMessage,
    private readonly options: DoorOptions<Request, Answer>,
    private readonly limits: DoorLimits,
    private readonly underway: Underway,
  ) {
    const { pingMs = 10_000 } = options;
    const silence = pulse(socket, request.socket, { pingMs, scheduler: asyncScheduler }).subscribe({
      error: () => socket.terminate(),
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      silence.unsubscribe();
      this.presence.abort();
    });
    socket.on('message', (data, isBinary) => this.onFrame(data as Buffer, isBinary));
  }

  private onFrame(frame: Uint8Array, isBinary: boolean): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    const { protocol } = this.options;
    try {
      if (!isBinary) throw new Error('words where a request should be');
      for (const received of decodeRequests(protocol, frame)) this.onRequest(received);
    } catch (error) {
      // Where one frame ends is certain, what it means is not: the client has another protocol.
      this.socket.close(
        closeCode.unreadable,
        closeReason(`not ${protocol.name}: ${causeOf(error)}`),
      );
    }
  }

  private onRequest({ asked, bytes }: Received<Request>): void {
    const { id, request } = asked;
    const fault = this.options.protocol.faultOf(request);
    if (fault !== null) this.send(id, { type: 'refused', reason: 'tooLarge', text: fault });
    else if (this.isFull(bytes)) this.send(id, overloaded('requests'));
    else void this.handle(asked, bytes);
  }

  private isFull(bytes: number): boolean {
    const { requests, requestBytes } = this.underway;
    const { limits } = this;
    return requests >= limits.requests || requestBytes + bytes > limits.requestBytes;
  }

  private async handle(asked: Asked<Request>, bytes: number): Promise<void> {
    const { id, request } = asked;
    this.underway.requests += 1;
    this.underway.requestBytes += bytes;
    const answer = await this.answerTo(asked).catch(failed);
    this.underway.requests -= 1;
    this.underway.requestBytes -= bytes;
    if (answer === null) return;
    const isWithheld = this.isTooMuch() && this.options.protocol.isRead(request);
    this.send(id, isWithheld ? overloaded('answers that nobody reads') : answer);
  }

  /** Null: whoever watched is gone. */
  private async answerTo({
    id,
    request,
    forwarded,
  }: Asked<Request>): Promise<Answer | Failure | null> {
    const stream = this.options.watch?.(request, this.presence.signal) ?? null;
    return stream === null ? this.options.answer(request, forwarded) : this.tell(id, stream);
  }

  private async tell(id: number, stream: AsyncIterable<Answer>): Promise<Failure | null> {
    const { socket, limits, underway } = this;
    if (underway.watches >= limits.watches) return overloaded('watches');
    if (this.isTooMuch()) return overloaded('answers that nobody reads');
    underway.watches += 1;
    try {
      for await (const answer of stream) {
        this.send(id, answer);
        if (this.isBehind() && !(await this.hasRead())) {
          socket.close(closeCode.tooSlow, 'what is watched changes faster than it is read');
        }
        if (socket.readyState !== socket.OPEN) return null;
      }
      return null;
    } finally {
      underway.watches -= 1;
    }
  }

  /** Is more unread, of all clients, than may be? */
  private isTooMuch(): boolean {
    return this.underway.answerBytes > this.limits.answerBytes;
  }

  /** Must this client read before it is told more? */
  private isBehind(): boolean {
    return this.unreadBytes > (this.isTooMuch() ? 0 : this.limits.watchBytes);
  }

  /** Some of what waits, in time. */
  private hasRead(): Promise<boolean> {
    const { socket, limits } = this;
    const isOver = (): boolean => !this.isBehind() || socket.readyState !== socket.OPEN;
    const read$ = interval(20).pipe(
      filter(isOver),
      map(() => true),
    );
    const late$ = timer(limits.watchMs).pipe(map(() => false));
    return firstValueFrom(race(read$, late$));
  }

  private send(id: number, answer: Answer | Failure): void {
    const { socket, underway, limits } = this;
    if (socket.readyState !== socket.OPEN) return;
    let frame = this.frameOf(id, answer);
    if (this.unreadBytes === 0) {
      this.withheldBytes = 0;
    } else if (this.unreadBytes + frame.length > limits.unreadBytes) {
      // A connection is shared by many requests, that of a node by those of all its clients.
      this.withheldBytes += frame.length + noticeBytes;
      if (this.withheldBytes > 4 * limits.unreadBytes) return socket.terminate();
      frame = this.frameOf(id, noRoom(frame.length));
    }
    this.cork();
    const bytes = frame.length + keptBytes;
    this.unreadBytes += bytes;
    underway.answerBytes += bytes;
    socket.send(frame, () => {
      this.unreadBytes -= bytes;
      underway.answerBytes -= bytes;
    });
  }

  /** A result that has no form on the wire must not be taken for one that was not done. */
  private frameOf(id: number, answer: Answer | Failure): Uint8Array {
    const { protocol } = this.options;
    try {
      const frame = encodeAnswer(protocol, id, answer);
      const limit = protocol.maxAnswerBytes ?? protocol.maxFrameBytes;
      if (frame.length <= limit) return frame;
      const text = `the answer has ${frame.length} bytes, and the limit is ${limit}`;
      return encodeAnswer(protocol, id, { type: 'unknown', text });
    } catch (error) {
      return encodeAnswer(protocol, id, { type: 'unknown', text: causeOf(error) });
    }
  }

  /** What is answered together leaves in one write, when all of it has been said. */
  private cork(): void {
    if (this.isCorked) return;
    this.isCorked = true;
    const wire = this.request.socket;
    wire.cork();
    process.nextTick(() => {
      this.isCorked = false;
      wire.uncork();
    });
  }
}

function failed(error: unknown): Failure {
  return { type: 'refused', reason: 'failed', text: causeOf(error) };
}

function noRoom(bytes: number): Failure {
  const text = `the answer has ${bytes} bytes, and too many before it are unread`;
  return { type: 'unknown', text };
}

function overloaded(what: string): Failure {
  const text = `too much is under way: ${what} at this node; try again when there is less`;
  return { type: 'refused', reason: 'overloaded', text };
}
