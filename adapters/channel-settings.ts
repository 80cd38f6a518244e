/** What the network over channels is made from: its options and their defaults. */
import type { Observable, SchedulerLike } from 'rxjs';
import { asyncScheduler } from 'rxjs';
import type { NodeId } from '../lib/position.js';
import type { Codec } from './codec.js';
import { crc32 } from './crc32.js';
import type { NetworkEvent } from './network-event.js';
import { checkNetworkSettings } from './network-settings.js';

export type Listener = (event: { readonly data: unknown }) => void;

/** What is used of a BroadcastChannel, a MessagePort, or a Worker and its inside. */
export interface Channel {
  postMessage(data: unknown): void;
  addEventListener(type: string, listener: Listener): void;
  removeEventListener(type: string, listener: Listener): void;
  /** A MessagePort keeps what arrives until it is started. */
  start?(): void;
}

/** A channel, and who is at its other end: one peer, or null for everyone. */
export interface PeerChannel {
  readonly channel: Channel;
  readonly peer: NodeId | null;
}

export interface ChannelNetworkOptions<C, S> {
  /** The same on all nodes of a cluster, and on no other: it keeps strangers apart. */
  readonly cluster: string;
  readonly id: NodeId;
  /**
   * The ways to the others: `broadcastChannel(name)`, `portsTo({ b, c })`, `relayedChannel({ url
   * })`, or several merged. A newer channel takes the place of an older one to the same peer, and
   * one to a peer goes before one to everyone. Its error is the network's.
   */
  readonly channels: Observable<PeerChannel>;
  /**
   * The voters that the cluster began with, where this node knows them: see `initialVotersOf`. A
   * peer that knows of others belongs to another cluster, whatever its name is. Default: not known.
   */
  readonly initialVoters?: readonly NodeId[] | undefined;
  readonly commands: Codec<C>;
  readonly snapshots: Codec<S>;
  /** Told what happens to frames. What it throws is the network's error. */
  readonly onEvent?: (event: NetworkEvent) => void;
  /** A longer message is neither sent nor taken. Default 16 MiB. */
  readonly maxFrameBytes?: number;
  /** What may be on its way to one peer, unanswered; beyond it messages are dropped: 32 MiB, */
  readonly maxBufferedBytes?: number;
  /** and 1,024 frames. */
  readonly maxBufferedFrames?: number;
  /** A longer snapshot is neither sent nor taken. It travels in one piece. Default 64 MiB. */
  readonly maxSnapshotBytes?: number;
  /** How long a peer may take to say that it is there, before a snapshot. Default 3,000. */
  readonly handshakeTimeoutMs?: number;
  /** How long a snapshot may be on its way. Default 30,000. */
  readonly stallTimeoutMs?: number;
  /**
   * A peer that does not answer is tried with one message after a pause, which doubles each time
   * from `minimum` to `maximum`. Default 500 to 60,000.
   */
  readonly probeMs?: { readonly minimum: number; readonly maximum: number };
  /** The first number of an answer that is asked for, from 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
  /** For all timers. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** The options with their defaults. */
export type ChannelSettings<C, S> = Required<
  Omit<ChannelNetworkOptions<C, S>, 'onEvent' | 'initialVoters'>
> & {
  /** A digest of the initial voters, or null. */
  readonly voters: number | null;
};

/** Throws a RangeError that names the option. */
export function channelSettingsOf<C, S>(
  options: ChannelNetworkOptions<C, S>,
): ChannelSettings<C, S> {
  const settings: ChannelSettings<C, S> = {
    ...options,
    voters: options.initialVoters === undefined ? null : digestOf(options.initialVoters),
    maxFrameBytes: options.maxFrameBytes ?? 16 << 20,
    maxBufferedBytes: options.maxBufferedBytes ?? 32 << 20,
    maxBufferedFrames: options.maxBufferedFrames ?? 1024,
    maxSnapshotBytes: options.maxSnapshotBytes ?? 64 << 20,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 3000,
    stallTimeoutMs: options.stallTimeoutMs ?? 30_000,
    probeMs: options.probeMs ?? { minimum: 500, maximum: 60_000 },
    random: options.random ?? Math.random,
    scheduler: options.scheduler ?? asyncScheduler,
  };
  checkNetworkSettings(settings, { probeMs: settings.probeMs });
  return settings;
}

/** Against mistakes: whoever can post on a channel can also lie. */
function digestOf(voters: readonly NodeId[]): number {
  return crc32(new TextEncoder().encode(JSON.stringify([...voters].sort())));
}
