/** What is kept for those who watch: in order, whole entries, and never more than its limits. */
import { describe, expect, it } from 'vitest';
import type { KeyChange } from '../../../adapters/key-value/changes.js';
import { Changes } from '../../../adapters/key-value/changes.js';

const change = (text: string, bytes = 0): KeyChange => ({
  ...{ key: new Uint8Array(Buffer.from(text)), value: new Uint8Array(bytes) },
});

function indexes(changes: Changes, after: number, limit?: number): number[] {
  return changes.after(after, limit).map(({ index }) => index);
}

describe('what is kept', () => {
  it('comes back by entry, in the order of the log', () => {
    const changes = new Changes();
    for (const index of [2, 2, 5, 9]) changes.note(index, change('k'));
    expect(changes.after(0)[0]?.changes).toHaveLength(2);
    expect(indexes(changes, 0)).toEqual([2, 5, 9]);
    expect(indexes(changes, 2)).toEqual([5, 9]);
    expect(indexes(changes, 4)).toEqual([5, 9]);
    expect(indexes(changes, 9)).toEqual([]);
    expect(indexes(changes, 0, 1)).toEqual([2]);
    expect(changes.base).toBe(0);
  });

  it('is forgotten by whole entries, the oldest first, and never the newest', () => {
    const changes = new Changes({ changes: 3 });
    for (const index of [1, 1, 2, 3]) changes.note(index, change('k'));
    expect(indexes(changes, changes.base)).toEqual([2, 3]);
    expect(changes.base).toBe(1);
    for (let i = 0; i < 10; i += 1) changes.note(4, change('k'));
    expect(indexes(changes, changes.base)).toEqual([4]);
    expect(changes.base).toBe(3);
  });

  it('has a limit in bytes', () => {
    const changes = new Changes({ bytes: 100 });
    for (let index = 1; index <= 50; index += 1) changes.note(index, change('k', 9));
    expect(indexes(changes, changes.base)).toHaveLength(10);
    changes.note(51, change('k', 1000));
    expect(indexes(changes, changes.base)).toEqual([51]);
  });

  it('stays right over a long time', () => {
    const changes = new Changes({ changes: 700 });
    for (let index = 1; index <= 20_000; index += 1) changes.note(index, change('k'));
    expect(indexes(changes, changes.base, 1000)).toHaveLength(700);
    expect(indexes(changes, 19_998)).toEqual([19_999, 20_000]);
    expect(changes.base).toBe(19_300);
  });

  it('is replaced by a snapshot', () => {
    const changes = new Changes();
    changes.note(1, change('k'));
    changes.reset(40);
    expect([changes.base, indexes(changes, 0)]).toEqual([40, []]);
    changes.note(41, change('k'));
    expect(indexes(changes, 40)).toEqual([41]);
  });
});

describe('who waits', () => {
  it('is woken by the next announcement, or when it leaves', async () => {
    const changes = new Changes();
    const leaving = new AbortController();
    let woken = 0;
    const count = (): number => (woken += 1);
    const both = [
      changes.announced(leaving.signal, 60_000).then(count),
      changes.announced(new AbortController().signal, 60_000).then(count),
    ];
    leaving.abort();
    await both[0];
    expect(woken).toBe(1);
    changes.announce();
    await both[1];
    await changes.announced(leaving.signal, 60_000);
    expect(woken).toBe(2);
  });
});
