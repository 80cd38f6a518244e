/**
 * Requests from outside of a cluster, in a page or on Node: over one connection to one node at a
 * time, with many under way. Any node will do, because one that does not lead passes them on; with
 * a guide the leader itself is asked as soon as it is found.
 */
import { firstValueFrom, map, race, Subject, tap, timer } from 'rxjs';
import { causeOf } from '../cause.js';
import { pauseMs } from '../pause.js';
import { clientUrl, socketClass } from './any-socket.js';
import { ConnectionLost } from './connection-lost.js';
import type { Guide } from './leader-search.js';
import { LeaderSearch } from './leader-search.js';
import type { Link, LinkOptions } from './link.js';
import { dial } from './link.js';
import type { Failure, Protocol, Typed } from './protocol.js';
import { isCertain, isFailure } from './protocol.js';

export interface CallerOptions extends LinkOptions {
  /** For one request, with all its tries, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /**
   * The pause before the next try: doubled with every failure in a row from `minimum` to `maximum`,
   * and of that a random part between a half and all. Default 50 to 1,000.
   */
  readonly reconnectMs?: { readonly minimum: number; readonly maximum: number };
  /** Requests under way; more are refused. Default 1,024. */
  readonly maxUnderway?: number;
  /** Of requests that wait to be sent; more are refused. Default 16 MiB. */
  readonly maxBufferedBytes?: number;
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
}

export interface Caller<Request, Answer extends Typed> {
  /**
   * Never rejects. A request that may have been done is not sent again, unless that is harmless;
   * one that was certainly not done is, to the next node, until the time is over.
   */
  ask(request: Request): Promise<Answer | Failure>;
  /** Whoever waits is told. The connection keeps a Node process alive until then. */
  close(): void;
}

/**
 * `guide`: how nodes are asked who leads. Default: they are not. Throws a TypeError for what is no
 * address, or when there is no WebSocket.
 */
export function caller<Request, Answer extends Typed>(
  urls: readonly string[],
  protocol: Protocol<Request, Answer>,
  options: CallerOptions = {},
  guide: Guide<Request, Answer> | null = null,
): Caller<Request, Answer> {
  if (urls.length === 0) throw new TypeError('no urls: give at least one node');
  for (const url of urls) clientUrl(url);
  socketClass(options.webSocket);
  return new PatientCaller(urls, protocol, options, guide);
}

class PatientCaller<Request, Answer extends Typed> implements Caller<Request, Answer> {
  private link: Link<Request, Answer> | null = null;
  /** No more is asked there. */
  private readonly retired = new Set<Link<Request, Answer>>();
  private readonly search: LeaderSearch<Request, Answer> | null;
  private readonly closed$ = new Subject<void>();
  private isClosed = false;
  private turn = 0;
  private underway = 0;

  constructor(
    private readonly urls: readonly string[],
    private readonly protocol: Protocol<Request, Answer>,
    private readonly options: CallerOptions,
    guide: Guide<Request, Answer> | null,
  ) {
    const open = (url: string): Link<Request, Answer> => this.dial(url);
    this.search = guide === null ? null : new LeaderSearch(urls, guide, open);
  }

  async ask(request: Request): Promise<Answer | Failure> {
    const { maxUnderway = 1024 } = this.options;
    const fault = this.protocol.faultOf(request);
    if (fault !== null) return { type: 'refused', reason: 'tooLarge', text: fault };
    if (this.underway >= maxUnderway) return overloaded(`${maxUnderway} requests of this client`);
    this.underway += 1;
    try {
      return await this.patiently(request);
    } finally {
      this.underway -= 1;
    }
  }

  close(): void {
    this.isClosed = true;
    this.closed$.next();
    this.search?.close();
    this.link?.holding.unsubscribe();
    this.link = null;
    for (const link of this.retired) link.holding.unsubscribe();
    this.retired.clear();
  }

