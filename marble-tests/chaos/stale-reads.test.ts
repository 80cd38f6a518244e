/** A read may be behind the times, and still find nothing but what was written. */
import { expect, it } from 'vitest';
import type { Operation } from '../linearizability/history.js';
import { faultsOfStale } from './stale-reads.js';

const put: Operation = {
  ...{ client: 1, op: 'put', key: 'x', value: 'a', call: 10, return: 20, outcome: 'ok' },
};
const read: Operation = {
  ...{ client: 2, op: 'get', key: 'x', call: 30, return: 40, outcome: 'ok', result: 'a' },
};
const fault = [expect.stringMatching(/^a stale read from thin air: /)];

it.each<[string, Operation, Operation, unknown]>([
  ['was written', read, put, []],
  ['was overwritten, or is not there yet', { ...read, result: null }, put, []],
  ['may have been written', read, { ...put, outcome: 'unknown', return: null }, []],
  ['was not written', { ...read, result: 'b' }, put, fault],
  ['was written to another key', read, { ...put, key: 'y' }, fault],
  ['was certainly not written', read, { ...put, outcome: 'fail' }, fault],
  ['was written later', read, { ...put, call: 41 }, fault],
])('of what %s', (_, found, history, faults) => {
  expect(faultsOfStale([found], [history])).toEqual(faults);
});
