/**
 * What nodes post to each other over channels. A frame says in which cluster, from whom and to whom
 * it goes; messages and snapshots within are bytes of the same codecs as on a socket, so that they
 * are checked as strictly. A channel loses nothing and keeps the order, or it is dead.
 */
import * as v from 'valibot';
import { faultOfNodeId } from '../lib/cluster-config.js';
import type { NodeId, Term } from '../lib/position.js';
import type { HandshakeFault } from './ws-handshake.js';

/** Raised with every change of what is described here. */
export const frameVersion = 1;

/** How many nodes one frame may name: what a message to all members needs, and far more. */
const receiversAtMost = 1024;

export interface Envelope {
  readonly rxraft: typeof frameVersion;
  readonly cluster: string;
  readonly from: NodeId;
  readonly to: readonly NodeId[];
  /** A digest of the voters that the cluster of the sender began with, where it knows them. */
  readonly voters?: number;
}

export type Content =
  /** I have just begun: forget what you sent to me before. To everyone, hence to nobody. */
  | { readonly type: 'hello' }
  /** A message. With a number it asks for an answer, when all before it has been read. */
  | { readonly type: 'message'; readonly bytes: Uint8Array; readonly ask: number | null }
  /** A whole snapshot of a leader of that term. It is answered when it was taken. */
  | {
      readonly type: 'snapshot';
      readonly term: Term;
      readonly bytes: Uint8Array;
      readonly ask: number;
    }
  /** Are you there? */
  | { readonly type: 'ask'; readonly ask: number }
  /** All up to there is read. */
  | { readonly type: 'answer'; readonly ask: number };

export type Frame = Envelope & Content;

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const nodeId = v.pipe(
  v.string(),
  v.check((id) => faultOfNodeId(id) === null),
);
const bytes = v.instance(Uint8Array);
const envelope = {
  rxraft: v.literal(frameVersion),
  cluster: v.pipe(v.string(), v.maxLength(256)),
  from: nodeId,
  to: v.pipe(v.array(nodeId), v.maxLength(receiversAtMost)),
  voters: v.exactOptional(natural),
};
const frameSchema = v.variant('type', [
  v.strictObject({ ...envelope, type: v.literal('hello') }),
  v.strictObject({ ...envelope, type: v.literal('message'), bytes, ask: v.nullable(natural) }),
  v.strictObject({ ...envelope, type: v.literal('snapshot'), term: natural, bytes, ask: natural }),
  v.strictObject({ ...envelope, type: v.literal('ask'), ask: natural }),
  v.strictObject({ ...envelope, type: v.literal('answer'), ask: natural }),
]);
const versioned = v.looseObject({ rxraft: v.number() });

/** What was posted, or why it is none of ours. */
export function frameOf(data: unknown): Frame | Extract<HandshakeFault, 'malformed' | 'version'> {
  const parsed = v.safeParse(frameSchema, data);
  if (parsed.success) return parsed.output;
  return v.is(versioned, data) && data.rxraft !== frameVersion ? 'version' : 'malformed';
}

/** Why a frame is not for this node, null when it is. On a bus all hear what goes to one. */
export function faultOfFrame(
  { cluster, from, to, type, voters }: Frame,
  ours: { readonly cluster: string; readonly id: NodeId; readonly voters: number | null },
  peer: NodeId | null,
):
  | Extract<HandshakeFault, 'cluster' | 'initialVoters' | 'sender' | 'receiver'>
  | 'elsewhere'
  | null {
  if (cluster !== ours.cluster) return 'cluster';
  // Two beginnings have different entries at one position of the log: they must never meet.
  if (voters !== undefined && ours.voters !== null && voters !== ours.voters) {
    return 'initialVoters';
  }
  if (from === ours.id || (peer !== null && from !== peer)) return 'sender';
  if (type === 'hello' || to.includes(ours.id)) return null;
  return peer === null ? 'elsewhere' : 'receiver';
}
