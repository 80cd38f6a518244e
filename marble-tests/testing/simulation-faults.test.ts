/**
 * The faults of the simulator: what they leave, and that all that can be asked for is asked for.
 */
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { changedConfig } from '../../adapters/testing/simulation/changed-config.js';
import { CommitWitness } from '../../adapters/testing/simulation/commit-witness.js';
import { Disk, diskStore } from '../../adapters/testing/simulation/disk.js';
import { MessageWitness } from '../../adapters/testing/simulation/message-witness.js';
import { NodeTime } from '../../adapters/testing/simulation/node-time.js';
import { NodeView } from '../../adapters/testing/simulation/node-view.js';
import { Random } from '../../adapters/testing/simulation/random.js';
import { VirtualTime } from '../../adapters/testing/simulation/virtual-time.js';
import type { ClusterConfig, LogEntry, StorageAction } from '../../lib/index.js';
import { entriesOf, isJointConsensus, isVoter, origin } from '../../lib/index.js';

type Write = StorageAction<Uint8Array, Uint8Array>;

const command = (byte: number): LogEntry<Uint8Array> => ({
  type: 'command',
  command: Uint8Array.of(byte, byte, byte),
});

/** Three writes, of which each has a vote and an entry. */
const writes = [1, 2, 3].map((number): Write => {
  const isFirst = number === 1;
  const entries = isFirst
    ? entriesOf<Uint8Array>(origin, [{ type: 'term', term: 1 }])
    : entriesOf<Uint8Array>({ term: 1, index: number - 1 }, [command(number)]);
  const hardState = { currentTerm: number, votedFor: `n${number}` };
  return { type: 'persist', sequence: number, snapshot: null, hardState, entries };
});

interface Crash {
  readonly acknowledged: number;
  readonly survivors?: number;
  readonly torn?: (bytes: Uint8Array) => Uint8Array | null;
}

/** The disk of a node that crashed, and how many of its writes are found there. */
function crashed({ acknowledged, survivors = 0, torn = () => null }: Crash) {
  const disk = new Disk();
  disk.open();
  for (const write of writes) disk.ask(write);
  disk.complete(acknowledged);
  disk.crash({ survivors: () => survivors, torn });
  return { disk, found: disk.open() };
}

describe('the disk', () => {
  it('has all that was acknowledged, and of the rest what survived', () => {
    for (const acknowledged of [0, 1, 2, 3]) {
      for (let survivors = 0; survivors <= 3 - acknowledged; survivors += 1) {
        const { found } = crashed({ acknowledged, survivors });
        const count = acknowledged + survivors;
        expect(found).toMatchObject({
          ...{ generation: 2, currentTerm: count },
          votedFor: count === 0 ? null : `n${count}`,
          entries: { length: count },
        });
      }
    }
  });

  it('has nothing of a write of which any part is missing, and goes on behind the others', () => {
    let lengths = 0;
    for (let end = 0; end === 0 || end < lengths; end += 1) {
      const short = crashed({
        acknowledged: 1,
        torn: (bytes) => {
          lengths = bytes.length;
          return bytes.slice(0, end);
        },
      });
      const torn = crashed({
        acknowledged: 1,
        torn: (bytes) => bytes.map((byte, at) => (at === end ? byte ^ 1 : byte)),
      });
      for (const { disk, found } of [short, torn]) {
        expect(found).toMatchObject({ currentTerm: 1, votedFor: 'n1', entries: { length: 1 } });
        disk.ask(writes[1] as Write);
        disk.complete(1);
        expect(disk.open()).toMatchObject({ generation: 3, currentTerm: 2, votedFor: 'n2' });
      }
    }
    expect(lengths).toBeGreaterThan(20);
  });

  it('shares nothing with who wrote, and keeps a snapshot with what is behind it', () => {
    const disk = new Disk();
    disk.open();
    const data = Uint8Array.of(7);
    const config = { voters: ['a'], newVoters: [], nonVoters: [] };
    const snapshot = { position: { term: 1, index: 2 }, config, data };
    for (const write of writes) disk.ask(write);
    disk.ask({ type: 'persist', sequence: 4, hardState: null, entries: null, snapshot });
    disk.complete(4);
    data[0] = 8;
    const found = disk.open();
    expect(found.snapshot).toEqual({ ...snapshot, data: Uint8Array.of(7) });
    expect(found.entries).toMatchObject({ prevPosition: snapshot.position, length: 1 });
  });

  it('writes for a while, and a crash meanwhile loses it', () => {
    const time = new VirtualTime();
    const disk = new Disk();
    const place = { id: 'a', isNew: true, scheduler: new NodeTime(time), writeMs: () => 5 };
    const chance = { survivors: () => 0, torn: () => null };
    const action$ = new Subject<Write>();
    const answers: (readonly [number, number])[] = [];
    const { storage } = diskStore(disk, { ...place, ...chance });
    const run = action$.pipe(storage).subscribe(({ sequence }) => {
      answers.push([time.now, sequence]);
    });
    for (const write of writes) action$.next(write);
    for (let step = 0; answers.length === 0; step += 1) time.step();
    expect(answers).toEqual([[5, 1]]);
    run.unsubscribe();
    expect(disk.open()).toMatchObject({ currentTerm: 1, entries: { length: 1 } });
  });
});

