/** What the network over WebSockets is made from: its options, their defaults, what it reports. */
import { createHash } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Observable, SchedulerLike } from 'rxjs';
import { asyncScheduler } from 'rxjs';
import type { NodeId } from '../lib/position.js';
import type { Codec } from './codec.js';
import type { NetworkEvent } from './network-event.js';
import { checkNetworkSettings } from './network-settings.js';

/** A WebSocket of `ws`, whose own types nobody needs for it. */
export interface OpenedSocket extends Pick<EventEmitter, 'off' | 'on' | 'once'> {
  readonly readyState: number;
  send(data: Uint8Array | string, done?: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** A WebSocket that somebody opened here, and the request that it came with. */
export interface PeerSocket {
  readonly socket: OpenedSocket;
  readonly request: IncomingMessage;
}

export interface WsNetworkOptions<C, S> {
  /** The same on all nodes of a cluster, and on no other: it keeps strangers apart. */
  readonly cluster: string;
  readonly id: NodeId;
  /**
   * Where a node listens, as `host:port`, or undefined when that is not known: then nothing is sent
   * to it and nothing taken from it. Asked again and again: an address may change.
   */
  readonly peers: (id: NodeId) => string | undefined;
  readonly commands: Codec<C>;
  readonly snapshots: Codec<S>;
  /** What peers opened here: see `acceptPeers`. Its error is the network's. */
  readonly sockets: Observable<PeerSocket>;
  /** Told what happens to connections and frames. What it throws is the network's error. */
  readonly onEvent?: (event: NetworkEvent) => void;
  /**
   * The voters that the cluster began with, where this node knows them: see `initialVotersOf`. A
   * peer that knows of others belongs to another cluster, whatever its name is. Default: not known.
   */
  readonly initialVoters?: readonly NodeId[] | undefined;
  /** A secret that all nodes of the cluster share. Default: none, and none is asked for. */
  readonly token?: string;
  /**
   * A longer frame is neither sent nor taken: entries that need more go in several. A single entry
   * must fit, which limits at the door are for: `commandBytes` of the machine, a quarter of this by
   * default. The same on all nodes. Default 16 MiB.
   */
  readonly maxFrameBytes?: number;
  /** What may wait in memory for one slow peer; beyond it messages are dropped. Default 32 MiB. */
  readonly maxBufferedBytes?: number;
  /** A longer snapshot is neither sent nor taken. Default 1 GiB. */
  readonly maxSnapshotBytes?: number;
  /** Accepted connections that have not said who they are; more are closed. Default 64. */
  readonly maxStrangers?: number;
  /**
   * The period of pings, both ways. A connection that stays silent for one period after a ping is
   * given up: one that is half open is noticed within two periods. Default 2,000.
   */
  readonly pingMs?: number;
  /** How long dialling and greeting may take together. Default 3,000. */
  readonly handshakeTimeoutMs?: number;
  /** How long a snapshot's transfer may make no progress. Default 30,000. */
  readonly stallTimeoutMs?: number;
  /**
   * The pause before a peer is dialled again: doubled with every failure in a row from `minimum` to
   * `maximum`, and of that a random part between a half and all. Default 50 to 2,000.
   */
  readonly reconnectMs?: { readonly minimum: number; readonly maximum: number };
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
  /** For all timers. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** The options with their defaults. */
export type Defaulted<C, S> = Required<
  Omit<WsNetworkOptions<C, S>, 'onEvent' | 'initialVoters'>
> & {
  /** A digest of the initial voters, or nothing. */
  readonly voters: string;
};

/** Those of them that a connection needs. */
export type LinkSettings = Omit<Settings<unknown, unknown>, 'commands' | 'snapshots'>;

/** What one run of the network is made from. */
export interface Settings<C, S> extends Defaulted<C, S> {
  /** Never throws. */
  readonly report: (event: NetworkEvent) => void;
}

export const defaultMaxFrameBytes = 16 << 20;

/** Throws a RangeError that names the option. */
export function settingsOf<C, S>(options: WsNetworkOptions<C, S>): Defaulted<C, S> {
  const settings: Defaulted<C, S> = {
    ...options,
    voters: options.initialVoters === undefined ? '' : digestOf(options.initialVoters),
    token: options.token ?? '',
    maxFrameBytes: options.maxFrameBytes ?? defaultMaxFrameBytes,
    maxBufferedBytes: options.maxBufferedBytes ?? 32 << 20,
    maxSnapshotBytes: options.maxSnapshotBytes ?? 1 << 30,
    maxStrangers: options.maxStrangers ?? 64,
    pingMs: options.pingMs ?? 2000,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 3000,
    stallTimeoutMs: options.stallTimeoutMs ?? 30_000,
    reconnectMs: options.reconnectMs ?? { minimum: 50, maximum: 2000 },
    random: options.random ?? Math.random,
    scheduler: options.scheduler ?? asyncScheduler,
  };
  checkNetworkSettings(settings, { reconnectMs: settings.reconnectMs });
  return settings;
}

function digestOf(voters: readonly NodeId[]): string {
  return createHash('sha256')
    .update(JSON.stringify([...voters].sort()))
    .digest('hex');
}
