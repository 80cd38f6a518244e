/**
 * What the log has must fit on the wire: a leader that drops one message for ever stops its
 * cluster.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { filter, firstValueFrom, Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { clock } from '../../adapters/clock.js';
import { byteCodec, valueCodec } from '../../adapters/codec.js';
import type { Machine } from '../../adapters/machine.js';
import { machine, OutcomeUnknown } from '../../adapters/machine.js';
import { memoryStore } from '../../adapters/memory-store.js';
import { messageCodec } from '../../adapters/message-codec.js';
import { turnScheduler } from '../../adapters/turn-scheduler.js';
import { framesOf } from '../../adapters/message-frames.js';
import { acceptPeers, EntryTooLarge, wsNetwork } from '../../adapters/ws-network.js';
import type { LogEntry } from '../../lib/entries.js';
import { entriesOf, positionedEntries } from '../../lib/entries.js';
import { loop, raft } from '../../lib/index.js';
import type { AppendEntriesCall } from '../../lib/message.js';

const codec = messageCodec(byteCodec);

function call(list: LogEntry<Uint8Array>[], commitIndex = 0): AppendEntriesCall<Uint8Array> {
  const entries = entriesOf({ term: 1, index: 4 }, list);
  return { type: 'appendEntriesCall', from: 'a', term: 9, round: 3, commitIndex, entries };
}

const command = (bytes: number, fill = 7): LogEntry<Uint8Array> => ({
  type: 'command',
  command: new Uint8Array(bytes).fill(fill),
});

describe('the frames of a message', () => {
  it('are one where it fits', () => {
    const message = call([command(500)]);
    expect(framesOf(message, codec, 1000)).toEqual([codec.encode(message)]);
  });

  it('are calls of the same round that bring the same entries, none over the limit', () => {
    const config = { voters: ['a', 'b'], newVoters: [], nonVoters: ['c'] };
    const list: LogEntry<Uint8Array>[] = Array.from({ length: 40 }, (_, i) => {
      if (i % 10 === 3) return { type: 'term', term: 2 + i };
      return i % 10 === 7 ? { type: 'config', config } : command(i * 20, i);
    });
    const message = call(list, 5);
    const frames = framesOf(message, codec, 1000);
    expect(Math.max(...frames.map(({ length }) => length))).toBeLessThanOrEqual(1000);
    const calls = frames.map((frame) => codec.decode(frame) as typeof message);
    const entries = calls.flatMap((each) => [...positionedEntries(each.entries)]);
    expect(entries).toEqual([...positionedEntries(message.entries)]);
    for (const each of calls) expect(each).toMatchObject({ term: 9, round: 3, commitIndex: 5 });
  });

  it('of one entry that can never leave end the node, unless it is committed', () => {
    const message = call([command(500), command(2000), command(500)]);
    expect(() => framesOf(message, codec, 1000)).toThrow(EntryTooLarge);
    expect(() => framesOf(message, codec, 1000)).toThrow(/index 6 .*commandBytes.*maxFrameBytes/);
    expect(framesOf({ ...message, commitIndex: 6 }, codec, 1000)).toHaveLength(3);
  });
});

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((each) => each()));

interface Member {
  readonly texts: Machine<number, string, number>;
  readonly error$: Subject<unknown>;
}

/** Two nodes on sockets, of which the second is not there yet. */
async function openPair(sizeOf?: () => number): Promise<(id: string) => Member> {
  const ids = ['a', 'b'];
  const servers = await Promise.all(
    ids.map(async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      cleanups.push(() => server.close());
      return server;
    }),
  );
  const address = (id: string): string =>
    `127.0.0.1:${(servers[ids.indexOf(id)]?.address() as AddressInfo).port}`;
  return (id) => {
    const server = servers[ids.indexOf(id)];
    if (server === undefined) throw new Error(`no ${id}`);
    const texts = machine({
      reducer: (sum: number, text: string) => ({ state: sum + text.length, result: sum }),
      initialState: 0,
      ...(sizeOf === undefined ? {} : { sizeOf }),
    });
    const { recovered, storage } = memoryStore<readonly string[], number>();
    const error$ = new Subject<unknown>();
    const network = wsNetwork({
      ...{ cluster: 'x', id, peers: address, sockets: acceptPeers(server), maxFrameBytes: 1000 },
      ...{ commands: valueCodec<readonly string[]>(), snapshots: valueCodec<number>() },
    });
    const adapters = { clock: clock(), storage, network, machine: texts.adapter };
    // All entries of a turn are one message.
    const core = raft({ id, initialVoters: ids, ...recovered }, turnScheduler);
    const running = loop(core, adapters);
    const subscription = running.subscribe({ error: (error: unknown) => error$.next(error) });
    cleanups.push(() => subscription.unsubscribe());
    return { texts, error$ };
  };
}

/** Dispatches wherever the leader is. */
async function dispatch(members: readonly Member[], text: string): Promise<unknown> {
  for (;;) {
    const tries = members.map(({ texts }) => texts.dispatch(text));
    const ends = await Promise.allSettled(tries);
    const done = ends.find((each) => each.status === 'fulfilled');
    if (done !== undefined) return done.value;
    const errors = ends.map((each) => (each.status === 'rejected' ? each.reason : null) as unknown);
    const unknown = errors.find((error) => error instanceof OutcomeUnknown);
    if (unknown !== undefined) return unknown;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a cluster whose network takes frames of 1,000 bytes', () => {
  it('goes on, however many entries a message would bring', async () => {
    const open = await openPair();
    const a = open('a');
    const b = open('b');
    await dispatch([a, b], 'first');
    await Promise.all(Array.from({ length: 60 }, () => dispatch([a, b], 'x'.repeat(300))));
    const all = [a, b].map(({ texts }) =>
      firstValueFrom(texts.state$.pipe(filter((sum) => sum >= 60 * 300))),
    );
    for (const sum of await Promise.all(all)) expect(sum).toBeGreaterThanOrEqual(60 * 300);
  });

  it('ends a leader with an entry that never fits, and nobody waits for ever', async () => {
    const open = await openPair(() => 1);
    const members = [open('a'), open('b')];
    const [first, second] = members.map(({ error$ }) => firstValueFrom(error$));
    await dispatch(members, 'first');
    const end = dispatch(members, 'x'.repeat(3000));
    expect(await Promise.race([first, second])).toBeInstanceOf(EntryTooLarge);
    expect(await end).toMatchObject({ outcome: 'unknown' });
  });
});
