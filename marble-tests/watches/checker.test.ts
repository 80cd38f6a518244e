/**
 * The checker of watches, checked: against recordings made by hand, good and bad.
 *
 * A recording is a text: `all:` or the key that is watched (`k*`: all that begin so), the index
 * that it began with (`-`: from now on), and what it was told. `4` watching up to 4; `5(x=a,y-)`
 * the changes of 5: x is a, and y is deleted; `7[x=a]` the content at 7, `7[x=a…` a piece that is
 * not the last; `!` the node was lost; `.` it has left. An operation is `put x a 0-10`, from 0 to
 * 10; `?` behind it: nobody knows, `!`: certainly not done.
 */
import { describe, expect, it } from 'vitest';
import type { Operation } from '../linearizability/history.js';
import { checkWatches, isUpToDate } from './checker.js';
import type { Pair, Recording, Told } from './recording.js';
import { Spans } from './spans.js';

function pairsOf(text: string): Pair[] {
  if (text === '') return [];
  return text.split(',').map((word): Pair => {
    const [key = '', value] = word.split('=');
    return value === undefined ? [key.replace(/-$/, ''), null] : [key, value];
  });
}

function toldOf(word: string): Told {
  if (word === '!') return { type: 'lost' };
  const [, number, mark, list = ''] = /^(\d+)([([]?)([^)\]…]*)[)\]…]?$/.exec(word) ?? [];
  if (number === undefined) throw new Error(`what is ${word}?`);
  const index = Number(number);
  if (mark === '') return { type: 'watching', index };
  if (mark === '(') return { type: 'changes', index, pairs: pairsOf(list) };
  return { type: 'current', index, isLast: !word.endsWith('…'), pairs: pairsOf(list) };
}

function recordingOf(text: string, at: number): Recording {
  const [what = '', from, ...words] = text.split(' ');
  const name = what.replace(/:$/, '');
  return {
    name: `${name} #${at + 1}`,
    key: name === 'all' ? '' : name.replace(/\*$/, ''),
    isPrefix: name === 'all' || name.endsWith('*'),
    from: from === '-' ? null : Number(from),
    hasLeft: words.at(-1) === '.',
    told: words.filter((word) => word !== '.').map(toldOf),
  };
}

function operationOf(text: string, client: number): Operation {
  const found = /^(put|cas|delete) (\S+) ?(\S*) (\d+)-(\d*)([?!]?)$/.exec(text);
  if (found === null) throw new Error(`no operation: ${text}`);
  const [, name, key = '', value, call, end, mark] = found;
  const outcome = mark === '?' ? 'unknown' : mark === '!' ? 'fail' : 'ok';
  const base = { client, key, call: Number(call), outcome } as const;
  const timed = { ...base, return: end === '' ? null : Number(end) };
  if (name === 'cas') return { ...timed, op: 'cas', value: value ?? '', expected: null };
  if (name === 'put') return { ...timed, op: 'put', value: value ?? '' };
  return { ...timed, op: 'delete', ...(value === '-' && { result: null }) };
}

function faultsOf(
  recordings: readonly string[],
  operations: readonly string[],
  content: string | null = null,
): readonly string[] {
  const there = content === null ? null : new Map(pairsOf(content) as [string, string][]);
  return checkWatches({
    recordings: recordings.map(recordingOf),
    operations: operations.map(operationOf),
    content: there,
  }).faults;
}

const a = 'put x a 0-1';
const b = 'put x b 2-3';
const c = 'put y c 4-5';
const gone = 'delete x 6-7';

