/** What a follower is sent: a snapshot, then what is behind the last index that it has seen. */
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Source } from '../../../adapters/replica/feed.js';
import { replicaFeed, replicaUpdates } from '../../../adapters/replica/feed.js';
import { Tail, tailBlocks, tailBytes } from '../../../adapters/replica/tail.js';

const command = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const state = command('state');

/** A node that has applied one command at each index up to this one. */
function node(applied: number): Source & {
  apply(index: number): void;
  readonly applied$: Subject<void>;
} {
  const tail = new Tail();
  let index = 0;
  const apply = (next: number): void => {
    for (; index < next; index += 1) tail.add({ term: 1, index: index + 1, offset: 0 }, state);
  };
  apply(applied);
  const applied$ = new Subject<void>();
  return { tail, appliedIndex: () => index, snapshot: () => state, applied$, apply };
}

const block = (index: number) => ({ term: 1, index, commands: [state] });

describe('a feed', () => {
  it('begins with the state, and goes on with what comes', () => {
    const source = node(3);
    const feed = replicaFeed(source, null);
    expect(feed.next()).toEqual({ type: 'snapshot', index: 3, state });
    expect(feed.next()).toBeNull();
    source.apply(5);
    expect(feed.next()).toMatchObject({ type: 'entries', index: 5 });
    expect(feed.next()).toBeNull();
    expect(feed.idle()).toEqual({ type: 'entries', index: 5, blocks: [] });
  });

  it('goes on behind the index that was seen', () => {
    const feed = replicaFeed(node(4), 2);
    expect(feed.next()).toMatchObject({ index: 4, blocks: [{ index: 3 }, { index: 4 }] });
  });

  it('says at once that it is behind, and waits until it is not', () => {
    const source = node(3);
    const feed = replicaFeed(source, 5);
    expect(feed.next()).toEqual({ type: 'entries', index: 3, blocks: [] });
    source.apply(5);
    expect(feed.next()).toBeNull();
    source.apply(6);
    expect(feed.next()).toMatchObject({ index: 6, blocks: [{ index: 6 }] });
  });

  it('falls back to the state when what is lacking is compacted, or too long ago', () => {
    const source = node(3);
    source.tail.reset(3);
    expect(replicaFeed(source, 2).next()).toMatchObject({ type: 'snapshot', index: 3 });
    expect(replicaFeed(source, 3).next()).toMatchObject({ type: 'entries', blocks: [] });
    source.apply(3 + tailBlocks + 2);
    expect(replicaFeed(source, 4).next()).toMatchObject({ type: 'snapshot' });
    expect(replicaFeed(source, 5).next()).toMatchObject({ type: 'entries' });
  });

  it('goes on behind blocks that are longer than all that is kept', () => {
    const source = node(0);
    const large = new Uint8Array(tailBytes / 4);
    for (let index = 1; index <= 8; index += 1) {
      for (let offset = 0; offset < 6; offset += 1) {
        source.tail.add({ term: 1, index, offset }, large);
      }
    }
    source.tail.add({ term: 1, index: 9, offset: 0 }, state);
    expect(source.tail.startIndex).toBe(8);
    const feed = replicaFeed({ ...source, appliedIndex: () => 9 }, 8);
    expect(feed.next()).toMatchObject({ type: 'entries', index: 9, blocks: [block(9)] });
  });

  it('sends much in pieces, each as far as it goes', () => {
    const source = node(0);
    const large = new Uint8Array(200 << 10);
    for (let index = 1; index <= 5; index += 1) {
      source.tail.add({ term: 1, index, offset: 0 }, large);
    }
    const feed = replicaFeed({ ...source, appliedIndex: () => 6 }, 0);
    const pieces = [feed.next(), feed.next(), feed.next(), feed.next()];
    expect(pieces.map((piece) => piece?.index)).toEqual([2, 4, 6, undefined]);
  });
});

describe('its updates', () => {
  it('are made when they are taken, with signs of life, until the node or the reader is gone', async () => {
    const source = node(3);
    const reader = new AbortController();
    const update$ = replicaUpdates(source, null, reader.signal, 5);
    expect((await update$.next()).value).toMatchObject({ type: 'snapshot', index: 3 });
    const next = update$.next();
    for (const index of [4, 5]) source.apply(index);
    source.applied$.next();
    expect((await next).value).toMatchObject({ index: 5, blocks: [{ index: 4 }, { index: 5 }] });
    expect((await update$.next()).value).toEqual({ type: 'entries', index: 5, blocks: [] });
    const last = update$.next();
    reader.abort();
    expect((await last).done).toBe(true);
    const stopped = replicaUpdates(source, 5, new AbortController().signal);
    await stopped.next();
    const end = stopped.next();
    source.applied$.complete();
    expect((await end).done).toBe(true);
    expect(source.applied$.observed).toBe(false);
  });
});

describe('a tail', () => {
  it('keeps the places of commands without an effect', () => {
    const tail = new Tail();
    tail.add({ term: 2, index: 7, offset: 0 }, null);
    tail.add({ term: 2, index: 7, offset: 1 }, state);
    expect(tail.behind(0, Infinity)).toMatchObject([
      { term: 2, index: 7, commands: [null, state] },
    ]);
  });

  it('has a limit in bytes', () => {
    const tail = new Tail();
    const half = new Uint8Array(tailBytes / 2);
    for (let index = 1; index <= 3; index += 1) tail.add({ term: 1, index, offset: 0 }, half);
    expect(tail.startIndex).toBe(2);
    expect(tail.behind(2, Infinity)).toMatchObject([{ index: 3 }]);
  });

  it('finds blocks in its middle, also after it was shortened', () => {
    const source = node(3 * tailBlocks);
    const from = 3 * tailBlocks - 3;
    expect(source.tail.behind(from, Infinity)).toMatchObject([1, 2, 3].map((i) => block(from + i)));
    expect(source.tail.startIndex).toBe(2 * tailBlocks);
  });
});