describe('a change of members', () => {
  const kindOf = (from: ClusterConfig, to: ClusterConfig, leader: string): string => {
    if (!isJointConsensus(to)) {
      return to.nonVoters.length > from.nonVoters.length ? 'a listener' : 'a listener less';
    }
    if (!to.newVoters.includes(leader)) {
      return to.newVoters.length < from.voters.length ? 'the leader leaves' : 'the leader replaced';
    }
    const added = to.newVoters.filter((id) => !from.voters.includes(id));
    if (added.some((id) => from.nonVoters.includes(id))) return 'promoted';
    return added.length > 0 ? 'added' : 'removed';
  };

  it('is of every kind: add, remove, promote, replace the leader', () => {
    const from = { voters: ['a', 'b', 'c'], newVoters: [], nonVoters: ['d'] };
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 400; seed += 1) {
      const random = new Random(seed);
      const pick = (): string => random.pick(ids) ?? '';
      const changed = changedConfig(from, pick(), random.chance(0.3) ? 'a' : pick(), random);
      const kind = kindOf(from, changed, 'a');
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual([
      ...['a listener', 'a listener less', 'added', 'promoted', 'removed'],
      ...['the leader leaves', 'the leader replaced'],
    ]);
    for (const [kind, count] of seen) expect(count, kind).toBeGreaterThan(4);
    expect(isVoter(from, 'd')).toBe(false);
  });
});

describe('the witness of messages', () => {
  it('(6) sees a term that goes back on a disk, and a second vote', () => {
    const broken: string[] = [];
    const fail = (rule: string): void => void broken.push(rule);
    const witness = new MessageWitness({}, new CommitWitness(new Map(), fail), fail);
    const view = new NodeView('a');
    const write = (currentTerm: number, votedFor: string | null): void => {
      Object.assign(view.disk, { currentTerm, votedFor });
      witness.onWritten(view);
    };
    write(1, 'a');
    write(2, null);
    write(2, 'b');
    expect(broken).toEqual([]);
    write(1, null);
    expect(broken.splice(0)).toEqual(['(6) the term of a went back on its disk']);
    write(2, 'c');
    expect(broken).toEqual(['(6) a votes twice in term 2']);
  });
});

describe('the witness of commits', () => {
  const alone = { voters: ['a'], newVoters: [], nonVoters: [] };
  const three = { voters: ['a', 'b', 'c'], newVoters: [], nonVoters: [] };

  /** What leader a of term 3 breaks, with all of this on its own disk and nothing on others. */
  function brokenBy(commitIndex: number, config = alone, inForce = config): string[] {
    const entries = entriesOf<Uint8Array>(origin, [
      { type: 'config', config },
      { type: 'term', term: 1 },
      command(1),
      { type: 'term', term: 3 },
    ]);
    const broken: string[] = [];
    const view = new NodeView('a');
    const witness = new CommitWitness(new Map([['a', view]]), (rule) => broken.push(rule));
    const hardState = { currentTerm: 3, votedFor: 'a' };
    view.onPersist({ type: 'persist', sequence: 1, hardState, entries, snapshot: null });
    view.onPersisted(1, () => undefined);
    Object.assign(view, { role: 'leader', term: 3, config: inForce });
    witness.onReported(view, commitIndex);
    return broken;
  }

  it('(3) sees a leader that counts what is not of its term (§5.4.2)', () => {
    expect(brokenBy(4)).toEqual([]);
    expect(brokenBy(3)).toEqual(['(3) leader a commits 3, which is not of its term']);
  });

  it('(7) sees what is not on the disks of a quorum, by any configuration in force', () => {
    expect(brokenBy(4, three)).toEqual(['(7) a commits 4, not durable on a quorum']);
    // One that was reported, and is not yet handed to the disk.
    expect(brokenBy(4, three, alone)).toEqual([]);
  });
});
