/**
 * The checker, checked: against histories made by hand, good and bad; against the definition, for
 * all that is small; and against histories of a store that is right by construction.
 *
 * A history is written an operation a line: `1 put a 0-10` is client 1, from 0 to 10; the key is x.
 * `get a` saw a, and `get -` saw nothing; `cas a>b` found a and set b; `cas a>b:c` failed because c
 * was there; `del` deletes. `?` behind the times: the outcome is unknown; `!`: it certainly failed.
 */
import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { isLinearizableByForce } from './brute-force.js';
import { checkHistory, checkLines, describeFailure } from './checker.js';
import type { Operation } from './history.js';
import { readHistory } from './history.js';
import { sequentialHistory } from './sequential.js';

const valueOf = (text: string | undefined): string | null =>
  text === '-' || text === undefined ? null : text;

function operationOf(line: string): Operation {
  const found = /^(\d+) (put|get|cas|del) ?(\S*) (\d+)-(\d*)([?!]?)$/.exec(line.trim());
  if (found === null) throw new Error(`no operation: ${line}`);
  const [, client, name, what = '', call, end, mark] = found;
  const [, expected, value, there] = /^(.+)>([^:]+)(?::(.+))?$/.exec(what) ?? [];
  const outcome = mark === '?' ? 'unknown' : mark === '!' || there !== undefined ? 'fail' : 'ok';
  const base = { client: Number(client), key: 'x', call: Number(call), outcome } as const;
  const timed = { ...base, return: end === '' ? null : Number(end) };
  if (name === 'put') return { ...timed, op: 'put', value: what };
  if (name === 'del') return { ...timed, op: 'delete' };
  if (name === 'get') return { ...timed, op: 'get', result: valueOf(what) };
  const cas = { ...timed, op: 'cas', value: valueOf(value), expected: valueOf(expected) } as const;
  return there === undefined ? cas : { ...cas, result: valueOf(there) };
}

function history(...lines: readonly string[]): Operation[] {
  return lines.map(operationOf);
}

const good: [string, string[]][] = [
  ['nothing at all', []],
  ['nothing is there at first', ['1 get - 0-1']],
  ['what was put is there', ['1 put a 0-1', '1 get a 2-3']],
  ['what was deleted is gone', ['1 put a 0-1', '1 del 2-3', '1 get - 4-5']],
  ['a read beside a write sees the old value', ['1 put a 0-10', '2 get - 1-9']],
  ['… or the new one', ['1 put a 0-10', '2 get a 1-9']],
  ['… first the old, then the new', ['1 put a 0-10', '2 get - 1-3', '3 get a 4-6']],
  ['writes beside each other, in any order', ['1 put a 0-9', '2 put b 1-8', '3 get a 10-11']],
  ['… as two readers agree', ['1 put a 0-9', '2 put b 0-9', '3 get b 1-2', '4 get a 3-4']],
  ['times that touch may be beside each other', ['1 put a 0-5', '2 get - 5-6']],
  ['a cas finds what it expects', ['1 put a 0-1', '1 cas a>b 2-3', '1 get b 4-5']],
  ['a cas of nothing', ['1 cas ->a 0-1', '2 cas ->b:a 2-3', '1 get a 4-5']],
  ['a chain of cas, each beside the next', ['1 cas b>c 0-9', '2 cas a>b 0-9', '3 cas ->a 0-9']],
  ['a cas that was refused says nothing', ['1 put a 0-1', '1 cas a>b 2-3!', '1 get a 4-5']],
  ['a put that failed was not done', ['1 put a 0-1', '1 put b 2-3!', '1 get a 4-5']],
  ['an unknown put was done', ['1 put a 0-?', '2 get a 5-6', '2 get a 7-8']],
  ['… or not', ['1 put a 0-?', '2 get - 5-6', '2 get - 7-8']],
  ['… or late', ['1 put a 0-1?', '2 get - 5-6', '2 get a 7-8']],
  ['… or never, between others', ['1 put a 0-1', '2 put b 2-?', '1 put c 3-4', '1 get c 5-6']],
  ['… or after a later one', ['1 put a 0-?', '2 put b 1-2', '2 get b 3-4', '2 get a 5-6']],
  ['an unknown cas was done', ['1 put a 0-1', '2 cas a>b 2-?', '1 get a 3-4', '1 get b 5-6']],
  ['… or found something else', ['1 put c 0-1', '2 cas a>b 0-?', '1 get c 3-4']],
  ['an unknown delete, late', ['1 put a 0-1', '2 del 2-?', '1 get a 3-4', '1 get - 5-6']],
  ['unknown ones that need each other', ['1 put a 0-?', '2 cas a>b 0-?', '3 get b 9-10']],
  ['an unknown get says nothing', ['1 put a 0-1', '2 get zzz 2-?', '1 get a 3-4']],
  ['the same value twice', ['1 put a 0-1', '1 put b 2-3', '1 put a 4-5', '1 get a 6-7']],
];

