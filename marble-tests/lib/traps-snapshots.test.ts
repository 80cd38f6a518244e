/** Traps of snapshots (§7). The list of all of them, and who holds which, is `docs/TRAPS.md`. */
import { describe, expect, it } from 'vitest';
import {
  at,
  awake,
  call,
  only,
  persisted,
  received,
  reply,
  sent,
  snapshotAt,
  snapshotReceived,
  tell,
} from './alphabet.js';

describe('a snapshot of the leader', () => {
  it('C8: is not acknowledged before it is durable, nor is it restored (§7)', () => {
    // The term is on disk already: no message waits for anything but the snapshot.
    const node = awake({ id: 'a', currentTerm: 3 });
    const early = [
      ...tell(node, snapshotReceived('b', 3, snapshotAt(at(2, 8)))),
      ...tell(node, received(call('b', 3, { round: 5, prev: at(2, 8), commit: 8 }))),
    ];
    expect(sent(early)).toEqual([
      ['b', reply('a', 3, { round: 0 })],
      ['b', reply('a', 3, { round: 5 })],
    ]);
    expect(only(early, 'restore')).toEqual([]);
    const late = tell(node, persisted(1));
    expect(sent(late)).toEqual([['b', reply('a', 3, { round: 5, last: at(2, 8) })]]);
    expect(only(late, 'restore')).toHaveLength(1);
  });
});
