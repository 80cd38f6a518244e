/**
 * The circle: each action to its device, what devices say to the core, and how it all ends
 * (DESIGN.md, laws 4, 7, 8).
 *
 * Diagrams, besides the alphabet of alphabet.ts. Most draw the core as a stream of actions, or one
 * device with the others silent. Actions: s setElectionTimeout, w persist, m a message, a an apply,
 * c a report. Inputs: t timedOut, p persisted, v a vote, x a proposal.
 */
import { describe, expect, it } from 'vitest';
import type { OperatorFunction } from 'rxjs';
import {
  Observable,
  concat,
  concatMap,
  delay,
  filter,
  ignoreElements,
  map,
  merge,
  of,
  pipe,
  take,
  tap,
} from 'rxjs';
import type {
  Adapters,
  ClockInput,
  Device,
  MachineInput,
  NetworkInput,
  StorageAction,
  StorageInput,
} from '../../lib/index.js';
import { loop, raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { Told, Wanted } from './alphabet.js';
import {
  abc,
  apply,
  at,
  committed,
  configChanged,
  drawing,
  dropped,
  logOf,
  persist,
  pristine,
  restarted,
  roleChanged,
  send,
  snapshotAt,
  timedOut,
  timer,
  vote,
} from './alphabet.js';

type Core = OperatorFunction<Told, Wanted>;
type Set = Adapters<string, string>;
type Heard = NetworkInput<string, string>;
type Asked = MachineInput<string, string>;

/** An adapter that says nothing, and completes with its actions. */
function silent<A, I>(): OperatorFunction<A, I> {
  return (action$) => action$.pipe(ignoreElements());
}

function adapters(some: Partial<Set> = {}): Set {
  return { clock: silent(), storage: silent(), network: silent(), machine: silent(), ...some };
}

/** A disk that answers at once. */
const promptDisk: Set['storage'] = map(({ sequence }): StorageInput => ({
  type: 'persisted',
  sequence,
}));

/** One action of each type. */
const everyAction: Record<string, Wanted> = {
  s: timer('follower'),
  w: persist(1, {}),
  b: { type: 'broadcastMessage', to: ['b', 'c'], message: vote('a', 1) },
  m: send('b', vote('a', 1)),
  i: { type: 'installSnapshot', to: 'b', term: 1, snapshot: snapshotAt(at(1, 1)) },
  a: apply(logOf(1)),
  r: { type: 'restore', snapshot: snapshotAt(at(1, 1)) },
  y: { type: 'accepted', proposal: 1, firstPosition: at(1, 1) },
  n: { type: 'rejected', proposal: 1, reason: 'notLeader', leaderId: null },
  R: { type: 'readReady', reads: [1], index: 1 },
  N: { type: 'readRefused', reads: [1], reason: 'notLeader', leaderId: null },
  f: roleChanged('follower', 1, null),
  c: committed(1),
  k: configChanged(abc, 1),
  d: dropped('b', 'invalid'),
};

describe('each action', () => {
  it(
    'goes to its device, and downstream; a report downstream only',
    marbles((m) => {
      const action$ = m.hot('-sbwmiarynRNfckd-', everyAction);
      const heard: [Device, Wanted][] = [];
      const listen = <A extends Wanted>(device: Device): OperatorFunction<A, never> =>
        pipe(
          tap((action) => heard.push([device, action])),
          ignoreElements(),
        );
      const all = loop(() => action$, {
        clock: listen('clock'),
        storage: listen('storage'),
        network: listen('network'),
        machine: listen('machine'),
      });
      m.expect(all).toBeObservable('-sbwmiarynRNfckd-', everyAction);
      m.flush();
      const types = (wanted: Device): string[] =>
        heard.filter(([device]) => device === wanted).map(([, action]) => action.type);
      expect(types('clock')).toEqual(['setElectionTimeout']);
      expect(types('storage')).toEqual(['persist']);
      expect(types('network')).toEqual(['broadcastMessage', 'sendMessage', 'installSnapshot']);
      expect(types('machine')).toEqual([
        ...['apply', 'restore', 'accepted', 'rejected', 'readReady', 'readRefused', 'roleChanged'],
      ]);
    }),
  );

  it('goes to its device first: who listens downstream sees what the device was told', () => {
    const order: string[] = [];
    const core: Core = () => of(persist(1, {}));
    const storage = pipe(
      tap<StorageAction<string, string>>(() => order.push('device')),
      ignoreElements(),
    );
    loop(core, adapters({ storage })).subscribe(() => order.push('downstream'));
    expect(order).toEqual(['device', 'downstream']);
  });
});

describe('what an adapter says', () => {
  it(
    'goes to the core, in the order in which it is said',
    marbles((m) => {
      const heard: Told[] = [];
      const core: Core = (input$) =>
        input$.pipe(
          tap((input) => heard.push(input)),
          map(() => committed(heard.length)),
        );
      const timeout$ = m.hot<ClockInput>('       -t---', { t: timedOut });
      const persisted$ = m.hot<StorageInput>('   --p--', { p: { type: 'persisted', sequence: 1 } });
      const message$ = m.hot<Heard>('            ---v-', {
        v: { type: 'received', message: vote('b', 1) },
      });
      const proposal$ = m.hot<Asked>('           x---x', {
        x: { type: 'proposed', proposal: 1, commands: ['x'] },
      });
      const expected = '                         12345';
      const all = {
        clock: () => timeout$,
        storage: () => persisted$,
        network: () => message$,
        machine: () => proposal$,
      };
      const counts = Object.fromEntries([1, 2, 3, 4, 5].map((count) => [count, committed(count)]));
      m.expect(loop(core, all)).toBeObservable(expected, counts);
      m.flush();
      expect(heard.map((input) => input.type)).toEqual([
        ...['proposed', 'timedOut', 'persisted', 'received', 'proposed'],
      ]);
    }),
  );

  it('on subscription is kept until the core listens, of all four of them', () => {
    const heard: string[] = [];
    const core: Core = (input$) =>
      input$.pipe(
        tap((input) => heard.push(input.type)),
        ignoreElements(),
      );
    const speaking = <I>(input: I): OperatorFunction<unknown, I> => {
      return (action$) => merge(of(input), action$.pipe(ignoreElements()));
    };
    loop(core, {
      clock: speaking(timedOut),
      storage: speaking({ type: 'persisted', sequence: 1 }),
      network: speaking({ type: 'received', message: vote('b', 1) }),
      machine: speaking({ type: 'proposed', proposal: 1, commands: ['x'] }),
    }).subscribe();
    expect(heard).toEqual(['timedOut', 'persisted', 'received', 'proposed']);
  });

  it('I7: in the midst of a turn waits for its end: 100,000 answers do not grow the stack', () => {
    let applied = 0;
    const machine: Set['machine'] = (action$) =>
      action$.pipe(
        filter((action) => action.type === 'apply'),
        tap((action) => (applied += action.entries.length)),
        filter(() => applied < 50_000),
        map((): Asked => ({ type: 'proposed', proposal: applied, commands: ['x'] })),
      );
    const clock: Set['clock'] = pipe(
      take(1),
      map((): ClockInput => timedOut),
    );
    const nobody = raft<string, string>(pristine(['a']));
    const subscription = loop(
      nobody,
      adapters({ storage: promptDisk, machine, clock }),
    ).subscribe();
    expect(applied).toBe(50_000);
    subscription.unsubscribe();
  });

  it('leaves the order of actions as it is, whichever adapter answers at once (law 2)', () => {
    const seen: string[][] = [];
    const network: Set['network'] = (action$) =>
      action$.pipe(
        filter((action) => action.type === 'broadcastMessage'),
        filter((action) => action.message.type === 'requestVoteCall'),
        map((action): Heard => ({
          type: 'received',
          message: vote('b', action.message.term),
        })),
      );
    const clock: Set['clock'] = pipe(
      take(1),
      map((): ClockInput => timedOut),
    );
    const prompt = adapters({ clock, storage: promptDisk, network });
    const turned = Object.fromEntries(Object.entries(prompt).reverse()) as unknown as Set;
    for (const each of [prompt, turned]) {
      const types: string[] = [];
      loop(raft(restarted([1])), each)
        .subscribe((action) => types.push(action.type))
        .unsubscribe();
      seen.push(types);
    }
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]?.slice(3)).toEqual([
      ...['roleChanged', 'setElectionTimeout', 'persist', 'broadcastMessage'],
      ...['roleChanged', 'setElectionTimeout', 'broadcastMessage', 'persist'],
    ]);
  });
});

describe('two subscribers', () => {
  it(
    'I9: run two nodes, each with its own adapters',
    marbles((m) => {
      const started: string[] = [];
      const clock: Set['clock'] = (action$) =>
        new Observable((subscriber) => {
          started.push('clock');
          return action$
            .pipe(
              concatMap(() => of(timedOut).pipe(delay(3))),
              take(1),
            )
            .subscribe(subscriber);
        });
      const node$ = loop(raft(restarted([1])), adapters({ clock }));
      const values = {
        f: roleChanged('follower', 1, null),
        C: roleChanged('candidate', 2, null),
      };
      const role$ = node$.pipe(drawing('roleChanged'));
      m.expect(role$).toBeObservable('f--C', values);
      m.expect(m.cold('--|').pipe((end$) => concat(end$, role$))).toBeObservable('--f--C', values);
      m.flush();
      expect(started).toEqual(['clock', 'clock']);
    }),
  );
});
