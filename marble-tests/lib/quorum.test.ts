/** Majorities, against brute force over all subsets of the voters. */
import { array, assert, constantFrom, integer, property, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClusterConfig } from '../../lib/index.js';
import { clusterOf } from '../../lib/index.js';
import { hasQuorum, quorumValue } from '../../lib/quorum.js';

const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const voters = uniqueArray(constantFrom(...ids), { minLength: 1, maxLength: 7 });
/** Values with one digit and with more: sorted as text, 10 would come before 9. */
const values = array(integer({ min: 0, max: 120 }), {
  minLength: ids.length,
  maxLength: ids.length,
});

function subsets(list: readonly string[]): string[][] {
  return list.reduce<string[][]>((all, id) => [...all, ...all.map((set) => [...set, id])], [[]]);
}

/** The greatest value that all of some majority have reached. */
function bruteForce(list: readonly string[], valueOf: (id: string) => number): number {
  const majorities = subsets(list).filter((set) => 2 * set.length > list.length);
  return Math.max(0, ...majorities.map((set) => Math.min(...set.map(valueOf))));
}

const valueIn =
  (list: readonly number[]) =>
  (id: string): number =>
    list[ids.indexOf(id)] ?? 0;

describe('quorumValue', () => {
  it('B16: is the greatest value that a majority has reached, for up to seven voters', () => {
    assert(
      property(voters, values, (set, list) => {
        const valueOf = valueIn(list);
        expect(quorumValue(clusterOf(set), valueOf)).toBe(bruteForce(set, valueOf));
      }),
      { numRuns: 300 },
    );
  });

  it('"separate majorities from both the old and new configurations" (§6)', () => {
    assert(
      property(voters, voters, values, (old, next, list) => {
        const config: ClusterConfig = { voters: old, newVoters: next, nonVoters: [] };
        const valueOf = valueIn(list);
        const expected = Math.min(bruteForce(old, valueOf), bruteForce(next, valueOf));
        expect(quorumValue(config, valueOf)).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('non-voters count for nothing', () => {
    assert(
      property(voters, values, (set, list) => {
        const others = ids.filter((id) => !set.includes(id));
        const config = { voters: set, newVoters: [], nonVoters: others };
        const silent = (id: string): number => (set.includes(id) ? valueIn(list)(id) : 1e9);
        expect(quorumValue(config, silent)).toBe(bruteForce(set, valueIn(list)));
      }),
    );
  });

  it.each([
    [[7, 7, 3, 3], 3],
    [[7, 3], 3],
    [[7], 7],
    [[], 0],
    [[10, 9, 1], 9],
    [[1, 10, 9], 9],
    [[5, 4, 3, 2, 1], 3],
    [[100, 20, 3], 20],
  ])('A14: %j reach %i', (list, expected) => {
    const set = ids.slice(0, list.length);
    expect(quorumValue(clusterOf(set), valueIn(list))).toBe(expected);
  });

  it('endless values are values: a leader has answered each of its rounds', () => {
    const valueOf = (id: string): number => (id === 'a' ? Infinity : id === 'b' ? 4 : 0);
    expect(quorumValue(clusterOf(['a', 'b', 'c']), valueOf)).toBe(4);
    expect(quorumValue(clusterOf(['a']), valueOf)).toBe(Infinity);
  });
});

describe('hasQuorum', () => {
  it('half is no majority; more than half is', () => {
    const yes =
      (...said: string[]) =>
      (id: string): boolean =>
        said.includes(id);
    expect(hasQuorum(clusterOf(['a', 'b']), yes('a'))).toBe(false);
    expect(hasQuorum(clusterOf(['a', 'b', 'c', 'd']), yes('a', 'b'))).toBe(false);
    expect(hasQuorum(clusterOf(['a', 'b', 'c', 'd']), yes('a', 'b', 'c'))).toBe(true);
    expect(hasQuorum(clusterOf(['a']), yes('a'))).toBe(true);
    expect(hasQuorum(clusterOf([]), () => true)).toBe(false);
  });

  it('D6: the new majority alone does not decide, nor does the old one', () => {
    const joint = { voters: ['a', 'b', 'c'], newVoters: ['c', 'd', 'e'], nonVoters: [] };
    expect(hasQuorum(joint, (id) => ['c', 'd', 'e'].includes(id))).toBe(false);
    expect(hasQuorum(joint, (id) => ['a', 'b'].includes(id))).toBe(false);
    expect(hasQuorum(joint, (id) => ['b', 'c', 'd'].includes(id))).toBe(true);
  });

  it('agrees with brute force', () => {
    assert(
      property(voters, voters, uniqueArray(constantFrom(...ids)), (old, next, said) => {
        const won = (set: readonly string[]): boolean =>
          2 * set.filter((id) => said.includes(id)).length > set.length;
        const config = { voters: old, newVoters: next, nonVoters: [] };
        expect(hasQuorum(config, (id) => said.includes(id))).toBe(won(old) && won(next));
        expect(hasQuorum(clusterOf(old), (id) => said.includes(id))).toBe(won(old));
      }),
    );
  });
});