const good: [string, string[], string[], string?][] = [
  ['nothing at all', ['all: 1', 'all: -'], []],
  ['everything, from the first index', ['all: 1 0 2(x=a) 3(x=b) 5(y=c)'], [a, b, c], 'x=b,y=c'],
  ['from now on', ['all: - 2 3(x=b)', 'all: 1 0 2(x=a) 3(x=b)'], [a, b], 'x=b'],
  ['on with the next node', ['all: 1 0 2(x=a) ! 2 3(x=b)'], [a, b], 'x=b'],
  ['a sign of life', ['all: 1 0 2(x=a) 2 2 3(x=b) 7'], [a, b], 'x=b'],
  ['several keys of an entry', ['all: 1 0 4(x=a,y=c)', 'y: 1 0 4(y=c)'], [a, 'put y c 0-1']],
  ['a delete', ['all: 1 0 2(x=a) 3(x-)'], [a, gone], ''],
  ['a delete that found nothing', ['all: 1 0 2(x=a)'], [a, 'delete y - 6-7'], 'x=a'],
  [
    'a key of many',
    ['all: 1 0 2(x=a) 5(y=c)', 'y: 1 0 5(y=c)', 'x: 1 2(x=a) 9'],
    [a, c],
    'x=a,y=c',
  ],
  ['keys that begin so', ['all: 1 2(xx=a) 3(y=c)', 'x*: 1 2(xx=a)'], ['put xx a 0-1', c]],
  [
    'the content instead',
    ['all: 1 0 2(x=a) 3(x=b) 5(y=c)', 'all: 1 3[x=b] 5(y=c)'],
    [a, b, c],
    'x=b,y=c',
  ],
  ['… in pieces', ['all: 1 2(x=a) 5(y=c) 6', 'all: 1 6[x=a… 6[y=c]'], [a, c], 'x=a,y=c'],
  ['… begun anew by the next node', ['all: 1 6[y=c… ! 0 2(x=a) 5(y=c)'], [a, c], 'x=a,y=c'],
  [
    '… that nobody can compare',
    ['all: 1 6[x=b] 7(y=c)', 'all: 1 6[x=b] 7(y=c)'],
    [a, b, c],
    'x=b,y=c',
  ],
  ['… and of a key', ['x: 1 3[x=b]', 'all: 1 2(x=a) 3(x=b)'], [a, b]],
  ['a put of which nobody knows', ['all: 1 0 2(x=a)'], [a, 'put x b 0-?'], 'x=a'],
  ['… which was done, late', ['all: 1 0 2(x=a) 9(x=b)'], [a, 'put x b 0-?'], 'x=b'],
  [
    'calls beside each other, in any order',
    ['all: 1 2(x=b) 3(x=a)'],
    ['put x a 0-9', 'put x b 0-9'],
  ],
  ['the same value again and again', ['all: 1 2(x=a) 3(x=a)'], [a, 'put x a 5-6', 'put x a 7-?']],
  ['one who left early', ['all: 1 2(x=a) .', 'all: 1 2(x=a) 3(x=b)'], [a, b], 'x=b'],
  ['a put that nobody was told of', ['all: 1 0 2(x=a) ! 7[x=b,y=c] 9(x-)'], [a, b, c, gone], 'y=c'],
];

