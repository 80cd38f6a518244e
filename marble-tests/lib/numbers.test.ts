/**
 * Numbers that are none (H6, H8). The edge refuses them; behind an edge that does not, they must
 * not get into the state either: what is not a number is neither above nor below anything.
 */
import { describe, expect, it } from 'vitest';
import type { Message } from '../../lib/index.js';
import { emptyEntries, Node } from '../../lib/index.js';
import {
  awake,
  timedOut,
  abc,
  at,
  call,
  dropped,
  leading,
  received,
  reply,
  restarted,
  tell,
  vote,
  voteCall,
} from './alphabet.js';

const stateOf = (node: Node<string, string>): unknown => [
  ...[node.role, node.currentTerm, node.votedFor, node.leaderId, node.commitIndex],
  ...[node.log.lastPosition, node.peers],
];

const messages: readonly (readonly [string, Message<string>, readonly string[]])[] = [
  ['requestVoteCall', voteCall('b', 9, at(1, 9)), ['term', 'lastPosition.term']],
  ['requestVoteReply', vote('b', 2), ['term']],
  [
    'appendEntriesCall',
    call('b', 9, { round: 3, prev: at(1, 1), terms: [9], commit: 1 }),
    ['term', 'round', 'commitIndex', 'entries.prevPosition.index', 'entries.prevPosition.term'],
  ],
  [
    'appendEntriesReply',
    reply('b', 2, { round: 1, last: at(1, 1) }),
    ['term', 'round', 'lastPosition.index', 'lastPosition.term'],
  ],
  [
    'removalNotice',
    { type: 'removalNotice', from: 'b', term: 9, position: at(9, 9) },
    ['term', 'position.index'],
  ],
];

/** The message with one of its numbers replaced. */
function broken(message: Message<string>, path: string, value: number): Message<string> {
  const copy = structuredClone(message);
  const names = path.split('.');
  const last = names.pop() ?? '';
  const holder = names.reduce<unknown>(
    (each, name) => (each as Record<string, unknown>)[name],
    copy,
  );
  (holder as Record<string, number>)[last] = value;
  return copy;
}

describe.each(messages)('H6, H8: a %s', (_, message, paths) => {
  for (const path of paths) {
    it.each([NaN, Infinity, 1.5, 2 ** 53])(
      `with ${path} %d is dropped, and changes nothing`,
      (value) => {
        const node = leading(restarted([1]), 'b');
        const before = structuredClone(stateOf(node));
        const actions = tell(node, received(broken(message, path, value)));
        expect(actions).toEqual([dropped('b', 'invalid')]);
        expect(stateOf(node)).toEqual(before);
      },
    );
  }
});

it('H6: a term that nobody can have reached is dropped: terms must not run out', () => {
  const node = leading(restarted([1]), 'b');
  const far = received(voteCall('b', 2 ** 53 - 1, at(1, 9)));
  expect(tell(node, far, received(reply('b', 2 ** 40)))).toEqual([
    dropped('b', 'invalid'),
    dropped('b', 'invalid'),
  ]);
  expect(node).toMatchObject({ role: 'leader', currentTerm: 2 });
  tell(node, received(reply('b', 2 ** 31)));
  expect(node).toMatchObject({ role: 'follower', currentTerm: 2 ** 31 });
});

describe('H6: a snapshot', () => {
  it.each([
    ['of a term that is no number', NaN, at(2, 9)],
    ['at an index that is no number', 9, at(2, NaN)],
    ['behind an entry of no term', 9, at(-1, 9)],
    ['of a term that nobody can have reached', 2 ** 53 - 1, at(2, 9)],
    ['at an index where numbers end', 9, at(2, 2 ** 53 - 1)],
  ])('%s is dropped, and changes nothing', (_, term, position) => {
    const node = leading(restarted([1]), 'b');
    const before = structuredClone(stateOf(node));
    const snapshot = { position, config: abc, data: '' };
    const actions = tell(node, { type: 'snapshotReceived', from: 'b', term, snapshot });
    expect(actions).toEqual([dropped('b', 'invalid')]);
    expect(stateOf(node)).toEqual(before);
  });
});

it('H9: more entries than a message may have are not taken, however few bytes claim them', () => {
  const node = awake(restarted([1]));
  const entries = { ...emptyEntries(at(1, 1)), length: 2 ** 40 };
  const message = { ...call('b', 2), entries } as Message<string>;
  expect(tell(node, received(message))).toEqual([dropped('b', 'invalid')]);
  expect(node).toMatchObject({ currentTerm: 1, leaderId: null });
  const limits = { entriesPerMessage: 2 ** 20 + 1 };
  expect(() => new Node({ id: 'a', limits })).toThrow('limits.entriesPerMessage');
});

it('§6: a notice of removal by the very configuration that lists the node is a contradiction', () => {
  const node = awake(restarted([1]));
  const position = node.log.lastPosition;
  const notice: Message<string> = { type: 'removalNotice', from: 'b', term: 1, position };
  expect(tell(node, received(notice))).toEqual([dropped('b', 'contradiction')]);
  tell(node, timedOut);
  expect(node.role).toBe('candidate');
});
