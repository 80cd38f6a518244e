/** What a page may ask for. */
import * as v from 'valibot';
import type { Answer, Request } from '../key-value/client-protocol.js';
import type { AnswerFrame } from './protocol.js';

/** A longer frame closes its connection: a page is for trying, not for storing. */
export const maxRequestBytes = 64 << 10;

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const liveRequest = v.variant('type', [
  v.strictObject({ type: v.literal('put'), id, key: v.string(), value: v.string() }),
  v.strictObject({ type: v.literal('get'), id, key: v.string() }),
]);

/** `id`: the page's own number, unique among what it waits for. */
export type LiveRequest = v.InferOutput<typeof liveRequest>;

/** The request that a frame is. Throws a SyntaxError or a ValiError. */
export function parseLiveRequest(frame: string): LiveRequest {
  return v.parse(liveRequest, JSON.parse(frame));
}

export function requestOf(asked: LiveRequest): Request {
  const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
  const key = bytesOf(asked.key);
  if (asked.type === 'get') return { type: 'get', key, stale: false };
  const value = bytesOf(asked.value);
  return { type: 'command', command: { type: 'put', key, value, condition: null } };
}

/** Longer values are cut: a page shows their beginning. */
const maxTextBytes = 4096;

export function answerFrame(asked: LiveRequest, answer: Answer): AnswerFrame {
  const frame = (outcome: AnswerFrame['outcome'], text: string): AnswerFrame => ({
    ...{ type: 'answer', id: asked.id },
    ...{ outcome, text },
  });
  switch (answer.type) {
    case 'done':
    case 'missing':
      return frame(answer.type, '');
    case 'value': {
      const { length } = answer.value;
      const text = new TextDecoder().decode(answer.value.subarray(0, maxTextBytes));
      return frame('value', length > maxTextBytes ? `${text}… (${length} bytes)` : text);
    }
    case 'refused':
    case 'unknown':
      return frame(answer.type, answer.text);
    default:
      return frame('refused', `a strange answer: ${answer.type}`);
  }
}
