/** "All requests of one turn leave in one frame"; answers find who asked, and the end finds all. */
import { expect, it } from 'vitest';
import type { Subscription } from 'rxjs';
import { VirtualTimeScheduler } from 'rxjs';
import { ConnectionLost } from '../../../adapters/gateway/connection-lost.js';
import { Conversation } from '../../../adapters/gateway/conversation.js';
import { decodeRequests, encodeAnswer, maxBatch } from '../../../adapters/gateway/protocol.js';
import type { Request, StoreAnswer } from '../../../adapters/key-value/client-protocol.js';
import { keyValueProtocol as protocol } from '../../../adapters/key-value/client-protocol.js';
import { maxValueBytes } from '../../../adapters/key-value/commands.js';

const status: Request = { type: 'status' };
const key = Uint8Array.from([1]);

/** A connection whose turns are ended by hand. */
function opened() {
  const scheduler = new VirtualTimeScheduler();
  const frames: Uint8Array[] = [];
  const conversation = new Conversation<Request, StoreAnswer>(protocol, {
    address: 'a',
    send: (sent) => frames.push(...sent),
    scheduler,
  });
  const turn = (): number[] => {
    const before = frames.length;
    scheduler.flush();
    return frames.slice(before).map((frame) => decodeRequests(protocol, frame).length);
  };
  return { conversation, frames, turn };
}

const listen = (conversation: Conversation<Request, StoreAnswer>, heard: unknown[]): Subscription =>
  conversation.answers(status).subscribe({
    next: (answer) => heard.push(answer.type),
    error: (error: unknown) => heard.push(error),
  });

it('puts the requests of a turn into one frame, and none into the next', () => {
  const { conversation, frames, turn } = opened();
  for (let i = 0; i < 3; i += 1) conversation.ask(status).catch(() => undefined);
  expect([frames.length, turn()]).toEqual([0, [3]]);
  expect(turn()).toEqual([]);
  conversation.ask(status).catch(() => undefined);
  expect(turn()).toEqual([1]);
  conversation.end('over');
});

it('makes as few frames as the limits allow, each of which a node takes', () => {
  const { conversation, frames, turn } = opened();
  for (let i = 0; i < maxBatch + 2; i += 1) listen(conversation, []);
  expect(turn()).toEqual([maxBatch, 2]);
  const value = new Uint8Array(maxValueBytes);
  const command = { type: 'put', key, value, condition: null } as const;
  for (let i = 0; i < 5; i += 1) conversation.answers({ type: 'command', command }).subscribe();
  expect(turn()).toEqual([2, 2, 1]);
  const longest = Math.max(...frames.map(({ length }) => length));
  expect(longest).toBeLessThanOrEqual(protocol.maxFrameBytes);
});

it('does not send what was given up within its turn, and knows what waits', () => {
  const { conversation, turn } = opened();
  const first = listen(conversation, []);
  const bytes = conversation.waitingBytes;
  expect(bytes).toBeGreaterThan(0);
  const second = listen(conversation, []);
  first.unsubscribe();
  expect([conversation.waitingBytes, turn()]).toEqual([bytes, [1]]);
  second.unsubscribe();
  listen(conversation, []).unsubscribe();
  expect([conversation.waitingBytes, turn()]).toEqual([0, []]);
});

it('hands each answer to who asked, and the end to all who wait', async () => {
  const { conversation, turn } = opened();
  const heard: unknown[] = [];
  const asked = conversation.ask(status);
  listen(conversation, heard);
  const lost = conversation.ask(status);
  turn();
  for (const [id, answer] of [
    [2, { type: 'missing' }],
    [2, { type: 'conflict' }],
    [1, { type: 'done' }],
    [9, { type: 'done' }],
  ] as const) {
    conversation.onFrame(encodeAnswer(protocol, id, answer));
  }
  expect(await asked).toEqual({ type: 'done' });
  expect(heard).toEqual(['missing', 'conflict']);
  conversation.end('gone');
  conversation.end('again');
  await expect(lost).rejects.toThrow('a: gone');
  expect(heard.at(-1)).toBeInstanceOf(ConnectionLost);
  await expect(conversation.ask(status)).rejects.toThrow('a: closed');
  expect([conversation.isOpen, turn()]).toEqual([false, []]);
});

it('tells those whose requests have not left that they were not sent', async () => {
  const { conversation, turn } = opened();
  const wasSent = (asked: Promise<unknown>): Promise<unknown> =>
    asked.catch((error: unknown) => (error as ConnectionLost).wasSent);
  const first = wasSent(conversation.ask(status));
  turn();
  const second = wasSent(conversation.ask(status));
  conversation.end('gone');
  const third = wasSent(conversation.ask(status));
  expect(await Promise.all([first, second, third])).toEqual([true, false, false]);
  expect(turn()).toEqual([]);
});
