/** What HTTP clients are answered: bytes, or JSON. */
import { createHash } from 'node:crypto';
import type { RefusalReason } from '../gateway/protocol.js';
import type { Answer } from './client-protocol.js';

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** Of the bytes of a value: equal for equal values, whoever is asked, and for ever. */
export function etagOf(value: Uint8Array): string {
  return `"${createHash('sha256').update(value).digest('base64url')}"`;
}

export function jsonReply(status: number, content: object, space?: number): Reply {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return { status, headers, body: `${JSON.stringify(content, null, space)}\n` };
}

/** `reason` is for programs, `message` for people. */
export function errorReply(
  status: number,
  reason: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const reply = jsonReply(status, { error: { reason, message } });
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

export const malformed = (message: string): Reply => errorReply(400, 'malformed', message);

const soon = { 'retry-after': '1' };

export const overloaded = (message: string): Reply => errorReply(429, 'overloaded', message, soon);

export const notReady = (reason: string, message: string): Reply =>
  errorReply(503, reason, message, soon);

/** Nobody knows whether it was done. */
export const unknownStatus = 504;

const statusOfRefusal = {
  notLeader: 503,
  noLeader: 503,
  unreachable: 503,
  overloaded: 429,
  tooLarge: 413,
  failed: 500,
} as const satisfies Record<RefusalReason, number>;

/** An answer about one key. */
export function replyOf(answer: Answer): Reply {
  switch (answer.type) {
    case 'done':
      return { status: 204 };
    case 'value': {
      const headers = {
        'content-type': 'application/octet-stream',
        etag: etagOf(answer.value),
      };
      return { status: 200, headers, body: answer.value };
    }
    case 'missing':
      return errorReply(404, 'missing', 'there is no such key');
    case 'conflict':
      return errorReply(412, 'conflict', 'the condition does not hold: nothing was changed');
    case 'refused': {
      const status = statusOfRefusal[answer.reason];
      const headers = status === 503 || status === 429 ? soon : {};
      return errorReply(status, answer.reason, answer.text, headers);
    }
    case 'unknown': {
      const mend = 'read the key to find out';
      const text = `nobody knows whether it was done: ${answer.text}; ${mend}`;
      return errorReply(unknownStatus, 'unknown', text);
    }
    default:
      return errorReply(500, 'failed', 'a strange answer');
  }
}
