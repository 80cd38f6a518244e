/**
 * Determinism and data (DESIGN.md, laws 1 to 3), on one long story: elections, a split vote,
 * proposals, snapshots, changes of members, a partition and its healing, on nodes of which
 * everything that goes in or comes out is frozen. The laws of the queue, the turns and the end are
 * in raft.test.ts and loop.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { Subject } from 'rxjs';
import { raft, toJointConsensus, uniqueNodes } from '../../lib/index.js';
import type { Told, Wanted } from './alphabet.js';
import {
  at,
  awake,
  call,
  configProposed,
  leading,
  only,
  persisted,
  proposed,
  readRequested,
  received,
  restarted,
  sentTo,
  settle,
  snapshotTaken,
  tell,
  timedOut,
  vote,
} from './alphabet.js';
import { PromptCluster } from './prompt-cluster.js';

/** Everything that a cluster can meet, without time and chance. */
function story(): PromptCluster {
  const cluster = new PromptCluster(['a', 'b', 'c']);
  let proposal = 0;
  const propose = (id: string, ...commands: string[]): void =>
    void cluster.tell(id, proposed((proposal += 1), ...commands));
  for (let chapter = 0; chapter < 20; chapter += 1) {
    const [first, second] = chapter % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
    cluster.elect(first);
    propose(first, `${chapter} one`, `${chapter} two`);
    cluster.tell(first, readRequested(chapter));
    cluster.tell('c', snapshotTaken(cluster.node('c').appliedIndex, 'state'));
    cluster.isolate(first);
    propose(first, `${chapter} lost`);
    cluster.elect(second);
    propose(second, `${chapter} three`);
    cluster.tell(second, snapshotTaken(cluster.node(second).appliedIndex, 'state'));
    cluster.heal();
    cluster.tell(second, timedOut);
    const { config } = cluster.node(second);
    const id = `n${chapter}`;
    cluster.add(id);
    cluster.tell(second, configProposed((proposal += 1), { ...config, nonVoters: [id] }));
    const grown = toJointConsensus({ ...config, nonVoters: [id] }, [id], []);
    cluster.tell(second, configProposed((proposal += 1), grown));
    cluster.tell(second, timedOut);
    const shrunk = toJointConsensus(cluster.node(second).config, [], [id]);
    cluster.tell(second, configProposed((proposal += 1), shrunk));
    cluster.tell(second, timedOut);
  }
  return cluster;
}

const told = story();

describe('the story', () => {
  it('meets every kind of action but a refused read (law 3)', () => {
    const kinds = new Set([...told.wanted.values()].flat().map((action) => action.type));
    expect([...kinds].sort()).toEqual([
      ...['accepted', 'apply', 'broadcastMessage', 'committed', 'configChanged', 'dropped'],
      ...['installSnapshot', 'persist', 'readReady', 'restore', 'roleChanged', 'sendMessage'],
      'setElectionTimeout',
    ]);
  });

  it('ends with one log, and the same commands on every machine (§5.4.3)', () => {
    const a = told.node('a');
    for (const id of ['b', 'c']) {
      expect(told.node(id).log.lastPosition).toEqual(a.log.lastPosition);
      expect(told.node(id)).toMatchObject({ commitIndex: a.commitIndex });
    }
    expect(uniqueNodes(a.config)).toEqual(['a', 'b', 'c']);
    // J1: what the old leader took while it was alone is on no machine.
    const applied = told.applied('c');
    expect(applied.filter((command) => command.endsWith('lost'))).toEqual([]);
    expect(new Set(applied).size).toBe(applied.length);
    expect(applied.filter((command) => command.endsWith('three'))).toHaveLength(20);
  });
});

describe('determinism (law 1)', () => {
  it('I13: the same inputs give the same actions, byte for byte', () => {
    const again = story();
    for (const [id, actions] of told.wanted) {
      expect(JSON.stringify(again.wanted.get(id)), id).toBe(JSON.stringify(actions));
    }
  });

  it('two nodes of one process share nothing', () => {
    const inputs = [new Subject<Told>(), new Subject<Told>()];
    const seen: Wanted[][] = [[], []];
    const core = raft(restarted([1]));
    inputs.forEach((input$, number) => {
      input$.pipe(core).subscribe((action) => seen[number]?.push(action));
    });
    inputs[0]?.next(timedOut);
    expect(seen[0]).toHaveLength(6);
    expect(seen[1]).toHaveLength(3);
    inputs[1]?.next(timedOut);
    expect(seen[1]).toEqual(seen[0]);
  });
});

describe('data (law 3)', () => {
  it('every action survives structuredClone, equal', () => {
    for (const actions of told.wanted.values()) {
      for (const action of actions) expect(structuredClone(action)).toStrictEqual(action);
    }
  });

  it('I12: a receiver that edits what it was sent edits nothing of the sender', () => {
    const node = leading(restarted([1], { announceCommits: false }), 'b');
    const [message] = sentTo(tell(node, proposed(1, 'x', 'y')), 'b');
    const copy = structuredClone(message);
    const commands = ['v', 'w'];
    tell(node, { type: 'proposed', proposal: 2, commands });
    commands[0] = 'other';
    commands.push('more');
    expect(message).toStrictEqual(copy);
    expect(node.log.slice(4, 6).commands).toEqual(['v', 'w']);
  });

  it('I12: nor does a sender that edits what it sent edit the receiver’s log', () => {
    const node = awake(restarted([1]));
    const commands = ['x', 'y'];
    const terms = [{ index: 2, term: 2 }];
    const entries = { prevPosition: at(1, 1), length: 3, terms, configs: [], commands };
    commands.unshift('');
    settle(node, received(call('b', 2, { entries })));
    settle(node, received(call('b', 2, { round: 2, prev: at(2, 4), terms: [2] })));
    commands.reverse();
    terms[0] = { index: 2, term: 9 };
    expect(node.log.slice(2, 5).commands).toEqual(['x', 'y', '2.5']);
    expect(node.log.positionAt(2)).toEqual(at(2, 2));
  });

  it('the broadcast, the write and the apply of one turn may share their entries', () => {
    const node = leading(restarted([1], { announceCommits: false }), 'b');
    const actions = tell(node, proposed(1, 'x'));
    const [write] = only(actions, 'persist');
    const [message] = sentTo(actions, 'b');
    if (message?.type !== 'appendEntriesCall') throw new TypeError('no call');
    expect(write?.entries).toBe(message.entries);
    expect(message.entries.commands).toEqual(['x']);
  });
});

describe('durability (law 2)', () => {
  it('numbers start anew with each run, and go up by one', () => {
    for (const actions of told.wanted.values()) {
      const numbers = only(actions, 'persist').map((write) => write.sequence);
      numbers.slice(1).forEach((number, slot) => expect(number).toBe((numbers[slot] ?? 0) + 1));
    }
    const again = awake(restarted([1]));
    const [write] = only(tell(again, timedOut), 'persist');
    expect(write?.sequence).toBe(1);
    tell(again, persisted(1), received(vote('b', 2)));
    expect(again.role).toBe('leader');
  });
});
