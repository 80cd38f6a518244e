/**
 * The first words on a connection between peers: who dials whom, in which cluster, and for what.
 * Text frames are the handshake's and the transfer's words; messages and chunks are binary, so that
 * neither is ever taken for the other.
 *
 *     dials      ["rxraft", 1, cluster, from, to, use, token, voters]
 *     accepts    ["rxraft", 1, cluster, id]   or   ["refused", reason], and closes
 *
 * The version comes first, so that any other version can be told from nonsense.
 */
import * as v from 'valibot';
import { faultOfNodeId } from '../lib/cluster-config.js';
import type { NodeId } from '../lib/position.js';

export const protocolVersion = 1;

/** One connection carries messages, or one snapshot: a long transfer never delays a heartbeat. */
export type Use = 'messages' | 'snapshot';

export interface Hello {
  readonly cluster: string;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly use: Use;
  readonly token: string;
  /** A digest of the voters that the cluster began with, or nothing where they are not known. */
  readonly voters: string;
}

/** Why a handshake fails. */
export type HandshakeFault =
  /** No handshake at all. */
  | 'malformed'
  /** Another version of the protocol. */
  | 'version'
  /** A node of another cluster. */
  | 'cluster'
  /** A node of another beginning: it was given other initial voters. */
  | 'initialVoters'
  /** Another node than the one that was dialled: an address that has moved. */
  | 'receiver'
  /** From this node itself, or one without an address here. */
  | 'sender'
  /** The shared secret is missing or wrong. */
  | 'token'
  /** Nothing was said in time. */
  | 'late'
  /** It is the request of a web page. */
  | 'origin'
  /** Too many connections at once that have not said who they are. */
  | 'overloaded';

/** Longer words are not read. */
export const maxWordBytes = 4096;

const name = 'rxraft';
const text = v.pipe(v.string(), v.maxLength(256));
const nodeId = v.pipe(
  v.string(),
  v.check((id) => faultOfNodeId(id) === null),
);
const versioned = v.looseTuple([v.literal(name), v.number()]);
const helloWords = v.strictTuple([
  v.literal(name),
  v.literal(protocolVersion),
  text,
  nodeId,
  nodeId,
  v.picklist(['messages', 'snapshot']),
  text,
  text,
]);
const welcomeWords = v.strictTuple([v.literal(name), v.literal(protocolVersion), text, nodeId]);
const faultNames = {
  malformed: 'malformed',
  version: 'version',
  cluster: 'cluster',
  initialVoters: 'initialVoters',
  receiver: 'receiver',
  sender: 'sender',
  token: 'token',
  late: 'late',
  origin: 'origin',
  overloaded: 'overloaded',
} as const satisfies { [F in HandshakeFault]: F };
const refusalWords = v.strictTuple([v.literal('refused'), v.enum(faultNames)]);

export function encodeHello(hello: Hello): string {
  const { cluster, from, to, use, token, voters } = hello;
  return JSON.stringify([name, protocolVersion, cluster, from, to, use, token, voters]);
}

/** The words of whoever dialled, or why they are none. */
export function decodeHello(frame: Uint8Array, isBinary: boolean): Hello | HandshakeFault {
  const words = wordsOf(frame, isBinary);
  if (isOtherVersion(words)) return 'version';
  const parsed = v.safeParse(helloWords, words);
  if (!parsed.success) return 'malformed';
  const [, , cluster, from, to, use, token, voters] = parsed.output;
  return { cluster, from, to, use, token, voters };
}

export function encodeWelcome(cluster: string, id: NodeId): string {
  return JSON.stringify([name, protocolVersion, cluster, id]);
}

export function encodeRefusal(fault: HandshakeFault): string {
  return JSON.stringify(['refused', fault]);
}

/** What is wrong with the answer to this greeting, or null. */
export function faultOfWelcome(
  hello: Hello,
  frame: Uint8Array,
  isBinary: boolean,
): HandshakeFault | null {
  const words = wordsOf(frame, isBinary);
  const refusal = v.safeParse(refusalWords, words);
  if (refusal.success) return refusal.output[1];
  if (isOtherVersion(words)) return 'version';
  const parsed = v.safeParse(welcomeWords, words);
  if (!parsed.success) return 'malformed';
  const [, , cluster, id] = parsed.output;
  if (cluster !== hello.cluster) return 'cluster';
  return id === hello.to ? null : 'receiver';
}

function isOtherVersion(words: unknown): boolean {
  const parsed = v.safeParse(versioned, words);
  return parsed.success && parsed.output[1] !== protocolVersion;
}

/** What a text frame says, or undefined. */
export function wordsOf(frame: Uint8Array, isBinary: boolean): unknown {
  if (isBinary || frame.length > maxWordBytes) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(frame));
  } catch {
    return undefined;
  }
}
