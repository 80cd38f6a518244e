/**
 * What a node does with a request: the leader asks its machine, any other node the leader.
 *
 * "If the client's first choice is not the leader, that server will reject the client's request and
 * supply information about the most recent leader it has heard from" (§8). Here it passes the
 * request on instead, once: a request that was passed on is refused where nobody leads.
 */
import type { Observable } from 'rxjs';
import { BehaviorSubject, filter, firstValueFrom, race, timer } from 'rxjs';
import type { NodeId } from '../../lib/position.js';
import {
  CommandFailed,
  CommandTooLarge,
  MachineError,
  OutcomeUnknown,
  Overloaded,
} from '../machine.js';
import { causeOf } from '../cause.js';
import type { Connection } from './connection.js';
import { ConnectionLost } from './connection-lost.js';
import type { Failure, Protocol, Typed } from './protocol.js';
import { isCertain, isFailure } from './protocol.js';

export interface ForwardingOptions<Request, Answer extends Typed> {
  readonly id: NodeId;
  readonly protocol: Pick<Protocol<Request, Answer>, 'isRead' | 'isRepeatable'>;
  /**
   * What this node answers whether it leads or not. Null: a request for the leader. Never rejects.
   */
  readonly here: (request: Request) => Answer | Promise<Answer | Failure> | null;
  /** What the leader answers. Rejects as its machine does. */
  readonly lead: (request: Request) => Promise<Answer>;
  /** The leader as this node knows it, replayed: the newest comes at once. */
  readonly leader$: Observable<NodeId | null>;
  /** Connects to another node. */
  readonly connect: (id: NodeId) => Promise<Connection<Request, Answer>>;
  /** How long a request waits for a leader, together with all its retries. Default 3,000. */
  readonly patienceMs?: number;
  /** Between two tries that were refused for the moment. Default 20. */
  readonly pauseMs?: number;
}

export interface Forwarding<Request, Answer extends Typed> {
  /** Never rejects. `forwarded`: another node has passed it on. */
  answer(request: Request, forwarded: boolean): Promise<Answer | Failure>;
  close(): void;
}

/** `again`: certainly not done, and a later try may fare better. */
type Attempt<Answer> = Answer | Failure | 'again';

interface Link<Request, Answer extends Typed> {
  readonly to: NodeId;
  readonly dialled: Promise<Connection<Request, Answer>>;
  /** The same, for those who wait for it: until nobody asks there any more. */
  readonly connection: Promise<Connection<Request, Answer>>;
  readonly abandon: (why: Error) => void;
  /** The connection, once there is one. */
  open: Connection<Request, Answer> | null;
}

export function forwarding<Request, Answer extends Typed>(
  options: ForwardingOptions<Request, Answer>,
): Forwarding<Request, Answer> {
  return new Forwarder(options);
}

class Forwarder<Request, Answer extends Typed> implements Forwarding<Request, Answer> {
  private leader: NodeId | null = null;
  /** To the newest leader that was not this node. */
  private link: Link<Request, Answer> | null = null;
  private readonly closed$ = new BehaviorSubject(false);
  private readonly watch;
  private readonly patienceMs: number;
  private readonly pauseMs: number;

  constructor(private readonly options: ForwardingOptions<Request, Answer>) {
    this.patienceMs = options.patienceMs ?? 3000;
    this.pauseMs = options.pauseMs ?? 20;
    this.watch = options.leader$.subscribe((leader) => {
      this.leader = leader;
      // What waits at a leader that is over is told so: it may hang, and never answer.
      if (leader !== null && this.link !== null && leader !== this.link.to) this.unlink();
    });
  }

