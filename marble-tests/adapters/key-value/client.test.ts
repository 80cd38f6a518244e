/** "On connection loss after sending a write: outcome unknown, unless safe to retry." */
import { NEVER } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { request } from '../../../adapters/key-value/client.js';
import type { Answer, Request } from '../../../adapters/key-value/client-protocol.js';
import { maxValueBytes } from '../../../adapters/key-value/commands.js';
import { ConnectionLost } from '../../../adapters/key-value/connection.js';

const key = new Uint8Array([1]);
const get: Request = { type: 'get', key, stale: false };
const put: Request = { type: 'command', command: { type: 'delete', key, condition: null } };
const done: Answer = { type: 'done' };
const noLeader: Answer = { type: 'refused', reason: 'noLeader', text: 'nobody' };
const overloaded: Answer = { type: 'refused', reason: 'overloaded', text: 'full' };

/** A node is down, or says this, or loses the connection, or hangs. */
type Behaviour = 'down' | Answer | 'lost' | 'unsent' | 'hangs';

let dialled: string[];
let open: number;

beforeEach(() => {
  dialled = [];
  open = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  expect(open).toBe(0);
  vi.useRealTimers();
});

async function ask(asked: Request, nodes: Record<string, Behaviour>): Promise<Answer> {
  const answer = request(asked, {
    nodes: Object.keys(nodes),
    connect: async (address) => {
      dialled.push(address);
      const behaviour = nodes[address];
      if (behaviour === 'down') throw new ConnectionLost(address, 'down');
      open += 1;
      let hanging: (error: Error) => void = () => undefined;
      return {
        address,
        isOpen: true,
        answers: () => NEVER,
        ask: async () => {
          if (typeof behaviour === 'object') return behaviour;
          if (behaviour === 'unsent') throw new ConnectionLost(address, 'lost', false);
          if (behaviour === 'lost') throw new ConnectionLost(address, 'lost');
          return new Promise((_, reject) => (hanging = reject));
        },
        close: (cause = 'closed') => {
          open = 0;
          hanging(new ConnectionLost(address, cause));
        },
      };
    },
  });
  await vi.advanceTimersByTimeAsync(30_000);
  return answer;
}

describe('a client', () => {
  it('asks one node after the other until one answers', async () => {
    expect(await ask(put, { a: 'down', b: 'down', c: done })).toEqual(done);
    expect(dialled).toEqual(['a', 'b', 'c']);
  });

  it('asks the next node when one knows no leader, and believes any other refusal', async () => {
    expect(await ask(put, { a: noLeader, b: done })).toEqual(done);
    expect(await ask(put, { a: noLeader, b: 'down' })).toEqual(noLeader);
    expect(await ask(put, { a: overloaded, b: done })).toEqual(overloaded);
  });

  it('asks again after the loss of a read, and never after the loss of a write', async () => {
    expect(await ask(get, { a: 'lost', b: { type: 'missing' } })).toEqual({ type: 'missing' });
    dialled = [];
    expect(await ask(put, { a: 'lost', b: done })).toEqual({ type: 'unknown', text: 'a: lost' });
    expect(dialled).toEqual(['a']);
    expect(await ask(put, { a: 'unsent', b: done })).toEqual(done);
  });

  it('says of each node why it could not be asked', async () => {
    expect(await ask(put, { a: 'down', b: 'down' })).toEqual({
      ...{ type: 'refused', reason: 'unreachable', text: 'a: down; b: down' },
    });
  });

  it('gives up after its time: a write is unknown then, a read is not', async () => {
    const late = 'it did not answer in time';
    expect(await ask(put, { a: 'hangs', b: done })).toEqual({
      ...{ type: 'unknown', text: `a: ${late}` },
    });
    expect(await ask(get, { a: 'hangs', b: done })).toMatchObject({
      ...{ type: 'refused', reason: 'unreachable', text: `a: ${late}` },
    });
  });

  it('asks nobody for what is over a limit', async () => {
    const value = new Uint8Array(maxValueBytes + 1);
    const command = { type: 'put', key, value, condition: null } as const;
    expect(await ask({ type: 'command', command }, { a: done })).toMatchObject({
      ...{ type: 'refused', reason: 'tooLarge' },
    });
    expect(dialled).toEqual([]);
  });
});
