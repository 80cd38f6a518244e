/**
 * What every machine owes the core and its clients: the log in order and once, snapshots that stand
 * for it, and an end for everyone who waits.
 */
import type { OperatorFunction } from 'rxjs';
import { filter, firstValueFrom, ReplaySubject, Subject } from 'rxjs';
import type { MachineAction } from '../../lib/action.js';
import { clusterOf } from '../../lib/cluster-config.js';
import type { LogEntry } from '../../lib/entries.js';
import { entriesOf, lastPosition } from '../../lib/entries.js';
import type { MachineInput } from '../../lib/input.js';
import type { LogPosition, Term } from '../../lib/position.js';
import { origin } from '../../lib/position.js';
import { check, checkEqual } from './check.js';

/** A fresh machine whose commands are numbers, and whose state is those that it has applied. */
export interface MachineUnderTest<Block, Data> {
  readonly adapter: OperatorFunction<MachineAction<Block, Data>, MachineInput<Block, Data>>;
  /** The entry of the log for some numbers. */
  block(numbers: readonly number[]): Block;
  /** What it has applied, in order; after a restoration, what the snapshot stands for first. */
  applied(): readonly number[];
  /** The data of a snapshot of a machine that has applied these. */
  data(numbers: readonly number[]): Data;
  /** Asks it to propose a number. */
  propose(number: number): Promise<unknown>;
  /** Asks for a linearizable read of what it has applied. */
  read(): Promise<readonly number[]>;
}

/** Registers the suite with a test runner's `test` or `it`. A snapshot is due after 100 entries. */
export function machineAcceptance<Block, Data>(
  test: (name: string, body: () => void | Promise<void>) => void,
  setup: () => MachineUnderTest<Block, Data>,
): void {
  applyAcceptance(test, setup);
  waiterAcceptance(test, setup);
  endAcceptance(test, setup);
}

type Test = (name: string, body: () => void | Promise<void>) => void;
type Setup<Block, Data> = () => MachineUnderTest<Block, Data>;

function applyAcceptance<Block, Data>(test: Test, setup: Setup<Block, Data>): void {
  test('applies each entry once, in log order, and passes by what is no command', () => {
    const bench = new Bench(setup());
    bench.apply({ type: 'term', term: 1 }, bench.entry(1, 2), bench.entry(3));
    bench.apply({ type: 'config', config: clusterOf(['a']) }, bench.entry(4));
    checkEqual(bench.underTest.applied(), [1, 2, 3, 4], 'the log');
  });

  test('a snapshot replaces the state, and the log goes on behind it', () => {
    const bench = new Bench(setup());
    bench.apply({ type: 'term', term: 1 }, bench.entry(1));
    bench.restore({ index: 9, term: 2 }, bench.underTest.data([7, 8]));
    bench.apply(bench.entry(9));
    checkEqual(bench.underTest.applied(), [7, 8, 9], 'the snapshot, then the log');
  });

  test('a gap or a repetition ends it with an error', () => {
    for (const index of [0, 2]) {
      const bench = new Bench(setup());
      bench.apply({ type: 'term', term: 1 });
      bench.position = { index, term: 1 };
      bench.apply(bench.entry(5));
      check(bench.end.startsWith('error'), `entries behind ${index} after index 1: ${bench.end}`);
      checkEqual(bench.underTest.applied(), [], 'nothing of it is applied');
    }
  });

  test('a snapshot that it takes stands for what it has applied', () => {
    const bench = new Bench(setup());
    const numbers = Array.from({ length: 99 }, (_, each) => each);
    bench.apply({ type: 'term', term: 1 }, ...numbers.map((each) => bench.entry(each)));
    const taken = bench.inputs.find((input) => input.type === 'snapshotTaken');
    check(taken, 'a snapshot is due after 100 entries');
    checkEqual(taken.index, 100, 'it says how far it reaches');
    const other = new Bench(setup());
    other.restore({ index: 100, term: 1 }, taken.data);
    checkEqual(other.underTest.applied(), numbers, 'another machine takes it');
  });
}

function waiterAcceptance<Block, Data>(test: Test, setup: Setup<Block, Data>): void {
  test('a proposal is done when the log brings its position', async () => {
    const bench = new Bench(setup()).lead(1);
    const end = endOf(bench.underTest.propose(5));
    await bench.accept();
    bench.apply({ type: 'term', term: 1 }, bench.proposed());
    checkEqual(await end, 'done', 'the end');
    checkEqual(bench.underTest.applied(), [5], 'the state');
  });

  test('the entry of another leader at its index is not taken for it', async () => {
    const bench = new Bench(setup()).lead(1);
    const end = endOf(bench.underTest.propose(5));
    await bench.accept();
    bench.apply({ type: 'term', term: 2 }, bench.entry(6));
    checkEqual(await end, 'not done', 'the end');
    checkEqual(bench.underTest.applied(), [6], 'the state');
  });

  test('the loss of the leadership ends what it has accepted, whatever the log brings', async () => {
    const bench = new Bench(setup()).lead(1);
    const end = endOf(bench.underTest.propose(5));
    await bench.accept();
    bench.say({ type: 'roleChanged', role: 'follower', currentTerm: 2, leaderId: 'b' });
    checkEqual(await end, 'not done', 'the end');
    bench.apply({ type: 'term', term: 1 }, bench.proposed());
    checkEqual(bench.underTest.applied(), [5], 'the successor may have committed it');
  });

  test('a refusal ends a proposal, and a read', async () => {
    const bench = new Bench(setup());
    const proposed = endOf(bench.underTest.propose(5));
    const { proposal } = await bench.said('proposed');
    bench.say({ type: 'rejected', proposal, reason: 'notLeader', leaderId: 'b' });
    const read = endOf(bench.underTest.read());
    const { reads } = await bench.said('readRequested');
    bench.say({ type: 'readRefused', reads: [reads], reason: 'notLeader', leaderId: 'b' });
    checkEqual([await proposed, await read], ['not done', 'not done'], 'the ends');
  });

  test('a read sees what was applied before it is ready', async () => {
    const bench = new Bench(setup());
    const read = bench.underTest.read();
    const { reads } = await bench.said('readRequested');
    bench.apply({ type: 'term', term: 1 }, bench.entry(1, 2));
    bench.say({ type: 'readReady', reads: [reads], index: 2 });
    checkEqual(await read, [1, 2], 'what it sees');
  });
}

