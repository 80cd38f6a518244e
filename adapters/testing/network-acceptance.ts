/**
 * What every network owes the core: messages and snapshots arrive as they were sent or not at all,
 * a transfer ends exactly once, and no peer's fault is the node's.
 */
import type { OperatorFunction, Subscription } from 'rxjs';
import { Subject } from 'rxjs';
import type { NetworkAction } from '../../lib/action.js';
import { clusterOf } from '../../lib/cluster-config.js';
import { entriesOf } from '../../lib/entries.js';
import type { NetworkInput } from '../../lib/input.js';
import type { Message } from '../../lib/message.js';
import type { NodeId, Term } from '../../lib/position.js';
import { origin } from '../../lib/position.js';
import type { Snapshot } from '../../lib/snapshot.js';
import { check, checkEqual } from './check.js';

/** A fresh network of the nodes `a`, `b` and `c`, and of `nowhere`, which never listens. */
export interface NetworkUnderTest<C, S> {
  /** The adapter of a node. Asked for again when the node comes back after its end. */
  adapter(id: NodeId): OperatorFunction<NetworkAction<C, S>, NetworkInput<C, S>>;
  /** A command, and the data of a snapshot: fresh values, different for different numbers. */
  command(number: number): C;
  data(number: number): S;
  /** How much all nodes together hold: connections, timers, places in a table. Default: unknown. */
  held?(): number;
  close?(): void | Promise<void>;
}

type Test = (name: string, body: () => void | Promise<void>) => void;
type Setup<C, S> = () => NetworkUnderTest<C, S> | Promise<NetworkUnderTest<C, S>>;
type Story<C, S> = (bench: Bench<C, S>) => Promise<void>;

/** Registers the suite with a runner's `test` or `it`. `setup` makes a network for each test. */
export function networkAcceptance<C, S>(test: Test, setup: Setup<C, S>): void {
  const tell = (name: string, story: Story<C, S>): void =>
    test(name, async () => {
      const bench = new Bench(await setup());
      try {
        await story(bench);
      } finally {
        await bench.close();
      }
    });
  messageAcceptance(tell);
  snapshotAcceptance(tell);
  endAcceptance(tell);
}

function messageAcceptance<C, S>(tell: (name: string, story: Story<C, S>) => void): void {
  tell('every kind of message arrives as it was sent, in the name of its sender', async (bench) => {
    const [a, b] = [bench.start('a'), bench.start('b')];
    for (const message of bench.everyKind('a')) {
      await bench.until(() => {
        a.act({ type: 'sendMessage', to: 'b', message });
        return b.messages().some(({ type }) => type === message.type);
      }, `${message.type} arrives`);
      const heard = b.messages().filter(({ type }) => type === message.type);
      for (const each of heard) checkEqual(each, message, message.type);
    }
    checkEqual(a.inputs, [], 'the sender hears nothing');
  });

  tell(
    'a broadcast reaches all to whom it goes, and nobody shares what it hears',
    async (bench) => {
      const [a, b, c] = [bench.start('a'), bench.start('b'), bench.start('c')];
      const message = bench.append('a', 1);
      await bench.until(() => {
        a.act({ type: 'broadcastMessage', to: ['b', 'c'], message });
        return b.messages().length > 0 && c.messages().length > 0;
      }, 'both hear it');
      const [atB, atC] = [b.messages()[0], c.messages()[0]];
      checkEqual(atB, message, 'at b');
      checkEqual(atC, message, 'at c');
      for (const [one, other] of [
        [atB, message] as const,
        [atC, message] as const,
        [atB, atC] as const,
      ]) {
        check(one !== other, 'a message of its own');
        const [first, second] = [commandsOf(one), commandsOf(other)];
        check(first && first !== second, 'commands of its own');
        check(typeof first[1] !== 'object' || first[1] !== second?.[1], 'and each command');
      }
    },
  );

  tell('peers speak both ways at once', async (bench) => {
    const [a, b] = [bench.start('a'), bench.start('b')];
    await bench.until(() => {
      a.act({ type: 'sendMessage', to: 'b', message: bench.append('a', 1) });
      b.act({ type: 'sendMessage', to: 'a', message: bench.append('b', 1) });
      return a.messages().length > 0 && b.messages().length > 0;
    }, 'both hear each other');
    checkEqual(a.messages()[0]?.from, 'b', 'at a');
    checkEqual(b.messages()[0]?.from, 'a', 'at b');
  });

  tell('a peer that is not there loses messages, and nothing else', async (bench) => {
    const [a, b] = [bench.start('a'), bench.start('b')];
    await bench.until(() => {
      a.act({ type: 'sendMessage', to: 'nowhere', message: bench.append('a', 1) });
      a.act({ type: 'broadcastMessage', to: ['nowhere', 'b'], message: bench.append('a', 2) });
      return b.messages().length > 0;
    }, 'b hears it');
    checkEqual(a.end, 'none', 'a goes on');
  });
}

