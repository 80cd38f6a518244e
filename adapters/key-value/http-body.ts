/** The body of a request, bounded. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { maxValueBytes } from './commands.js';
import { errorReply, overloaded, type Reply } from './http-reply.js';

/** What all requests together hold in memory. */
export interface Room {
  /** False when there is no room for these. What is taken is given back by the taker. */
  take(bytes: number): boolean;
}

const tooLarge = errorReply(
  413,
  'tooLarge',
  `the value has too many bytes: the limit is ${maxValueBytes}`,
);

/**
 * The bytes of a body, or why they are not taken. Never resolves when the client leaves before it
 * has said everything: there is nobody to answer.
 */
export function bodyOf(
  request: IncomingMessage,
  response: ServerResponse,
  room: Room,
): Promise<Uint8Array | Reply> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxValueBytes) return Promise.resolve(tooLarge);
  if (request.headers.expect !== undefined) response.writeContinue();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (result: Uint8Array | Reply): void => {
      request.off('data', onData);
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxValueBytes) end(tooLarge);
      else if (!room.take(chunk.length)) end(overloaded('too many bytes are under way'));
    };
    request.on('data', onData);
    request.on('end', () => end(new Uint8Array(Buffer.concat(chunks))));
  });
}