/** With the operations that contradict each other. */
const bad: [string, string[], number[]][] = [
  ['a value from nowhere', ['1 put a 0-1', '1 get b 2-3'], [1]],
  ['a lost write', ['1 put a 0-1', '2 get - 2-3'], [0, 1]],
  ['a stale read', ['1 put a 0-1', '1 put b 2-3', '2 get a 4-5'], [0, 1, 2]],
  ['a read from the future', ['2 get a 0-1', '1 put a 2-3'], [0]],
  ['time goes back', ['1 put a 0-9', '2 get a 1-2', '3 get - 3-4'], [1, 2]],
  [
    'readers disagree',
    ['1 put a 0-9', '2 put b 0-9', '3 get a 1-2', '4 get b 3-4', '3 get a 5-6'],
    [2, 3, 4],
  ],
  ['a delete that came to nothing', ['1 put a 0-1', '1 del 2-3', '2 get a 4-5'], [0, 1, 2]],
  ['a cas that found what was not there', ['1 put a 0-1', '1 cas b>c 2-3'], [1]],
  ['two cas of one value', ['1 put a 0-1', '1 cas a>b 2-9', '2 cas a>c 2-9'], [0, 1, 2]],
  ['a cas that failed on what it expected', ['1 put a 0-1', '1 cas a>b:a 2-3'], [1]],
  ['a cas that failed on another value', ['1 put a 0-1', '1 cas b>c:d 2-3'], [1]],
  [
    'a cas that failed on an old value',
    ['1 put a 0-1', '1 put b 2-3', '2 cas c>d:a 4-5'],
    [0, 1, 2],
  ],
  ['a put that failed, and was done', ['1 put a 0-1!', '2 get a 2-3'], [1]],
  ['a cas that was refused, and was done', ['1 put a 0-1', '1 cas a>b 2-3!', '2 get b 4-5'], [2]],
  ['an unknown put before its call', ['2 get a 0-1', '1 put a 2-?'], [0]],
  [
    'an unknown put, done twice',
    ['1 put a 0-?', '2 get a 1-2', '2 put b 3-4', '2 get a 5-6'],
    [1, 2, 3],
  ],
  ['an unknown put, undone', ['1 put a 0-?', '2 get a 1-2', '2 get - 3-4'], [1, 2]],
  ['an unknown cas without its value', ['1 put c 0-1', '2 cas a>b 0-?', '1 get b 3-4'], [2]],
  [
    'an unknown cas that found what came later',
    ['2 cas a>b 0-?', '1 get b 1-2', '1 put a 3-4'],
    [1],
  ],
  [
    'an unknown delete, done twice',
    ['1 put a 0-1', '2 del 2-?', '1 get - 3-4', '1 cas ->b 5-6', '1 get - 7-8'],
    [0, 3, 4],
  ],
  [
    'a violation far behind',
    [
      '1 put a 0-1',
      '1 get a 2-3',
      '1 put b 4-5',
      '1 get b 6-7',
      '1 put c 8-9',
      '2 get b 10-11',
      '1 get c 12-13',
    ],
    [2, 4, 5],
  ],
];

describe('by hand', () => {
  it.each(good)('good: %s', (_, lines) => {
    const operations = history(...lines);
    expect(checkHistory(operations)).toMatchObject({ isLinearizable: true, failures: [] });
    expect(isLinearizableByForce(operations)).toBe(true);
  });

  it.each(bad)('bad: %s', (_, lines, window) => {
    const operations = history(...lines);
    expect(isLinearizableByForce(operations)).toBe(false);
    const { isLinearizable, failures } = checkHistory(operations);
    expect(isLinearizable).toBe(false);
    expect(failures).toEqual([{ key: 'x', window: window.map((at) => operations[at]) }]);
  });

  it('keys stand for themselves', () => {
    const [putA, getA, getB] = history('1 put a 0-1', '1 get a 2-3', '1 get - 4-5');
    const there = [putA, getA, { ...getB, key: 'y' }] as Operation[];
    expect(checkHistory(there)).toMatchObject({ isLinearizable: true, operations: 3, keys: 2 });
    const mixed = [putA, { ...getA, key: 'y' }, getB] as Operation[];
    expect(checkHistory(mixed).failures.map((each) => each.key)).toEqual(['x', 'y']);
  });

  it('begins with what is said to be there', () => {
    const operations = history('1 get a 0-1', '1 cas a>b 2-3', '1 get b 4-5');
    expect(checkHistory(operations, () => 'a').isLinearizable).toBe(true);
    expect(checkHistory(operations, () => 'c').isLinearizable).toBe(false);
  });

  it('says in words what it can not explain', () => {
    const { failures } = checkHistory(history('1 put a 0-1', '1 cas a>b 2-3', '2 get a 4-5'));
    expect(failures.map(describeFailure)).toEqual([
      [
        'no order explains these operations on "x":',
        '  0…1 client 1: put "a" = ok',
        '  2…3 client 1: cas "a" → "b" = ok',
        '  4…5 client 2: get = ok "a"',
      ].join('\n'),
    ]);
  });
});

