/**
 * The node by hand: what the reference offers row by row, and our counterpart of it. Changes of
 * members are in node-members, what is to be done about it all in node-actions.test.ts; the values
 * have their own files.
 */
import { describe, expect, it } from 'vitest';
import type { LogPosition } from '../../lib/index.js';
import { Node, origin } from '../../lib/index.js';
import type { ByHand } from './alphabet.js';
import {
  abc,
  accepted,
  at,
  awake,
  broadcast,
  call,
  commandsAfter,
  configChanged,
  dropped,
  entriesAfter,
  leading,
  markerAfter,
  minimumElapsed,
  only,
  persist,
  pristine,
  proposed,
  received,
  rejected,
  reply,
  restarted,
  roleChanged,
  sent,
  settle,
  snapshotAt,
  snapshotTaken,
  tell,
  timedOut,
  timer,
  vote,
  voteCall,
} from './alphabet.js';

const first = { ...commandsAfter(origin, []), length: 1, commands: null };

/** a, the leader of term 2 of {a, b, c}, with the log [1, 1, 2] of which all is committed. */
function leader(): ByHand {
  const node = leading(restarted([1, 1], { announceCommits: false }), 'b');
  settle(node, received(reply('b', 2, { last: at(2, 3) })));
  return node;
}

describe('start, restart', () => {
  it('start(id): a follower without a cluster asks for a timer, and waits to be added', () => {
    const node = new Node({ id: 'a' });
    expect(node).toMatchObject({ id: 'a', role: 'follower', currentTerm: 0, votedFor: null });
    expect(node).toMatchObject({ leaderId: null, commitIndex: 0, appliedIndex: 0, generation: 0 });
    expect(node.config).toEqual({ voters: [], newVoters: [], nonVoters: [] });
    expect(node.take()).toEqual([
      roleChanged('follower', 0, null),
      configChanged(node.config, 0),
      timer('follower'),
    ]);
    expect(node.take()).toEqual([]);
  });

  it('start of a new cluster: its voters are the first entry, of term 0, on each of them', () => {
    const node = new Node(pristine());
    expect(node.config).toEqual(abc);
    expect(node.take()).toEqual([
      roleChanged('follower', 0, null),
      configChanged(abc, 1),
      timer('follower'),
      persist(1, { entries: { ...first, configs: [{ index: 1, config: abc }] } }),
    ]);
    expect(node.log.lastPosition).toEqual(at(0, 1));
  });

  it('restart: a follower with its term, vote and log; commit = snapshot index', () => {
    const snapshot = snapshotAt(at(2, 4));
    const entries = entriesAfter(at(2, 4), [2, 3]);
    const remembered = { generation: 7, currentTerm: 5, votedFor: 'c', snapshot, entries };
    const node = new Node<string, string>({ id: 'a', ...remembered });
    expect(node).toMatchObject({ role: 'follower', currentTerm: 5, votedFor: 'c', leaderId: null });
    expect(node).toMatchObject({ generation: 7, commitIndex: 4, durableIndex: 6, appliedIndex: 0 });
    expect(node.log.lastPosition).toEqual(at(3, 6));
    // The machine begins with the snapshot.
    expect(node.take()).toEqual([
      roleChanged('follower', 5, null),
      configChanged(abc, 4),
      timer('follower'),
      { type: 'restore', snapshot },
    ]);
    expect(node.appliedIndex).toBe(4);
  });

  it('a generation is in each answer: a leader notices a follower that came back with less', () => {
    const node = awake(restarted([1], { generation: 7 }));
    const actions = tell(node, received(call('b', 1, { prev: at(1, 1) })));
    expect(sent(actions)).toEqual([['b', reply('a', 1, { last: at(1, 1), generation: 7 })]]);

    const other = leader();
    tell(other, proposed(1, 'x'));
    settle(other, received(reply('b', 2, { round: 2, last: at(2, 4) })));
    expect(other.peers[0]).toEqual({ id: 'b', matchIndex: 4, nextIndex: 5 });
    const less = { round: 2, last: at(1, 2), generation: 1 };
    tell(other, received(reply('b', 2, less)));
    expect(other.peers[0]).toMatchObject({ id: 'b', matchIndex: 2 });
  });
});

