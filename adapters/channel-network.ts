/**
 * The network between the tabs and workers of one browser: over a BroadcastChannel, on which all
 * hear each other, over MessagePorts from one to one, or over a relay behind a WebSocket. Sending
 * is fire and forget, as on every network.
 *
 * Whoever can post on a BroadcastChannel is of the same origin, and its word is taken for who it
 * is; on a port nobody speaks in the name of another.
 */
import type { OperatorFunction } from 'rxjs';
import {
  catchError,
  concat,
  defer,
  filter,
  from,
  ignoreElements,
  merge,
  mergeMap,
  Observable,
  of,
  Subject,
  Subscription,
  take,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import type { NetworkAction } from '../lib/action.js';
import type { NetworkInput } from '../lib/input.js';
import type { NodeId } from '../lib/position.js';
import { causeOf } from './cause.js';
import type { Content } from './channel-frame.js';
import { ChannelPosts } from './channel-posts.js';
import { channelReader } from './channel-reader.js';
import {
  type ChannelNetworkOptions,
  type ChannelSettings,
  channelSettingsOf,
} from './channel-settings.js';
import { packSnapshot } from './codec.js';
import type { NetworkEvent } from './network-event.js';
import { networkOperator } from './network-operator.js';
import type { InstallSnapshot } from './transfers.js';

export type { Channel, ChannelNetworkOptions, PeerChannel } from './channel-settings.js';
export { broadcastChannel, portsTo } from './channels.js';
export { initialVotersOf } from './initial-voters.js';
export { EntryTooLarge } from './message-frames.js';
export type { NetworkEvent, UnsentReason } from './network-event.js';

/**
 * The network adapter of one node. What peers do wrong, and what they lose, is reported to
 * `onEvent` and never errors the stream; an error of `channels`, a command that can't be encoded,
 * an `EntryTooLarge` and a throwing `onEvent` do. When its actions complete, or when it is
 * unsubscribed, nobody listens to the channels any more. Throws a RangeError for an option out of
 * range.
 *
 *     actions          -m-----i------|      m: sendMessage, i: installSnapshot
 *     inputs           ---r-------s--|      r: received, s: snapshotSent
 */
export function channelNetwork<C, S>(
  options: ChannelNetworkOptions<C, S>,
): OperatorFunction<NetworkAction<C, S>, NetworkInput<C, S>> {
  const settings = channelSettingsOf(options);
  const { commands, maxFrameBytes } = settings;
  return networkOperator({ commands, maxFrameBytes, onEvent: options.onEvent }, (report) => {
    const answer$ = new Subject<Answer>();
    const posts = new ChannelPosts(settings, report);
    return {
      send: (to, bytes) => posts.send(to, bytes),
      transfer: transferBy(posts, answer$, settings, report),
      heard$: listen(posts, answer$, settings, report),
    };
  });
}

interface Answer {
  readonly from: NodeId;
  readonly ask: number;
}

/** Opens the channels, and hears what is said on them as long as it is subscribed to. */
function listen<C, S>(
  posts: ChannelPosts,
  answer$: Subject<Answer>,
  settings: ChannelSettings<C, S>,
  report: (event: NetworkEvent) => void,
): Observable<NetworkInput<C, S>> {
  return new Observable((subscriber) => {
    const onAnswer = (from: NodeId, ask: number): void => {
      posts.answered(from, ask);
      answer$.next({ from, ask });
    };
    const read = channelReader(settings, report, {
      onHello: (from) => posts.forget(from),
      onAnswer,
      onInput: (input) => subscriber.next(input),
    });
    const heard = new Map<NodeId | null, Subscription>();
    subscriber.add(
      settings.channels.subscribe({
        next: ({ channel, peer }) => {
          heard.get(peer)?.unsubscribe();
          const onMessage = ({ data }: { readonly data: unknown }): void => {
            const asked = subscriber.closed ? null : read(data, peer);
            if (asked === null) return;
            posts.post(channel, [asked.from], { type: 'answer', ask: asked.ask });
          };
          // What can't be put together again here is no frame of ours.
          const onUnreadable = (): void => onMessage({ data: null });
          channel.addEventListener('message', onMessage);
          channel.addEventListener('messageerror', onUnreadable);
          const hearing = new Subscription(() => {
            channel.removeEventListener('message', onMessage);
            channel.removeEventListener('messageerror', onUnreadable);
            subscriber.remove(hearing);
          });
          heard.set(peer, hearing);
          subscriber.add(hearing);
          channel.start?.();
          posts.add({ channel, peer });
        },
        error: (error: unknown) => subscriber.error(error),
      }),
    );
  });
}

/** When a peer is asked whether it is there: its channel may not be open yet. */
const asksMs = [0, 100, 300, 700, 1500];

/** A pause after a failed transfer, so that nobody asks again at once. */
const pauseMs = 2000;

/**
 * One transfer: first the peer must say that it is there, for into a frozen tab nothing big should
 * be posted; then the snapshot goes, and the peer says that it has it. A snapshot that can't be
 * encoded is its error.
 */
function transferBy<C, S>(
  posts: ChannelPosts,
  answer$: Observable<Answer>,
  settings: ChannelSettings<C, S>,
  report: (event: NetworkEvent) => void,
): (install: InstallSnapshot<C, S>) => Observable<never> {
  const { handshakeTimeoutMs, id, maxSnapshotBytes, scheduler, stallTimeoutMs } = settings;
  const asked = (
    to: NodeId,
    content: (ask: number) => Content,
    first: number,
    afterMs: readonly number[],
  ) =>
    defer(() => {
      const ask = posts.nextAsk();
      const isOurs = (answer: Answer): boolean => answer.from === to && answer.ask === ask;
      const post$ = from(afterMs).pipe(
        mergeMap((ms) => (ms === 0 ? of(ms) : timer(ms, scheduler))),
        tap(() => posts.ask(to, content(ask))),
        ignoreElements(),
      );
      const silent = () => throwError(() => new Error('no answer in time'));
      return merge(answer$.pipe(filter(isOurs)), post$).pipe(
        timeout({ first, scheduler, with: silent }),
        take(1),
        ignoreElements(),
      );
    });
  return ({ to, term, snapshot }) =>
    defer(() => {
      const bytes = packSnapshot(snapshot, settings.snapshots);
      return defer(() => {
        if (to === id) throw new Error('to this node itself');
        if (bytes.length > maxSnapshotBytes) throw new Error('too large');
        return concat(
          asked(to, (ask) => ({ type: 'ask', ask }), handshakeTimeoutMs, asksMs),
          asked(to, (ask) => ({ type: 'snapshot', term, bytes, ask }), stallTimeoutMs, [0]),
        );
      }).pipe(
        catchError((error: unknown) => {
          report({ type: 'transferFailed', to, cause: causeOf(error) });
          return timer(pauseMs, scheduler);
        }),
        ignoreElements(),
      );
    });
}
