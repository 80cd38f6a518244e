/**
 * What is due is rendered when it is taken, and speaks of what was decided: neither an older
 * request nor a newer change that comes in between may put other words into it.
 */
import { expect, it } from 'vitest';
import type { Action } from '../../lib/index.js';
import { Node } from '../../lib/index.js';
import {
  at,
  awake,
  only,
  persisted,
  received as message,
  restarted,
  sent,
  tell,
  vote,
  voteCall,
} from './alphabet.js';

it('a vote that is granted is said, whatever older request came in between (§5.2)', () => {
  const node = awake(restarted([1, 1]));
  const [write] = only(tell(node, message(voteCall('b', 3, at(1, 2)))), 'persist');
  // An older request of the same candidate arrives while the vote is being written (reordered).
  tell(node, message(voteCall('b', 2, at(1, 2))));
  const actions = tell(node, persisted(write?.sequence ?? 0));
  expect(node).toMatchObject({ currentTerm: 3, votedFor: 'b' });
  expect(sent(actions)).toEqual([['b', vote('a', 3)]]);
});

it('a removal notice names the committed configuration that leaves the node out (§6)', () => {
  const node = new Node<string, string>({ id: 'a', initialVoters: ['a', 'b'] });
  const turn = (...inputs: Parameters<typeof node.handle>[0][]): Action<string, string>[] => {
    for (const input of inputs) node.handle(input);
    const all: Action<string, string>[] = [];
    do {
      for (const action of node.take()) {
        all.push(action);
        if (action.type !== 'persist') continue;
        node.handle({ type: 'persisted', sequence: action.sequence });
      }
    } while (node.isMoreDue || node.pending.length > 0);
    return all;
  };
  const received = (message: object) => ({ type: 'received', message }) as never;
  turn();
  turn({ type: 'timedOut' });
  turn(received({ type: 'requestVoteReply', from: 'b', term: 1, voteGranted: true }));
  const { lastPosition } = node.log;
  const reply = { from: 'b', term: 1, round: 1, generation: 1, refused: false, lastPosition };
  turn(received({ type: 'appendEntriesReply', ...reply }));
  expect(node.commitIndex).toBe(2);

  const all = turn(
    received({ type: 'requestVoteCall', from: 'z', term: 5, lastPosition: { term: 0, index: 0 } }),
    {
      type: 'configProposed',
      proposal: 1,
      config: { voters: ['a', 'b'], newVoters: [], nonVoters: ['z'] },
    },
  );
  const positions = all.flatMap((action) =>
    action.type === 'sendMessage' && action.message.type === 'removalNotice'
      ? [action.message.position]
      : [],
  );
  // Either no notice at all, or one of the configuration at index 1, which is committed.
  expect(positions.filter(({ index }) => index > 1)).toEqual([]);
});