describe('proposeCommand', () => {
  it('a leader appends, broadcasts and answers with the position', () => {
    const node = leader();
    expect(node.proposeCommand('x')).toEqual(at(2, 4));
    const entries = commandsAfter(at(2, 3), ['x']);
    expect(node.take()).toEqual([
      broadcast(['b', 'c'], call('a', 2, { round: 2, entries, commit: 3 })),
      persist(3, { entries }),
    ]);
  });

  it('pipelining: many before actions are taken are one message and one write', () => {
    const node = leader();
    const positions = ['x', 'y', 'z'].map((command) => node.proposeCommand(command));
    expect(positions).toEqual([at(2, 4), at(2, 5), at(2, 6)]);
    const entries = commandsAfter(at(2, 3), ['x', 'y', 'z']);
    expect(node.take()).toEqual([
      broadcast(['b', 'c'], call('a', 2, { round: 2, entries, commit: 3 })),
      persist(3, { entries }),
    ]);
  });

  it('nobody else: the refusal says why, and by stream who leads', () => {
    const follower = awake(restarted([1, 1]));
    expect(follower.proposeCommand('x')).toBe('notLeader');
    tell(follower, received(call('b', 1, { prev: at(1, 2) })));
    expect(tell(follower, proposed(7, 'x'))).toEqual([rejected(7, 'notLeader', 'b')]);
    const candidate = awake(restarted([1, 1]));
    settle(candidate, timedOut);
    expect(candidate.proposeCommand('x')).toBe('notLeader');
    expect(candidate.log.lastPosition).toEqual(at(1, 2));
  });

  it('by stream several commands side by side are one proposal, and none is none', () => {
    const node = leader();
    const actions = tell(node, proposed(1, 'x', 'y'), proposed(2), proposed(3, 'z'));
    expect(actions.slice(0, 3)).toEqual([
      accepted(1, at(2, 4)),
      rejected(2, 'emptyProposal', 'a'),
      accepted(3, at(2, 6)),
    ]);
  });

  it('H14: above the limits of what is not committed it is refused', () => {
    const limits = { uncommittedEntries: 2, uncommittedBytes: 5 };
    const sizeOf = (command: string): number => command.length;
    const node = leading(restarted([1, 1], { limits, sizeOf, announceCommits: false }), 'b');
    // What it inherited counts until it is committed.
    expect(node.proposeCommand('x')).toBe('overloaded');
    settle(node, received(reply('b', 2, { last: at(2, 3) })));
    expect(node.proposeCommand('x')).toEqual(at(2, 4));
    expect(node.proposeCommand('y')).toEqual(at(2, 5));
    expect(node.proposeCommand('z')).toBe('overloaded');
    settle(node);
    settle(node, received(reply('b', 2, { round: 2, last: at(2, 5) })));
    expect(node.proposeCommand('12345')).toEqual(at(2, 6));
    expect(settle(node, proposed(7, 'z'))[0]).toEqual(rejected(7, 'overloaded', 'a'));
    settle(node);
    settle(node, received(reply('b', 2, { round: 3, last: at(2, 6) })));
    expect(node.proposeCommand('z')).toEqual(at(2, 7));
  });
});

describe('commitStatus, commitIndex', () => {
  /** a follows b of term 3, log [1, 1, 3, 3, 3]; committed up to 4; the snapshot is at 2. */
  function follower(): ByHand {
    const node = awake(restarted([1, 1]));
    const entries = entriesAfter(at(1, 2), [3, 3, 3]);
    settle(node, received(call('b', 3, { entries, commit: 4 })));
    settle(node, snapshotTaken(2));
    expect(node).toMatchObject({ commitIndex: 4, appliedIndex: 4 });
    expect(node.log.snapshotPosition).toEqual(at(1, 2));
    return node;
  }

  it.each<[string, LogPosition, string]>([
    ['in progress: in the log, and not committed', at(3, 5), 'inProgress'],
    ['in progress: not here yet', at(3, 9), 'inProgress'],
    ['in progress: of a later term', at(4, 5), 'inProgress'],
    ['committed: at the commit index', at(3, 4), 'committed'],
    ['committed: in front of it', at(3, 3), 'committed'],
    ['committed: where the snapshot ends', at(1, 2), 'committed'],
    ['rejected: another entry is committed there', at(1, 3), 'rejected'],
    ['rejected: one of an earlier term', at(4, 4), 'rejected'],
    ['rejected: an entry of a later term is committed in front of it', at(1, 7), 'rejected'],
    ['rejected: where the snapshot ends', at(2, 2), 'rejected'],
    ['unknown: compacted', at(1, 1), 'unknown'],
    ['unknown: whatever was there', at(9, 1), 'unknown'],
  ])('%s', (_, position, status) => {
    expect(follower().commitStatus(position)).toBe(status);
  });

  it('of a proposal of a leader that is deposed', () => {
    const node = leader();
    const position = node.proposeCommand('x') as LogPosition;
    expect(node.commitStatus(position)).toBe('inProgress');
    settle(node);
    const entries = markerAfter(at(2, 3), 3);
    settle(node, received(call('b', 3, { entries, commit: 3 })));
    // Replaced here, but the entry in its place is not committed.
    expect(node.commitStatus(position)).toBe('inProgress');
    settle(node, received(call('b', 3, { round: 2, prev: at(3, 4), commit: 4 })));
    expect(node.commitStatus(position)).toBe('rejected');
    expect(node.commitStatus(at(3, 4))).toBe('committed');
  });
});

