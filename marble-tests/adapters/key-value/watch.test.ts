/** "Watches from an index on; if compacted: says so and starts with the current values." */
import { describe, expect, it } from 'vitest';
import { Changes } from '../../../adapters/key-value/changes.js';
import type { WatchAnswer } from '../../../adapters/key-value/client-protocol.js';
import { emptyState } from '../../../adapters/key-value/reducer.js';
import { watching } from '../../../adapters/key-value/watch.js';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** A store that is written to, and somebody who watches it. */
class Store {
  readonly changes = new Changes({ changes: 5000 });
  readonly state = emptyState();
  readonly leaving = new AbortController();
  applied = 0;
  leader: string | null = 'n1';

  put(key: string, value = 'v', index = this.applied + 1): void {
    this.applied = index;
    this.state.values.set(Buffer.from(key).toString('latin1'), bytes(value));
    this.changes.note(index, { key: bytes(key), value: bytes(value) });
    this.changes.announce();
  }

  watch(
    key = '',
    isPrefix = true,
    from: number | null = null,
    idleMs = 60_000,
  ): AsyncGenerator<WatchAnswer> {
    const request = { type: 'watch', key: bytes(key), isPrefix, from } as const;
    const { changes } = this;
    const sources = {
      ...{ changes, state: () => this.state, applied: () => this.applied },
      leader: () => this.leader,
    };
    return watching(request, sources, this.leaving.signal, idleMs);
  }
}

async function next(watch: AsyncGenerator<WatchAnswer>): Promise<string> {
  const result = await watch.next();
  if (result.done === true) return 'end';
  const { value } = result;
  if (value.type === 'watching') return `watching ${value.index}`;
  const list = value.type === 'changes' ? value.changes : value.values;
  const keys = list.map(({ key }) => Buffer.from(key).toString()).join();
  const end = value.type === 'current' && value.isLast ? '!' : '';
  return `${value.type} ${value.index} ${keys}${end}`;
}