const bad: [string, string[], string[], RegExp, string?][] = [
  ['an index twice', ['all: 1 2(x=a) 2(x=a)'], [a], /#1: changes 2 after 2/],
  ['… behind a reconnect', ['all: 1 2(x=a) ! 1 2(x=a)'], [a], /watching 1 after 2/],
  ['an index that goes back', ['all: 1 3(x=b) 2(x=a)'], [a, b], /changes 2 after 3/],
  ['changes before it is said where', ['all: - 3(x=b)'], [b], /nothing of where it begins/],
  ['no changes', ['all: 1 3()'], [], /changes 3, and there are none/],
  ['content of the past', ['all: 1 3(x=b) 3[x=b]'], [b], /content of 3 after 3/],
  ['changes among pieces', ['all: 1 3[x=b… 4(y=c)'], [b, c], /changes 4 among the pieces of 3/],
  ['pieces of two contents', ['all: 1 3[x=b… 4[y=c]'], [b, c], /piece of 4 among those of 3/],
  ['a key twice in a content', ['all: 1 3[x=b… 3[x=b]'], [b], /x twice in the content of 3/],
  ['a key that is not watched', ['y: 1 2(x=a)'], [a], /x at 2 is not watched/],
  ['two truths', ['all: 1 2(x=a)', 'all: 1 2(x=b)'], [a, b], /2 is .*"a".* to all #1, and .*"b"/],
  ['… of an entry of two', ['all: 1 4(x=a,y=c)', 'all: 1 4(x=a)'], [a, c], /4 is .* to all #2/],
  ['… of a key', ['all: 1 2(x=a)', 'x: 1 2(x=b)'], [a, b], /2 is/],
  ['one left out', ['all: 1 2(x=a) 3(x=b)', 'all: 1 3(x=b)'], [a, b], /all #2 was not told 2/],
  [
    '… by a reconnect',
    ['all: 1 2(x=a) ! 3', 'all: 1 2(x=a) 3(x=b) 4'],
    [a, b],
    /#1 was not told 3/,
  ],
  ['… of a key', ['x: 1 0 9', 'all: 1 2(x=a)'], [a], /x #1 was not told 2/],
  ['… that one key was told of', ['x: 1 2(x=a)', 'all: 1 5(y=c)'], [a, c], /all #2 was not told 2/],
  ['a put left out by all', ['all: 1 2(x=a) 5(y=c)'], [a, b, c], /x=b was done .*not told/],
  ['… and a delete', ['all: 1 2(x=a) 9(y=d)'], [a, gone, 'put y d 8-9'], /delete x was done/],
  ['a put told twice', ['all: 1 2(x=a) 3(x=a)'], [a], /x=a was told at 2,3/],
  ['… of which nobody knows', ['all: 1 2(x=a) 3(x=a)'], ['put x a 0-?'], /x=a was told at 2,3/],
  ['a delete told twice', ['all: 1 2(x=a) 3(x-) 4(x-)'], [a, gone], /delete x was told at 3,4/],
  ['a put that was refused', ['all: 1 2(x=a)'], ['put x a 0-1!'], /x=a was told at 2/],
  ['… and a cas', ['all: 1 2(x=a)'], ['cas x a 0-1!'], /x=a was told at 2/],
  ['a delete of nothing', ['all: 1 2(x-)'], ['delete x - 0-1'], /delete x was told at 2/],
  ['what is of nobody', ['all: 1 2(x=a)'], [], /x=a was told, and is of nobody/],
  ['the wrong order', ['all: 1 2(x=b) 3(x=a)'], [a, b], /2 was called when 3 had ended/],
  [
    '… of one whose end is unknown',
    ['all: 1 2(x=b) 3(x=a)'],
    [a, 'put x b 2-?'],
    /2 was called when 3/,
  ],
  [
    'the wrong content',
    ['all: 1 2(x=a) 3(x=b) 4', 'all: 1 3[x=a]'],
    [a, b],
    /content of 3: x is a/,
  ],
  ['… without a key', ['all: 1 2(x=a) 4', 'all: 1 3[]'], [a], /x is null, and was made a/],
  ['… with one that is gone', ['all: 1 2(x=a) 4(x-)', 'all: 1 4[x=a]'], [a, gone], /made null/],
  ['… of a key', ['all: 1 2(x=a) 4', 'x: 1 3[x=b]'], [a, b], /x #2: the content of 3/],
  ['two contents of one index', ['all: 1 6[x=a]', 'all: 1 6[x=b]'], [a, b], /content of 6/],
  ['what is not told in the end', ['all: 1 2(x=a)'], [a, b], /x is a by .*, and b by/, 'x=b'],
  ['… of what began late', ['all: - 1 2(x=a)'], [a, b], /x is a by/, 'x=b,y=c'],
  ['… or is gone', ['all: 1 2(x=a)'], [a, gone], /x is a by .* null by/, ''],
];

describe('the checker of watches', () => {
  it.each(good)('has nothing against: %s', (_, recordings, operations, content) => {
    expect(faultsOf(recordings, operations, content ?? null)).toEqual([]);
  });

  it.each(bad)('finds: %s', (_, recordings, operations, found, content) => {
    const faults = faultsOf(recordings, operations, content ?? null);
    expect(
      faults.some((fault) => found.test(fault)),
      faults.join('\n'),
    ).toBe(true);
  });

  it('says what it has seen', () => {
    const recordings = ['all: 1 2(x=a) ! 5[x=a] 6(y=c)', 'all: 1 5[x=a]', 'all: 1 2(x=a) 6(y=c)'];
    const verdict = checkWatches({
      ...{ recordings: recordings.map(recordingOf), operations: [a, c].map(operationOf) },
      content: null,
    });
    expect(verdict).toEqual({ faults: [], entries: 2, compared: 2, uncompared: 0 });
  });
});

it('knows whether somebody has been told all that he should know', () => {
  const isReady = (text: string, content: string): boolean =>
    isUpToDate(recordingOf(text, 0), new Map(pairsOf(content) as [string, string][]));
  expect(isReady('all: 1 2(x=a)', 'x=a')).toBe(true);
  expect(isReady('all: 1 2(x=a)', 'x=a,y=c')).toBe(false);
  expect(isReady('all: 1 2(x=a) 4[x=b…', 'x=a')).toBe(true);
  expect(isReady('x: 1 2(x=a)', 'x=a,y=c')).toBe(true);
  expect(isReady('all: - 1 2(x=a)', 'x=a,y=c')).toBe(true);
  expect(isReady('all: - 4[y=c]', 'x=a,y=c')).toBe(false);
});

it('knows which stretches are whole', () => {
  const spans = new Spans([
    { after: 7, upTo: 9 },
    { after: 0, upTo: 3 },
    { after: 2, upTo: 5 },
    { after: 1, upTo: 2 },
  ]);
  const whole = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].filter((index) => spans.has(index));
  expect(whole).toEqual([1, 2, 3, 4, 5, 8, 9]);
  expect(spans.hasAll({ after: 0, upTo: 5 })).toBe(true);
  expect(spans.hasAll({ after: 4, upTo: 8 })).toBe(false);
  expect(spans.hasAll({ after: 6, upTo: 6 })).toBe(true);
});
