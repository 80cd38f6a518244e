/**
 * A network within one process, for tests, simulations and pages: no codec, no socket, and as
 * reliable as its links say. A link is an ordinary operator, so faults are composed:
 *
 *     memoryNetwork({ link: (from, to) => pipe(loss(0.1), latency({ minimumMs: 5 })) })
 */
import type { MonoTypeOperatorFunction, OperatorFunction, SchedulerLike } from 'rxjs';
import {
  asyncScheduler,
  filter,
  groupBy,
  identity,
  ignoreElements,
  map,
  mergeMap,
  Observable,
  of,
  startWith,
  Subject,
  tap,
  timer,
  withLatestFrom,
} from 'rxjs';
import type { NetworkAction } from '../lib/action.js';
import type { NetworkInput } from '../lib/input.js';
import type { NodeId } from '../lib/position.js';
import { type InstallSnapshot, transfers } from './transfers.js';

/** What is under way from one node to another, and what it says where it arrives. */
export interface Packet<C = unknown, S = unknown> {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly input: Exclude<NetworkInput<C, S>, { readonly type: 'snapshotSent' }>;
}

export interface MemoryNetworkOptions<C = unknown, S = unknown> {
  /**
   * What happens to packets in one direction. Default: each arrives at once. Asked for once per run
   * of `from` and direction, and once for each snapshot, whose transfer is over when its link
   * completes: a link must complete when its packets are through.
   */
  readonly link?: (from: NodeId, to: NodeId) => MonoTypeOperatorFunction<Packet<C, S>>;
}

export interface MemoryNetwork<C = unknown, S = unknown> {
  /** The network adapter of one node. A node may come back, but not be there twice. */
  node(id: NodeId): OperatorFunction<NetworkAction<C, S>, NetworkInput<C, S>>;
}

/**
 * A network of its own. What arrives is a structured clone: nodes share nothing. What is sent to a
 * node that is not there is lost. The wire is not part of a node: messages that are under way when
 * their sender ends still arrive, but a snapshot does not. A message to oneself, or one that can't
 * be cloned, is the stream's error.
 *
 *     actions of A     -m-----i----|      m: sendMessage to B, i: installSnapshot to B
 *     inputs of A      -------s----|      s: snapshotSent
 *     inputs of B      -r-----p-------    r: received, p: snapshotReceived
 */
export function memoryNetwork<C = unknown, S = unknown>(
  options: MemoryNetworkOptions<C, S> = {},
): MemoryNetwork<C, S> {
  const { link = () => identity } = options;
  const inboxes = new Map<NodeId, Pick<Subject<NetworkInput<C, S>>, 'next'>>();
  const carry = (packet$: Observable<Packet<C, S>>, from: NodeId, to: NodeId) =>
    packet$.pipe(
      link(from, to),
      map((packet) => structuredClone(packet)),
      tap((packet) => inboxes.get(packet.to)?.next(packet.input)),
      ignoreElements(),
    );
  const node = (id: NodeId) => (action$: Observable<NetworkAction<C, S>>) =>
    new Observable<NetworkInput<C, S>>((inbox) => {
      if (inboxes.has(id)) {
        inbox.error(new Error(`node ${JSON.stringify(id)} is on this network already`));
        return;
      }
      const packet$ = new Subject<Packet<C, S>>();
      const install$ = new Subject<InstallSnapshot<C, S>>();
      const fail = (error: unknown): void => inbox.error(error);
      inboxes.set(id, inbox);
      inbox.add(() => {
        inboxes.delete(id);
        packet$.complete();
      });
      packet$
        .pipe(
          groupBy((packet) => packet.to),
          mergeMap((group$) => carry(group$, id, group$.key)),
        )
        .subscribe({ error: fail });
      const sent$ = transfers(install$, ({ to, term, snapshot }) => {
        const input = { type: 'snapshotReceived', from: id, term, snapshot } as const;
        return carry(of(packetOf<C, S>(id, to, input)), id, to);
      });
      inbox.add(sent$.subscribe({ next: (input) => inbox.next(input), error: fail }));
      const route = (action: NetworkAction<C, S>): void => {
        if (action.type === 'installSnapshot') return install$.next(action);
        const { message } = action;
        for (const to of action.type === 'sendMessage' ? [action.to] : action.to) {
          packet$.next(packetOf(id, to, { type: 'received', message }));
        }
      };
      inbox.add(
        action$.pipe(tap(route)).subscribe({ error: fail, complete: () => inbox.complete() }),
      );
    });
  return { node };
}

