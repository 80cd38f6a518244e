/** The node by hand: messages, snapshots, the log to look at, and the actions of the reference. */
import { describe, expect, it } from 'vitest';
import type { LogPosition } from '../../lib/index.js';
import { clusterOf, InvariantError, Node, origin } from '../../lib/index.js';
import type { ByHand, Wanted } from './alphabet.js';
import {
  abc,
  at,
  awake,
  call,
  committed,
  dropped,
  entriesAfter,
  leading,
  logOf,
  only,
  persist,
  persisted,
  proposed,
  received,
  reply,
  restarted,
  send,
  sent,
  settle,
  snapshotAt,
  snapshotReceived,
  snapshotTaken,
  tell,
  timedOut,
  vote,
  voteCall,
} from './alphabet.js';

/** a, the leader of term 2 of {a, b, c}, with the log [1, 1, 2] of which all is committed. */
function leader(): ByHand {
  const node = leading(restarted([1, 1], { announceCommits: false }), 'b');
  settle(node, received(reply('b', 2, { last: at(2, 3) })));
  return node;
}

/** Nothing after a position. */
function commandsNone(position: LogPosition): ReturnType<typeof entriesAfter> {
  return { prevPosition: position, length: 0, terms: [], configs: [], commands: null };
}

describe('handleMessage: receive() by hand, `received` by stream', () => {
  it('are the same', () => {
    const message = call('b', 1, { prev: at(1, 2), terms: [1] });
    const [byHand, byStream] = [awake(restarted([1, 1])), awake(restarted([1, 1]))];
    byHand.receive(message);
    byStream.handle(received(message));
    expect(byHand.take()).toEqual(byStream.take());
    expect(byHand.log.lastPosition).toEqual(at(1, 3));
  });

  it('B20: what comes from the node itself is dropped, whatever it is', () => {
    const node = leader();
    const own = [
      voteCall('a', 9, at(8, 9)),
      vote('a', 9),
      call('a', 9),
      reply('a', 9),
      { type: 'removalNotice', from: 'a', term: 9, position: at(8, 9) } as const,
    ];
    for (const message of own) {
      expect(tell(node, received(message))).toEqual([dropped('a', 'fromSelf')]);
    }
    const snapshot = snapshotReceived('a', 9, snapshotAt(at(8, 9)));
    expect(tell(node, snapshot)).toEqual([dropped('a', 'fromSelf')]);
    expect(node).toMatchObject({ role: 'leader', currentTerm: 2 });
  });

  it('couldBeDisruptiveRequestVote: the guard is on, with no opting in (§6)', () => {
    const node = awake(restarted([1, 1]));
    tell(node, received(call('b', 1, { prev: at(1, 2) })));
    expect(tell(node, received(voteCall('z', 9, at(1, 2))))).toEqual([dropped('z', 'leaderAlive')]);
    expect(node).toMatchObject({ currentTerm: 1, votedFor: null });
  });
});

describe('handleSnapshotInstalled', () => {
  it('snapshotTaken: compacts the own log, when the snapshot is durable (§7)', () => {
    const node = leader();
    settle(node, proposed(1, 'x'), received(reply('b', 2, { round: 1, last: at(2, 3) })));
    expect(node.appliedIndex).toBe(3);
    const snapshot = snapshotAt(at(1, 2));
    const actions = tell(node, snapshotTaken(2));
    expect(actions).toEqual([persist(4, { snapshot })]);
    expect(node.log.snapshotPosition).toEqual(origin);
    tell(node, persisted(4));
    expect(node.log.snapshotPosition).toEqual(at(1, 2));
    expect(node.log.lastPosition).toEqual(at(2, 4));
    expect(node.config).toEqual(abc);
  });

  it('snapshotReceived: a follower jumps ahead, when the snapshot is durable (§7)', () => {
    const node = awake(restarted([1, 1]));
    const snapshot = snapshotAt(at(2, 9), clusterOf(['a', 'b', 'd']));
    const actions = tell(node, snapshotReceived('b', 3, snapshot));
    expect(only(actions, 'persist')).toEqual([
      persist(1, { vote: [3, null], entries: commandsNone(at(2, 9)), snapshot }),
    ]);
    expect(only(actions, 'restore')).toEqual([]);
    expect(sent(actions)).toEqual([]);
    const after = tell(node, persisted(1));
    expect(after).toEqual([
      send('b', reply('a', 3, { round: 0, last: at(2, 9) })),
      { type: 'restore', snapshot },
    ]);
    expect(node).toMatchObject({ commitIndex: 9, appliedIndex: 9, durableIndex: 9 });
    expect(node.config).toEqual(snapshot.config);
  });

  it('a leader does not jump: there is no other leader in its term', () => {
    const node = leader();
    const actions = tell(node, snapshotReceived('b', 2, snapshotAt(at(2, 9))));
    expect(actions).toEqual([dropped('b', 'invalid')]);
    expect(node).toMatchObject({ role: 'leader', commitIndex: 3 });
  });
});