function endAcceptance<Block, Data>(test: Test, setup: Setup<Block, Data>): void {
  const ends = {
    'completes when its actions complete': (bench: Bench<Block, Data>): void => {
      bench.actions.complete();
      checkEqual(bench.end, 'complete', 'at once');
    },
    'passes an error of its actions': (bench: Bench<Block, Data>): void => {
      bench.actions.error(new Error('lost'));
      checkEqual(bench.end, 'error: lost', 'at once');
    },
    'unsubscribing is a crash': (bench: Bench<Block, Data>): void => {
      bench.subscription.unsubscribe();
      checkEqual(bench.end, '', 'it says nothing');
    },
  };
  for (const [name, finish] of Object.entries(ends)) {
    test(`${name}, with an end for everyone who waits`, async () => {
      const bench = new Bench(setup()).lead(1);
      const accepted = endOf(bench.underTest.propose(5));
      await bench.accept();
      const read = endOf(bench.underTest.read());
      await bench.said('readRequested');
      bench.apply({ type: 'term', term: 1 });
      const gathering = endOf(bench.underTest.propose(6));
      finish(bench);
      const said = bench.inputs.length;
      const late = endOf(bench.underTest.propose(7));
      const all = [await accepted, await read, await gathering, await late];
      checkEqual(all, Array(4).fill('not done'), 'the ends');
      checkEqual(bench.inputs.length, said, 'nothing is said any more');
    });
  }

  test('is for one subscription: a second one is an error', () => {
    const underTest = setup();
    new Bench(underTest);
    const second = new Bench(underTest);
    check(second.end.startsWith('error'), 'the second one ends');
  });
}

async function endOf(promise: Promise<unknown>): Promise<'done' | 'not done'> {
  return promise.then(
    () => 'done',
    () => 'not done',
  );
}

type InputOf<Type, Block, Data> = Extract<MachineInput<Block, Data>, { readonly type: Type }>;

/** A machine, and a core played by hand. */
class Bench<Block, Data> {
  readonly actions = new Subject<MachineAction<Block, Data>>();
  readonly inputs: MachineInput<Block, Data>[] = [];
  readonly subscription;
  position: LogPosition = origin;
  end = '';
  private readonly kept = new ReplaySubject<MachineInput<Block, Data>>(Infinity);
  private term: Term = 0;

  constructor(readonly underTest: MachineUnderTest<Block, Data>) {
    this.subscription = underTest.adapter(this.actions).subscribe({
      next: (input) => {
        this.inputs.push(input);
        this.kept.next(input);
      },
      error: (error: unknown) => (this.end = String(error).replace(/^\w*Error/, 'error')),
      complete: () => (this.end = 'complete'),
    });
  }

  say(action: MachineAction<Block, Data>): void {
    this.actions.next(action);
  }

  lead(term: Term): this {
    this.term = term;
    this.say({ type: 'roleChanged', role: 'leader', currentTerm: term, leaderId: 'a' });
    return this;
  }

  entry(...numbers: readonly number[]): LogEntry<Block> {
    return { type: 'command', command: this.underTest.block(numbers) };
  }

  /** Entries behind the last ones. */
  apply(...list: readonly LogEntry<Block>[]): void {
    const entries = entriesOf(this.position, list);
    this.position = lastPosition(entries);
    this.say({ type: 'apply', entries });
  }

  restore(position: LogPosition, data: Data): void {
    this.position = position;
    this.say({ type: 'restore', snapshot: { position, config: clusterOf(['a']), data } });
  }

  /** The first input of a type, now or later. */
  async said<Type extends MachineInput['type']>(type: Type): Promise<InputOf<Type, Block, Data>> {
    const isOfType = (input: MachineInput<Block, Data>): input is InputOf<Type, Block, Data> =>
      input.type === type;
    return firstValueFrom(this.kept.pipe(filter(isOfType)));
  }

  /** The first proposal gets the place behind the marker of the term. */
  async accept(): Promise<void> {
    const { proposal, commands } = await this.said('proposed');
    checkEqual(commands.length, 1, 'one entry carries the commands of a turn');
    const firstPosition = { index: 2, term: this.term };
    this.say({ type: 'accepted', proposal, firstPosition });
  }

  /** The entry that was proposed first. */
  proposed(): LogEntry<Block> {
    const input = this.inputs.find((each) => each.type === 'proposed');
    check(input, 'nothing is proposed');
    const [command] = input.commands;
    return { type: 'command', command: command as Block };
  }
}
