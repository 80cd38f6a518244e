/**
 * "Fix: leader-generated unique round id per heartbeat" (E2), and a round is of its term: an answer
 * to a call of an older term must not look like one of this term. Found by the simulator (seed
 * 151): a leader that restarted counts its rounds anew, and a late answer confirmed a read that
 * began after it was said.
 */
import { expect, it } from 'vitest';
import {
  at,
  awake,
  call,
  leading,
  only,
  readRequested,
  received,
  reply,
  restarted,
  sentTo,
  settle,
  tell,
  timedOut,
} from './alphabet.js';

it('E3: an answer to a call of an older term confirms no round of this one', () => {
  const b = awake(restarted([1, 2], { id: 'b' }));
  const late = received(call('a', 1, { round: 10, prev: at(1, 1) }));
  const [answer] = sentTo(settle(b, late), 'a');
  expect(answer).toMatchObject({ type: 'appendEntriesReply', term: 2, refused: true });

  const a = leading(restarted([1], { announceCommits: false }), 'b');
  expect(a.role).toBe('leader');
  expect(a.currentTerm).toBe(2);
  settle(a, received(reply('b', 2, { last: at(2, 2) })));
  // Heartbeats up to round 9, each answered by b; then b is cut off, and a read begins: round 10.
  for (let round = 2; round <= 9; round += 1)
    settle(a, timedOut, received(reply('b', 2, { round, last: at(2, 2) })));
  const asked = tell(a, readRequested(1));
  expect(only(asked, 'readReady')).toEqual([]);
  // b said this before the read began. Is: readReady. Meanwhile b and c may have made a new leader.
  expect(only(tell(a, received(answer as never)), 'readReady')).toEqual([]);
});
