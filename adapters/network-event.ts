/** What happens to connections and frames, on any network between processes. */
import type { NodeId } from '../lib/position.js';
import type { HandshakeFault } from './ws-handshake.js';

/** What an operator of a cluster may want to count. Peers are named as they named themselves. */
export type NetworkEvent =
  /** A peer that was dialled knows us, and takes messages. */
  | { readonly type: 'connected'; readonly to: NodeId; readonly address: string }
  /** The connection to a peer was lost, or could not be had. It is dialled again when needed. */
  | { readonly type: 'disconnected'; readonly to: NodeId; readonly cause: string }
  /** A peer greeted us rightly. A connection of the same peer for the same use is closed. */
  | { readonly type: 'accepted'; readonly from: NodeId }
  /** Somebody was turned away before a word of it was taken. */
  | {
      readonly type: 'refused';
      readonly from: NodeId | null;
      readonly reason: HandshakeFault;
    }
  /** A message did not leave. */
  | { readonly type: 'unsent'; readonly to: NodeId; readonly reason: UnsentReason }
  /** A message, or a snapshot, was not taken: malformed, or in the name of another node. */
  | {
      readonly type: 'dropped';
      readonly from: NodeId;
      readonly reason: DropCause;
      readonly cause: string;
    }
  /** A snapshot did not arrive. */
  | { readonly type: 'transferFailed'; readonly to: NodeId; readonly cause: string };

export type DropCause = 'malformed' | 'foreignSender' | 'tooLarge';

export type UnsentReason =
  /** To this node itself. */
  | 'toSelf'
  /** Its address is not known. */
  | 'unknownPeer'
  /** There is no connection at the moment. */
  | 'disconnected'
  /** The peer reads too slowly. */
  | 'overloaded'
  /** A committed entry that no frame has room for: the peer waits for a snapshot. */
  | 'tooLarge';