describe('JSON lines', () => {
  const put = '{"client":1,"op":"put","key":"x","value":"v","call":1,"return":2,"outcome":"ok"}';
  const get = '{"client":2,"op":"get","key":"x","call":3,"return":4,"outcome":"ok","result":"v"}';
  const lost = '{"client":2,"op":"delete","key":"x","call":3,"outcome":"unknown"}';

  it('are read as they stand, empty ones left out', () => {
    expect(checkLines(`${put}\n${lost}\n\n${get}\n`)).toMatchObject({
      isLinearizable: true,
      operations: 3,
    });
    expect(checkLines(`${put}\n${get.replace('"v"', '"w"')}`).isLinearizable).toBe(false);
    expect(readHistory('')).toEqual([]);
  });

  it.each([
    ['no JSON', '{', 'line 2: '],
    ['another operation', put.replace('put', 'increment'), 'line 2: op'],
    ['another field', put.replace('"op"', '"opp":1,"op"'), 'line 2: opp'],
    ['a put without a value', put.replace('"value":"v",', ''), 'line 2: value'],
    ['a get that saw neither', get.replace(',"result":"v"', ''), 'line 2: result'],
    ['a cas that expects neither', put.replace('put', 'cas'), 'line 2: expected'],
    ['a return before the call', put.replace('"return":2', '"return":0'), 'line 2: return'],
    ['no return', put.replace('"return":2,', ''), 'line 2: return'],
  ])('with %s are refused', (_, line, message) => {
    expect(() => readHistory(`${put}\n${line}`)).toThrow(message);
  });
});

/** Anything at all, of few values and times, so that operations meet. */
const anything: fc.Arbitrary<Operation[]> = (() => {
  const value = fc.constantFrom('a', 'b', 'c');
  const there = fc.oneof({ weight: 3, arbitrary: value }, fc.constant(null));
  const outcome = fc.constantFrom('ok', 'ok', 'ok', 'unknown', 'fail');
  const operation = fc
    .record({
      op: fc.constantFrom('put', 'get', 'get', 'cas', 'delete'),
      value,
      there,
      expected: there,
      call: fc.nat(9),
      duration: fc.nat(5),
      outcome,
      tells: fc.boolean(),
    })
    .map((each): Operation => {
      const { op, call, expected } = each;
      const timed = { client: 1, key: 'x', call, return: call + each.duration };
      const base = { ...timed, op, outcome: each.outcome } as Operation;
      if (op === 'delete') return each.tells ? { ...base, expected } : base;
      if (op === 'get') return { ...base, result: each.there };
      if (op === 'put') return { ...base, value: each.value };
      const cas = { ...base, value: each.value, expected };
      return base.outcome === 'fail' && each.tells ? { ...cas, result: each.there } : cas;
    });
  return fc.array(operation, { minLength: 1, maxLength: 6 });
})();

describe('compared with the definition', () => {
  it('says the same of all that is small', () => {
    let verdicts = 0;
    fc.assert(
      fc.property(anything, (operations) => {
        const { isLinearizable } = checkHistory(operations);
        verdicts += Number(isLinearizable);
        return isLinearizable === isLinearizableByForce(operations);
      }),
      { numRuns: 6000, seed: 1 },
    );
    expect(verdicts).toBeGreaterThan(1000);
    expect(verdicts).toBeLessThan(5000);
  });

  it('reports a window that fails whatever became of all others', () => {
    let failed = 0;
    fc.assert(
      fc.property(anything, (operations) => {
        const [failure] = checkHistory(operations).failures;
        if (failure === undefined) return true;
        failed += 1;
        const { window } = failure;
        const others = (kept: readonly Operation[]): Operation[] =>
          operations.flatMap((each) => {
            if (kept.includes(each)) return [each];
            const isWrite = each.op !== 'get' && each.outcome !== 'fail';
            return isWrite ? [{ ...each, outcome: 'unknown' as const }] : [];
          });
        return !isLinearizableByForce(others(window));
      }),
      { numRuns: 3000, seed: 2 },
    );
    expect(failed).toBeGreaterThan(500);
  });
});