function snapshotAcceptance<C, S>(tell: (name: string, story: Story<C, S>) => void): void {
  tell('a snapshot arrives whole, and its transfer ends once', async (bench) => {
    const [a, b] = [bench.start('a'), bench.start('b')];
    const snapshot = bench.snapshot(1);
    await bench.transfer(a, b, 7, snapshot);
    const expected = { type: 'snapshotReceived', from: 'a', term: 7, snapshot };
    checkEqual(b.inputs, [expected], 'at b');
    checkEqual(a.inputs, [{ type: 'snapshotSent', to: 'b' }], 'at a');
  });

  tell(
    'what is asked for while a transfer runs is ignored: as many end as arrive',
    async (bench) => {
      const [a, b] = [bench.start('a'), bench.start('b')];
      for (const number of [1, 2, 3]) {
        a.act({ type: 'installSnapshot', to: 'b', term: 1, snapshot: bench.snapshot(number) });
      }
      await bench.until(() => a.inputs.length > 0 && b.inputs.length > 0, 'the first is over');
      const before = a.inputs.length;
      await bench.transfer(a, b, 1, bench.snapshot(4));
      checkEqual(a.inputs.length, before + 1, 'another one can follow');
      checkEqual(b.inputs.length, a.inputs.length, 'as many as arrived');
      check(
        b.inputs.every(({ type }) => type === 'snapshotReceived'),
        'nothing else',
      );
    },
  );

  tell('transfers to two peers run side by side', async (bench) => {
    const [a, b, c] = [bench.start('a'), bench.start('b'), bench.start('c')];
    for (const to of ['b', 'c']) {
      a.act({ type: 'installSnapshot', to, term: 1, snapshot: bench.snapshot(1) });
    }
    await bench.until(() => a.inputs.length === 2, 'both are over');
    checkEqual([b.inputs.length, c.inputs.length], [1, 1], 'both arrived');
  });

  tell('a transfer to a peer that is not there ends too, once', async (bench) => {
    const a = bench.start('a');
    a.act({ type: 'installSnapshot', to: 'nowhere', term: 1, snapshot: bench.snapshot(1) });
    await bench.until(() => a.inputs.length > 0, 'it is over');
    checkEqual(a.inputs, [{ type: 'snapshotSent', to: 'nowhere' }], 'at a');
    checkEqual(a.end, 'none', 'a goes on');
  });
}

function endAcceptance<C, S>(tell: (name: string, story: Story<C, S>) => void): void {
  tell('completes when its actions complete', async (bench) => {
    const [a, b] = [bench.start('a'), bench.start('b')];
    await bench.hears(a, b);
    a.act({ type: 'sendMessage', to: 'nowhere', message: bench.append('a', 1) });
    a.act({ type: 'installSnapshot', to: 'nowhere', term: 1, snapshot: bench.snapshot(1) });
    a.complete();
    await bench.until(() => a.end === 'complete', 'a completes');
    const heard = a.inputs.length;
    b.act({ type: 'sendMessage', to: 'a', message: bench.append('b', 1) });
    await bench.hears(b, bench.start('c'));
    checkEqual(a.inputs.length, heard, 'a hears nothing any more');
    checkEqual(b.end, 'none', 'b goes on');
  });

  tell('completes when there were no actions', async (bench) => {
    const a = bench.start('a');
    a.complete();
    await bench.until(() => a.end === 'complete', 'a completes');
  });

  tell('an error of its actions passes', async (bench) => {
    const a = bench.start('a');
    a.fail(new Error('of the core'));
    await bench.until(() => a.end === 'error', 'a errors');
  });

  tell('unsubscribing is a crash: nothing is left, and the node can come back', async (bench) => {
    const [a, b] = [bench.start('a'), bench.start('b')];
    await bench.hears(a, b);
    await bench.hears(b, a);
    b.crash();
    const heard = b.inputs.length;
    a.act({ type: 'sendMessage', to: 'b', message: bench.append('a', 1) });
    const again = bench.start('b');
    await bench.hears(a, again);
    await bench.hears(again, a);
    checkEqual([b.inputs.length, b.end], [heard, 'none'], 'the crashed run is silent');
    checkEqual(a.end, 'none', 'a goes on');
    a.crash();
    again.crash();
    await bench.until(() => (bench.underTest.held?.() ?? 0) === 0, 'nothing is held');
  });
}