describe('the log, to look at', () => {
  it('lastPosition, snapshotPosition, latestConfig, position and configuration at an index', () => {
    const next = { ...abc, nonVoters: ['d'] };
    const entries = {
      ...entriesAfter(at(1, 2), [1, 2, 2]),
      configs: [{ index: 5, config: next }],
    };
    const snapshot = snapshotAt(at(1, 2));
    const node = new Node<string, string>({ id: 'a', currentTerm: 2, snapshot, entries });
    const { log } = node;
    expect(log.snapshotPosition).toEqual(at(1, 2));
    expect(log.lastPosition).toEqual(at(2, 5));
    expect(log.latestConfig).toEqual(next);
    expect(node.config).toEqual(next);
    expect([1, 2, 3, 4, 5, 6].map((index) => log.positionAt(index))).toEqual([
      null,
      at(1, 2),
      at(1, 3),
      at(2, 4),
      at(2, 5),
      null,
    ]);
    expect([2, 4, 5].map((index) => log.configAt(index))).toEqual([abc, abc, next]);
    expect([at(1, 2), at(2, 5), at(1, 5), at(2, 6)].map((each) => log.contains(each))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(log.slice(2, 5)).toEqual(entries);
    expect(log.slice(4, 4)).toEqual(commandsNone(at(2, 4)));
    for (const [from, to] of [
      [1, 5],
      [2, 6],
      [5, 4],
      [6, 6],
    ] as const) {
      expect(() => log.slice(from, to)).toThrow(InvariantError);
    }
  });
});

describe('actions', () => {
  it('pending: readable without taking, and what is taken is the same', () => {
    const node = awake(restarted([1, 1]));
    node.receive(voteCall('b', 2, at(1, 2)));
    node.receive(call('c', 1));
    const { pending } = node;
    expect(node.pending).toEqual(pending);
    expect(pending.map(({ type }) => type)).toEqual([
      'roleChanged',
      'setElectionTimeout',
      'persist',
      'dropped',
    ]);
    expect(node.take()).toEqual(pending);
    expect(node.pending).toEqual([]);
    expect(node.take()).toEqual([]);
  });

  it('a look changes nothing: with it and without it the same is done', () => {
    const [looked, other] = [leading(restarted([1, 1]), 'b'), leading(restarted([1, 1]), 'b')];
    const inputs = [
      proposed(1, 'x'),
      received(reply('b', 2, { last: at(2, 3) })),
      proposed(2, 'y'),
      timedOut,
      received(reply('c', 2, { round: 1, refused: true, last: at(1, 1) })),
      persisted(2),
      { type: 'readRequested', reads: 1 } as const,
      received(reply('c', 2, { round: 2, last: at(2, 3) })),
    ];
    for (const input of inputs) {
      looked.handle(input);
      expect(looked.pending).toEqual(looked.pending);
      expect(looked.take()).toEqual(tell(other, input));
    }
  });

  it('SetElectionTimeout: once, however often a timer was to be set', () => {
    const node = awake(restarted([1, 1]));
    const heartbeat = received(call('b', 1, { prev: at(1, 2) }));
    expect(only(tell(node, heartbeat, heartbeat, heartbeat), 'setElectionTimeout')).toHaveLength(1);
  });

  it('SaveCurrentTerm, SaveVotedFor, AppendLogEntries: one atomic persist', () => {
    const node = awake(restarted([1, 1]));
    const actions = tell(node, received(call('b', 2, { prev: at(1, 2), terms: [2, 2] })));
    expect(only(actions, 'persist')).toEqual([
      persist(1, { vote: [2, null], entries: entriesAfter(at(1, 2), [2, 2]) }),
    ]);
    // Only what is new: neither the term again nor the entries.
    const more = tell(node, received(call('b', 2, { round: 2, prev: at(1, 2), terms: [2, 2, 2] })));
    expect(only(more, 'persist')).toEqual([persist(2, { entries: entriesAfter(at(2, 4), [2]) })]);
  });

  it('BroadcastMessage and SendMessage: peers that are brought the same share one message', () => {
    const node = leader();
    settle(node, received(reply('c', 2, { round: 1, last: at(1, 2) })), proposed(1, 'x'));
    const refusal = reply('c', 2, { round: 2, refused: true, last: at(1, 2) });
    const actions = tell(node, received(refusal), proposed(2, 'y'));
    expect(
      sent(actions).map(([to, message]) => [to, 'entries' in message && message.entries.length]),
    ).toEqual([
      ['b', 1],
      ['c', 3],
    ]);
    expect(actions.filter(({ type }) => type === 'sendMessage')).toHaveLength(2);
  });

  it('the newest message to a peer replaces what was not taken: one heartbeat, one answer', () => {
    const node = leader();
    node.heartbeat();
    node.heartbeat();
    expect(node.take()).toHaveLength(1);
    const follower = awake(restarted([1, 1]));
    const actions = tell(
      follower,
      received(call('b', 1, { round: 3, prev: at(1, 2) })),
      received(call('b', 1, { round: 4, prev: at(1, 2) })),
    );
    expect(sent(actions)).toEqual([['b', reply('a', 1, { round: 4, last: at(1, 2) })]]);
  });

  it('InstallSnapshot: to a peer whose next entries are compacted', () => {
    const node = leader();
    settle(node, snapshotTaken(3));
    const behind = reply('c', 2, { round: 1, refused: true, last: origin });
    const actions = tell(node, received(behind));
    expect(actions).toEqual([
      { type: 'installSnapshot', to: 'c', term: 2, snapshot: snapshotAt(at(2, 3)) },
    ]);
  });

  it('in the order in which they are to be done', () => {
    const node = leader();
    settle(node, received(reply('c', 2, { round: 1, last: at(2, 3) })));
    const [write] = only(tell(node, proposed(1, 'x')), 'persist');
    const actions = tell(
      node,
      proposed(2, 'y'),
      received(reply('b', 2, { round: 2, last: at(2, 4) })),
      persisted(write?.sequence ?? 0),
      timedOut,
      received(call('z', 1)),
    );
    expect(actions.map(({ type }) => type)).toEqual([
      'accepted',
      'setElectionTimeout',
      'sendMessage',
      'broadcastMessage',
      'persist',
      'apply',
      'committed',
      'dropped',
    ] satisfies Wanted['type'][]);
    expect(actions.at(-2)).toEqual(committed(4));
  });

  it('the answer to a write that was never issued ends the node', () => {
    const node = awake(restarted([1, 1]));
    expect(() => {
      node.handle(persisted(1));
    }).toThrow(InvariantError);
  });

  it('law 3: what is taken is plain data, and no part of the node', () => {
    const node = new Node<string, string>({ id: 'a', currentTerm: 1, entries: logOf(1, 1) });
    const actions = [
      ...node.take(),
      ...settle(node, timedOut),
      ...settle(node, received(vote('b', 2))),
    ];
    expect(structuredClone(actions)).toEqual(actions);
    const before = structuredClone(actions);
    settle(node, proposed(1, 'x'), received(call('c', 3, { prev: at(1, 2), terms: [3] })));
    expect(actions).toEqual(before);
  });
});
