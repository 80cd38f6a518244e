/**
 * The parts of the simulator that judge, each shown a good history and the bad ones; and those that
 * it stands on: time, and the stores that nodes find again.
 */
import { describe, expect, it } from 'vitest';
import { diagramOf } from '../../adapters/testing/simulation/diagram.js';
import { Decisions } from '../../adapters/testing/simulation/faults.js';
import { Ledger } from '../../adapters/testing/simulation/ledger.js';
import { NodeTime } from '../../adapters/testing/simulation/node-time.js';
import { NodeView } from '../../adapters/testing/simulation/node-view.js';
import { Random } from '../../adapters/testing/simulation/random.js';
import { VirtualTime } from '../../adapters/testing/simulation/virtual-time.js';
import type { LogEntry, StorageAction } from '../../lib/index.js';
import { entriesOf, origin } from '../../lib/index.js';

/** A ledger, and the rules that it found broken. */
class Book {
  readonly broken: string[] = [];
  readonly ledger = new Ledger((rule) => this.broken.push(rule.slice(1, rule.indexOf(')'))));

  /** A node applies a command as the so many-th, at an index. */
  apply(node: string, count: number, id: number, index = count, result: unknown = id): void {
    const state = { inner: null, count, chain: 100 + id };
    const at = { term: 1, index, offset: 0 };
    this.ledger.onApplied(node, state, { id, at, chain: 100 + id, result });
  }

  state(count: number, id: number) {
    return { inner: null, count, chain: id === 0 ? 0 : 100 + id };
  }
}

describe('the ledger', () => {
  it('finds nothing in a good history', () => {
    const book = new Book();
    const { ledger } = book;
    const first = ledger.begin('write', 'a');
    book.apply('a', 1, first.id);
    ledger.onWritten(first, first.id);
    const [second, read] = [ledger.begin('write', 'a'), ledger.begin('read', 'a')];
    ledger.onRead(read, book.state(1, first.id));
    book.apply('a', 2, second.id);
    book.apply('b', 1, first.id);
    book.apply('b', 2, second.id);
    ledger.end(second, 'unknown');
    ledger.onLoaded('c', book.state(1, first.id), { term: 1, index: 1 });
    expect(book.broken).toEqual([]);
    expect(ledger.isOpen).toBe(false);
  });

  it('a read sees everything that was acknowledged before it began', () => {
    const book = new Book();
    const write = book.ledger.begin('write', 'a');
    const early = book.ledger.begin('read', 'b');
    book.apply('a', 1, write.id);
    book.ledger.onWritten(write, write.id);
    const late = book.ledger.begin('read', 'b');
    book.ledger.onRead(early, book.state(0, 0));
    expect(book.broken).toEqual([]);
    book.ledger.onRead(late, book.state(0, 0));
    expect(book.broken).toEqual(['linearizable']);
  });

  it('a read sees what an earlier read saw', () => {
    const book = new Book();
    const write = book.ledger.begin('write', 'a');
    book.apply('a', 1, write.id);
    book.ledger.onRead(book.ledger.begin('read', 'a'), book.state(1, write.id));
    book.ledger.onRead(book.ledger.begin('read', 'b'), book.state(0, 0));
    expect(book.broken).toEqual(['linearizable']);
  });

  it('a read sees a state that was', () => {
    const book = new Book();
    const write = book.ledger.begin('write', 'a');
    book.apply('a', 1, write.id);
    book.ledger.onRead(book.ledger.begin('read', 'a'), book.state(1, 77));
    expect(book.broken).toEqual(['linearizable']);
  });

  it('a command stands behind what was applied before it was asked', () => {
    const book = new Book();
    const write = book.ledger.begin('write', 'a');
    // By a node that forgot it, in the place of another one; and before anybody asked.
    book.apply('a', 1, write.id);
    book.apply('b', 1, book.ledger.begin('write', 'b').id);
    book.apply('b', 2, 3);
    expect(book.broken).toEqual(['4', '4', '4']);
  });

  it('E12: no command is applied twice', () => {
    const book = new Book();
    const write = book.ledger.begin('write', 'a');
    book.apply('a', 1, write.id);
    book.apply('a', 2, write.id);
    expect(book.broken).toEqual(['E12']);
  });

  it('E10: a command is answered with its own result', () => {
    const book = new Book();
    const [one, other] = [book.ledger.begin('write', 'a'), book.ledger.begin('write', 'a')];
    book.apply('a', 1, one.id, 1, { is: ['this'] });
    book.ledger.onWritten(one, { is: ['this'] });
    expect(book.broken).toEqual([]);
    // Not applied at all, and answered with the result of another.
    book.ledger.onWritten(other, { is: ['this'] });
    expect(book.broken).toEqual(['E10']);
  });

  it('E11: what is certainly not applied is not applied, before or after', () => {
    const before = new Book();
    const one = before.ledger.begin('write', 'a');
    before.apply('a', 1, one.id);
    before.ledger.end(one, 'notApplied');
    expect(before.broken).toEqual(['E11']);
    const after = new Book();
    const other = after.ledger.begin('write', 'a');
    after.ledger.end(other, 'notApplied');
    after.apply('b', 1, other.id);
    expect(after.broken).toEqual(['E11']);
  });

  it('E4: an operation ends once', () => {
    const book = new Book();
    const read = book.ledger.begin('read', 'a');
    book.ledger.end(read, 'unknown');
    book.ledger.end(read, 'unknown');
    expect(book.broken).toEqual(['E4']);
  });

  it('(4) all machines apply the same sequence, with the same results', () => {
    const book = new Book();
    const [one, other] = [book.ledger.begin('write', 'a'), book.ledger.begin('write', 'a')];
    book.apply('a', 1, one.id);
    book.apply('b', 1, one.id, 1, 'another result');
    expect(book.broken.splice(0)).toEqual(['4']);
    book.apply('c', 3, other.id);
    expect(book.broken).toEqual(['4']);
  });

  it('C15: a snapshot has exactly the commands up to its position', () => {
    const book = new Book();
    const [one, other] = [book.ledger.begin('write', 'a'), book.ledger.begin('write', 'a')];
    book.apply('a', 1, one.id, 2);
    book.apply('a', 2, other.id, 5);
    const load = (count: number, id: number, index: number): void =>
      book.ledger.onLoaded('b', book.state(count, id), { term: 1, index });
    for (const index of [2, 4]) load(1, one.id, index);
    load(2, other.id, 5);
    expect(book.broken).toEqual([]);
    load(1, one.id, 1);
    load(1, one.id, 5);
    load(1, other.id, 2);
    load(3, other.id, 9);
    expect(book.broken).toEqual(['4', '4', '4', '4']);
  });

  it('D20: a change is acknowledged when it is committed, and behind the one before', () => {
    const book = new Book();
    const lost = book.ledger.begin('change', 'a');
    book.ledger.onChanged(lost, { term: 1, index: 7 }, false);
    const late = book.ledger.begin('change', 'a');
    book.ledger.onChanged(late, { term: 2, index: 7 }, true);
    expect(book.broken).toEqual(['D20', 'linearizable']);
  });
});