/** One run of a node: what it was told, and how it ended. */
class Run<C, S> {
  readonly inputs: NetworkInput<C, S>[] = [];
  end: 'none' | 'complete' | 'error' = 'none';
  private readonly action$ = new Subject<NetworkAction<C, S>>();
  private readonly subscription: Subscription;

  constructor(
    readonly id: NodeId,
    adapter: OperatorFunction<NetworkAction<C, S>, NetworkInput<C, S>>,
  ) {
    this.subscription = this.action$.pipe(adapter).subscribe({
      next: (input) => this.inputs.push(input),
      error: () => (this.end = 'error'),
      complete: () => (this.end = 'complete'),
    });
  }

  act(action: NetworkAction<C, S>): void {
    this.action$.next(action);
  }

  complete(): void {
    this.action$.complete();
  }

  fail(error: Error): void {
    this.action$.error(error);
  }

  crash(): void {
    this.subscription.unsubscribe();
  }

  messages(): Message<C>[] {
    return this.inputs.flatMap((input) => (input.type === 'received' ? [input.message] : []));
  }
}

class Bench<C, S> {
  private readonly runs: Run<C, S>[] = [];
  private round = 0;

  constructor(readonly underTest: NetworkUnderTest<C, S>) {}

  start(id: NodeId): Run<C, S> {
    const run = new Run(id, this.underTest.adapter(id));
    this.runs.push(run);
    return run;
  }

  async close(): Promise<void> {
    for (const run of this.runs) run.crash();
    await this.underTest.close?.();
  }

  /** A network may lose anything: what is tried here is tried again, for ten seconds. */
  async until(condition: () => boolean, message: string): Promise<void> {
    for (let tries = 0; tries < 1000; tries += 1) {
      if (condition()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`not within ten seconds: ${message}`);
  }

  /** The one hears a new message of the other. */
  async hears(from: Run<C, S>, to: Run<C, S>): Promise<void> {
    const message = this.append(from.id, 1);
    await this.until(() => {
      from.act({ type: 'sendMessage', to: to.id, message });
      return to.messages().some((each) => 'round' in each && each.round === message.round);
    }, `${to.id} hears ${from.id}`);
  }

  async transfer(from: Run<C, S>, to: Run<C, S>, term: Term, snapshot: Snapshot<S>): Promise<void> {
    const [sent, received] = [from.inputs.length, to.inputs.length];
    from.act({ type: 'installSnapshot', to: to.id, term, snapshot });
    await this.until(() => from.inputs.length > sent, 'the transfer is over');
    check(to.inputs.length > received, 'and has arrived by then');
  }

  append(from: NodeId, number: number): Extract<Message<C>, { type: 'appendEntriesCall' }> {
    const { underTest } = this;
    const entries = entriesOf<C>({ term: 2, index: 3 }, [
      { type: 'term', term: 3 },
      { type: 'command', command: underTest.command(number) },
      { type: 'config', config: clusterOf(['a', 'b', 'c']) },
      { type: 'command', command: underTest.command(number + 1) },
    ]);
    const round = (this.round += 1);
    return { type: 'appendEntriesCall', from, term: 4, round, commitIndex: 3, entries };
  }

  everyKind(from: NodeId): Message<C>[] {
    const term = 2 ** 53 - 1;
    const [position, generation] = [{ term: 5, index: 2 ** 40 }, 9];
    const reply = { type: 'appendEntriesReply', from, term, round: 6, generation } as const;
    return [
      { type: 'requestVoteCall', from, term, lastPosition: position },
      { type: 'requestVoteReply', from, term, voteGranted: true },
      { type: 'removalNotice', from, term, position },
      { ...reply, refused: false, lastPosition: origin },
      this.append(from, 1),
    ];
  }

  snapshot(number: number): Snapshot<S> {
    const config = { voters: ['a', 'b'], newVoters: ['b', 'c'], nonVoters: ['d'] };
    return { position: { term: 2, index: number }, config, data: this.underTest.data(number) };
  }
}

function commandsOf(message: Message | undefined): readonly unknown[] | null {
  return message?.type === 'appendEntriesCall' ? message.entries.commands : null;
}
