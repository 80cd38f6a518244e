/** The checker of what pages are told, checked: against stories made by hand, good and bad. */
import { describe, expect, it } from 'vitest';
import type { EventsFrame, LiveEvent, StatusFrame } from '../../adapters/live/protocol.js';
import type { ViewedLine } from './checker.js';
import { Views } from './checker.js';

const load = { elapsedMs: 300, answered: 0, failed: 0, medianMs: null, p99Ms: null };
const cell = (index: number, term = 1, bytes = 0) => ({
  ...{ index, term, type: bytes === 0 ? ('term' as const) : ('command' as const), bytes },
});
const cells = [cell(1), cell(2, 1, 9)];
const log = { last: { term: 1, index: 2 }, snapshot: 0, entries: cells };
const members = { a: 'a:1', b: 'b:1' };
const config = { voters: ['a', 'b'], newVoters: [], nonVoters: [] };

const base: StatusFrame = {
  ...{ type: 'status', at: 100, node: 'b', cluster: 'c', pid: 7, role: 'follower', term: 1 },
  ...{ leader: 'a', commit: 2, applied: 2, keys: 1, members, config, log, peers: [], load },
};
const status = (at: number, some: Partial<StatusFrame> = {}): StatusFrame => ({
  ...{ ...base, at, ...some },
});
const peers = [{ id: 'b', matchIndex: 1, nextIndex: 3 }];
const leading = { node: 'a', role: 'leader', peers } as const;
const candidate = { role: 'candidate', term: 2, leader: null } as const;

const events = (at: number, ...list: LiveEvent[]): EventsFrame => ({
  ...{ type: 'events', at, events: list, untold: 0 },
});
const role = (at: number, some: Partial<StatusFrame>): LiveEvent => {
  const { role: now, term, leader } = { ...base, ...some };
  return { type: 'role', at, role: now, term, leader };
};
const commit = (at: number, index: number): LiveEvent => ({ type: 'commit', at, index });
const message = (
  type: 'sent' | 'received',
  kind: 'append' | 'heartbeat' | 'voteCall' | 'voteGranted',
  peer: string,
  term: number,
  at = 140,
): LiveEvent => ({
  ...{ type, kind, peers: [peer], term, at, count: 1, entries: 0, index: 0, rounds: [1, 1] },
});

type Frame = StatusFrame | EventsFrame;
type Deed = Frame | string | ((line: ViewedLine) => void);

/** Each list is a line. */
function faultsOf(...told: readonly (readonly Deed[])[]): readonly string[] {
  const views = new Views();
  for (const list of told) {
    const line = views.line('page');
    for (const deed of list) {
      if (typeof deed === 'function') deed(line);
      else line.hear(typeof deed === 'string' ? deed : JSON.stringify(deed));
    }
  }
  return views.check();
}

const answer = (id: number): string =>
  JSON.stringify({ type: 'answer', id, outcome: 'done', text: '' });

describe('a good story', () => {
  const turn = events(150, role(140, candidate), message('sent', 'voteCall', 'a', 2));
  const after = status(150, candidate);

  it.each<[string, readonly (readonly Deed[])[]]>([
    ['is one of a change of roles', [[status(100), turn, after]]],
    [
      'is the same for two, of whom one comes later and one leaves',
      [
        [status(100), turn, after],
        [status(120), turn, after, events(300, commit(290, 3))],
      ],
    ],
    ['has two frames of one moment, behind the first of a line', [[status(150), events(150)]]],
    [
      'begins again with another process',
      [[status(100)], [status(50, { pid: 8, commit: 0, applied: 0, keys: 0 })]],
    ],
    ['may have gone on untold', [[status(100), { ...events(150), untold: 3 }, after]]],
    ['answers what was asked', [[status(100), (line) => line.ask(5), answer(5)]]],
    [
      'ends with a reason',
      [
        [(line) => line.end(1013, 'this page reads too slowly: 9 bytes wait')],
        [(line) => line.end(1001, '')],
      ],
    ],
    [
      'tells of leaders',
      [[status(100, leading)], [status(100), events(150, message('received', 'append', 'a', 1))]],
    ],
  ])('%s', (_, told) => {
    expect(faultsOf(...told)).toEqual([]);
  });
});