function packetOf<C, S>(from: NodeId, to: NodeId, input: Packet<C, S>['input']): Packet<C, S> {
  if (from === to) throw new Error(`node ${JSON.stringify(from)} speaks to itself`);
  return { from, to, input };
}

/** How long packets are under way: `minimumMs`, and at random up to `spreadMs` more. */
export interface Latency {
  readonly minimumMs: number;
  /** Default 0. With it packets overtake each other. */
  readonly spreadMs?: number;
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/**
 * A link that takes its time.
 *
 *     packets           -a--b----|
 *     latency 3         ----a--b----|
 */
export function latency<T>(options: Latency): MonoTypeOperatorFunction<T> {
  const { minimumMs, spreadMs = 0, random = Math.random, scheduler = asyncScheduler } = options;
  return mergeMap((packet) => {
    const durationMs = spreadMs === 0 ? minimumMs : minimumMs + spreadMs * random();
    return timer(durationMs, scheduler).pipe(map(() => packet));
  });
}

/**
 * A link that loses packets with this probability, from 0 to 1. `random` is below 1.
 *
 *     packets           -a--b--c-|
 *     loss              -a-----c-|
 */
export function loss<T>(
  probability: number,
  random: () => number = Math.random,
): MonoTypeOperatorFunction<T> {
  return filter(() => random() >= probability);
}

/**
 * A link that repeats packets with this probability, from 0 to 1. Behind it `latency` with a spread
 * takes the two apart.
 *
 *     packets           -a----b--|
 *     duplication       -(aa)-b--|
 */
export function duplication<T>(
  probability: number,
  random: () => number = Math.random,
): MonoTypeOperatorFunction<T> {
  return mergeMap((packet) => (random() < probability ? of(packet, packet) : of(packet)));
}

/**
 * A link that lets packets overtake: with this probability, from 0 to 1, one is held back until the
 * next has passed it, or the sender ends.
 *
 *     packets           -a--b----c--|
 *     reordering        ----(ba)-c--|
 */
export function reordering<T>(
  probability: number,
  random: () => number = Math.random,
): MonoTypeOperatorFunction<T> {
  return (packet$) =>
    new Observable((subscriber) => {
      const held: T[] = [];
      const release = (): void => held.splice(0).forEach((packet) => subscriber.next(packet));
      return packet$.subscribe({
        next: (packet) => {
          if (held.length === 0 && random() < probability) {
            held.push(packet);
            return;
          }
          subscriber.next(packet);
          release();
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          release();
          subscriber.complete();
        },
      });
    });
}

/**
 * A link that loses everything while `cut$` last said true. Of one direction it makes a one-way
 * partition, of both a full one. Before `latency` it loses what is sent while cut, behind it what
 * would arrive. A link is subscribed when it is first used: `cut$` should remember what it said, as
 * a BehaviorSubject does.
 *
 *     packets           -a--b--c--d-|
 *     cut$              --t----f-----     t: true, f: false
 *     partition         -a-----c--d-|
 */
export function partition<T>(cut$: Observable<boolean>): MonoTypeOperatorFunction<T> {
  return (packet$) =>
    packet$.pipe(
      withLatestFrom(cut$.pipe(startWith(false))),
      filter(([, cut]) => !cut),
      map(([packet]) => packet),
    );
}