describe('a view of a node', () => {
  const command = (byte: number): LogEntry<Uint8Array> => ({
    type: 'command',
    command: Uint8Array.of(byte),
  });
  const first = entriesOf<Uint8Array>(origin, [{ type: 'term', term: 1 }, command(1)]);
  const second = entriesOf<Uint8Array>({ term: 1, index: 2 }, [command(2)]);
  const writes: StorageAction<Uint8Array, Uint8Array>[] = [
    {
      ...{ type: 'persist', sequence: 1, snapshot: null },
      hardState: { currentTerm: 1, votedFor: 'b' },
      entries: first,
    },
    { type: 'persist', sequence: 2, snapshot: null, hardState: null, entries: second },
  ];
  const found = (list: LogEntry<Uint8Array>[], votedFor: string | null = 'b', generation = 2) => ({
    ...{ generation, currentTerm: list.length > 0 ? 1 : 0, votedFor, snapshot: null },
    entries: entriesOf(origin, list),
  });
  const marker = { type: 'term', term: 1 } as const;

  /** A node that crashed with the first so many of its two writes acknowledged. */
  function crashed(acknowledged: number): NodeView {
    const view = new NodeView('a');
    view.start(found([], null, 1));
    for (const write of writes) view.onPersist(write);
    view.onPersisted(acknowledged, () => undefined);
    return view;
  }

  it('takes any first part of what was not acknowledged, whole writes only', () => {
    for (const acknowledged of [0, 1, 2]) {
      const all = [marker, command(1), command(2)];
      expect(crashed(acknowledged).start(found(all))).toBe(true);
      expect(crashed(acknowledged).start(found(all.slice(0, 2)))).toBe(acknowledged < 2);
      expect(crashed(acknowledged).start(found([], null))).toBe(acknowledged < 1);
      expect(crashed(acknowledged).start(found(all.slice(0, 1)))).toBe(false);
    }
  });

  it('takes nothing that was not written, and no older generation', () => {
    expect(crashed(2).start(found([marker, command(1), command(3)]))).toBe(false);
    expect(crashed(2).start(found([marker, command(1), command(2)], 'c'))).toBe(false);
    expect(crashed(2).start(found([marker, command(1), command(2)], 'b', 1))).toBe(false);
  });

  it('knows which writes were asked for', () => {
    const view = crashed(1);
    expect(view.isNext(3)).toBe(true);
    expect(view.isNext(4)).toBe(false);
    expect(view.onPersisted(3, () => undefined)).toBe(false);
  });
});