const before = status(100);

describe('it finds', () => {
  it.each<[string, RegExp, readonly (readonly Deed[])[]]>([
    ['a torn frame', /what is no frame/, [[before, JSON.stringify(before).slice(0, 99)]]],
    ['more than there is to say', /what is no frame/, [[JSON.stringify({ ...before, x: 1 })]]],
    ['events before any status', /before any status/, [[events(150)]]],
    ['frames out of order', /behind what came later/, [[before, events(300), events(150)]]],
    ['a frame twice', /behind what came later/, [[before, events(300), events(300)]]],
    [
      'two processes on one line',
      /process 7\) and b \(c, process 8/,
      [[before, status(200, { pid: 8 })]],
    ],
    ['events of the future', /one of 151/, [[before, events(150, commit(151, 2))]]],
    ['events of long ago', /one of 149/, [[before, events(150), events(300, commit(149, 2))]]],
    [
      'a role that is old',
      /behind candidate of term 2/,
      [[before, events(150, role(140, candidate)), status(150)]],
    ],
    ['a role that nobody told of', /behind follower of term 1/, [[before, status(150, candidate)]]],
    [
      'a term that goes back',
      /term 1 after 2/,
      [[status(100, candidate), events(150, role(140, base)), status(150)]],
    ],
    [
      'a commit index that goes back',
      /commit 1 after 2/,
      [[before, status(150, { commit: 1, applied: 1, keys: 0 })]],
    ],
    [
      'a commit index that was told greater',
      /commit 2 after 3/,
      [[before, events(150, commit(140, 3)), status(150)]],
    ],
    [
      'an applied index that goes back',
      /applied 1 after 2/,
      [[before, status(150, { applied: 1, keys: 0 })]],
    ],
    [
      'on another line of the same process',
      /commit 1 after 2/,
      [[before], [status(150, { commit: 1, applied: 1, keys: 0 })]],
    ],
    [
      'other things told to another',
      /the events at 150 .* is .*, and /,
      [
        [before, events(150)],
        [before, events(150, commit(140, 2))],
      ],
    ],
    [
      'a frame left out',
      /was not told what/,
      [
        [before, events(150), events(300), events(450)],
        [before, events(150), events(450)],
      ],
    ],
    ['an answer that nobody waits for', /an answer to 5/, [[before, answer(5)]]],
    ['an answer twice', /an answer to 5/, [[before, (line) => line.ask(5), answer(5), answer(5)]]],
    ['an end that blames the page', /an end by 1007 /, [[(line) => line.end(1007, 'not json')]]],
    ['an end without its reason', /an end by 1013 /, [[(line) => line.end(1013, '')]]],
  ])('%s', (_, found, told) => {
    expect(faultsOf(...told).join('\n')).toMatch(found);
  });
});

