/** Configurations of a cluster: plain data and what is said of it (§6). */
import { array, assert, constantFrom, property, shuffledSubarray, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClusterConfig } from '../../lib/index.js';
import {
  clusterOf,
  faultOf,
  faultOfNodeId,
  isJointConsensus,
  isMember,
  isVoter,
  toFinalConfig,
  toJointConsensus,
  uniqueNodes,
} from '../../lib/index.js';
import { noCluster, sameConfig, sameIds } from '../../lib/cluster-config.js';

const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
const some = uniqueArray(constantFrom(...ids), { maxLength: 6 });
/** Any sane configuration that is not joint, as [voters, non-voters]. */
const sane = shuffledSubarray(ids, { minLength: 1 }).map((voters): ClusterConfig => {
  const nonVoters = ids.filter((id) => !voters.includes(id) && id > 'c');
  return { voters, newVoters: [], nonVoters };
});

describe('the functions of the reference', () => {
  const config: ClusterConfig = { voters: ['c', 'a'], newVoters: ['a', 'd'], nonVoters: ['b'] };

  it('contains(id): a member votes, is about to vote, or listens', () => {
    expect(['a', 'c', 'd', 'b', 'e'].map((id) => isMember(config, id))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(['a', 'c', 'd', 'b', 'e'].map((id) => isVoter(config, id))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('isJointConsensus: while there are new voters', () => {
    expect(isJointConsensus(config)).toBe(true);
    expect(isJointConsensus(clusterOf(['a']))).toBe(false);
    expect(isJointConsensus(noCluster)).toBe(false);
  });

  it('uniqueNodes: of all three sets, each once, sorted', () => {
    expect(uniqueNodes(config)).toEqual(['a', 'b', 'c', 'd']);
    expect(uniqueNodes(noCluster)).toEqual([]);
    assert(
      property(some, some, some, (voters, newVoters, nonVoters) => {
        const all = uniqueNodes({ voters, newVoters, nonVoters });
        const wanted = ids.filter((id) => [voters, newVoters, nonVoters].flat().includes(id));
        expect(all).toEqual(wanted);
      }),
    );
  });

  it('toJointConsensus: voters + adding − removing, whatever they are', () => {
    assert(
      property(
        sane,
        array(constantFrom(...ids)),
        array(constantFrom(...ids)),
        (from, adding, removing) => {
          const before = structuredClone(from);
          const joint = toJointConsensus(from, adding, removing);
          const wanted = ids.filter(
            (id) => (from.voters.includes(id) || adding.includes(id)) && !removing.includes(id),
          );
          expect([...joint.newVoters].sort()).toEqual(wanted);
          expect(joint.voters).toEqual(from.voters);
          // S17: whoever votes from now on is no non-voter, and nobody else is lost.
          expect(joint.nonVoters).toEqual(from.nonVoters.filter((id) => !wanted.includes(id)));
          expect(from).toEqual(before);
          // What comes of it is sane, unless it is empty: then it is no change, and refused as
          // such.
          expect(faultOf(joint)).toBeNull();
          expect(isJointConsensus(joint)).toBe(wanted.length > 0);
          if (wanted.length > 0) expect(faultOf(toFinalConfig(joint))).toBeNull();
          expect(toFinalConfig(joint)).toEqual({
            voters: joint.newVoters,
            newVoters: [],
            nonVoters: joint.nonVoters,
          });
        },
      ),
    );
  });

  it('S17: a non-voter is promoted; who is added and removed at once stays what it was', () => {
    const from = { voters: ['a'], newVoters: [], nonVoters: ['b', 'c'] };
    expect(toJointConsensus(from, ['b'], [])).toEqual({
      voters: ['a'],
      newVoters: ['a', 'b'],
      nonVoters: ['c'],
    });
    expect(toJointConsensus(from, ['b'], ['b', 'a'])).toMatchObject({
      newVoters: [],
      nonVoters: ['b', 'c'],
    });
  });

  it('clusterOf keeps no reference to what it was given', () => {
    const voters = ['a'];
    const config1 = clusterOf(voters);
    voters.push('b');
    expect(config1).toEqual({ voters: ['a'], newVoters: [], nonVoters: [] });
  });
});

describe('faultOf names what is wrong', () => {
  const ok: ClusterConfig = { voters: ['a'], newVoters: [], nonVoters: [] };

  it.each<[string, Partial<ClusterConfig>, RegExp]>([
    ['no voter', { voters: [] }, /at least one voter/],
    ['no voter but listeners', { voters: [], nonVoters: ['a'] }, /at least one voter/],
    ['a voter twice', { voters: ['a', 'b', 'a'] }, /twice/],
    ['a new voter twice', { newVoters: ['b', 'b'] }, /twice/],
    ['a non-voter twice', { nonVoters: ['b', 'b'] }, /twice/],
    ['a voter that does not vote', { nonVoters: ['a'] }, /"a" is both/],
    ['a new voter that does not vote', { newVoters: ['b'], nonVoters: ['b'] }, /"b" is both/],
    ['an empty id', { voters: [''] }, /"" is no node id/],
    ['an id of 65 characters', { newVoters: ['x'.repeat(65)] }, /is no node id: 1 to 64/],
    ['an id that is no text', { nonVoters: [7 as unknown as string] }, /7 is no node id/],
    ['an id that is not there', { voters: [undefined as unknown as string] }, /undefined is no/],
  ])('%s', (_, wrong, fault) => {
    expect(faultOf({ ...ok, ...wrong })).toMatch(fault);
  });

  it('and nothing of a sane one', () => {
    expect(faultOf(ok)).toBeNull();
    expect(faultOf({ voters: ['a', 'b'], newVoters: ['b', 'c'], nonVoters: ['d'] })).toBeNull();
    expect(faultOf(clusterOf(['x'.repeat(64), '7', ' ', '__proto__', 'ü']))).toBeNull();
    assert(property(sane, (config) => faultOf(config) === null));
  });

  it('faultOfNodeId: 1 to 64 characters of text, and nothing else', () => {
    for (const good of ['a', '0', 'x'.repeat(64), 'node 1']) expect(faultOfNodeId(good)).toBeNull();
    const endless: unknown[] = [];
    endless.push(endless);
    const strange = [7n, endless, Symbol('a'), () => 'a'];
    for (const bad of [
      '',
      'x'.repeat(65),
      'n\ud800',
      '\udc00',
      0,
      null,
      undefined,
      {},
      ['a'],
      true,
      ...strange,
    ]) {
      expect(faultOfNodeId(bad)).toMatch(/is no node id/);
    }
    for (const long of ['x'.repeat(1 << 20), 10n ** 9999n]) {
      expect(faultOfNodeId(long)?.length).toBeLessThan(200);
    }
    const shown = [null, 7n, {}, [], () => 'a'].map((id) => faultOfNodeId(id)?.split(' is ')[0]);
    expect(shown).toEqual(['null', '7', 'an object', 'an object', 'an object']);
  });
});

describe('the same configuration', () => {
  it('whatever the order of the ids', () => {
    assert(
      property(shuffledSubarray(ids, { minLength: 6 }), some, (shuffled, other) => {
        expect(sameIds(ids, shuffled)).toBe(true);
        expect(sameIds(ids, other)).toBe(other.length === ids.length);
        const [a, b] = [clusterOf(ids), clusterOf(shuffled)];
        expect(sameConfig(a, b)).toBe(true);
        expect(sameConfig(a, { ...b, newVoters: ['a'] })).toBe(false);
        expect(sameConfig(a, { ...b, nonVoters: ['z'] })).toBe(false);
        expect(sameConfig(a, clusterOf(['a']))).toBe(false);
      }),
    );
  });
});
