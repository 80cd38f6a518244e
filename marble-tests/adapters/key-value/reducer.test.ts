/**
 * "If two machines start in the same state and apply the same commands in the same order, they end
 * in the same state" (§2). The store against the simplest model of it, with snapshots in between.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../adapters/codec.js';
import type { Command } from '../../../adapters/key-value/commands.js';
import { emptyState, load, lookUp, reducer, save } from '../../../adapters/key-value/reducer.js';
import { commands, keys } from './arbitraries.js';

const seeded = { seed: 20, numRuns: 300 };
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** The same in a list of pairs, searched from the front. */
class Model {
  private pairs: (readonly [string, string])[] = [];

  apply(command: Command): string {
    const name = command.key.join();
    const current = this.find(command.key);
    const { condition } = command;
    if (condition === 'absent' && current !== undefined) return 'conflict';
    if (condition instanceof Uint8Array && current !== condition.join()) return 'conflict';
    this.pairs = this.pairs.filter(([key]) => key !== name);
    if (command.type === 'put') this.pairs.push([name, command.value.join()]);
    return command.type === 'delete' && current === undefined ? 'missing' : 'done';
  }

  find(key: Uint8Array): string | undefined {
    return this.pairs.find(([name]) => name === key.join())?.[1];
  }
}

describe('the reducer', () => {
  it('does what a list of pairs would do, also when it starts again from a snapshot', () => {
    const steps = fc.array(fc.oneof({ weight: 9, arbitrary: commands }, fc.constant('restart')));
    fc.assert(
      fc.property(steps, keys, (list, key) => {
        const model = new Model();
        let state = emptyState();
        for (const step of list) {
          if (typeof step === 'string') {
            state = load(save(state));
            continue;
          }
          const outcome = reducer(state, step);
          state = outcome.state;
          expect(outcome.result).toBe(model.apply(step));
        }
        expect(lookUp(state, key)?.join()).toBe(model.find(key));
      }),
      seeded,
    );
  });

  it('sets a value only where the expected one is, and deletes likewise', () => {
    const state = emptyState();
    const key = bytes('color');
    const put = (value: string, condition: Uint8Array | 'absent'): string =>
      reducer(state, { type: 'put', key, value: bytes(value), condition }).result;
    expect(put('blue', bytes(''))).toBe('conflict');
    expect(put('blue', 'absent')).toBe('done');
    expect(put('red', 'absent')).toBe('conflict');
    expect(put('red', bytes('blue'))).toBe('done');
    expect(reducer(state, { type: 'delete', key, condition: bytes('blue') }).result).toBe(
      'conflict',
    );
    expect(lookUp(state, key)).toEqual(bytes('red'));
    expect(reducer(state, { type: 'delete', key, condition: bytes('red') }).result).toBe('done');
    expect(reducer(state, { type: 'delete', key, condition: null }).result).toBe('missing');
  });

  it('keeps where members live, where no key can reach it', () => {
    const state = emptyState();
    const address = '127.0.0.1:7101';
    for (const id of ['n1', '__proto__', 'ключ']) reducer(state, { type: 'address', id, address });
    const key = bytes('n1');
    expect(reducer(state, { type: 'delete', key, condition: null }).result).toBe('missing');
    reducer(state, { type: 'put', key, value: bytes('x'), condition: null });
    const restored = load(save(state));
    expect([...restored.addresses.keys()]).toEqual(['n1', '__proto__', 'ключ']);
    expect(restored.addresses.get('n1')).toBe(address);
    reducer(restored, { type: 'address', id: 'n1', address: null });
    expect(restored.addresses.has('n1')).toBe(false);
    expect(lookUp(restored, key)).toEqual(bytes('x'));
  });

  it('keeps a value of its own: the block that brought it may change or go', () => {
    const state = emptyState();
    const block = bytes('xxxblue');
    const key = bytes('color');
    reducer(state, { type: 'put', key, value: block.subarray(3), condition: null });
    block.fill(0);
    key.fill(0);
    const value = lookUp(state, bytes('color'));
    expect(value).toEqual(bytes('blue'));
    expect(value?.buffer.byteLength).toBe(4);
  });
});

describe('a snapshot', () => {
  it('is not changed by what follows it, and changes nothing when it is overwritten', () => {
    const state = emptyState();
    const key = bytes('color');
    reducer(state, { type: 'put', key, value: bytes('blue'), condition: null });
    const data = save(state);
    reducer(state, { type: 'put', key, value: bytes('red'), condition: null });
    const restored = load(data);
    data.fill(0);
    expect(lookUp(restored, key)).toEqual(bytes('blue'));
    expect(lookUp(state, key)).toEqual(bytes('red'));
  });

  it('holds the longest key and value, and more keys than a short list', () => {
    const state = emptyState();
    const value = new Uint8Array(1 << 20).fill(7);
    const long = new Uint8Array(64 << 10).fill(200);
    reducer(state, { type: 'put', key: long, value, condition: null });
    for (let i = 0; i < 70_000; i += 1) state.values.set(String(i), value.subarray(0, 1));
    const restored = load(save(state));
    expect(restored.values.size).toBe(70_001);
    // A deep comparison of a million numbers takes seconds.
    expect(Buffer.compare(lookUp(restored, long) ?? new Uint8Array(0), value)).toBe(0);
  });

  it('of before there were addresses is read as well', () => {
    const old = Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 97, 98]);
    const state = load(old);
    expect(lookUp(state, bytes('a'))).toEqual(bytes('b'));
    expect(state.addresses.size).toBe(0);
  });

  it('that is none ends the node: it must not go on with half a state', () => {
    const values = new Map([['a', bytes('b')]]);
    const good = save({ values, addresses: new Map([['n1', '127.0.0.1:7101']]) });
    expect(load(good).values.size).toBe(1);
    for (let length = 0; length < good.length; length += 1) {
      expect(() => load(good.subarray(0, length))).toThrow(DecodeError);
    }
    expect(() => load(Buffer.concat([good, Buffer.alloc(8)]))).toThrow(DecodeError);
    for (const at of [4, 5, 9, 12, 18, 22, 26]) {
      const bent = good.slice();
      bent[at] = 200;
      expect(() => load(bent)).toThrow(DecodeError);
    }
    const otherVersion = good.slice();
    otherVersion[0] = 9;
    expect(() => load(otherVersion)).toThrow(/another version/);
  });
});
