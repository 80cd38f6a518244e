/** What is under way on one connection, of whatever kind: who asked what, and who hears of it. */
import type { SchedulerLike } from 'rxjs';
import { Observable } from 'rxjs';
import { turnScheduler } from '../turn-scheduler.js';
import { ConnectionLost } from './connection-lost.js';
import type { Failure, Protocol, Typed } from './protocol.js';
import { decodeAnswer, encodeBatch, encodeRequest, maxBatch } from './protocol.js';

export interface ConversationOptions {
  readonly address: string;
  /** Requests of clients that a node passes on. Default false. */
  readonly forwarded?: boolean;
  /** Takes what is to be sent now, in order. */
  readonly send: (frames: readonly Uint8Array[]) => void;
  /** The turn in which requests are gathered. Default `turnScheduler`. */
  readonly scheduler?: SchedulerLike;
}

type Listener<Answer> = (answer: Answer | Failure | ConnectionLost, id: number) => void;

/**
 * The requests of one turn leave together, as a batch in one frame: what a node reads in one turn
 * is one block of its log.
 */
export class Conversation<Request, Answer extends Typed> {
  isOpen = true;
  /** Of requests that wait for the end of the turn. */
  waitingBytes = 0;
  private readonly listeners = new Map<number, Listener<Answer>>();
  private waiting = new Map<number, Uint8Array>();
  private lastId = 0;

  constructor(
    private readonly protocol: Protocol<Request, Answer>,
    private readonly options: ConversationOptions,
  ) {}

  /** The one answer. Rejects with ConnectionLost: the outcome is unknown if it was sent. */
  ask(request: Request): Promise<Answer | Failure> {
    return new Promise((resolve, reject) => {
      this.say(request, (answer, id) => {
        this.listeners.delete(id);
        if (answer instanceof ConnectionLost) reject(answer);
        else resolve(answer);
      });
    });
  }

  /**
   * Everything that comes under one number. Errors with ConnectionLost; never completes. Whoever
   * unsubscribes within the turn has not asked.
   */
  answers(request: Request): Observable<Answer | Failure> {
    return new Observable((subscriber) => {
      const id = this.say(request, (answer) => {
        if (answer instanceof ConnectionLost) subscriber.error(answer);
        else subscriber.next(answer);
      });
      return () => this.forget(id);
    });
  }

  onFrame(frame: Uint8Array): void {
    const { id, answer } = decodeAnswer(this.protocol, frame);
    this.listeners.get(id)?.(answer, id);
  }

  /** Whoever still waits is told why. */
  end(cause: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const { address } = this.options;
    const listeners = [...this.listeners];
    const unsent = new Set(this.waiting.keys());
    this.listeners.clear();
    this.clear();
    for (const [id, listener] of listeners) {
      listener(new ConnectionLost(address, cause, !unsent.has(id)), id);
    }
  }

  private say(request: Request, listener: Listener<Answer>): number {
    const id = (this.lastId += 1);
    if (!this.isOpen) {
      listener(new ConnectionLost(this.options.address, 'closed', false), id);
      return id;
    }
    const { forwarded = false, scheduler = turnScheduler } = this.options;
    const bytes = encodeRequest(this.protocol, { id, forwarded, request });
    if (this.waiting.size === 0) scheduler.schedule(() => this.flush());
    this.waiting.set(id, bytes);
    this.waitingBytes += bytes.length;
    this.listeners.set(id, listener);
    return id;
  }

  private forget(id: number): void {
    this.listeners.delete(id);
    this.waitingBytes -= this.waiting.get(id)?.length ?? 0;
    this.waiting.delete(id);
  }

  private flush(): void {
    const requests = [...this.waiting.values()];
    this.clear();
    if (requests.length > 0) this.options.send(batchesOf(requests, this.protocol.maxFrameBytes));
  }

  private clear(): void {
    this.waiting.clear();
    this.waitingBytes = 0;
  }
}

/** What a list of MessagePack and each of the byte strings in it take beside their bytes. */
const headBytes = 5;

/** As few frames as the limits allow. A request that is longer alone has a frame of its own. */
function batchesOf(requests: readonly Uint8Array[], maxBytes: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let batch: Uint8Array[] = [];
  let length = headBytes;
  for (const request of requests) {
    const isFull = batch.length >= maxBatch || length + headBytes + request.length > maxBytes;
    if (isFull && batch.length > 0) {
      frames.push(encodeBatch(batch));
      batch = [];
      length = headBytes;
    }
    batch.push(request);
    length += headBytes + request.length;
  }
  frames.push(encodeBatch(batch));
  return frames;
}