describe('of the cluster it finds', () => {
  const other = (some: Partial<StatusFrame>): Deed[] => [status(100, some)];

  it.each<[string, RegExp, readonly (readonly Deed[])[]]>([
    [
      'two leaders of a term',
      /the leader of term 1 is a, and b/,
      [other(leading), other({ role: 'leader', leader: 'b' })],
    ],
    [
      'a leader by the word of others',
      /the leader of term 1 is a, and c/,
      [[before], other({ node: 'a', leader: 'c' })],
    ],
    [
      'in a change of roles',
      /the leader of term 1 is a, and b/,
      [[before, events(150, role(140, { role: 'leader', leader: 'b' }))]],
    ],
    [
      'who sends entries without leading',
      /the leader of term 1 is a, and b/,
      [[before, events(150, message('sent', 'append', 'a', 1))]],
    ],
    [
      'whose heartbeat arrives without leading',
      /the leader of term 1 is a, and c/,
      [[before, events(150, message('received', 'heartbeat', 'c', 1))]],
    ],
    [
      'two votes of a node in a term',
      /the vote of b in term 2 is a, and c/,
      [
        [
          before,
          events(
            150,
            message('sent', 'voteGranted', 'a', 2),
            message('sent', 'voteGranted', 'c', 2),
          ),
        ],
      ],
    ],
    [
      'a vote for another by a candidate',
      /the vote of b in term 2 is b, and a/,
      [
        [
          before,
          events(150, message('sent', 'voteCall', 'a', 2)),
          events(300, message('sent', 'voteGranted', 'a', 2, 290)),
        ],
      ],
    ],
    [
      'a vote that another has received',
      /the vote of a in term 2 is b, and c/,
      [
        [before, events(150, message('received', 'voteGranted', 'a', 2))],
        [
          ...other({ node: 'a', peers: [], role: 'follower', leader: null }),
          events(150, message('sent', 'voteGranted', 'c', 2)),
        ],
      ],
    ],
    [
      'one entry with two contents',
      /the entry 2 of term 1 is command of 9 bytes, and command of 8/,
      [
        [before],
        other({
          node: 'c',
          members: { c: 'c:1' },
          log: { ...log, entries: [cell(1), cell(2, 1, 8)] },
        }),
      ],
    ],
    [
      'two committed entries in one place',
      /the committed entry 1 is 1, and 0/,
      [
        [before],
        other({
          node: 'c',
          members: { c: 'c:1' },
          log: { ...log, entries: [cell(1, 0), cell(2, 1, 9)] },
        }),
      ],
    ],
    [
      'two states at one index',
      /the number of keys at 2 is 1, and 5/,
      [[before], other({ node: 'c', members: { c: 'c:1' }, keys: 5 })],
    ],
  ])('%s', (_, found, told) => {
    expect(faultsOf(...told).join('\n')).toMatch(found);
  });
});

describe('in one status it finds', () => {
  it.each<[Partial<StatusFrame>, RegExp]>([
    [{ leader: 'b' }, /a follower whom b leads/],
    [{ ...candidate, leader: 'a' }, /a candidate whom a leads/],
    [{ ...leading, leader: null }, /a leader whom null leads/],
    [{ applied: 3 }, /3 applied and 2 committed/],
    [{ commit: 3 }, /3 committed in a log up to 2/],
    [{ members: { a: 'a:1' } }, /does not know itself/],
    [{ peers }, /a follower that brings peers forward/],
    [{ ...leading, peers: [{ id: 'a', matchIndex: 0, nextIndex: 1 }] }, /a at 0, next 1/],
    [{ ...leading, peers: [{ id: 'b', matchIndex: 2, nextIndex: 2 }] }, /b at 2, next 2/],
    [{ ...leading, peers: [{ id: 'b', matchIndex: 3, nextIndex: 4 }] }, /b at 3, next 4 of 2/],
    [{ ...leading, peers: [...peers, ...peers] }, /a peer twice/],
    [{ log: { ...log, snapshot: 3 } }, /a snapshot up to 3/],
    [{ log: { ...log, entries: [cell(1), cell(1), cell(2)] } }, /entry 1 behind 1/],
    [{ log: { ...log, entries: [cell(1, 2), cell(2)] } }, /entry 2 of term 1 behind 2/],
    [{ log: { ...log, entries: [cell(1)] } }, /up to 2 whose last entry is 1/],
    [{ load: { ...load, failed: 1 } }, /1 of 0 requests failed/],
    [{ load: { ...load, answered: 1 } }, /1 requests, and null ms/],
    [{ load: { ...load, answered: 1, medianMs: 2, p99Ms: 1 } }, /a median of 2 ms/],
  ])('%j', (some, found) => {
    expect(faultsOf([status(100, some)]).join('\n')).toMatch(found);
  });
});
