/** What is written beside lines and marbles never overlaps what stands beside it. */
import { describe, expect, it } from 'vitest';
import type { MessageKind } from '../../../adapters/live/protocol.js';
import { countedOf, namesOf } from '../../../adapters/page/labels.js';
import type { Marble, Stretch } from '../../../adapters/page/timeline.js';

let keys = 0;
function marble(at: number, kind: MessageKind, count = 5, node = 'a'): Marble {
  const [term, entries, index] = [1, 0, 0];
  const rounds = [1, 1] as const;
  const seen = {
    type: 'sent' as const,
    at,
    kind,
    peers: ['b'],
    term,
    count,
    rounds,
    entries,
    index,
  };
  return { key: (keys += 1), node, at, nodeAt: at, seen, arrivals: new Map() };
}

describe('the name of a stretch', () => {
  const stretch = (at: number, role: Stretch['role'], term: number): Stretch => ({
    at,
    role,
    term,
  });

  it('is whole where there is room, and shorter the nearer the next one in its row', () => {
    const line = [
      stretch(0, 'candidate', 7),
      stretch(1000, 'candidate', 8),
      stretch(1080, 'candidate', 9),
      stretch(1100, 'candidate', 10),
      stretch(1103, 'candidate', 11),
    ];
    const names = namesOf(line, 1);
    expect(line.map((each) => names.get(each))).toEqual([
      ...['candidate, term 7', 'term 8', '9', undefined, 'candidate, term 11'],
    ]);
    // Pressed together there is less room.
    expect(namesOf(line, 0.1).get(line[0] as Stretch)).toBe('term 7');
  });

  it('is given to leaders and candidates, each in a row of their own', () => {
    const line = [stretch(0, 'follower', 1), stretch(9, 'candidate', 2), stretch(10, 'leader', 2)];
    expect([...namesOf(line, 1).values()]).toEqual(['leads, term 2', 'candidate, term 2']);
  });
});

describe('the number of a marble', () => {
  it('is shown from four messages on', () => {
    const [three, four] = [marble(0, 'append', 3), marble(500, 'append', 4)];
    expect([...countedOf([three, four], 1)]).toEqual([four]);
  });

  it('gives way to a later one that it would overlap on its line, and to no other', () => {
    const [first, second, far] = [marble(0, 'append'), marble(20, 'append'), marble(60, 'append')];
    const other = marble(10, 'append', 5, 'b');
    expect(countedOf([second, first, far, other], 1)).toEqual(new Set([second, far, other]));
    // Stretched there is room for all.
    expect(countedOf([first, second, far], 2).size).toBe(3);
  });

  it('gives way to one that does not go without saying, earlier or later', () => {
    const [append, before, after] = [
      marble(50, 'append'),
      marble(40, 'heartbeat'),
      marble(60, 'heartbeat'),
    ];
    expect([...countedOf([before, append, after], 1)]).toEqual([append]);
  });
});
