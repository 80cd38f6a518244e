/**
 * The network within a process: its hub, drawn with two or three nodes, and its links.
 */
import type { MonoTypeOperatorFunction } from 'rxjs';
import { BehaviorSubject, concat, NEVER, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Packet } from '../../adapters/memory-network.js';
import {
  duplication,
  latency,
  loss,
  memoryNetwork,
  partition,
  reordering,
} from '../../adapters/memory-network.js';
import { networkAcceptance } from '../../adapters/testing/network-acceptance.js';
import type { NetworkAction } from '../../lib/action.js';
import { clusterOf } from '../../lib/cluster-config.js';
import { entriesOf } from '../../lib/entries.js';
import type { NetworkInput } from '../../lib/input.js';
import type { AppendEntriesCall, RequestVoteReply } from '../../lib/message.js';
import { origin } from '../../lib/position.js';
import { marbles } from '../marbles.js';

type Action = NetworkAction<{ value: number }, string>;
type Input = NetworkInput<{ value: number }, string>;

const vote = (from: string, term: number): RequestVoteReply => ({
  type: 'requestVoteReply',
  from,
  term,
  voteGranted: true,
});
const snapshot = { position: { term: 1, index: 1 }, config: clusterOf(['a']), data: 'state' };

const actions: Record<string, Action> = {
  m: { type: 'sendMessage', to: 'b', message: vote('a', 1) },
  n: { type: 'sendMessage', to: 'b', message: vote('a', 2) },
  b: { type: 'broadcastMessage', to: ['b', 'c'], message: vote('a', 3) },
  i: { type: 'installSnapshot', to: 'b', term: 1, snapshot },
  j: { type: 'installSnapshot', to: 'c', term: 1, snapshot },
};
const inputs: Record<string, Input> = {
  m: { type: 'received', message: vote('a', 1) },
  n: { type: 'received', message: vote('a', 2) },
  b: { type: 'received', message: vote('a', 3) },
  p: { type: 'snapshotReceived', from: 'a', term: 1, snapshot },
  s: { type: 'snapshotSent', to: 'b' },
  t: { type: 'snapshotSent', to: 'c' },
};

/** Draws these numbers, one after the other. */
function drawing(...numbers: number[]): () => number {
  return () => numbers.shift() ?? 1;
}

const checked = (name: string, body: () => void | Promise<void>): void =>
  it(name, () => expect(Promise.resolve().then(body)).resolves.toBeUndefined());

