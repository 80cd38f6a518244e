/**
 * "A client that is no member follows the state through reconnects: a snapshot, then the tail from
 * the last index seen."
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { AnySocketClass } from '../../adapters/gateway/any-socket.js';
import type { CommandPosition } from '../../adapters/machine.js';
import type { ObserveOptions, ObserverStatus } from '../../adapters/observe.js';
import { observe } from '../../adapters/observe.js';
import type { Replica } from '../../adapters/replica.js';
import { replica } from '../../adapters/replica.js';
import { freeAddresses } from './free-addresses.js';

interface State {
  readonly words: readonly string[];
  readonly places: readonly string[];
}
type Options = ObserveOptions<State, string, null>;

/** The places of the commands are in the state: followers must see the same. */
const reducer = (state: State, word: string, at: CommandPosition) => {
  if (word === 'poison') throw new Error('no poison');
  const places = [...state.places, `${at.term}.${at.index}.${at.offset}`];
  return { state: { words: [...state.words, word], places }, result: null };
};
const initialState: State = { words: [], places: [] };

let folder: string;
let address: string;
let node: Replica<State, string, null>;

const start = (entries = 1000): void => {
  node = replica({
    ...{ id: 'a', nodes: { a: address }, folder, reducer, initialState },
    ...{ snapshotEvery: { entries }, patienceMs: 20_000 },
  });
};

const webSocket = WebSocket as unknown as AnySocketClass;
const follow = (options: Partial<Options> = {}, urls = [address]) =>
  observe(urls, { reducer, webSocket, reconnectMs: { minimum: 10, maximum: 50 }, ...options });

const words = (count: number) => (state: State) => state.words.length === count;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'observe-'));
  [address = ''] = await freeAddresses(1);
  start();
});
afterEach(async () => {
  await node.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a follower', () => {
  it('has the state first, and then every change, at the positions of the nodes', async () => {
    await node.dispatch('before');
    const states: State[] = [];
    const { state$ } = follow();
    const following = state$.subscribe((state) => states.push(state));
    await expect.poll(() => states.length).toBe(1);
    await Promise.all(['x', 'y', 'poison', 'z'].map((word) => node.dispatch(word).catch(() => 0)));
    await node.dispatch('w', { requestId: '1' });
    await node.dispatch('w', { requestId: '1' });
    await node.dispatch('end');
    await expect.poll(() => states.at(-1)).toEqual(node.state);
    expect(node.state.words).toEqual(['before', 'x', 'y', 'z', 'w', 'end']);
    expect(states[0]?.words).toEqual(['before']);
    following.unsubscribe();
  });

  it('goes on behind what it has seen, when its node comes back', async () => {
    const { state$, status$ } = follow();
    const seen: State[] = [];
    const phases: string[] = [];
    status$.subscribe(({ phase }) => phases.push(phase));
    const following = state$.subscribe((state) => seen.push(state));
    for (const word of ['a', 'b']) await node.dispatch(word);
    await expect.poll(() => seen.at(-1)?.words.length).toBe(2);
    await node.stop();
    await firstValueFrom(status$.pipe(filter(({ phase }) => phase === 'waiting')));
    start();
    await node.dispatch('c');
    await expect.poll(() => seen.at(-1)).toEqual(node.state);
    // Never back, and never the same twice.
    expect(seen.map((state) => state.words.length)).toEqual(
      [...new Set(seen)].map((s) => s.words.length).sort(),
    );
    following.unsubscribe();
    expect([phases[0], phases.at(-1)]).toEqual(['idle', 'idle']);
    expect(phases).toEqual(expect.arrayContaining(['connecting', 'live', 'waiting']));
  });

  it('gets the state anew when what it lacks is compacted', async () => {
    const { state$, status$ } = follow();
    const seen: State[] = [];
    const following = state$.subscribe((state) => seen.push(state));
    await node.dispatch('a');
    await expect.poll(() => seen.at(-1)?.words.length).toBe(1);
    await node.stop();
    await firstValueFrom(status$.pipe(filter(({ phase }) => phase === 'waiting')));
    // Runs that it does not see: after them the log begins with a snapshot.
    const port = address;
    [address = ''] = await freeAddresses(1);
    start(4);
    for (let i = 0; i < 20; i += 1) await node.dispatch(`${i}`);
    await node.stop();
    address = port;
    start(4);
    await node.read(() => null);
    await expect.poll(() => seen.at(-1)?.words.length).toBe(21);
    expect(seen.at(-1)).toEqual(node.state);
    following.unsubscribe();
  });

  it('takes the state of data that were set back, after a while', async () => {
    const { state$, status$ } = follow({ setBackMs: 200 });
    const seen: State[] = [];
    const following = state$.subscribe((state) => seen.push(state));
    for (let i = 0; i < 5; i += 1) await node.dispatch(`${i}`);
    await expect.poll(() => seen.at(-1)?.words.length).toBe(5);
    await node.stop();
    await rm(folder, { recursive: true, force: true });
    const errors: (string | null)[] = [];
    status$.subscribe(({ error }) => errors.push(error));
    start();
    await node.dispatch('new');
    await expect.poll(() => seen.at(-1)?.words).toEqual(['new']);
    expect(errors.join()).toContain('behind what was seen before');
    following.unsubscribe();
  });

  it('tries one node after the other, and says why', async () => {
    const [nobody = ''] = await freeAddresses(1);
    const { state$, status$, select } = follow({ initialState }, [nobody, `http://${address}`]);
    const statuses: ObserverStatus[] = [];
    status$.subscribe((status) => statuses.push(status));
    const lengths: number[] = [];
    const selecting = select(({ words: all }) => all.length).subscribe((n) => lengths.push(n));
    await node.dispatch('x');
    await firstValueFrom(state$.pipe(filter(words(1))));
    selecting.unsubscribe();
    expect(lengths).toEqual([0, 1]);
    const waiting = statuses.find(({ phase }) => phase === 'waiting');
    expect(waiting).toMatchObject({
      url: nobody,
      error: expect.stringContaining(nobody) as string,
    });
    expect(statuses.at(-1)).toMatchObject({ phase: 'idle', url: `http://${address}` });
  });

  it('begins anew when its reducer can not go on', async () => {
    let isBroken = true;
    const { state$ } = follow({
      reducer: (state, word, at) => {
        if (isBroken && word === 'x') throw new Error('not mine');
        return reducer(state, word, at);
      },
    });
    const seen: State[] = [];
    const following = state$.subscribe((state) => seen.push(state));
    await expect.poll(() => seen.length).toBe(1);
    await node.dispatch('x');
    await node.dispatch('y');
    await expect.poll(() => seen.at(-1)).toEqual(node.state);
    isBroken = false;
    following.unsubscribe();
  });

  it('of nothing, of no address, and without a WebSocket is none', () => {
    expect(() => follow({}, [])).toThrow('no urls');
    for (const none of ['ws://:::', 'nowhere', '127.0.0.1', '::1', 'ftp://127.0.0.1:1']) {
      expect(() => follow({}, [none]), none).toThrow(`"${none}" is no address`);
    }
  });
});