  async answer(request: Request, forwarded: boolean): Promise<Answer | Failure> {
    const own = this.options.here(request);
    if (own !== null) return own;
    const deadline = performance.now() + this.patienceMs;
    /** What an earlier try may have done. */
    let doubt: Failure | null = null;
    for (;;) {
      const attempt = await this.attempt(request, forwarded);
      if (attempt !== 'again') {
        if (attempt.type !== 'unknown') return isCertain(attempt) ? attempt : (doubt ?? attempt);
        if (!this.options.protocol.isRepeatable(request)) return attempt;
        if (!this.options.protocol.isRead(request)) doubt = attempt as Failure;
      }
      const remainingMs = deadline - performance.now();
      const isOver = remainingMs <= 0 || this.closed$.value;
      if (isOver) return doubt ?? noLeader(this.options.id);
      await this.pause(remainingMs);
    }
  }

  close(): void {
    this.closed$.next(true);
    this.watch.unsubscribe();
    this.unlink();
  }

  private attempt(
    request: Request,
    forwarded: boolean,
  ): Promise<Attempt<Answer>> | Attempt<Answer> {
    if (this.leader === this.options.id) return this.options.lead(request).catch(attemptOf);
    if (forwarded) {
      return { type: 'refused', reason: 'notLeader', text: `${this.options.id} does not lead` };
    }
    return this.leader === null ? 'again' : this.forward(this.leader, request);
  }

  private async forward(leader: NodeId, request: Request): Promise<Attempt<Answer>> {
    let connection: Connection<Request, Answer>;
    try {
      connection = await this.connectionTo(leader);
    } catch {
      return 'again';
    }
    try {
      const answer = await connection.ask(request);
      return isNotLeader(answer) ? 'again' : answer;
    } catch (error) {
      if (error instanceof ConnectionLost && !error.wasSent) return 'again';
      return { type: 'unknown', text: `the leader ${leader} was lost: ${causeOf(error)}` };
    }
  }

  private connectionTo(leader: NodeId): Promise<Connection<Request, Answer>> {
    if (this.link?.to === leader && this.link.open?.isOpen !== false) return this.link.connection;
    this.unlink();
    const dialled = this.options.connect(leader);
    let abandon: Link<Request, Answer>['abandon'] = () => undefined;
    const abandoned = new Promise<never>((_, reject) => (abandon = reject));
    const connection = Promise.race([dialled, abandoned]);
    const link: Link<Request, Answer> = { to: leader, dialled, connection, abandon, open: null };
    this.link = link;
    connection.then(
      (open) => (link.open = open),
      () => {
        if (this.link === link) this.link = null;
      },
    );
    return connection;
  }

  private unlink(): void {
    const link = this.link;
    this.link = null;
    // A leader that hangs may not even answer the call.
    link?.abandon(new Error('another node leads'));
    link?.dialled.then(
      (open) => open.close('another node leads'),
      () => undefined,
    );
  }

  /** Until another leader is known, or for a moment: the leader may just not be ready. */
  private async pause(remainingMs: number): Promise<void> {
    const known = this.leader;
    const another$ = this.options.leader$.pipe(filter((id) => id !== null && id !== known));
    const closed$ = this.closed$.pipe(filter(Boolean));
    const moment$ = timer(known === null ? remainingMs : Math.min(remainingMs, this.pauseMs));
    await firstValueFrom(race<unknown[]>(another$, closed$, moment$), { defaultValue: null });
  }
}

function isNotLeader(answer: Typed): boolean {
  return isFailure(answer) && answer.type === 'refused' && answer.reason === 'notLeader';
}

function attemptOf(error: unknown): Failure | 'again' {
  if (error instanceof OutcomeUnknown) return { type: 'unknown', text: error.message };
  if (error instanceof Overloaded) {
    return { type: 'refused', reason: 'overloaded', text: error.message };
  }
  if (error instanceof CommandTooLarge) {
    return { type: 'refused', reason: 'tooLarge', text: error.message };
  }
  if (error instanceof CommandFailed) {
    return { type: 'refused', reason: 'failed', text: causeOf(error.cause) };
  }
  if (error instanceof MachineError) return 'again';
  return { type: 'unknown', text: causeOf(error) };
}

function noLeader(id: NodeId): Failure {
  const text = `${id} knows no leader: a majority of the nodes must run and reach each other`;
  return { type: 'refused', reason: 'noLeader', text };
}