describe('memoryNetwork', () => {
  networkAcceptance<{ value: number }, { value: number }>(checked, () => {
    const network = memoryNetwork<{ value: number }, { value: number }>();
    return {
      adapter: (id) => network.node(id),
      command: (value) => ({ value }),
      data: (value) => ({ value }),
    };
  });

  it(
    'carries messages at once and in order, to those to whom they go',
    marbles((m) => {
      const network = memoryNetwork<{ value: number }, string>();
      const b$ = m.hot<Action>('---------').pipe(network.node('b'));
      const c$ = m.hot<Action>('---------').pipe(network.node('c'));
      const a$ = m.hot<Action>('-m-b-(mn)|', actions).pipe(network.node('a'));
      m.expect(b$).toBeObservable('-m-b-(mn)', inputs);
      m.expect(c$).toBeObservable('---b-----', inputs);
      m.expect(a$).toBeObservable('---------|', inputs);
    }),
  );

  it(
    '"one transfer per peer, this one ignored while one runs"',
    marbles((m) => {
      const link = () =>
        latency<Packet<{ value: number }, string>>({ minimumMs: 4, scheduler: m.scheduler });
      const network = memoryNetwork({ link });
      const b$ = m.hot<Action>('-------------').pipe(network.node('b'));
      const c$ = m.hot<Action>('-------------').pipe(network.node('c'));
      const a$ = m.hot<Action>('-i-ij-i--i---', actions).pipe(network.node('a'));
      m.expect(b$).toBeObservable('-----p----p--', inputs);
      m.expect(c$).toBeObservable('--------p----', inputs);
      m.expect(a$).toBeObservable('-----s--t-s--', inputs);
    }),
  );

  it(
    'a transfer ends when its link is through, arrived or not',
    marbles((m) => {
      const link = () => loss<Packet<{ value: number }, string>>(1);
      const network = memoryNetwork<{ value: number }, string>({ link });
      const b$ = m.hot<Action>('-----').pipe(network.node('b'));
      const a$ = m.hot<Action>('-im--', actions).pipe(network.node('a'));
      m.expect(b$).toBeObservable('-----', inputs);
      m.expect(a$).toBeObservable('-s---', inputs);
    }),
  );

  it(
    'what is under way when its sender ends still arrives, but no snapshot',
    marbles((m) => {
      const link = () =>
        latency<Packet<{ value: number }, string>>({ minimumMs: 4, scheduler: m.scheduler });
      const network = memoryNetwork({ link });
      const b$ = m.hot<Action>('---------').pipe(network.node('b'));
      const a$ = m.hot<Action>('-i-m|', actions).pipe(network.node('a'));
      m.expect(b$).toBeObservable('-------m-', inputs);
      m.expect(a$).toBeObservable('----|', inputs);
    }),
  );

  it(
    'each direction has a link of its own: a one-way partition',
    marbles((m) => {
      const cut$ = m.hot<boolean>('-t---f--', { t: true, f: false });
      const link = (from: string): MonoTypeOperatorFunction<Packet<{ value: number }, string>> =>
        partition(from === 'a' ? cut$ : NEVER);
      const network = memoryNetwork({ link });
      const back: Action = { type: 'sendMessage', to: 'a', message: vote('b', 1) };
      const b$ = m.hot<Action>('---x----', { x: back }).pipe(network.node('b'));
      const a$ = m.hot<Action>('m--n--n-', actions).pipe(network.node('a'));
      m.expect(b$).toBeObservable('m-----n-', inputs);
      m.expect(a$).toBeObservable('---x----', { x: { type: 'received', message: vote('b', 1) } });
    }),
  );

  it(
    'the links of a node are let go when it ends',
    marbles((m) => {
      const cut$ = m.cold<boolean>('f---', { f: false });
      const network = memoryNetwork({
        link: () => partition<Packet<{ value: number }, string>>(cut$),
      });
      m.expect(m.hot<Action>('-m---|', actions).pipe(network.node('a'))).toBeObservable('-----|');
      m.expect(cut$).toHaveSubscriptions('-^---!');
    }),
  );

  it('receivers that change what they are given change nobody else (I12)', () => {
    const network = memoryNetwork<{ value: number }, string>({ link: () => duplication(1) });
    const commands: { value: number }[] = [];
    const action$ = new Subject<Action>();
    for (const id of ['b', 'c']) {
      NEVER.pipe(network.node(id)).subscribe((input) => {
        if (input.type !== 'received') return;
        const { entries } = input.message as AppendEntriesCall<{ value: number }>;
        const command = entries.commands?.[1];
        if (!command) return;
        expect(command.value).toBe(1);
        command.value += 1;
        commands.push(command);
      });
    }
    action$.pipe(network.node('a')).subscribe();
    const command = { value: 1 };
    const entries = entriesOf(origin, [
      { type: 'term', term: 1 },
      { type: 'command', command },
    ]);
    const call = {
      type: 'appendEntriesCall',
      from: 'a',
      term: 1,
      round: 1,
      commitIndex: 0,
    } as const;
    action$.next({ type: 'broadcastMessage', to: ['b', 'c'], message: { ...call, entries } });
    expect(new Set(commands).size).toBe(4);
    expect(command.value).toBe(1);
  });

  it('a node is there once, and speaks to others', () => {
    const network = memoryNetwork<{ value: number }, string>();
    const errors: unknown[] = [];
    const error = (each: unknown): number => errors.push(each);
    const first = NEVER.pipe(network.node('b')).subscribe();
    NEVER.pipe(network.node('b')).subscribe({ error });
    expect(String(errors.pop())).toContain('"b" is on this network already');
    first.unsubscribe();
    const own: Action = { type: 'sendMessage', to: 'b', message: vote('b', 1) };
    concat([own], NEVER).pipe(network.node('b')).subscribe({ error });
    expect(String(errors.pop())).toContain('"b" speaks to itself');
    NEVER.pipe(network.node('b')).subscribe({ error }).unsubscribe();
    expect(errors).toEqual([]);
  });

  it("a command that can't be cloned is its sender's error", () => {
    const network = memoryNetwork<() => void, string>();
    const errors: unknown[] = [];
    const entries = entriesOf(origin, [{ type: 'command', command: () => undefined }]);
    const call = {
      type: 'appendEntriesCall',
      from: 'a',
      term: 1,
      round: 1,
      commitIndex: 0,
    } as const;
    concat([{ type: 'sendMessage' as const, to: 'b', message: { ...call, entries } }], NEVER)
      .pipe(network.node('a'))
      .subscribe({ error: (each: unknown) => errors.push(each) });
    expect(String(errors)).toContain('DataCloneError');
  });
});

describe('links', () => {
  it(
    'latency takes its time, and with a spread packets overtake',
    marbles((m) => {
      const { scheduler } = m;
      const fixed$ = m.hot('-ab---|').pipe(latency({ minimumMs: 3, scheduler }));
      m.expect(fixed$).toBeObservable('----ab|');
      const random = drawing(0.9, 0);
      const spread = { minimumMs: 2, spreadMs: 10, random, scheduler };
      m.expect(m.hot('-ab|').pipe(latency(spread))).toBeObservable('----b-------(a|)');
    }),
  );

  it(
    'loss loses what chance takes',
    marbles((m) => {
      const random = drawing(0.5, 0.4, 0.6);
      m.expect(m.hot('-a-b-c-|').pipe(loss(0.5, random))).toBeObservable('-a---c-|');
      m.expect(m.hot('-a-b-c-|').pipe(loss(0))).toBeObservable('-a-b-c-|');
      m.expect(m.hot('-a-b-c-|').pipe(loss(1))).toBeObservable('-------|');
    }),
  );

  it(
    'duplication repeats what chance takes',
    marbles((m) => {
      const random = drawing(0.4, 0.5);
      m.expect(m.hot('-a---b-|').pipe(duplication(0.5, random))).toBeObservable('-(aa)b-|');
    }),
  );

  it(
    'reordering holds one packet back until the next has passed, or the sender ends',
    marbles((m) => {
      const link = reordering<string>(0.5, drawing(0, 0));
      m.expect(m.hot('-a-b----c--|').pipe(link)).toBeObservable('---(ba)----(c|)');
      m.expect(m.hot('-a-#').pipe(reordering(1))).toBeObservable('---#');
    }),
  );

  it(
    'a partition loses what is sent while it is cut, and lets its switch go',
    marbles((m) => {
      const cut$ = m.cold<boolean>('--t---f---', { t: true, f: false });
      m.expect(m.hot('-a-b---c|').pipe(partition(cut$))).toBeObservable('-a-----c|');
      m.expect(cut$).toHaveSubscriptions('^-------!');
      const already$ = new BehaviorSubject(true);
      m.expect(m.hot('-a-b|').pipe(partition(already$))).toBeObservable('----|');
    }),
  );
});
