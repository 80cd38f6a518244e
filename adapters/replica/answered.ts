/**
 * What was answered to the newest requests that had an id of their own: part of the replicated
 * state, so that every node, whoever leads, gives a repeated request the answer that it got before
 * (thesis §6.3). Nothing but the log decides what is kept (E13).
 */
import { Packr } from 'msgpackr';
import { DecodeError } from '../codec.js';
import { unpackList } from '../gateway/protocol.js';

/** So many are remembered, and with so many bytes of results. The same on all nodes. */
export const rememberedRequests = 10_000;
export const rememberedBytes = 16 << 20;

/**
 * Of an error so many characters are remembered, and it counts as so many bytes, however short it
 * is: its words may differ from one version of Node to the next, what is kept must not.
 */
export const rememberedWords = 256;

export interface Answer {
  /** Of the command: another one under the same id is somebody's mistake. */
  readonly digest: number;
  /** The result in bytes, or the beginning of what the reducer threw, in this node's words. */
  readonly result: Uint8Array | string;
}

const packr = new Packr({ useRecords: false, moreTypes: false, structuredClone: false });

/** Changed in place: a copy per command would cost in proportion to what is remembered. */
export class Answered {
  private readonly answers = new Map<string, Answer>();
  private bytes = 0;

  find(requestId: string): Answer | undefined {
    return this.answers.get(requestId);
  }

  add(requestId: string, answer: Answer): void {
    this.answers.set(requestId, { ...answer, result: writable(answer.result) });
    this.bytes += sizeOf(answer);
    for (const [oldest, kept] of this.answers) {
      const isFull = this.answers.size > rememberedRequests || this.bytes > rememberedBytes;
      if (!isFull || oldest === requestId) break;
      this.answers.delete(oldest);
      this.bytes -= sizeOf(kept);
    }
  }

  /** `[id, digest, result, id, digest, result, …]` in the order of the log. */
  pack(): Uint8Array {
    const fields: unknown[] = [];
    for (const [id, { digest, result }] of this.answers) fields.push(id, digest, result);
    return packr.pack(fields);
  }

  /** Throws a DecodeError. */
  static unpack(bytes: Uint8Array): Answered {
    const fields = unpackList(bytes);
    const answered = new Answered();
    for (let at = 0; at < fields.length; at += 3) {
      const [id, digest, result] = fields.slice(at, at + 3);
      const isResult = typeof result === 'string' || result instanceof Uint8Array;
      if (typeof id !== 'string' || typeof digest !== 'number' || !isResult) {
        throw new DecodeError('a remembered request that is none');
      }
      answered.add(id, {
        digest,
        result: typeof result === 'string' ? result : new Uint8Array(result),
      });
    }
    return answered;
  }
}

function sizeOf({ result }: Answer): number {
  return typeof result === 'string' ? rememberedWords : result.length;
}

/** Words as a snapshot has them: half a character would come back as another text, and longer. */
function writable(result: Answer['result']): Answer['result'] {
  if (typeof result !== 'string') return result;
  return result.slice(0, rememberedWords).replace(/\p{Surrogate}/gu, '\ufffd');
}

/** FNV-1a, 32 bits: for mistakes, not against enemies. */
export function digestOf(bytes: Uint8Array): number {
  let digest = 0x811c9dc5;
  for (const byte of bytes) digest = Math.imul(digest ^ byte, 0x01000193);
  return digest >>> 0;
}