/** Histories of a right store, with many operations beside each other. */
const right = fc
  .record({
    seed: fc.integer(),
    operations: fc.integer({ min: 1, max: 300 }),
    clients: fc.integer({ min: 1, max: 8 }),
    keys: fc.integer({ min: 1, max: 3 }),
    values: fc.constantFrom(2, 5, Infinity),
    unknown: fc.constantFrom(0, 0.02, 0.2),
  })
  .map((options) => sequentialHistory(options));

const reads = (operations: readonly Operation[]): Operation[] =>
  operations.filter((each) => each.op === 'get' && each.outcome === 'ok');

/** The history, and what one of its reads saw is something else. */
function lie(operations: Operation[], read: Operation, result: string | null): Operation[] {
  return operations.map((each) => (each === read ? { ...each, result } : each));
}

describe('of a right store', () => {
  it('every history is accepted', () => {
    let operations = 0;
    const property = fc.property(right, (history) => {
      operations += history.length;
      return checkHistory(history).isLinearizable;
    });
    fc.assert(property, { numRuns: 300, seed: 3 });
    expect(operations).toBeGreaterThan(20_000);
  });

  it('every history with a value that nobody wrote is rejected', () => {
    let lies = 0;
    fc.assert(
      fc.property(right, fc.nat(), (operations, at) => {
        const read = reads(operations)[at % Math.max(1, reads(operations).length)];
        if (read === undefined) return true;
        lies += 1;
        const { failures } = checkHistory(lie(operations, read, 'nobody wrote this'));
        return failures.length === 1 && failures[0]?.key === read.key;
      }),
      { numRuns: 300, seed: 4 },
    );
    expect(lies).toBeGreaterThan(200);
  });

  it('every history with a value from the future, or overwritten before the read, is rejected', () => {
    let lies = 0;
    fc.assert(
      fc.property(fc.integer(), fc.nat(), (seed, at) => {
        const options = { seed, operations: 120, clients: 4, keys: 1, values: Infinity };
        const operations = sequentialHistory({ ...options, unknown: 0 });
        const read = reads(operations)[at % Math.max(1, reads(operations).length)];
        if (read === undefined) return true;
        const puts = operations.filter((each) => each.op === 'put');
        const future = puts.find((each) => each.call > (read.return ?? 0));
        const overwriter = puts.filter((each) => (each.return ?? 0) < read.call).at(-1);
        const old = puts.find((each) => (each.return ?? 0) < (overwriter?.call ?? 0));
        for (const { value } of [future, old].filter((each) => each !== undefined)) {
          lies += 1;
          if (checkHistory(lie(operations, read, value ?? null)).isLinearizable) return false;
        }
        return true;
      }),
      { numRuns: 150, seed: 5 },
    );
    expect(lies).toBeGreaterThan(150);
  });
});

describe('20,000 operations of 20 clients on 10 keys', () => {
  const sizes = { operations: 20_000, clients: 20, keys: 10 };
  it.each([
    // Each takes less than a second; the limit of a test is twenty.
    ['all known, each value once', { values: Infinity, unknown: 0 }],
    ['a tenth unknown, each value once', { values: Infinity, unknown: 0.1 }],
    ['all known, 50 values', { values: 50, unknown: 0 }],
    ['one of a hundred unknown, 50 values', { values: 50, unknown: 0.01 }],
  ])('take seconds: %s', (_, options) => {
    const operations = sequentialHistory({ seed: 1, ...sizes, ...options });
    expect(operations.length).toBeGreaterThan(19_000);
    expect(checkHistory(operations).isLinearizable).toBe(true);
    const read = reads(operations)[Math.floor(reads(operations).length * 0.7)] as Operation;
    const { failures } = checkHistory(lie(operations, read, 'nobody wrote this'));
    expect(failures).toHaveLength(1);
    expect(failures[0]?.window).toHaveLength(1);
  });

  it('a stale read among them is reported with what contradicts it', () => {
    const operations = sequentialHistory({ seed: 2, ...sizes, values: Infinity, unknown: 0.01 });
    const later = reads(operations).filter((each) => each.call > 14_000);
    const read = later.find((each) => each.result !== null) as Operation;
    const before = reads(operations).find(
      (each) => each.key === read.key && each.result !== null && (each.return ?? 0) < 5000,
    ) as Operation;
    const { failures } = checkHistory(lie(operations, read, before.result ?? null));
    expect(failures).toHaveLength(1);
    expect(failures[0]?.window.length).toBeLessThanOrEqual(4);
    expect(failures[0]?.window.at(-1)?.result).toBe(before.result);
  });
});
