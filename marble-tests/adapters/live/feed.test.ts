/** What a page is told of a node, drawn. A status comes with every second frame of events. */
import { map, mergeMap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { LiveFeed } from '../../../adapters/live/feed.js';
import type { LiveFrame, StatusFrame } from '../../../adapters/live/protocol.js';
import type { NodeStatus } from '../../../adapters/key-value/client-protocol.js';
import type { Action } from '../../../lib/action.js';
import { clusterOf } from '../../../lib/cluster-config.js';
import type { LogEntry } from '../../../lib/entries.js';
import { entriesOf } from '../../../lib/entries.js';
import type { Message } from '../../../lib/message.js';
import type { LogPosition } from '../../../lib/position.js';
import { origin } from '../../../lib/position.js';
import { ofType } from '../../../lib/selectors.js';
import { marbles } from '../../marbles.js';

type Bytes = Uint8Array;

const status = (): NodeStatus => ({
  ...{ id: 'a', cluster: 'x', address: 'h:1', pid: 7, role: 'leader', term: 2, leader: 'a' },
  ...{
    commit: 1,
    applied: 1,
    voters: [],
    nonVoters: [],
    keys: 0,
    members: { a: 'h:1', b: 'h:2', c: 'h:3' },
  },
});

function feedOf(periodMs = 3): LiveFeed {
  const recovered = { snapshot: null, entries: null };
  return new LiveFeed({ recovered, status, periodMs, now: () => 0 });
}

const command = (size: number): LogEntry<Bytes> => ({
  type: 'command',
  command: new Uint8Array(size),
});

function entries(prev: LogPosition, ...list: LogEntry<Bytes>[]) {
  return entriesOf(prev, list);
}

const call = (round: number, count = 0): Message<Bytes> => ({
  ...{ type: 'appendEntriesCall', from: 'a', term: 2, round, commitIndex: 1 },
  entries: entries({ term: 2, index: 1 }, ...Array.from({ length: count }, () => command(3))),
});

const reply = (round: number, index: number, generation = 1): Message<Bytes> => ({
  ...{ type: 'appendEntriesReply', from: 'b', term: 2, round, generation, refused: false },
  lastPosition: { term: 2, index },
});

const send = (message: Message<Bytes>): Action<Bytes, Bytes> => ({
  ...{ type: 'sendMessage', to: 'b', message },
});

const persist = (sequence: number, list: ReturnType<typeof entries>): Action<Bytes, Bytes> => ({
  ...{ type: 'persist', sequence, hardState: null, entries: list, snapshot: null },
});

function framesOf(feed: LiveFeed): { frames: LiveFrame[]; stop: () => void } {
  const frames: LiveFrame[] = [];
  const watch = feed.frame$.subscribe((text) => frames.push(JSON.parse(text) as LiveFrame));
  return { frames, stop: () => watch.unsubscribe() };
}

function statusOf(feed: LiveFeed): StatusFrame {
  const { frames, stop } = framesOf(feed);
  stop();
  return frames[0] as StatusFrame;
}

const typeOf = (text: string): string => (JSON.parse(text) as LiveFrame).type;

describe('the feed of a node', () => {
  it(
    'begins with a status, then tells what has passed, and a status, at a steady rate',
    marbles((m) => {
      const feed = feedOf();
      // What passes before anybody watches is nobody's.
      m.hot('mm--m-mm--').subscribe(() => feed.onAction(send(call(1))));
      const type$ = m.cold('--w').pipe(mergeMap(() => feed.frame$.pipe(map(typeOf))));
      const types = { s: 'status', e: 'events' };
      m.expect(type$, '^------------!').toBeObservable('--s--e--(es)', types);
    }),
  );

  it(
    'one who comes later sees a status at once, and then what all see',
    marbles((m) => {
      const feed = feedOf();
      m.hot('-m--m-').subscribe(() => feed.onAction(send(call(1))));
      const type$ = feed.frame$.pipe(map(typeOf));
      const types = { s: 'status', e: 'events' };
      m.expect(type$, '^-----------!').toBeObservable('s--e--(es)', types);
      const later$ = m.cold('----w').pipe(mergeMap(() => type$));
      m.expect(later$, '^-----------!').toBeObservable('----s-(es)', types);
    }),
  );

  it(
    'many messages of one kind are one event with their number, however many they are',
    marbles((m) => {
      const feed = feedOf(5);
      m.hot('-m').subscribe(() => {
        for (let round = 1; round <= 10_000; round += 1) feed.onAction(send(call(round, 2)));
        feed.onAction(send(call(10_001)));
      });
      const told$ = feed.frame$.pipe(
        map((text) => JSON.parse(text) as LiveFrame),
        ofType('events'),
        map(({ events, untold }) => [untold, ...events]),
      );
      const common = { type: 'sent', at: 0, peers: ['b'], term: 2 } as const;
      m.expect(told$, '^-----!').toBeObservable('-----e', {
        e: [
          0,
          {
            ...common,
            kind: 'append',
            count: 10_000,
            rounds: [1, 10_000],
            entries: 20_000,
            index: 3,
          },
          {
            ...common,
            kind: 'heartbeat',
            count: 1,
            rounds: [10_001, 10_001],
            entries: 0,
            index: 1,
          },
        ],
      });
    }),
  );

  it(
    'groups beyond a number are counted only',
    marbles((m) => {
      const feed = feedOf(5);
      m.hot('-m').subscribe(() => {
        for (let term = 1; term <= 1000; term += 1) {
          const message: Message<Bytes> = { ...call(1), term };
          feed.onInput({ type: 'received', message });
        }
      });
      const told$ = feed.frame$.pipe(
        map((text) => JSON.parse(text) as LiveFrame),
        ofType('events'),
        map(({ events, untold }) => [events.length, untold]),
      );
      m.expect(told$, '^-----!').toBeObservable('-----e', { e: [128, 872] });
    }),
  );

  it('remembers nothing of what nobody watched, but the end of the log', () => {
    const feed = feedOf();
    feed.onAction(persist(1, entries(origin, { type: 'term', term: 2 }, command(5))));
    feed.onAction(send(call(1, 1)));
    feed.onInput({ type: 'received', message: reply(1, 2) });
    expect(statusOf(feed).peers).toEqual([]);
    expect(statusOf(feed).log).toEqual({
      last: { term: 2, index: 2 },
      snapshot: 0,
      entries: [
        { index: 1, term: 2, type: 'term', bytes: 0 },
        { index: 2, term: 2, type: 'command', bytes: 5 },
      ],
    });
  });

  it('tells what a leader knows of its peers: the highest that they acknowledged', () => {
    const feed = feedOf();
    const { stop } = framesOf(feed);
    feed.onAction(send(call(1, 4)));
    expect(statusOf(feed).peers).toEqual([{ id: 'b', matchIndex: 0, nextIndex: 6 }]);
    feed.onInput({ type: 'received', message: reply(1, 5) });
    feed.onInput({ type: 'received', message: reply(1, 3) });
    expect(statusOf(feed).peers).toEqual([{ id: 'b', matchIndex: 5, nextIndex: 6 }]);
    // After a restart of the peer it is to be seen again.
    feed.onInput({ type: 'received', message: reply(2, 1, 2) });
    expect(statusOf(feed).peers).toEqual([{ id: 'b', matchIndex: 1, nextIndex: 6 }]);
    stop();
  });

  it('tells how many requests were answered, and how fast, only when somebody watches', async () => {
    const feed = feedOf(1);
    const done = Promise.resolve({ type: 'done' } as const);
    expect(feed.timed(done)).toBe(done);
    const { frames, stop } = framesOf(feed);
    await feed.timed(done);
    await feed.timed(Promise.resolve({ type: 'unknown', text: '' } as const));
    const loads = (): StatusFrame['load'][] =>
      frames.flatMap((frame) => (frame.type === 'status' ? [frame.load] : []));
    const answered = (): number => loads().reduce((sum, each) => sum + each.answered, 0);
    await expect.poll(answered).toBe(2);
    expect(loads().reduce((sum, each) => sum + each.failed, 0)).toBe(1);
    stop();
  });
});

describe('the log that a page is shown', () => {
  it('is cut and written over as on the disk', () => {
    const feed = feedOf();
    feed.onAction(persist(1, entries(origin, { type: 'term', term: 1 }, command(1), command(2))));
    feed.onAction(persist(2, entries({ term: 1, index: 1 }, { type: 'term', term: 3 })));
    const { log } = statusOf(feed);
    expect(log.entries.map(({ index, term }) => [index, term])).toEqual([
      [1, 1],
      [2, 3],
    ]);
    expect(log.last).toEqual({ term: 3, index: 2 });
  });

  it('is the end of a long one', () => {
    const feed = feedOf();
    const many = Array.from({ length: 1000 }, () => command(1));
    feed.onAction(persist(1, entries(origin, { type: 'term', term: 1 }, ...many)));
    feed.onAction(persist(2, entries({ term: 1, index: 1001 }, command(1))));
    const { log } = statusOf(feed);
    expect(log.entries).toHaveLength(24);
    expect(log.entries.at(-1)?.index).toBe(1002);
    expect(log.entries[0]?.index).toBe(979);
  });

  it('begins behind a snapshot that does not fit it', () => {
    const feed = feedOf();
    feed.onAction(persist(1, entries(origin, { type: 'term', term: 1 }, command(1))));
    const position = { term: 4, index: 90 };
    const snapshot = { position, config: clusterOf(['a']), data: new Uint8Array() };
    feed.onAction({
      ...{ type: 'persist', sequence: 2, hardState: null, snapshot },
      entries: entries(position, command(2)),
    });
    const { log } = statusOf(feed);
    expect(log).toMatchObject({ snapshot: 90, last: { term: 4, index: 91 } });
    expect(log.entries.map(({ index }) => index)).toEqual([91]);
  });

  it('keeps what stands behind a snapshot of its own', () => {
    const feed = feedOf();
    feed.onAction(persist(1, entries(origin, { type: 'term', term: 1 }, command(1), command(2))));
    const position = { term: 1, index: 2 };
    const snapshot = { position, config: clusterOf(['a']), data: new Uint8Array() };
    feed.onAction({
      ...{ type: 'persist', sequence: 2, hardState: null, snapshot, entries: null },
    });
    expect(statusOf(feed).log).toMatchObject({ snapshot: 2, last: { term: 1, index: 3 } });
  });
});