  private async patiently(request: Request): Promise<Answer | Failure> {
    const { timeoutMs = 10_000 } = this.options;
    const deadline = performance.now() + timeoutMs;
    const isRepeatable = this.protocol.isRepeatable(request);
    /** What an earlier try may have done, or why there was none. */
    let doubt: Failure | null = null;
    let last = 'the client is closed';
    for (let tries = 0; !this.isClosed; tries += 1) {
      const answer = await this.attempt(request, deadline);
      if (typeof answer === 'string') {
        last = answer;
      } else if (answer.type === 'unknown' && isFailure(answer)) {
        if (!isRepeatable) return answer;
        if (!this.protocol.isRead(request)) doubt = answer;
        last = answer.text;
      } else {
        return isCertain(answer) ? answer : (doubt ?? answer);
      }
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) break;
      await this.pause(tries, remainingMs);
    }
    return doubt ?? { type: 'refused', reason: 'unreachable', text: last };
  }

  /** An answer, or in words why the request was certainly not done. */
  private async attempt(request: Request, deadline: number): Promise<Answer | Failure | string> {
    const link = (this.link ??= this.open());
    link.underway += 1;
    try {
      return await this.attemptOn(link, request, deadline);
    } finally {
      link.underway -= 1;
      if (link.underway === 0 && this.retired.delete(link)) link.holding.unsubscribe();
    }
  }

  private async attemptOn(
    link: Link<Request, Answer>,
    request: Request,
    deadline: number,
  ): Promise<Answer | Failure | string> {
    const remaining$ = timer(Math.max(0, deadline - performance.now()));
    const late$ = remaining$.pipe(map(() => `${link.url}: no connection in time`));
    const connection = await firstValueFrom(race(link.dialled, late$));
    if (typeof connection === 'string') {
      this.letGo(link);
      return connection;
    }
    if (!connection.isOpen) {
      // Lost while nobody waited for an answer, who would have noticed.
      this.letGo(link);
      return `${link.url}: the connection was lost`;
    }
    if (this.search?.isDue === true && link === this.link) void this.toLeader(link);
    const { maxBufferedBytes = 16 << 20 } = this.options;
    if (connection.bufferedAmount > maxBufferedBytes) return overloaded('what waits to be sent');
    const late = (why: string): Failure => ({ type: 'unknown', text: why });
    const answer$ = race(
      connection.answers(request),
      timer(Math.max(0, deadline - performance.now())).pipe(
        // It may hang: others are asked from now on.
        tap(() => this.letGo(link)),
        map(() => late('no answer in time')),
      ),
      this.closed$.pipe(map(() => late('the client was closed'))),
    );
    try {
      const answer = await firstValueFrom(answer$);
      if (!isFailure(answer) || answer.type === 'unknown') return answer;
      if (answer.reason !== 'noLeader' && answer.reason !== 'notLeader') return answer;
      // Another node may know one.
      this.letGo(link);
      return answer.text;
    } catch (error) {
      this.letGo(link);
      const wasSent = !(error instanceof ConnectionLost) || error.wasSent;
      return wasSent ? late(causeOf(error)) : causeOf(error);
    }
  }

  private open(): Link<Request, Answer> {
    this.search?.hurry();
    return this.dial(this.urls[this.turn % this.urls.length] ?? '');
  }

  private dial(url: string): Link<Request, Answer> {
    const { timeoutMs = 10_000, connectTimeoutMs = 3000 } = this.options;
    const most = Math.min(timeoutMs, connectTimeoutMs);
    return dial(url, this.protocol, { ...this.options, connectTimeoutMs: most });
  }

  /** Other requests may be under way there: it is closed when the last of them has ended. */
  private letGo(link: Link<Request, Answer>): void {
    if (this.link !== link) return;
    this.link = null;
    this.turn += 1;
    this.retired.add(link);
  }

  /** Requests go on by the old link meanwhile, and what is under way there is waited for. */
  private async toLeader(link: Link<Request, Answer>): Promise<void> {
    const better = (await this.search?.from(link)) ?? null;
    if (better === null) return;
    if (this.isClosed || this.link !== link) return better.holding.unsubscribe();
    this.link = better;
    this.turn = this.urls.indexOf(better.url);
    if (link.underway === 0) link.holding.unsubscribe();
    else this.retired.add(link);
  }

  private async pause(tries: number, remainingMs: number): Promise<void> {
    const { reconnectMs = { minimum: 50, maximum: 1000 }, random = Math.random } = this.options;
    const longestMs = pauseMs(tries + 1, { reconnectMs, random });
    await firstValueFrom(race(timer(Math.min(remainingMs, longestMs)), this.closed$), {
      defaultValue: null,
    });
  }
}

function overloaded(what: string): Failure {
  return { type: 'refused', reason: 'overloaded', text: `too much is under way: ${what}` };
}