describe('virtual time', () => {
  it('lets things happen in order, those of one moment as they were asked for', () => {
    const time = new VirtualTime();
    const random = new Random(1);
    const delays = Array.from({ length: 500 }, () => random.below(40));
    const seen: (readonly [number, number])[] = [];
    delays.forEach((delay, at) => time.after(delay, () => seen.push([time.now, at])));
    while (time.step());
    const sorted = delays.map((delay, at) => [delay, at] as const);
    sorted.sort(([a, first], [b, second]) => a - b || first - second);
    expect(seen).toEqual(sorted);
  });

  it('does not let happen what was called off', () => {
    const time = new VirtualTime();
    const job = time.after(1, () => expect.fail('called off'));
    job.work = null;
    expect(time.step()).toBe(false);
    expect(time.now).toBe(0);
  });
});

describe('the time of a node', () => {
  it('has its own rate, and goes on from where it is when that changes', () => {
    const time = new VirtualTime();
    const own = new NodeTime(time);
    own.setRate(2);
    const seen: number[][] = [];
    own.schedule(() => seen.push([time.now, own.now()]), 10);
    time.step();
    own.setRate(0.5);
    own.schedule(() => seen.push([time.now, own.now()]), 10);
    time.step();
    expect(seen).toEqual([
      [5, 10],
      [25, 20],
    ]);
  });

  it('lets what is due in a pause happen afterwards, in order', () => {
    const time = new VirtualTime();
    const own = new NodeTime(time);
    const seen: string[] = [];
    own.schedule(() => seen.push('timer'), 2);
    time.after(1, () => own.enter(() => seen.push('message')));
    own.pause();
    while (time.step());
    expect(seen).toEqual([]);
    own.resume();
    while (time.step());
    expect(seen).toEqual(['message', 'timer']);
  });

  it('knows how many timers wait', () => {
    const time = new VirtualTime();
    const own = new NodeTime(time);
    const first = own.schedule(() => undefined, 1);
    own.schedule(() => undefined, 2);
    expect(own.waiting).toBe(2);
    first.unsubscribe();
    first.unsubscribe();
    expect(own.waiting).toBe(1);
    while (time.step());
    expect(own.waiting).toBe(0);
  });
});

describe('decisions', () => {
  it('are taken by chance, of kinds that are asked for, until the world heals', () => {
    const decisions = new Decisions(['drop'], ['drop n1 #2'], true);
    const random = new Random(1);
    expect(decisions.happens('drop', 'n1', 1, 1, random)).toBe(true);
    expect(decisions.happens('drop', 'n1', 2, 1, random)).toBe(false);
    expect(decisions.happens('drop', 'n1', 3, 0, random)).toBe(false);
    expect(decisions.happens('crash', 'n1', 1, 1, random)).toBe(false);
    decisions.healed = true;
    expect(decisions.happens('drop', 'n1', 4, 1, random)).toBe(false);
    expect(decisions.taken).toEqual(['drop n1 #1']);
    expect(decisions.counts).toMatchObject({ drop: 1, crash: 0 });
  });
});

describe('a diagram', () => {
  const line = (timeMs: number, node: string | null, mark: string, text: string) => ({
    ...{ timeMs, node, mark, text },
  });
  const history = [
    line(1, 'n2', 't', 'times out'),
    line(1, 'n2', 'C', 'candidate in term 1'),
    line(2.5, 'n1', 'q', 'hears requestVoteCall'),
    line(3, null, '!', '(1) broken'),
  ];

  it('has a line for each node, a column for each event, a legend, and the words', () => {
    expect(diagramOf(history)).toBe(
      [
        'from 1 to 3 ms',
        'n1    --q-',
        'n2    tC--',
        'world ---!',
        '',
        't times out, C candidate, q vote asked for, ! the rule is broken',
        '',
        '     1.000  t  n2    times out',
        '     1.000  C  n2    candidate in term 1',
        '     2.500  q  n1    hears requestVoteCall',
        '     3.000  !  world (1) broken',
      ].join('\n'),
    );
  });

  it('shows the end of a long one, in parts', () => {
    const text = diagramOf(history, { events: 3, width: 2 });
    expect(text.split('\n\n').slice(0, 2)).toEqual([
      'from 1 to 2.5 ms\nn1    -q\nn2    C-\nworld --',
      'from 3 to 3 ms\nn1    -\nn2    -\nworld !',
    ]);
  });
});