describe('a watch', () => {
  it('tells what changes from now on, entry by entry', async () => {
    const store = new Store();
    store.put('before');
    const watch = store.watch();
    expect(await next(watch)).toBe('watching 1');
    store.put('a');
    store.put('b', 'v', 3);
    store.put('c', 'v', 3);
    expect(await next(watch)).toBe('changes 2 a');
    expect(await next(watch)).toBe('changes 3 b,c');
    const waiting = next(watch);
    store.put('d');
    expect(await waiting).toBe('changes 4 d');
  });

  it('begins with the index that it is asked for', async () => {
    const store = new Store();
    for (const key of ['a', 'b', 'c']) store.put(key);
    const watch = store.watch('', true, 2);
    expect(await next(watch)).toBe('watching 1');
    expect(await next(watch)).toBe('changes 2 b');
    expect(await next(watch)).toBe('changes 3 c');
  });

  it('shares what it takes to tell the values with all who begin while changes are kept', async () => {
    const store = new Store();
    for (const key of ['a', 'b', 'c']) store.put(key);
    store.changes.reset((store.applied = 9));
    const { values } = store.state;
    let looks = 0;
    const look = (): MapIterator<[string, Uint8Array]> => {
      looks += 1;
      return values.entries();
    };
    Object.defineProperty(values, Symbol.iterator, { value: look });
    const watches = Array.from({ length: 20 }, () => store.watch('', true, 1));
    for (const watch of watches) {
      store.put('d');
      await watch.next();
      expect(await next(watch)).toBe('current 10 a,b,c,d!');
      expect(store.applied === 10 || (await next(watch)) === 'changes 11 d').toBe(true);
    }
    expect(looks).toBe(1);
    const one = store.watch('d', false, 1);
    await one.next();
    expect(await next(one)).toBe('current 29 d!');
    expect(looks).toBe(1);
    // What changed since then is not kept any more.
    for (let times = 0; times < 5001; times += 1) store.put('d');
    const late = store.watch('', true, 1);
    await late.next();
    expect(await next(late)).toBe('current 5030 a,b,c,d!');
    expect(looks).toBe(2);
  });

  it('tells not many values at once, however short they are', async () => {
    const store = new Store();
    for (let i = 0; i < 5000; i += 1) store.state.values.set(`k${i}`, bytes(''));
    store.changes.reset((store.applied = 9));
    const watch = store.watch('', true, 1);
    await watch.next();
    const { value } = (await watch.next()) as { value: { values: readonly unknown[] } };
    expect(value.values.length).toBeLessThanOrEqual(1024);
  });

  it.each<[string, boolean, string]>([
    ['user/', true, 'changes 2 user/1'],
    ['user', false, 'changes 4 user'],
    ['', false, 'changes 5 '],
  ])('of %j tells of nothing else', async (key, isPrefix, expected) => {
    const store = new Store();
    const watch = store.watch(key, isPrefix);
    await next(watch);
    for (const each of ['other', 'user/1', 'use', 'user', '']) store.put(each);
    expect(await next(watch)).toBe(expected);
  });

  it('of what never changes is told how far the log is', async () => {
    const store = new Store();
    const watch = store.watch('quiet', false);
    await next(watch);
    const waiting = next(watch);
    for (let i = 0; i < 1000; i += 1) store.put('loud');
    expect(await waiting).toBe('watching 1000');
  });

  it('of what does not change gives a sign of life, and goes on', async () => {
    const store = new Store();
    store.put('a');
    const watch = store.watch('', true, null, 10);
    for (let i = 0; i < 3; i += 1) expect(await next(watch)).toBe('watching 1');
    store.put('b');
    expect(await next(watch)).toBe('changes 2 b');
    expect(await next(watch)).toBe('watching 2');
    store.leaving.abort();
    expect(await next(watch)).toBe('end');
  });

  it('of what does not change gives a sign of life also where other keys change', async () => {
    const store = new Store();
    const watch = store.watch('quiet', false, null, 20);
    await next(watch);
    const writing = setInterval(() => store.put('loud'), 1);
    const [sign, index] = (await next(watch)).split(' ');
    clearInterval(writing);
    expect(sign).toBe('watching');
    expect(Number(index)).toBeLessThan(1000);
  });

  it('ends on a node that hears of no leader, when it has waited in vain', async () => {
    const store = new Store();
    const watch = store.watch('', true, null, 10);
    await next(watch);
    store.leader = null;
    for (let i = 0; i < 2; i += 1) expect(await next(watch)).toBe('watching 0');
    store.leader = 'n2';
    expect(await next(watch)).toBe('watching 0');
    store.leader = null;
    for (let i = 0; i < 2; i += 1) expect(await next(watch)).toBe('watching 0');
    await expect(next(watch)).rejects.toThrow('this node hears of no leader');
  });

  it('ends on a node that does not come to the index that it is asked for', async () => {
    const store = new Store();
    store.put('a');
    const late = store.watch('', true, 4, 10);
    for (let i = 0; i < 2; i += 1) expect(await next(late)).toBe('watching 3');
    for (const key of ['b', 'c', 'd']) store.put(key);
    expect(await next(late)).toBe('changes 4 d');
    const vain = store.watch('', true, 1e15, 10);
    for (let i = 0; i < 3; i += 1) expect(await next(vain)).toBe('watching 999999999999999');
    await expect(next(vain)).rejects.toThrow('has come to 4, and not yet to 999999999999999');
  });

  it('begins with the values where the log is not kept any more', async () => {
    const store = new Store();
    for (const key of ['a', 'b', 'other']) store.put(key);
    store.changes.reset(3);
    const watch = store.watch('', true, 2);
    expect(await next(watch)).toBe('watching 1');
    expect(await next(watch)).toBe('current 3 a,b,other!');
    store.put('c');
    expect(await next(watch)).toBe('changes 4 c');
  });

  it('that is read so slowly that the log overtakes it is told the values instead', async () => {
    const store = new Store();
    const watch = store.watch();
    await next(watch);
    for (let i = 0; i < 6000; i += 1) store.put(`k${i % 2}`);
    expect(await next(watch)).toBe('current 6000 k0,k1!');
  });

  it('tells many values in pieces, as they were at one index', async () => {
    const store = new Store();
    for (let i = 0; i < 5; i += 1) store.put(`k${i}`, 'v'.repeat(200_000));
    store.changes.reset(5);
    const watch = store.watch('', true, 1);
    await next(watch);
    expect(await next(watch)).toBe('current 5 k0,k1');
    store.put('k9');
    expect(await next(watch)).toBe('current 5 k2,k3');
    expect(await next(watch)).toBe('current 5 k4!');
    expect(await next(watch)).toBe('changes 6 k9');
  });

  it('tells many values in turns of their own, however short they are', async () => {
    const store = new Store();
    for (let i = 0; i < 40_000; i += 1) store.state.values.set(`k${i}`, bytes(''));
    store.changes.reset((store.applied = 9));
    const watch = store.watch('', true, 1);
    await watch.next();
    let turns = 0;
    const count = (): void => {
      turns += 1;
      counting = setImmediate(count);
    };
    let counting = setImmediate(count);
    let pieces = 0;
    let keys = 0;
    for (let isLast = false; !isLast; pieces += 1) {
      const { value } = (await watch.next()) as { value: WatchAnswer };
      if (value.type !== 'current') throw new Error(value.type);
      ({ isLast } = value);
      keys += value.values.length;
    }
    clearImmediate(counting);
    expect(keys).toBe(40_000);
    expect(pieces).toBeGreaterThan(2);
    expect(turns).toBeGreaterThanOrEqual(pieces - 1);
  });

  it.each<[string, boolean, string]>([
    ['user/', true, 'user/1,user/2'],
    ['user', false, 'user'],
    ['nobody', false, ''],
  ])('begins with the values of %j and no other', async (key, isPrefix, expected) => {
    const store = new Store();
    for (const each of ['user/1', 'use', 'user', 'user/2', 'other']) store.put(each);
    store.changes.reset(5);
    const watch = store.watch(key, isPrefix, 1);
    await next(watch);
    expect(await next(watch)).toBe(`current 5 ${expected}!`);
  });

  it('ends when nobody watches any more', async () => {
    const store = new Store();
    const watch = store.watch();
    await next(watch);
    const waiting = next(watch);
    store.leaving.abort();
    expect(await waiting).toBe('end');
  });
});
