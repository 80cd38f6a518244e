/**
 * The first words between a node and a relay. Text is the relay's own; what goes through is binary.
 *
 *     node      ["rxraft relay", 1, cluster, id, token]
 *     relay     ["rxraft relay", 1]   or   ["refused", reason], and closes
 *     relay     ["alive"]             from time to time: pages can't ping
 */
import * as v from 'valibot';
import { faultOfNodeId } from '../lib/cluster-config.js';
import type { NodeId } from '../lib/position.js';
import type { HandshakeFault } from './ws-handshake.js';

/** Raised with every change of what is described here. */
const relayVersion = 1;

const name = 'rxraft relay';
const text = v.pipe(v.string(), v.maxLength(256));
const nodeId = v.pipe(
  v.string(),
  v.check((id) => faultOfNodeId(id) === null),
);
const versioned = v.looseTuple([v.literal(name), v.number()]);
const greetingWords = v.strictTuple([v.literal(name), v.literal(relayVersion), text, nodeId, text]);
const welcomeWords = v.strictTuple([v.literal(name), v.literal(relayVersion)]);
const refusalWords = v.strictTuple([v.literal('refused'), text]);

export interface Greeting {
  readonly cluster: string;
  readonly id: NodeId;
  readonly token: string;
}

export const aliveWord = JSON.stringify(['alive']);
export const welcomeWord = JSON.stringify([name, relayVersion]);

export function encodeGreeting({ cluster, id, token }: Greeting): string {
  return JSON.stringify([name, relayVersion, cluster, id, token]);
}

/** What a node says first, or why that is no greeting. */
export function greetingOf(
  words: unknown,
): Greeting | Extract<HandshakeFault, 'malformed' | 'version'> {
  const parsed = v.safeParse(greetingWords, words);
  if (!parsed.success) return faultOf(words);
  const [, , cluster, id, token] = parsed.output;
  return { cluster, id, token };
}

/** What is wrong with the relay's answer, or null. */
export function faultOfWelcome(words: unknown): string | null {
  if (v.is(welcomeWords, words)) return null;
  return v.is(refusalWords, words) ? words[1] : faultOf(words);
}

function faultOf(words: unknown): 'malformed' | 'version' {
  return v.is(versioned, words) && words[1] !== relayVersion ? 'version' : 'malformed';
}
