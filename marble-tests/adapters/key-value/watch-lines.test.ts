/** What `rxraft watch` prints. */
import { describe, expect, it } from 'vitest';
import type { WatchAnswer } from '../../../adapters/key-value/client-protocol.js';
import { linesOf } from '../../../adapters/key-value/watch-lines.js';

const key = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

const piece = (isLast: boolean, ...names: string[]): WatchAnswer => ({
  ...{ type: 'current', index: 7, isLast },
  values: names.map((name) => ({ key: key(name), value: key('v') })),
});

describe('the lines of the values as they are', () => {
  it('say for programs when they are whole: a lost node leaves a part of them', () => {
    const types = (lines: readonly string[]): string[] =>
      lines.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types(linesOf(piece(false, 'a', 'b'), true, true))).toEqual([
      ...['compacted', 'current', 'current'],
    ]);
    expect(types(linesOf(piece(true, 'c'), true, false))).toEqual(['current', 'complete']);
    expect(linesOf(piece(true), true, true)).toEqual([
      ...['{"index":7,"type":"compacted"}', '{"index":7,"type":"complete"}'],
    ]);
  });

  it('say for people why they come', () => {
    expect(linesOf(piece(false, 'a'), false, true)).toEqual([
      '7 what was changed before is not kept any more: the values as they are now',
      '7 is a v',
    ]);
    expect(linesOf(piece(true, 'b'), false, false)).toEqual(['7 is b v']);
  });
});