describe('handleElectionTimeout: timeOut() by hand, `timedOut` by stream', () => {
  it('a follower and a candidate begin an election (§5.2)', () => {
    const node = awake(restarted([1, 1]));
    node.timeOut();
    expect(node).toMatchObject({ role: 'candidate', currentTerm: 2, votedFor: 'a' });
    settle(node);
    node.timeOut();
    expect(node).toMatchObject({ role: 'candidate', currentTerm: 3, votedFor: 'a' });
    expect(settle(node)).toEqual([
      roleChanged('candidate', 3, null),
      timer('candidate'),
      persist(2, { vote: [3, 'a'] }),
      broadcast(['b', 'c'], voteCall('a', 3, at(1, 2))),
    ]);
  });

  it('a leader sends a heartbeat', () => {
    const node = leader();
    node.timeOut();
    expect(node.take()).toEqual([
      timer('leader'),
      broadcast(['b', 'c'], call('a', 2, { round: 2, prev: at(2, 3), commit: 3 })),
    ]);
  });

  it('D13: a non-voter does nothing, and nor does a node without a cluster', () => {
    const listening = { voters: ['b', 'c'], newVoters: [], nonVoters: ['a'] };
    const entries = entriesAfter(origin, [1, 1], listening);
    for (const config of [{ id: 'a', currentTerm: 1, entries }, { id: 'a' }]) {
      const node = awake(config);
      node.timeOut();
      expect(node.role).toBe('follower');
      // The clock goes on: the node may be a voter when it fires next.
      expect(node.take()).toEqual([timer('follower')]);
    }
  });

  it('a stale timer is none: since it was set, a newer one is due', () => {
    const node = awake(restarted([1, 1]));
    // In one turn: a leader is heard, and the timer that it starts anew fires all the same.
    const actions = tell(
      node,
      received(call('b', 1, { prev: at(1, 2) })),
      timedOut,
      minimumElapsed,
    );
    expect(node).toMatchObject({ role: 'follower', leaderId: 'b', currentTerm: 1 });
    expect(only(actions, 'setElectionTimeout')).toEqual([timer('follower')]);
    // And the leader is alive still.
    expect(tell(node, received(voteCall('c', 5, at(1, 2))))).toEqual([dropped('c', 'leaderAlive')]);
    tell(node, minimumElapsed);
    expect(sent(settle(node, received(voteCall('c', 5, at(1, 2)))))).toEqual([['c', vote('a', 5)]]);
    // Before the first timer is set there is none that could fire.
    const early = new Node(restarted([1, 1]));
    early.handle(timedOut);
    expect(early.role).toBe('follower');
  });
});

describe('heartbeat: the base of consistent reads', () => {
  it('a leader calls everyone, also when there is nothing to bring', () => {
    const node = leader();
    node.heartbeat();
    const message = call('a', 2, { round: 2, prev: at(2, 3), commit: 3 });
    expect(node.take()).toEqual([broadcast(['b', 'c'], message)]);
  });

  it('of nobody else it is nothing', () => {
    const node = awake(restarted([1, 1]));
    node.heartbeat();
    expect(node.take()).toEqual([]);
  });
});

describe('peers', () => {
  it('are the other members, with what each has, and follow the configuration', () => {
    const node = leader();
    expect(node.peers).toEqual([
      { id: 'b', matchIndex: 3, nextIndex: 4 },
      { id: 'c', matchIndex: 0, nextIndex: 4 },
    ]);
    node.proposeConfig({ ...abc, nonVoters: ['d'] });
    expect(node.peers.map(({ id }) => id)).toEqual(['b', 'c', 'd']);
    expect(new Node({ id: 'a' }).peers).toEqual([]);
  });
});
