/**
 * Rounds: a leader that no quorum answers any more steps down (thesis §6.2).
 *
 * Diagrams, besides the alphabet of alphabet.ts. Inputs: t timedOut, p, q persisted 1, 2, v a vote,
 * b an answer of b to the heartbeat before it, 1 to 4 answers to these rounds. Actions: f, C, L, F
 * roleChanged.
 */
import { describe, expect, it } from 'vitest';
import { raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import type { Told, Wanted } from './alphabet.js';
import {
  abc,
  at,
  configProposed,
  drawing,
  leading,
  persisted,
  pristine,
  proposed,
  readRefused,
  readRequested,
  received,
  rejected,
  reply,
  restarted,
  roleChanged,
  settle,
  tell,
  timedOut,
  vote,
} from './alphabet.js';

const patient = restarted([1], { limits: { heartbeatsAlone: 3 }, announceCommits: false });

const roles: Record<string, Wanted> = {
  f: roleChanged('follower', 1, null),
  C: roleChanged('candidate', 2, null),
  L: roleChanged('leader', 2, 'a'),
  F: roleChanged('follower', 2, null),
};

describe('a leader steps down', () => {
  const inputs: Record<string, Told> = {
    t: timedOut,
    p: persisted(1),
    q: persisted(2),
    v: received(vote('b', 2)),
    b: received(reply('b', 2, { round: 2, last: at(2, 2) })),
  };

  it(
    'F7: "if an election timeout elapses without a successful round of heartbeats" (thesis §6.2)',
    marbles((m) => {
      const input$ = m.hot('-tpvq-t-t-t-', inputs);
      const expected = '    fC-L------F-';
      m.expect(input$.pipe(raft(patient), drawing('roleChanged'))).toBeObservable(expected, roles);
    }),
  );

  it(
    'F7: each answer of a quorum begins the count anew (thesis §6.2)',
    marbles((m) => {
      const input$ = m.hot('-tpvq-tb-t-t-t-t-', inputs);
      const expected = '    fC-L-----------F-';
      const said$ = input$.pipe(raft(patient), drawing('roleChanged'));
      m.expect(said$).toBeObservable(expected, roles);
    }),
  );

  it(
    'G13: also when its own disk answers no longer: it would not be able to commit alone',
    marbles((m) => {
      const answer = (round: number): Told => received(reply('b', 2, { round, last: at(2, 2) }));
      const answers = { 1: answer(1), 2: answer(2), 3: answer(3), 4: answer(4) };
      const input$ = m.hot('-tpv1-t2-t3-t4-t-', { ...inputs, ...answers });
      const expected = '    fC-L-----------F-';
      m.expect(input$.pipe(raft(patient), drawing('roleChanged'))).toBeObservable(expected, roles);
    }),
  );

  it('F7: and refuses what waits: reads at once, proposals are unknown (roleChanged)', () => {
    const node = leading(patient, 'b');
    settle(node, readRequested(7));
    settle(node, timedOut);
    settle(node, timedOut);
    const actions = tell(node, timedOut);
    expect(actions.slice(0, 2)).toEqual([
      readRefused([7], 'notLeader'),
      roleChanged('follower', 2, null),
    ]);
    expect(tell(node, proposed(1, 'x'))).toEqual([rejected(1, 'notLeader')]);
  });
});

describe('a leader stays', () => {
  it('alone in its cluster', () => {
    const node = leading(pristine(['a'], { limits: { heartbeatsAlone: 1 } }));
    for (let beat = 0; beat < 5; beat += 1) settle(node, timedOut);
    expect(node.role).toBe('leader');
  });

  it('when it has just been elected again: heartbeats of an older term do not count', () => {
    const node = leading(patient, 'b');
    settle(node, timedOut);
    settle(node, timedOut);
    settle(node, received(reply('b', 5, { refused: true })));
    settle(node, timedOut);
    settle(node, received(vote('b', 6)));
    settle(node, timedOut);
    settle(node, timedOut);
    expect(node.role).toBe('leader');
    settle(node, timedOut);
    expect(node.role).toBe('follower');
  });

  it('D6: only with the answers of both majorities during a change (§6)', () => {
    const answer = (id: string, round: number): Told => received(reply(id, 2, { round }));
    const node = leading(patient, 'b');
    settle(node, received(reply('b', 2, { last: at(2, 2) })));
    const joint = { ...abc, newVoters: ['a', 'd', 'e'] };
    settle(node, configProposed(1, joint));
    for (let beat = 0; beat < 3; beat += 1) {
      settle(node, timedOut);
      settle(node, answer('b', 3 + beat), answer('c', 3 + beat));
    }
    expect(node.role).toBe('follower');
  });

  it('D13, D18: without counting non-voters and nodes that are no members (thesis §6.2)', () => {
    const config = { ...abc, nonVoters: ['d'] };
    const node = leading(
      { ...patient, entries: { ...entries, configs: [{ index: 1, config }] } },
      'b',
    );
    for (let beat = 0; beat < 3; beat += 1) {
      settle(node, timedOut);
      settle(node, ...['d', 'z'].map((id) => received(reply(id, 2, { round: 2 + beat }))));
    }
    expect(node.role).toBe('follower');
  });
  const entries = {
    prevPosition: at(0, 0),
    length: 1,
    terms: [{ index: 1, term: 1 }],
    configs: [{ index: 1, config: abc }],
    commands: null,
  };
});

describe('a heartbeat', () => {
  it('by hand goes to every peer, and only of a leader (§5.2)', () => {
    const node = leading(restarted([1]), 'b');
    node.heartbeat();
    expect(node.take()).toMatchObject([{ type: 'broadcastMessage', to: ['b', 'c'] }]);
    settle(node, received(vote('b', 9, false)));
    node.heartbeat();
    expect(node.take()).toEqual([]);
  });
});
