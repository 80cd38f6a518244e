/** What a node is made from. What can't be is refused at once, and the field at fault is named. */
import { describe, expect, it } from 'vitest';
import type { Limits, RaftConfig, TermRun } from '../../lib/index.js';
import {
  clusterOf,
  ConfigError,
  defaultLimits,
  emptyEntries,
  Node,
  origin,
  raft,
} from '../../lib/index.js';
import { initialConfigOf, limitsOf, recoveredOf } from '../../lib/config.js';
import { abc, at, commandsAfter, logOf, snapshotAt } from './alphabet.js';

type Wrong = Partial<Record<keyof RaftConfig, unknown>>;

function fieldOf(make: () => unknown): string | null {
  try {
    make();
    return null;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.name).toBe('ConfigError');
    expect(error.message.startsWith(`${error.field}: `)).toBe(true);
    return error.field;
  }
}

const voters = ['a', 'b', 'c'];
const snapshot = snapshotAt(at(1, 2));

const twice = <T>(value: T): T[] => [value, value];

/** The terms that begin at the indexes 1, 2, 3 … */
function terms(...list: readonly number[]): TermRun[] {
  return list.map((term, slot) => ({ index: slot + 1, term }));
}

describe('a ConfigError names the field', () => {
  it.each<[string, string, Wrong]>([
    ['no id', 'id', { id: undefined }],
    ['an empty id', 'id', { id: '' }],
    ['an id of 65 characters', 'id', { id: 'x'.repeat(65) }],
    ['an id that is a number', 'id', { id: 7 }],
    ['no voters', 'initialVoters', { initialVoters: [] }],
    ['a voter twice', 'initialVoters', { initialVoters: ['a', 'b', 'b'] }],
    ['a voter without a name', 'initialVoters', { initialVoters: ['a', ''] }],
    ['S10: itself missing', 'initialVoters', { initialVoters: ['b', 'c'] }],
    ['a generation below 0', 'generation', { generation: -1 }],
    ['a generation that is no integer', 'generation', { generation: 1.5 }],
    ['a term below 0', 'currentTerm', { currentTerm: -1 }],
    ['H6: a term that is no number', 'currentTerm', { currentTerm: NaN }],
    ['H6: a term that is too large', 'currentTerm', { currentTerm: 2 ** 53 }],
    ['H6: a term that is text', 'currentTerm', { currentTerm: '1' }],
    ['a vote for nobody with a name', 'votedFor', { votedFor: '' }],
    ['a vote for a number', 'votedFor', { votedFor: 7 }],
    ['J6: a log of a later term', 'currentTerm', { currentTerm: 1, entries: logOf(1, 2) }],
    ['J6: a log and no term', 'currentTerm', { entries: logOf(1) }],
    [
      'a log whose terms go down',
      'entries',
      { currentTerm: 3, entries: { ...logOf(1, 1, 3), terms: terms(3, 1) } },
    ],
    [
      'a log with a column of another length',
      'entries',
      { currentTerm: 1, entries: { ...logOf(1, 1), commands: ['x'] } },
    ],
    [
      'a log with a configuration outside of it',
      'entries',
      { currentTerm: 1, entries: { ...logOf(1, 1), configs: [{ index: 3, config: abc }] } },
    ],
    [
      'a log with two configurations at one place',
      'entries',
      { currentTerm: 1, entries: { ...logOf(1, 1), configs: twice({ index: 2, config: abc }) } },
    ],
    ['a log of a negative length', 'entries', { entries: { ...logOf(), length: -1 } }],
    [
      'a snapshot without a voter',
      'snapshot',
      { currentTerm: 1, snapshot: snapshotAt(at(1, 2), clusterOf([])) },
    ],
    ['a snapshot of a later term', 'currentTerm', { currentTerm: 0, snapshot }],
    [
      'C11: a gap behind the snapshot',
      'entries',
      { currentTerm: 1, snapshot, entries: commandsAfter(at(1, 3), ['x']) },
    ],
    [
      'C11: a log without its snapshot',
      'entries',
      { currentTerm: 1, entries: commandsAfter(at(1, 3), ['x']) },
    ],
    [
      'a log that overlaps its snapshot',
      'entries',
      { currentTerm: 1, snapshot, entries: logOf(1, 1, 1) },
    ],
    [
      'a log of another history',
      'entries',
      { currentTerm: 2, snapshot, entries: commandsAfter(at(2, 2), ['x']) },
    ],
  ])('%s', (_, field, wrong) => {
    const config = { id: 'a', ...wrong } as RaftConfig;
    expect(fieldOf(() => new Node(config))).toBe(field);
    // By stream at once, and not first when somebody subscribes.
    expect(fieldOf(() => raft(config))).toBe(field);
  });

  it.each(Object.keys(defaultLimits))('limits.%s: an integer, and enough for one', (field) => {
    const least = field === 'promotionLag' ? 0 : 1;
    for (const wrong of [least - 1, -1, 0.5, NaN, Infinity, '7', null, 2 ** 53]) {
      const limits = { [field]: wrong } as Partial<Limits>;
      expect(fieldOf(() => limitsOf(limits))).toBe(`limits.${field}`);
      expect(fieldOf(() => new Node({ id: 'a', limits }))).toBe(`limits.${field}`);
    }
    expect(limitsOf({ [field]: least })).toEqual({ ...defaultLimits, [field]: least });
  });

  it('a limit that is none: a slip of the pen must not leave the default in force', () => {
    const limits = { entriesPerMesage: 7 } as Partial<Limits>;
    expect(fieldOf(() => limitsOf(limits))).toBe('limits.entriesPerMesage');
    // Nor is a name that every object has.
    const inherited = JSON.parse('{"toString": 7}') as Partial<Limits>;
    expect(fieldOf(() => limitsOf(inherited))).toBe('limits.toString');
  });

  it.each<[string, Wrong]>([
    ['initialVoters: "a" itself is missing', { initialVoters: ['b', 'c'] }],
    ['generation: 1.5 is not an integer from 0 on', { generation: 1.5 }],
    ['votedFor: "" is no node id: 1 to 64 characters', { votedFor: '' }],
    ['currentTerm: the log has entries of a later term', { entries: logOf(1) }],
    ['entries: they contradict themselves', { entries: { ...logOf(), length: -1 } }],
    [
      'entries: the log does not begin where the snapshot ends',
      { currentTerm: 1, entries: commandsAfter(at(1, 3), ['x']) },
    ],
    ['limits.waitingReads: must be an integer from 1 on', { limits: { waitingReads: 0 } }],
    ['limits.promotionLag: must be an integer from 0 on', { limits: { promotionLag: -1 } }],
    [
      'limits.entriesPerMessage: must be at most 1048576',
      { limits: { entriesPerMessage: 1 << 21 } },
    ],
    ['limits.reads: is no limit', { limits: { reads: 1 } }],
  ])('and says what is wrong: %s', (words, wrong) => {
    const config = { id: 'a', ...wrong } as RaftConfig;
    expect(() => new Node(config)).toThrow(words);
  });
});

