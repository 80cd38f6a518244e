/** A watch through reconnects: nothing twice, nothing left out; and how it is printed. */
import {
  concat,
  finalize,
  firstValueFrom,
  NEVER,
  Observable,
  of,
  take,
  throwError,
  toArray,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Answer, Request, WatchAnswer } from '../../../adapters/key-value/client-protocol.js';
import { ConnectionLost } from '../../../adapters/key-value/connection.js';
import type { FollowOptions, Lost, Watchable } from '../../../adapters/key-value/follow.js';
import { follow } from '../../../adapters/key-value/follow.js';
import { linesOf } from '../../../adapters/key-value/watch-lines.js';

const key = new Uint8Array(Buffer.from('color'));
const value = new Uint8Array(Buffer.from('blue'));
const changes = (index: number): WatchAnswer => ({
  ...{ type: 'changes', index, changes: [{ key, value }] },
});
const lost = new ConnectionLost('b', 'gone');

/** Nodes that say these things, and are lost then; the last one stays. */
function following(
  lives: (Answer | 'down')[][],
  options: Partial<FollowOptions> = {},
): { answers$: Observable<WatchAnswer | Lost>; asked: Request[]; closed: string[] } {
  const asked: Request[] = [];
  const closed: string[] = [];
  const connect = (address: string): Observable<Watchable> => {
    const answers = lives.shift() ?? [];
    if (answers[0] === 'down') return throwError(() => lost);
    const node: Watchable = {
      answers: (request) => {
        asked.push(request);
        return new Observable((subscriber) => {
          for (const each of answers) if (each !== 'down') subscriber.next(each);
          if (lives.length > 0) subscriber.error(lost);
        });
      },
    };
    return concat(of(node), NEVER).pipe(finalize(() => closed.push(address)));
  };
  const given = { nodes: ['a', 'b'], key, isPrefix: false, from: null, pauseMs: () => 1 };
  return { answers$: follow({ ...given, connect, ...options }), asked, closed };
}

const froms = (asked: Request[]): unknown[] =>
  asked.map((each) => (each.type === 'watch' ? each.from : each));

describe('a watch that is followed', () => {
  it('goes on at the next node where it was lost', async () => {
    const { answers$, asked, closed } = following([
      [{ type: 'watching', index: 4 }],
      ['down'],
      [{ type: 'watching', index: 4 }, changes(5), changes(9)],
      [{ type: 'watching', index: 9 }, changes(10)],
    ]);
    const types = await firstValueFrom(answers$.pipe(take(9), toArray()));
    expect(froms(asked)).toEqual([null, 5, 10]);
    expect(types.map(({ type }) => type)).toEqual([
      ...['watching', 'lost', 'lost', 'watching', 'changes', 'changes', 'lost'],
      ...['watching', 'changes'],
    ]);
    expect(closed).toContain('a');
  });

  it('asks for the values again when not all of them have come', async () => {
    const piece: WatchAnswer = { type: 'current', index: 7, isLast: false, values: [] };
    const { answers$, asked } = following(
      [[{ type: 'watching', index: 2 }, piece], [piece, { ...piece, isLast: true }], [changes(8)]],
      { from: 3 },
    );
    await firstValueFrom(answers$.pipe(take(7), toArray()));
    expect(froms(asked)).toEqual([3, 3, 8]);
  });

  it('asks for an index that there is, whatever a node claims (H6)', async () => {
    const last = Number.MAX_SAFE_INTEGER;
    const { answers$, asked } = following([[changes(last)], [changes(last)], [changes(last)]]);
    await firstValueFrom(answers$.pipe(take(5), toArray()));
    expect(froms(asked)).toEqual([null, last, last]);
  });

  it('ends when no node has answered for so long', async () => {
    const lives = Array.from({ length: 1000 }, () => ['down' as const]);
    const { answers$ } = following(lives, { timeoutMs: 30 });
    await expect(firstValueFrom(answers$.pipe(toArray()))).rejects.toThrow('gone');
  });

  it('asks the next node when one refuses', async () => {
    const { answers$, asked } = following([
      [{ type: 'refused', reason: 'overloaded', text: 'too many' }],
      [changes(1)],
    ]);
    const all = await firstValueFrom(answers$.pipe(take(2), toArray()));
    expect(all).toEqual([{ type: 'lost', cause: 'too many' }, changes(1)]);
    expect(asked).toHaveLength(2);
  });

  it('lets go of its node when nobody listens', async () => {
    const { answers$, closed } = following([[changes(1)]]);
    await firstValueFrom(answers$);
    expect(closed).toEqual(['a']);
  });
});

describe('a line', () => {
  const bent = { key: new Uint8Array([255, 10]), value: new Uint8Array(0) };

  it('is for people, and says nothing to their terminal', () => {
    expect(linesOf(changes(5), false, true)).toEqual(['5 put color blue']);
    const list = [{ key, value: null }, bent];
    expect(linesOf({ type: 'changes', index: 6, changes: list }, false, true)).toEqual([
      '6 delete color',
      '6 put \ufffd\ufffd',
    ]);
    expect(linesOf({ type: 'watching', index: 6 }, false, true)).toEqual([]);
  });

  it('is for programs, byte for byte', () => {
    const list = [{ key, value }, { key, value: null }, bent];
    expect(
      linesOf({ type: 'changes', index: 6, changes: list }, true, true).map(
        (line) => JSON.parse(line) as unknown,
      ),
    ).toEqual([
      { index: 6, type: 'put', key: 'color', value: 'blue' },
      { index: 6, type: 'delete', key: 'color' },
      { index: 6, type: 'put', key: { base64: '/wo=' }, value: '' },
    ]);
  });

  it('says once that the past is not kept', () => {
    const piece: WatchAnswer = {
      ...{ type: 'current', index: 7, isLast: false, values: [{ key, value }] },
    };
    expect(linesOf(piece, false, true)).toEqual([
      expect.stringContaining('7 what was changed before is not kept'),
      '7 is color blue',
    ]);
    expect(linesOf(piece, true, true)[0]).toBe('{"index":7,"type":"compacted"}');
    expect(linesOf(piece, false, false)).toEqual(['7 is color blue']);
  });
});
