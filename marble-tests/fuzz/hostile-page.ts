/** What the third member of a cluster of pages posts, which is hostile. */
import { frameOf } from '../../adapters/channel-frame.js';
import { unpackSnapshot, valueCodec } from '../../adapters/codec.js';
import { messageCodec } from '../../adapters/message-codec.js';
import type { Random } from '../../adapters/testing/simulation/random.js';
import { channelEdge } from './edges/channel.js';
import { messagesEdge } from './edges/messages.js';
import { snapshotsEdge } from './edges/snapshots.js';
import { mutateBytes, mutateValue } from './mutate.js';
import { pack } from './packed.js';

const framesEach = 50;

export const cluster = 'ours';
export const initialVoters = ['a', 'b', 'c'];
/** Of the members. */
export const codecs = {
  commands: valueCodec<readonly number[]>(),
  snapshots: valueCodec<number>(),
};
const codec = messageCodec(codecs.commands);
const values = valueCodec<unknown>();

/** Members trust each other: what passes for a word of one of them is no garbage. */
function isGarbage(data: unknown): boolean {
  const frame = frameOf(data);
  if (typeof frame === 'string' || !('bytes' in frame)) return true;
  try {
    if (frame.type === 'message') return codec.decode(frame.bytes).from !== frame.from;
    unpackSnapshot(frame.bytes, codecs.snapshots);
    return false;
  } catch {
    return true;
  }
}

/** What the hostile member posts: its name is right, or almost, and the rest is not. */
export function frames(random: Random): unknown[] {
  const some = Array.from({ length: framesEach }, (): unknown => {
    if (random.chance(0.4)) return channelEdge.generate(random);
    const frame = { rxraft: 1, cluster, from: 'c', to: ['a', 'b'], ask: random.below(100) };
    const isMessage = random.chance(0.7);
    const bytes = Uint8Array.from((isMessage ? messagesEdge : snapshotsEdge).generate(random));
    const content = isMessage ? { type: 'message', bytes } : { type: 'snapshot', term: 9, bytes };
    return random.chance(0.7)
      ? { ...frame, ...content }
      : mutateValue(random, { ...frame, ...content });
  });
  return some.filter(isGarbage);
}

/** Words of a relay, or of whoever greets it. */
export function textOf(words: unknown): string {
  const plain = (_: string, each: unknown): unknown => (typeof each === 'bigint' ? 1 : each);
  return JSON.stringify(words, plain) ?? '';
}

/** The bytes of posts, some of which are no post at all. */
export function bytesOf(random: Random, posts: readonly unknown[]): Uint8Array[] {
  return posts.map((post) => {
    const bytes = pack(post instanceof Date ? 0 : post);
    if (!random.chance(0.3)) return bytes;
    const mutated = mutateBytes(random, bytes);
    return isGarbageBytes(mutated) ? mutated : bytes;
  });
}

function isGarbageBytes(bytes: Uint8Array): boolean {
  try {
    return isGarbage(values.decode(bytes));
  } catch {
    return true;
  }
}

export const greeting = ['rxraft relay', 1, cluster, 'c', ''];