describe('what is not said is the default', () => {
  it('limits, also those that are undefined', () => {
    expect(limitsOf()).toEqual(defaultLimits);
    const limits = { waitingReads: undefined } as unknown as Partial<Limits>;
    expect(limitsOf(limits)).toEqual(defaultLimits);
    expect(Object.isFrozen(defaultLimits)).toBe(true);
    expect(defaultLimits).toEqual({
      entriesPerMessage: 4096,
      bytesPerMessage: 1_048_576,
      entriesInFlight: 65_536,
      bytesInFlight: 16_777_216,
      uncommittedEntries: 131_072,
      uncommittedBytes: 67_108_864,
      waitingReads: 65_536,
      heartbeatsAlone: 10,
      promotionLag: 1024,
    });
  });

  it('a pristine node remembers nothing', () => {
    expect(recoveredOf({ id: 'a' })).toEqual({
      generation: 0,
      currentTerm: 0,
      votedFor: null,
      snapshot: null,
      entries: emptyEntries(origin),
    });
  });

  it('a history is taken as it is', () => {
    const entries = commandsAfter(at(1, 2), ['x']);
    const remembered = { generation: 4, currentTerm: 3, votedFor: 'b', snapshot, entries };
    expect(recoveredOf({ id: 'a', ...remembered })).toEqual(remembered);
    expect(recoveredOf({ id: 'a', currentTerm: 1, snapshot })).toMatchObject({
      entries: emptyEntries(at(1, 2)),
    });
  });
});

describe('the first configuration', () => {
  it('has its voters in one order on every node, so that their logs are the same', () => {
    const config = initialConfigOf({ id: 'a', initialVoters: ['c', 'a', 'b'] });
    expect(config).toEqual(abc);
    expect(initialConfigOf({ id: 'b', initialVoters: ['b', 'c', 'a'] })).toEqual(config);
    expect(initialConfigOf({ id: 'a' })).toEqual({ voters: [], newVoters: [], nonVoters: [] });
  });

  it('is for a pristine node only: who has a history has its members in its log (D19)', () => {
    const others = ['a', 'x', 'y'];
    const history = { currentTerm: 1, entries: logOf(1, 1) };
    expect(new Node({ id: 'a', initialVoters: others, ...history }).config).toEqual(abc);
    const compacted = { currentTerm: 1, snapshot };
    expect(new Node({ id: 'a', initialVoters: others, ...compacted }).config).toEqual(abc);
    const voted = new Node({ id: 'a', initialVoters: others, currentTerm: 1, votedFor: 'b' });
    expect(voted.config.voters).toEqual([]);
    expect(new Node({ id: 'a', initialVoters: voters }).config).toEqual(abc);
  });
});
