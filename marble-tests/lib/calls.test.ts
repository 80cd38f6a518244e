/**
 * Log replication (§5.3), the leader's side: what each follower is sent, and what its answers say.
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: t timedOut, p, q persisted 1, 2, v a vote,
 * x, y proposals, b an answer of b. Actions: m a message. The leader is a, with the log [1] before
 * its term 2.
 */
import { describe, expect, it } from 'vitest';
import type { AppendEntriesCall, Message } from '../../lib/index.js';
import { lastIndex, raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { ByHand, Told, Wanted } from './alphabet.js';
import {
  abc,
  accepted,
  at,
  awake,
  broadcast,
  call,
  commandsAfter,
  drawing,
  dropped,
  entriesAfter,
  leading,
  minimumElapsed,
  only,
  persisted,
  proposed,
  received,
  rejected,
  reply,
  restarted,
  send,
  sent,
  sentTo,
  settle,
  tell,
  timedOut,
  vote,
  voteCall,
} from './alphabet.js';

const one = restarted([1], { announceCommits: false });

function calls(messages: readonly Message<string>[]): AppendEntriesCall<string>[] {
  return messages.filter((message) => message.type === 'appendEntriesCall');
}

function progress(node: ByHand, id: string): { matchIndex: number; nextIndex: number } | undefined {
  return node.peers.find((peer) => peer.id === id);
}

describe('a leader', () => {
  it(
    '"issues AppendEntries RPCs in parallel to each of the other servers", ahead of answers (§5.3)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        t: timedOut,
        p: persisted(1),
        v: received(vote('b', 2)),
        x: proposed(1, 'x'),
        y: proposed(2, 'y', 'z'),
      };
      const to = ['b', 'c'];
      const actions: Record<string, Wanted> = {
        c: broadcast(to, voteCall('a', 2, at(1, 1))),
        m: broadcast(to, call('a', 2, { prev: at(1, 1), terms: [2] })),
        X: broadcast(to, call('a', 2, { round: 2, entries: commandsAfter(at(2, 2), ['x']) })),
        Y: broadcast(to, call('a', 2, { round: 3, entries: commandsAfter(at(2, 3), ['y', 'z']) })),
        h: broadcast(to, call('a', 2, { round: 4, prev: at(2, 5) })),
      };
      const input$ = m.hot('-tpv-x-y-t-', inputs);
      const expected = '    --cm-X-Y-h-';
      const said$ = input$.pipe(raft(one), drawing('broadcastMessage', 'sendMessage'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it(
    '"If followers crash … the leader retries": an answer that brings news is followed up (§5.3)',
    marbles((m) => {
      const inputs: Record<string, Told> = {
        t: timedOut,
        p: persisted(1),
        v: received(vote('b', 2)),
        b: received(reply('b', 2, { refused: true, last: at(0, 0) })),
      };
      const actions: Record<string, Wanted> = {
        m: send('b', call('a', 2, { round: 2, terms: [1, 2] })),
      };
      const input$ = m.hot('-tpv-b-', inputs);
      const expected = '    -----m-';
      const said$ = input$.pipe(raft(one), drawing('sendMessage'));
      m.expect(said$).toBeObservable(expected, actions);
    }),
  );

  it('answers each proposal with its place, and ships a turn of them in one call (§5.3)', () => {
    const node = leading(one, 'b');
    const actions = tell(node, proposed(1, 'x'), proposed(2, 'y', 'z'));
    expect(actions.slice(0, 2)).toEqual([accepted(1, at(2, 3)), accepted(2, at(2, 4))]);
    const entries = commandsAfter(at(2, 2), ['x', 'y', 'z']);
    expect(sentTo(actions, 'b')).toEqual([call('a', 2, { round: 2, entries })]);
    expect(only(actions, 'persist').map((write) => write.entries)).toEqual([entries]);
  });

  it('J5: the place of a command is read and taken in one step', () => {
    const node = leading(one, 'b');
    const many = Array.from({ length: 64 }, (_, number) => proposed(number, `${number}`));
    const places = only(tell(node, ...many), 'accepted').map((each) => each.firstPosition.index);
    expect(new Set(places).size).toBe(64);
    expect(places.map((index) => node.log.slice(index - 1, index).commands)).toEqual(
      Array.from({ length: 64 }, (_, number) => [`${number}`]),
    );
  });

  it('redirects: "if the client’s first choice is not the leader" it names it (§8)', () => {
    const node = awake(one);
    tell(node, received(call('b', 1, { prev: at(1, 1) })));
    expect(tell(node, proposed(1, 'x'))).toEqual([rejected(1, 'notLeader', 'b')]);
  });

  it('refuses what has no command, and what is over a limit, for certain', () => {
    const node = leading({ ...one, limits: { uncommittedEntries: 3 } }, 'b');
    expect(tell(node, proposed(1))).toEqual([rejected(1, 'emptyProposal', 'a')]);
    expect(tell(node, proposed(2, 'x', 'y', 'z'))).toEqual([rejected(2, 'overloaded', 'a')]);
    expect(tell(node, proposed(3, 'x'))[0]).toEqual(accepted(3, at(2, 3)));
    expect(tell(node, proposed(4, 'x'))).toEqual([rejected(4, 'overloaded', 'a')]);
    const bytes = { limits: { uncommittedBytes: 3 }, sizeOf: (text: string) => text.length };
    const full = leading({ ...one, ...bytes }, 'b');
    expect(tell(full, proposed(1, 'four'))[0]).toEqual(accepted(1, at(2, 3)));
    expect(tell(full, proposed(2, 'x'))).toEqual([rejected(2, 'overloaded', 'a')]);
  });

  it('B20: never speaks to itself', () => {
    const config = { voters: ['a', 'b'], newVoters: ['b', 'c'], nonVoters: [] };
    const node = awake(one);
    settle(node, received(call('b', 1, { prev: at(1, 1), commit: 1 })));
    const actions = [
      ...settle(node, timedOut),
      ...settle(node, received(vote('b', 2))),
      ...settle(node, received(reply('b', 2, { last: at(2, 2) }))),
      ...settle(node, { type: 'configProposed', proposal: 1, config }),
      ...settle(node, timedOut),
    ];
    expect(sent(actions).map(([to]) => to)).not.toContain('a');
  });
});

describe('the window of a follower', () => {
  const tight = { ...one, limits: { entriesPerMessage: 2, entriesInFlight: 4 } };
  const commands = ['s', 't', 'u', 'v', 'w', 'x', 'y', 'z'];

  it('bounds what is on its way: entries in a message, entries not acknowledged', () => {
    const node = leading(tight, 'b');
    settle(node, received(reply('b', 2, { last: at(2, 2) })));
    const lengths = (...inputs: Told[]): number[] =>
      calls(sentTo(settle(node, ...inputs), 'b')).map((each) => each.entries.length);
    expect(lengths(proposed(1, ...commands))).toEqual([2, 2]);
    expect(lengths(received(reply('b', 2, { round: 2, last: at(2, 4) })))).toEqual([2]);
    expect(lengths(timedOut)).toEqual([0]);
    expect(lengths(proposed(2, 'one more'))).toEqual([]);
    expect(lengths(received(reply('b', 2, { round: 4, last: at(2, 8) })))).toEqual([2, 1]);
  });

  it('bounds bytes as well, one entry at the least (H13)', () => {
    const limits = { bytesPerMessage: 3, bytesInFlight: 6 };
    const node = leading({ ...one, limits, sizeOf: (text) => text.length }, 'b');
    settle(node, received(reply('b', 2, { last: at(2, 2) })));
    const shipped = (...inputs: Told[]): unknown[] =>
      calls(sentTo(settle(node, ...inputs), 'b')).map((each) => each.entries.commands);
    expect(shipped(proposed(1, 'x', 'y', 'long enough', 'z'))).toEqual([
      ['x', 'y'],
      ['long enough'],
    ]);
    expect(shipped(received(reply('b', 2, { round: 3, last: at(2, 5) })))).toEqual([['z']]);
    expect(shipped(proposed(2, 'a', 'b', 'c', 'd'))).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('J8, S14: with 64 proposals in flight each entry is shipped once', () => {
    const node = leading(one, 'b');
    const follower = awake(restarted([1], { id: 'b' }));
    const line: Message<string>[] = [call('a', 2, { round: 1, prev: at(1, 1), terms: [2] })];
    let shipped = 0;
    for (let number = 0; number < 640; number += 1) {
      line.push(...sentTo(settle(node, proposed(number, 'x')), 'b'));
      if (number % 64 !== 63) continue;
      for (const message of calls(line)) shipped += message.entries.length;
      const answers = line
        .splice(0)
        .flatMap((message) => sentTo(settle(follower, received(message)), 'a'));
      for (const answer of answers) line.push(...sentTo(settle(node, received(answer)), 'b'));
    }
    expect(follower.log.lastPosition).toEqual(node.log.lastPosition);
    expect(shipped).toBeLessThanOrEqual(641 * 1.1);
  });
});

describe('an answer', () => {
  const settled = (): ByHand => {
    const node = leading(one, 'b');
    settle(node, proposed(1, 'x', 'y', 'z'));
    settle(node, received(reply('b', 2, { round: 2, last: at(2, 5) })));
    return node;
  };

  it('B11: a late acknowledgement never takes matchIndex back (§5.3)', () => {
    const node = settled();
    tell(node, received(reply('b', 2, { round: 1, last: at(2, 2) })));
    expect(progress(node, 'b')).toMatchObject({ matchIndex: 5, nextIndex: 6 });
  });

  it('B11: nor does one of an earlier life speak for a node that came back with less', () => {
    const node = settled();
    const older = received(reply('b', 2, { round: 2, last: at(2, 5) }));
    settle(node, timedOut);
    const back = reply('b', 2, { round: 3, last: at(1, 1), generation: 1 });
    tell(node, received(back));
    expect(progress(node, 'b')).toMatchObject({ matchIndex: 1 });
    expect(tell(node, older)).toEqual([dropped('b', 'staleRound')]);
    expect(progress(node, 'b')).toMatchObject({ matchIndex: 1 });
  });

  it('B11: "reinitialized after election": an older leadership vouches for nothing (Figure 2)', () => {
    const voters = ['a', 'b', 'c', 'd', 'e'];
    const entries = entriesAfter(at(0, 0), [1], { ...abc, voters });
    const node = leading(restarted([1], { entries }), 'b', 'c');
    settle(node, proposed(1, 'x', 'y', 'z'));
    settle(node, received(reply('b', 2, { round: 2, last: at(2, 5) })));
    // Cut off by d, and elected again, with other entries in the same places.
    settle(node, received(call('d', 3, { prev: at(1, 1), terms: [3] })), minimumElapsed);
    settle(node, timedOut);
    settle(node, received(vote('b', 4)), received(vote('c', 4)));
    expect(node.peers).toEqual(
      ['b', 'c', 'd', 'e'].map((id) => ({ id, matchIndex: 0, nextIndex: 4 })),
    );
    settle(node, received(reply('c', 4, { round: 3, last: at(4, 3) })));
    expect(node.commitIndex).toBe(0);
  });

  it('B11: nor does a new one, of a node whose snapshot is still being written (§7)', () => {
    const node = settled();
    settle(node, timedOut);
    settle(node, received(reply('b', 2, { round: 3, last: at(0, 0) })));
    expect(progress(node, 'b')).toEqual({ id: 'b', matchIndex: 5, nextIndex: 6 });
  });

  it('has nothing in flight when it is elected again: its first calls bring its entry (§5.2)', () => {
    const node = leading(restarted([1], { limits: { entriesInFlight: 2 } }), 'b');
    settle(node, received(reply('b', 2, { round: 1, last: at(2, 2) })));
    for (const [round, index] of [
      [2, 4],
      [3, 6],
    ] as const) {
      settle(node, proposed(round, 'x', 'y'));
      settle(node, received(reply('b', 2, { round, last: at(2, index) })));
    }
    settle(node, received(call('c', 3, { prev: at(2, 6), terms: [3] })), minimumElapsed);
    settle(node, timedOut);
    const won = settle(node, received(vote('b', 4)));
    expect(calls(sentTo(won, 'b')).map((each) => each.entries.length)).toEqual([1]);
  });

  it('B12: a stale refusal rewinds nothing, a fresh one is never ignored (§5.3)', () => {
    const node = settled();
    settle(node, proposed(2, 'lost'));
    settle(node, timedOut);
    const fresh = received(reply('b', 2, { round: 4, refused: true, last: at(2, 5) }));
    expect(sentTo(tell(node, fresh), 'b')).toHaveLength(1);
    const next = progress(node, 'b');
    expect(tell(node, fresh)).toEqual([dropped('b', 'staleRound')]);
    const older = received(reply('b', 2, { round: 1, refused: true, last: at(1, 1) }));
    expect(tell(node, older)).toEqual([dropped('b', 'staleRound')]);
    expect(progress(node, 'b')).toEqual(next);
    // Once more lost, once more asked: the next refusal counts again.
    settle(node, timedOut);
    const again = received(reply('b', 2, { round: 6, refused: true, last: at(2, 5) }));
    expect(calls(sentTo(tell(node, again), 'b')).map((each) => each.entries.length)).toEqual([1]);
  });

  it('B12: a refusal that was overtaken by an acknowledgement rewinds nothing (§5.3)', () => {
    const node = settled();
    settle(node, timedOut);
    // The call of round 2 came before that of round 1, and then both once more.
    const late = received(reply('b', 2, { round: 2, refused: true, last: at(1, 1) }));
    expect(calls(sentTo(tell(node, late), 'b')).map((each) => each.entries.length)).toEqual([0]);
    expect(progress(node, 'b')).toEqual({ id: 'b', matchIndex: 5, nextIndex: 6 });
  });

  it('while the logs are being compared calls are empty, and go one at a time (§5.3)', () => {
    const node = leading(restarted([1, 3, 3, 3], { announceCommits: false }), 'b');
    const lengths = (round: number, last: ReturnType<typeof at>, refused: boolean): number[] => {
      const told = tell(node, received(reply('c', 4, { round, refused, last })));
      return calls(sentTo(told, 'c')).map((each) => each.entries.length);
    };
    // The term 2 that c has at index 4 is none of the leader's: it asks at index 1.
    expect(lengths(1, at(2, 4), true)).toEqual([0]);
    expect(progress(node, 'c')).toMatchObject({ nextIndex: 2 });
    // What is answered to an older call ends nothing; nor does the same answer go round and round.
    expect(lengths(1, at(1, 1), false)).toEqual([]);
    expect(lengths(2, at(2, 1), true)).toEqual([]);
    settle(node, timedOut);
    expect(lengths(3, at(1, 1), false)).toEqual([4]);
  });

  it('H8: an acknowledgement beyond the own log is dropped: commitIndex never passes it', () => {
    const node = settled();
    for (const last of [at(2, 99), at(1, 5), at(3, 5)]) {
      const wrong = received(reply('b', 2, { round: 2, last }));
      expect(tell(node, wrong)).toEqual([dropped('b', 'invalid')]);
    }
    const future = received(reply('b', 2, { round: 99, last: at(2, 5) }));
    expect(tell(node, future)).toEqual([dropped('b', 'invalid')]);
    tell(node, received(reply('b', 2, { round: 2, last: at(2, -7) })));
    expect(progress(node, 'b')).toMatchObject({ matchIndex: 5 });
    expect(node.commitIndex).toBe(5);
  });

  it('of an earlier term, or of who is no member, says nothing', () => {
    const node = settled();
    expect(tell(node, received(reply('b', 1)))).toEqual([dropped('b', 'staleTerm')]);
    expect(tell(node, received(reply('z', 2)))).toEqual([dropped('z', 'notMember')]);
    expect(tell(awake(one), received(reply('b', 1)))).toEqual([dropped('b', 'staleTerm')]);
  });

  it('S15: a diverged log is found in a round trip a term, not one an entry (§5.3)', () => {
    const mine = [1, ...Array<number>(200).fill(2), 5];
    const theirs = [1, ...Array<number>(200).fill(3), ...Array<number>(50).fill(4)];
    const leader = leading(restarted(mine), 'c');
    const follower = awake(restarted(theirs, { id: 'b', currentTerm: 6 }));
    let line: Message<string>[] = sentTo(tell(leader, timedOut), 'b');
    let trips = 0;
    for (; line.length > 0 && trips < 20; trips += 1) {
      const answers = line.flatMap((message) => sentTo(settle(follower, received(message)), 'a'));
      line = answers.flatMap((answer) => sentTo(settle(leader, received(answer)), 'b'));
    }
    expect(follower.log.lastPosition).toEqual(leader.log.lastPosition);
    expect(trips).toBeLessThanOrEqual(4);
  });

  it('brings a peer that has everything nothing more', () => {
    const node = settled();
    expect(tell(node, received(reply('b', 2, { round: 2, last: at(2, 5) })))).toEqual([]);
    expect(node.config).toEqual(abc);
    expect(lastIndex(node.log.slice(1, 5))).toBe(5);
  });
});
