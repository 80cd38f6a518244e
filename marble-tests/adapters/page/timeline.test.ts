/** What nodes report on one axis of time: clocks that differ, messages lost and found. */
import { describe, expect, it } from 'vitest';
import type { LiveEvent, MessagesSeen } from '../../../adapters/live/protocol.js';
import { Timeline } from '../../../adapters/page/timeline.js';

const call: Omit<MessagesSeen, 'type' | 'at' | 'peers'> = {
  ...{ kind: 'append', term: 2, count: 1, rounds: [5, 5], entries: 1, index: 9 },
};
const sent = (at: number, peers: string[], some: Partial<MessagesSeen> = {}): LiveEvent => ({
  ...{ ...call, type: 'sent', at, peers, ...some },
});
const received = (at: number, from: string, some: Partial<MessagesSeen> = {}): LiveEvent => ({
  ...{ ...call, type: 'received', at, peers: [from], ...some },
});

/** Two nodes whose clocks differ by 1,000, and that of the page from both. */
function timeline(): Timeline {
  const lines = new Timeline();
  lines.onClock('a', 1_000, 10);
  lines.onClock('b', 2_000, 10);
  return lines;
}

describe('a message', () => {
  it('is joined to its receivers, each by its own clock', () => {
    const lines = timeline();
    lines.onEvents('a', [sent(1_100, ['b', 'c'])]);
    lines.onEvents('b', [received(2_103, 'a')]);
    expect(lines.marbles).toHaveLength(1);
    expect(lines.marbles[0]).toMatchObject({ node: 'a', at: 110, nodeAt: 1_100 });
    expect([...(lines.marbles[0]?.arrivals ?? [])]).toEqual([
      ['b', 113],
      ['c', null],
    ]);
  });

  it('is joined too when its receiver reports first', () => {
    const lines = timeline();
    lines.onEvents('b', [received(2_103, 'a')]);
    lines.onEvents('a', [sent(1_100, ['b'])]);
    expect(lines.marbles[0]?.arrivals.get('b')).toBe(113);
  });

  it('never arrives before it is sent, whatever the clocks say', () => {
    const lines = timeline();
    lines.onEvents('a', [sent(1_100, ['b'])]);
    lines.onEvents('b', [received(2_095, 'a')]);
    expect(lines.marbles[0]?.arrivals.get('b')).toBe(110);
  });

  it.each([
    ['of another kind', { kind: 'heartbeat' }],
    ['of another term', { term: 3 }],
    ['of another round', { rounds: [6, 8] }],
    ['of another sender', { peers: ['c'] }],
  ] as const)('is not joined to one %s', (_, some) => {
    const lines = timeline();
    lines.onEvents('a', [sent(1_100, ['b'])]);
    lines.onEvents('b', [received(2_103, 'a', some)]);
    expect(lines.marbles[0]?.arrivals.get('b')).toBe(null);
  });

  it('that stands for several is joined to those that overlap with it', () => {
    const lines = timeline();
    lines.onEvents('a', [sent(1_100, ['b'], { rounds: [5, 9], count: 5 })]);
    lines.onEvents('b', [received(2_104, 'a', { rounds: [8, 12], count: 5 })]);
    expect(lines.marbles[0]?.arrivals.get('b')).not.toBe(null);
  });
});

describe('the clock of a node', () => {
  it('is laid on the page’s by its fastest frame', () => {
    const lines = timeline();
    lines.onClock('a', 1_500, 700);
    lines.onClock('a', 1_600, 605);
    lines.onEvents('a', [{ type: 'commit', at: 1_700, index: 3 }]);
    expect(lines.line('a').commits).toEqual([{ at: 705, index: 3 }]);
  });

  it('begins anew after the node was away', () => {
    const lines = timeline();
    lines.onAway('a', 500);
    lines.onClock('a', 0, 600);
    lines.onEvents('a', [{ type: 'commit', at: 50, index: 3 }]);
    expect(lines.line('a').commits).toEqual([{ at: 650, index: 3 }]);
  });
});

describe('a line', () => {
  it('has a stretch for each role and term, and one while the node is away', () => {
    const lines = timeline();
    lines.onRole('a', 10, 'follower', 1);
    lines.onRole('a', 20, 'follower', 1);
    lines.onEvents('a', [{ type: 'role', at: 1_030, role: 'leader', term: 2, leader: 'a' }]);
    lines.onAway('a', 60);
    lines.onAway('a', 70);
    expect(lines.line('a').stretches).toEqual([
      { at: 10, role: 'follower', term: 1 },
      { at: 40, role: 'leader', term: 2 },
      { at: 60, role: 'away', term: 2 },
    ]);
  });
});

describe('what is old', () => {
  it('is forgotten, but for the stretch that goes on', () => {
    const lines = timeline();
    lines.onRole('a', 10, 'follower', 1);
    lines.onRole('a', 20, 'leader', 2);
    lines.onEvents('a', [sent(1_100, ['b']), { type: 'commit', at: 1_100, index: 3 }]);
    lines.prune(100_000);
    expect(lines.marbles).toEqual([]);
    expect(lines.line('a').commits).toEqual([]);
    expect(lines.line('a').stretches).toEqual([{ at: 20, role: 'leader', term: 2 }]);
  });

  it('is forgotten earlier when there is too much of it', () => {
    const lines = timeline();
    const many = Array.from({ length: 20_000 }, (_, at) => sent(1_100 + at, ['b']));
    lines.onEvents('a', many);
    lines.prune(200);
    expect(lines.marbles).toHaveLength(6000);
    expect(lines.marbles.at(-1)?.nodeAt).toBe(21_099);
  });
});
