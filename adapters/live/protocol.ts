/**
 * What a node and a page that watches it say to each other, on the path `/live`: JSON, an object in
 * each text frame.
 *
 *     page      ---p------g----          put, get: see live-request.ts
 *     node      s--e--s-ea-es-ae-        status, events, answer
 *
 * All times are milliseconds of the node's own clock: those of different nodes don't compare.
 */
import type { Role } from '../../lib/action.js';
import type { ClusterConfig } from '../../lib/cluster-config.js';
import type { LogIndex, LogPosition, NodeId, Term } from '../../lib/position.js';

export const livePath = '/live';

/** Another version has another name. */
export const liveProtocol = 'rxraft.live.1';

export type LiveFrame = StatusFrame | EventsFrame | AnswerFrame;

/** At a steady rate, and first of all. */
export interface StatusFrame {
  readonly type: 'status';
  readonly at: number;
  readonly node: NodeId;
  readonly cluster: string;
  readonly pid: number;
  readonly role: Role;
  readonly term: Term;
  readonly leader: NodeId | null;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  /** Keys in the store. */
  readonly keys: number;
  /** Where the nodes are that this one knows, by id. */
  readonly members: Readonly<Record<NodeId, string>>;
  readonly config: ClusterConfig;
  readonly log: LogTail;
  /** Of a leader: as its calls and the answers to them show it. Else none. */
  readonly peers: readonly PeerProgress[];
  readonly load: Load;
}

/** The newest entries that were handed to the disk. */
export interface LogTail {
  /** The last entry, even when it is not among `entries`. */
  readonly last: LogPosition;
  /** Up to here a snapshot stands for the log. */
  readonly snapshot: LogIndex;
  /** In the order of the log, without gaps, up to the last. */
  readonly entries: readonly LogCell[];
}

export interface LogCell {
  readonly index: LogIndex;
  readonly term: Term;
  readonly type: 'term' | 'config' | 'command';
  /** Of a block of commands. */
  readonly bytes: number;
}

export interface PeerProgress {
  readonly id: NodeId;
  readonly matchIndex: LogIndex;
  readonly nextIndex: LogIndex;
}

/** Requests of clients that were answered here since the status before. */
export interface Load {
  readonly elapsedMs: number;
  readonly answered: number;
  /** Of these: refused, or with an unknown end. */
  readonly failed: number;
  /** From the request's arrival to its answer, of some of them; null when there was none. */
  readonly medianMs: number | null;
  readonly p99Ms: number | null;
}

/** What has happened since the frame before, in no certain order within a few milliseconds. */
export interface EventsFrame {
  readonly type: 'events';
  readonly at: number;
  readonly events: readonly LiveEvent[];
  /** How many more there were than a frame may tell. */
  readonly untold: number;
}

export type LiveEvent =
  | MessagesSeen
  | {
      readonly type: 'role';
      readonly at: number;
      readonly role: Role;
      readonly term: Term;
      readonly leader: NodeId | null;
    }
  /** The commit index is new: its newest value. */
  | { readonly type: 'commit'; readonly at: number; readonly index: LogIndex };

/**
 * Messages: one, or several of a kind between the same nodes that followed each other so closely
 * that they are told together.
 */
export interface MessagesSeen {
  /** It left this node, or it has arrived here. */
  readonly type: 'sent' | 'received';
  /** Of the first. */
  readonly at: number;
  readonly kind: MessageKind;
  /** `sent`: to whom. `received`: the one from whom. */
  readonly peers: readonly NodeId[];
  readonly term: Term;
  readonly count: number;
  /** Rounds of the first and the last, or 0: which call an answer belongs to. */
  readonly rounds: readonly [number, number];
  /** Entries in all of them. */
  readonly entries: number;
  /** Of the last: where its entries end, or what it acknowledges. */
  readonly index: LogIndex;
}

export type MessageKind =
  | 'voteCall'
  | 'voteGranted'
  | 'voteDenied'
  | 'append'
  | 'heartbeat'
  | 'acknowledged'
  | 'refused'
  | 'snapshot'
  | 'removal';

/** To a request of this page, by its number. */
export interface AnswerFrame {
  readonly type: 'answer';
  readonly id: number;
  readonly outcome: 'done' | 'value' | 'missing' | 'refused' | 'unknown';
  /** The value, or why not. */
  readonly text: string;
}
