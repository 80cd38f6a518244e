/**
 * Durability: "persistent state on all servers, updated on stable storage before responding to
 * RPCs" (Figure 2). A message that depends on unsaved state waits for `persisted`.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: t timedOut, v a vote request, e, E
 * entries, p, q persisted 1, 2. Actions: w, W persist, g a vote, y an acknowledgement, m another
 * message.
 */
import { describe, expect, it } from 'vitest';
import { InvariantError, Node, raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { ByHand, Told, Wanted } from './alphabet.js';
import {
  abc,
  at,
  awake,
  broadcast,
  call,
  committed,
  drawing,
  entriesAfter,
  leading,
  logOf,
  only,
  persist,
  persisted,
  pristine,
  proposed,
  received,
  reply,
  restarted,
  send,
  sent,
  settle,
  tell,
  timedOut,
  vote,
  voteCall,
} from './alphabet.js';

const one = restarted([1]);

describe('a message waits for the disk', () => {
  it(
    'A2: a vote is saved "before responding": the grant leaves with persisted (Figure 2)',
    marbles((m) => {
      const inputs = { v: received(voteCall('b', 2, at(1, 1))), p: persisted(1) };
      const actions: Record<string, Wanted> = {
        w: persist(1, { vote: [2, 'b'] }),
        g: send('b', vote('a', 2)),
      };
      const input$ = m.hot('-v---p-', inputs);
      const expected = '    -w---g-';
      const said$ = input$.pipe(raft(one), drawing('persist', 'sendMessage'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it('A2: also a vote in a term that is on disk already (Figure 2)', () => {
    const node = awake(restarted([1], { currentTerm: 2 }));
    const actions = tell(node, received(voteCall('b', 2, at(1, 1))));
    expect(only(actions, 'persist')).toEqual([persist(1, { vote: [2, 'b'] })]);
    expect(sent(actions)).toEqual([]);
    expect(sent(tell(node, persisted(1)))).toEqual([['b', vote('a', 2)]]);
  });

  it(
    'a candidacy is saved before votes are asked for (Figure 2)',
    marbles((m) => {
      const actions: Record<string, Wanted> = {
        w: persist(1, { vote: [2, 'a'] }),
        m: broadcast(['b', 'c'], voteCall('a', 2, at(1, 1))),
      };
      const input$ = m.hot('-t---p-', { t: timedOut, p: persisted(1) });
      const expected = '    -w---m-';
      const said$ = input$.pipe(raft(one), drawing('persist', 'broadcastMessage'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it(
    'B1: entries are saved before they are acknowledged; an empty call is answered at once (Figure 2)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        e: received(call('b', 1, { prev: at(1, 1), terms: [1] })),
        h: received(call('b', 1, { round: 2, prev: at(1, 2) })),
        p: persisted(1),
      };
      const actions: Record<string, Wanted> = {
        w: persist(1, { entries: entriesAfter(at(1, 1), [1]) }),
        y: send('b', reply('a', 1, { round: 2, last: at(1, 1) })),
        Y: send('b', reply('a', 1, { round: 2, last: at(1, 2) })),
      };
      const input$ = m.hot('-e--h--p-', inputs);
      const expected = '    -w--y--Y-';
      const said$ = input$.pipe(raft(one), drawing('persist', 'sendMessage'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it(
    'a call of a newer term: the term is saved before anything of that term is said (Figure 2)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        h: received(call('b', 4, { prev: at(1, 1) })),
        p: persisted(1),
      };
      const actions: Record<string, Wanted> = {
        w: persist(1, { vote: [4, null] }),
        y: send('b', reply('a', 4, { last: at(1, 1) })),
      };
      const input$ = m.hot('-h--p-', inputs);
      const expected = '    -w--y-';
      const said$ = input$.pipe(raft(one), drawing('persist', 'sendMessage'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );
});

describe('a write', () => {
  it('A3: carries term and vote together, and the entries of the turn with them (Figure 2)', () => {
    const node = awake(restarted([1], { votedFor: 'c' }));
    const actions = tell(
      node,
      received(voteCall('b', 2, at(1, 1))),
      received(call('b', 2, { prev: at(1, 1), terms: [2] })),
    );
    expect(only(actions, 'persist')).toEqual([
      persist(1, { vote: [2, 'b'], entries: entriesAfter(at(1, 1), [2]) }),
    ]);
  });

  it('A3: the vote of an older term is never saved under a newer one (Figure 2)', () => {
    const node = awake(restarted([1], { votedFor: 'c' }));
    const [write] = only(tell(node, received(vote('b', 2, false))), 'persist');
    expect(write?.hardState).toEqual({ currentTerm: 2, votedFor: null });
  });

  it('replaces everything after its first entry; what is under way is not issued again', () => {
    const node = leading(one, 'b');
    const [first] = only(tell(node, proposed(1, 'x')), 'persist');
    const [second] = only(tell(node, proposed(2, 'y')), 'persist');
    expect(first?.entries).toMatchObject({ prevPosition: at(2, 2), length: 1 });
    expect(second?.entries).toMatchObject({ prevPosition: at(2, 3), length: 1 });
    expect(second?.sequence).toBe((first?.sequence ?? 0) + 1);
  });

  it('of a first configuration is due before a pristine node says anything (§6)', () => {
    const node: ByHand = new Node(pristine());
    expect(only(node.take(), 'persist')).toEqual([
      persist(1, {
        entries: {
          prevPosition: at(0, 0),
          length: 1,
          terms: [],
          configs: [{ index: 1, config: abc }],
          commands: null,
        },
      }),
    ]);
  });
});

describe('persisted', () => {
  it('A12: is cumulative: the last of several answers is enough', () => {
    const node = awake(one);
    tell(node, received(call('b', 1, { round: 1, prev: at(1, 1), terms: [1] })));
    tell(node, received(call('b', 1, { round: 2, prev: at(1, 2), terms: [1] })));
    expect(sent(tell(node, persisted(2)))).toEqual([
      ['b', reply('a', 1, { round: 2, last: at(1, 3) })],
    ]);
  });

  it('A12: never goes back: a number already known changes nothing', () => {
    const node = awake(pristine(['a']));
    settle(node, timedOut);
    tell(node, proposed(1, 'x'));
    tell(node, proposed(2, 'y'));
    expect(only(tell(node, persisted(5)), 'committed')).toEqual([committed(4)]);
    for (const old of [4, 1, 0, -1]) expect(tell(node, persisted(old))).toEqual([]);
    expect(node).toMatchObject({ durableIndex: 4, commitIndex: 4 });
    const follower = awake(one);
    settle(follower, received(call('b', 2, { prev: at(1, 1) })));
    tell(follower, persisted(0));
    const heartbeat = received(call('b', 2, { round: 2, prev: at(1, 1) }));
    expect(sent(tell(follower, heartbeat))).toHaveLength(1);
  });

  it('of a write that was never issued breaks an invariant: the node dies rather than lies', () => {
    const node = awake(one);
    expect(() => tell(node, persisted(1))).toThrow(InvariantError);
    expect(() => tell(node, persisted(1))).toThrow('write 1 was never issued');
    expect(() => tell(node, persisted(NaN))).toThrow(InvariantError);
  });

  it('of an overtaken write does not vouch for the entries that took its place (Figure 2)', () => {
    const node = awake(one);
    tell(node, received(call('b', 1, { prev: at(1, 1), terms: [1, 1, 1] })));
    tell(node, received(call('c', 2, { prev: at(1, 2), terms: [2, 2] })));
    const early = tell(node, persisted(1));
    expect(node.durableIndex).toBe(2);
    expect(sent(early)).toEqual([]);
    expect(sent(tell(node, persisted(2)))).toEqual([['c', reply('a', 2, { last: at(2, 4) })]]);
  });

  it('S3: an entry that is acknowledged is on the disk, however the log was cut before', () => {
    const disk: string[] = [];
    const node = awake(one);
    const write = (actions: readonly Wanted[]): void => {
      for (const { sequence, entries } of only(actions, 'persist')) {
        if (entries === null) continue;
        disk.length = entries.prevPosition.index - 1;
        disk.push(...(entries.commands ?? []).map((command) => command ?? 'marker'));
        expect(sequence).toBeGreaterThan(0);
      }
    };
    write(tell(node, received(call('b', 1, { prev: at(1, 1), terms: [1, 1, 1] }))));
    write(
      tell(
        node,
        received(call('b', 1, { round: 2, prev: at(1, 4), terms: [1] })),
        received(call('c', 2, { prev: at(1, 2), terms: [2, 2, 2] })),
      ),
    );
    expect(sent(tell(node, persisted(2)))).toEqual([['c', reply('a', 2, { last: at(2, 5) })]]);
    expect(disk).toEqual(['1.2', 'marker', '2.4', '2.5']);
    expect(node.log.slice(0, 5).terms).toEqual(logOf(1, 1, 2).terms);
  });
});

describe('what is due', () => {
  it('S12: is rendered when it is taken: nothing issued is edited later', () => {
    const node = awake(one);
    node.handle(received(voteCall('b', 2, at(1, 1))));
    node.handle(received(call('c', 4, { prev: at(1, 1) })));
    const actions = settle(node);
    expect(sent(actions)).toEqual([
      ['b', vote('a', 4, false)],
      ['c', reply('a', 4, { last: at(1, 1) })],
    ]);
  });

  it('is seen without being taken, and says the same again', () => {
    const node = leading(one, 'b');
    node.handle(proposed(1, 'x'));
    const seen = node.pending;
    expect(seen).toEqual(node.pending);
    expect(node.take()).toEqual(seen);
    expect(node.pending).toEqual([]);
  });
});
