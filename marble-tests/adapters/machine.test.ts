/**
 * The machine: a reducer over the log (§2, §5.3), and the end of every request.
 *
 * The reducer here appends a number to a list, and its result is the length. Entries are written
 * `entry(1, 2)`: one block of two commands.
 */
import type { Observable } from 'rxjs';
import { from, NEVER, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import type { CommandPosition, Machine, MachineOptions } from '../../adapters/machine.js';
import {
  CommandFailed,
  CommandTooLarge,
  machine,
  MachineError,
  NotApplied,
  NotLeader,
  OutcomeUnknown,
  Overloaded,
  Refused,
} from '../../adapters/machine.js';
import { valueCodec } from '../../adapters/codec.js';
import { machineAcceptance } from '../../adapters/testing/machine-acceptance.js';
import { turnScheduler } from '../../adapters/turn-scheduler.js';
import type { MachineAction } from '../../lib/action.js';
import { clusterOf, noCluster } from '../../lib/cluster-config.js';
import { ConfigError } from '../../lib/config.js';
import type { LogEntry } from '../../lib/entries.js';
import { entriesOf } from '../../lib/entries.js';
import type { MachineInput } from '../../lib/input.js';
import { InvariantError } from '../../lib/invariant.js';
import type { LogPosition } from '../../lib/position.js';
import { origin } from '../../lib/position.js';
import { marbles } from '../marbles.js';

type List = readonly number[];
type Options = MachineOptions<List, number, number>;
type ListMachine = Machine<List, number, number>;
type ListAction = MachineAction<List, List>;
type ListInput = MachineInput<List, List>;

function append(state: List, command: number): { state: List; result: number } {
  return { state: [...state, command], result: state.length + 1 };
}

function listMachine(options: Partial<Options> = {}): ListMachine {
  return machine({ reducer: append, initialState: [], ...options });
}

const marker = (term: number): LogEntry<never> => ({ type: 'term', term });
const entry = (...command: number[]): LogEntry<List> => ({ type: 'command', command });
const config: LogEntry<never> = { type: 'config', config: clusterOf(['a']) };
const at = (index: number, term: number): LogPosition => ({ index, term });

const apply = (prevPosition: LogPosition, ...list: LogEntry<List>[]): ListAction => ({
  type: 'apply',
  entries: entriesOf(prevPosition, list),
});
const restore = (position: LogPosition, data: List): ListAction => ({
  type: 'restore',
  snapshot: { position, config: noCluster, data },
});
const accepted = (proposal: number, firstPosition: LogPosition): ListAction => ({
  type: 'accepted',
  proposal,
  firstPosition,
});
const leads = (currentTerm: number): ListAction => ({
  type: 'roleChanged',
  role: 'leader',
  currentTerm,
  leaderId: 'a',
});
const follows = (currentTerm: number): ListAction => ({
  type: 'roleChanged',
  role: 'follower',
  currentTerm,
  leaderId: 'b',
});
const campaigns = (currentTerm: number): ListAction => ({
  type: 'roleChanged',
  role: 'candidate',
  currentTerm,
  leaderId: null,
});

/** A machine, and a core played by hand. */
function playing(options: Partial<Options> = {}): {
  list: ListMachine;
  action$: Subject<ListAction>;
  say: (...actions: ListAction[]) => void;
  inputs: ListInput[];
  errors: unknown[];
  unsubscribe: () => void;
} {
  const list = listMachine(options);
  const action$ = new Subject<ListAction>();
  const inputs: ListInput[] = [];
  const errors: unknown[] = [];
  const subscription = list.adapter(action$).subscribe({
    next: (input) => inputs.push(input),
    error: (error: unknown) => errors.push(error),
  });
  const say = (...actions: ListAction[]): void => actions.forEach((each) => action$.next(each));
  return { list, action$, say, inputs, errors, unsubscribe: () => subscription.unsubscribe() };
}

/** How a promise ends. */
async function endOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

const bytes = {
  pack: (commands: List): Uint8Array => Uint8Array.from(commands),
  unpack: (block: Uint8Array): List => [...block],
  save: (state: List): Uint8Array => Uint8Array.from(state),
  load: (data: Uint8Array): List => [...data],
};

describe('machine', () => {
  const schedulers = { 'at once': {}, 'by turns': { scheduler: turnScheduler } };
  for (const [name, scheduler] of Object.entries(schedulers)) {
    describe(name, () => {
      machineAcceptance(
        (rule, body) =>
          it(rule, async () => {
            await expect(Promise.resolve().then(body)).resolves.toBeUndefined();
          }),
        () => {
          const list = machine({
            reducer: append,
            initialState: [],
            snapshotEvery: { entries: 100 },
            ...bytes,
            ...scheduler,
          });
          return {
            adapter: list.adapter,
            block: bytes.pack,
            applied: () => list.state,
            data: bytes.save,
            propose: list.dispatch,
            read: list.read,
          };
        },
      );
    });
  }
});

describe('what a turn asks', () => {
  it(
    'goes as one block, and many reads as one number',
    marbles((m) => {
      const list = listMachine({ scheduler: m.scheduler });
      const action$ = m.hot<never>('-----|');
      m.expect(list.adapter(action$)).toBeObservable('-(pr)|', {
        p: { type: 'proposed', proposal: 1, commands: [[7, 8, 9]] },
        r: { type: 'readRequested', reads: 2 },
      });
      m.scheduler.schedule(() => {
        for (const each of [7, 8, 9]) void endOf(list.dispatch(each));
        for (let i = 0; i < 3; i += 1) void endOf(list.read());
      }, 1);
    }),
  );

  it('goes at once, and alone, without a scheduler', () => {
    const { list, inputs, unsubscribe } = playing();
    const ends = [7, 8].map(async (each) => endOf(list.dispatch(each)));
    void endOf(list.read());
    expect(inputs).toStrictEqual([
      { type: 'proposed', proposal: 1, commands: [[7]] },
      { type: 'proposed', proposal: 2, commands: [[8]] },
      { type: 'readRequested', reads: 3 },
    ]);
    unsubscribe();
    expect(ends).toHaveLength(2);
  });

  it('gathers again in the next turn', () => {
    const scheduler = new VirtualTimeScheduler();
    const { list, inputs } = playing({ scheduler });
    for (const each of [1, 2, 3]) {
      void endOf(list.dispatch(each));
      scheduler.flush();
    }
    expect(inputs.map((each) => each.type === 'proposed' && each.commands)).toEqual([
      [[1]],
      [[2]],
      [[3]],
    ]);
  });

  it('is cut into blocks of a bounded size', () => {
    const scheduler = new VirtualTimeScheduler();
    const limits = { blockCommands: 3, blockBytes: 10 };
    const { list, inputs } = playing({ scheduler, limits, sizeOf: (command) => command });
    for (const each of [1, 1, 1, 1, 9, 1, 11, 2]) void endOf(list.dispatch(each));
    scheduler.flush();
    const blocks = inputs.map((each) => (each.type === 'proposed' ? each.commands : []));
    expect(blocks).toEqual([[[1, 1, 1]], [[1, 9]], [[1]], [[11]], [[2]]]);
  });

  it('is refused at the limits: "waiters, bounded" (law 6)', async () => {
    const { list, say } = playing({
      limits: { waiters: 3, waitingBytes: 10 },
      sizeOf: (command) => command,
    });
    const first = endOf(list.dispatch(9));
    expect(await endOf(list.dispatch(2))).toBeInstanceOf(Overloaded);
    expect(await endOf(list.dispatch(NaN))).toBeInstanceOf(Overloaded);
    void endOf(list.read());
    void endOf(list.changeConfig(clusterOf(['a'])));
    expect(await endOf(list.read())).toBeInstanceOf(Overloaded);
    say({ type: 'rejected', proposal: 1, reason: 'overloaded', leaderId: 'a' });
    expect(await first).toBeInstanceOf(Overloaded);
    const next = endOf(list.dispatch(10));
    say(leads(1), accepted(4, at(2, 1)), apply(origin, marker(1), entry(10)));
    expect(await next).toBe(1);
  });

  const refused: ListAction = { type: 'rejected', proposal: 1, reason: 'notReady', leaderId: 'a' };
  it.each<[string, ...ListAction[]]>([
    ['is applied', accepted(1, at(2, 1)), apply(origin, marker(1), entry(1))],
    ['is refused', refused],
    ['gives way to another', accepted(1, at(2, 1)), apply(origin, marker(1), marker(2))],
    ['loses its leader', accepted(1, at(2, 1)), follows(2)],
    ['is within a snapshot', accepted(1, at(2, 1)), restore(at(2, 1), [1])],
  ])('what %s makes room for one other, and no more (law 6)', async (_, ...ending) => {
    const { list, say, inputs } = playing({ limits: { waiters: 1 } });
    const first = endOf(list.dispatch(1));
    say(leads(1), ...ending);
    await first;
    // It has ended once: whatever may end others is not said of it again.
    say(accepted(1, at(8, 1)), refused, restore(at(9, 1), []), follows(2), follows(3));
    void endOf(list.dispatch(2));
    expect(inputs).toHaveLength(2);
    expect(await endOf(list.dispatch(3))).toBeInstanceOf(Overloaded);
  });

  it.each<[string, ListAction]>([
    ['is ready', { type: 'readReady', reads: [1], index: 0 }],
    ['is refused', { type: 'readRefused', reads: [1], reason: 'notLeader', leaderId: 'b' }],
  ])('a read that %s makes room for one other, and no more (law 6)', async (_, ending) => {
    const { list, say, inputs } = playing({ limits: { waiters: 1 } });
    const first = endOf(list.read());
    say(ending);
    await first;
    say(ending);
    void endOf(list.read());
    expect(inputs).toHaveLength(2);
    expect(await endOf(list.read())).toBeInstanceOf(Overloaded);
  });

  it.each([
    ['text', 'x'.repeat(101)],
    ['text of more bytes than characters', '€'.repeat(34)],
    ['bytes', new Uint8Array(101)],
    ['a value', { x: 1, list: ['x'.repeat(80), 2, 3] }],
  ])('%s over the limit is refused before the log, and says what helps', async (_, command) => {
    const counter = machine({
      reducer: (state: number, each: unknown) => ({ state: state + 1, result: each }),
      initialState: 0,
      limits: { commandBytes: 100 },
    });
    const inputs: unknown[] = [];
    counter.adapter(NEVER).subscribe((input) => inputs.push(input));
    const error = await endOf(counter.dispatch(command));
    expect(error).toBeInstanceOf(CommandTooLarge);
    expect(error).toMatchObject({ outcome: 'notApplied', limit: 100 });
    expect(String(error)).toMatch(/commandBytes.*maxFrameBytes/);
    expect(inputs).toEqual([]);
    void endOf(counter.dispatch('x'.repeat(100)));
    expect(inputs).toHaveLength(1);
  });

  it('a block that packing has made too long is refused, and its neighbours are not', async () => {
    const scheduler = new VirtualTimeScheduler();
    const pack = (commands: List): Uint8Array => new Uint8Array(10 * Math.max(...commands));
    const { adapter, dispatch } = machine({
      ...{ reducer: append, initialState: [], scheduler, pack, unpack: () => [] },
      ...{ limits: { commandBytes: 50, blockBytes: 40 }, sizeOf: () => 1 },
    });
    const inputs: MachineInput<Uint8Array, List>[] = [];
    adapter(NEVER).subscribe((input) => inputs.push(input));
    const ends = [5, 6, 1].map((each) => endOf(dispatch(each)));
    scheduler.flush();
    expect(await ends[1]).toEqual(new CommandTooLarge(60, 50));
    const blocks = inputs.flatMap((each) => (each.type === 'proposed' ? each.commands : []));
    expect(blocks.map((block) => block.length)).toEqual([50, 10]);
  });

  it.each([
    ['a function', { f: () => 1 }],
    ['a lone surrogate', '\ud800'],
    ['what contains itself', [] as unknown[]],
  ])('%s is refused where nobody packs: no disk could have it (H12)', async (_, command) => {
    if (Array.isArray(command)) command.push(command, command);
    const counter = machine({
      reducer: (state: number, each: unknown) => ({ state: state + 1, result: each }),
      initialState: 0,
      limits: { commandBytes: 10_000, blockBytes: 10_000 },
    });
    const inputs: unknown[] = [];
    counter.adapter(NEVER).subscribe((input) => inputs.push(input));
    expect(await endOf(counter.dispatch(command))).toMatchObject({ outcome: 'notApplied' });
    expect(inputs).toEqual([]);
  });

  it('what is taken where nobody packs has a place in a state that can be written (H12)', () => {
    const list = machine({
      reducer: (state: readonly unknown[], each: unknown) => ({
        state: [...state, each],
        result: 1,
      }),
      initialState: [],
    });
    const inputs: MachineInput<readonly unknown[], readonly unknown[]>[] = [];
    list.adapter(NEVER).subscribe((input) => inputs.push(input));
    let command: unknown = 1;
    for (let depth = 0; depth < 70; depth += 1) {
      list.dispatch(command).catch(() => undefined);
      command = [command];
    }
    const taken = inputs.flatMap((each) => (each.type === 'proposed' ? each.commands : []));
    expect(taken.length).toBeGreaterThan(30);
    expect(() => valueCodec().encode({ list: { kept: taken.at(-1) } })).not.toThrow();
  });

  it('a command that can not be measured rejects, and does not throw', async () => {
    const sizeOf = (command: number): number => {
      if (command === 0) throw new RangeError('zero');
      return 8;
    };
    const { list, inputs } = playing({ sizeOf });
    const bad = list.dispatch(0);
    void endOf(list.dispatch(1));
    expect(await endOf(bad)).toMatchObject({ name: 'NotApplied', cause: new RangeError('zero') });
    expect(inputs.map((each) => (each.type === 'proposed' ? each.commands : []))).toEqual([[[1]]]);
  });

  it('a command that can not be packed costs its neighbours nothing', async () => {
    const scheduler = new VirtualTimeScheduler();
    const pack = (commands: List): List => {
      if (commands.includes(0)) throw new RangeError('zero');
      return commands;
    };
    const { list, inputs } = playing({ scheduler, pack, unpack: (block) => block });
    void endOf(list.dispatch(1));
    const bad = endOf(list.dispatch(0));
    void endOf(list.dispatch(2));
    scheduler.flush();
    expect(await bad).toMatchObject({ name: 'NotApplied', cause: new RangeError('zero') });
    const blocks = inputs.map((each) => (each.type === 'proposed' ? each.commands : []));
    expect(blocks).toEqual([[[1]], [[2]]]);
  });
});

describe('the end of a proposal', () => {
  it('may come from within, before the asking is over', async () => {
    const list = listMachine();
    const action$ = new Subject<ListAction>();
    list.adapter(action$).subscribe((input) => {
      if (input.type === 'readRequested') {
        action$.next({ type: 'readReady', reads: [input.reads], index: 2 });
      }
      if (input.type !== 'proposed') return;
      action$.next(leads(1));
      action$.next(accepted(input.proposal, at(2, 1)));
      action$.next(apply(origin, marker(1), entry(5)));
    });
    expect(await list.dispatch(5)).toBe(1);
    expect(await list.read()).toEqual([5]);
  });

  it('each command of a block gets its own result, and its place', async () => {
    const scheduler = new VirtualTimeScheduler();
    const places: CommandPosition[] = [];
    const { list, say } = playing({
      scheduler,
      reducer: (state, command, place) => {
        places.push(place);
        return append(state, command);
      },
    });
    const ends = [7, 8].map(async (each) => list.dispatch(each));
    scheduler.flush();
    say(leads(3), accepted(1, at(2, 3)), apply(origin, marker(3), entry(7, 8)));
    expect(await Promise.all(ends)).toEqual([1, 2]);
    expect(places).toStrictEqual([
      { term: 3, index: 2, offset: 0 },
      { term: 3, index: 2, offset: 1 },
    ]);
  });

  it('64 concurrent commands: 64 are in the log, 64 resolve with their own result (J5)', async () => {
    const { list, say, inputs } = playing();
    say(leads(1), apply(origin, marker(1)));
    const ends = Array.from({ length: 64 }, async (_, each) => list.dispatch(each));
    const proposed = inputs.flatMap((each) => (each.type === 'proposed' ? [each] : []));
    expect(proposed).toHaveLength(64);
    proposed.forEach(({ proposal }, each) => say(accepted(proposal, at(2 + each, 1))));
    const entries = proposed.map(({ commands }) => entry(...(commands[0] as List)));
    say(apply(at(1, 1), ...entries));
    expect(await Promise.all(ends)).toEqual(Array.from({ length: 64 }, (_, each) => each + 1));
    expect(list.state).toHaveLength(64);
  });

  it('"a waiter keyed by index alone": a deposed leader acknowledges nothing of others (J1)', async () => {
    const { list, say } = playing();
    say(leads(1), apply(origin, marker(1), entry(1)));
    const x = endOf(list.dispatch(5));
    say(accepted(1, at(3, 1)));
    // The other side has committed its own entries there; after healing they arrive here.
    say(follows(2), apply(at(2, 1), marker(2), entry(6)));
    expect(await x).toBeInstanceOf(OutcomeUnknown);
    expect(list.state).toEqual([1, 6]);
  });

  it('"T: A\'s waiter for 5 gets lost, never ok(y\'s result)" (E10)', async () => {
    const { list, say } = playing();
    say(restore(at(4, 2), []), leads(2));
    const x = endOf(list.dispatch(5));
    say(accepted(1, at(5, 2)), apply(at(4, 2), marker(3)));
    expect(await x).toBeInstanceOf(NotApplied);
  });

  it('"outcomes: applied, definitely not appended, unknown" (E11)', async () => {
    const { list, say } = playing();
    const ends = [1, 2, 3, 4].map(async (each) => endOf(list.dispatch(each)));
    say({ type: 'rejected', proposal: 1, reason: 'notLeader', leaderId: 'b' });
    say({ type: 'rejected', proposal: 2, reason: 'emptyProposal', leaderId: null });
    say(leads(1), accepted(3, at(2, 1)), accepted(4, at(3, 1)));
    say(apply(origin, marker(1), entry(3)), follows(1));
    expect(await Promise.all(ends)).toEqual([
      new NotLeader('b'),
      new Refused('emptyProposal'),
      1,
      new OutcomeUnknown('the leadership of term 1 ended before the log decided'),
    ]);
    expect(await ends[0]).toMatchObject({ leaderId: 'b', outcome: 'notApplied' });
    expect(await ends[1]).toMatchObject({ reason: 'emptyProposal', outcome: 'notApplied' });
    expect(await ends[3]).toMatchObject({ outcome: 'unknown' });
    expect(await ends[3]).toBeInstanceOf(MachineError);
  });

  it('an acceptance that is told after the leadership is lost ends at once', async () => {
    for (const lost of [follows(2), follows(1), campaigns(2)]) {
      const { list, say } = playing();
      const end = endOf(list.dispatch(1));
      say(leads(1), lost, accepted(1, at(2, 1)));
      expect(await end).toBeInstanceOf(OutcomeUnknown);
    }
  });

  it('an acceptance that is told before the leadership is announced waits', async () => {
    for (const before of [campaigns(2), follows(1)]) {
      const { list, say } = playing();
      const end = endOf(list.dispatch(1));
      say(before, accepted(1, at(2, 2)), leads(2), apply(origin, marker(2), entry(1)));
      expect(await end).toBe(1);
    }
  });

  it('a second acceptance at an index ends the first as unknown', async () => {
    const { list, say } = playing();
    const first = endOf(list.dispatch(1));
    void endOf(list.dispatch(2));
    say(accepted(1, at(2, 1)), accepted(2, at(2, 2)));
    expect(await first).toBeInstanceOf(OutcomeUnknown);
  });

  it('a snapshot over its index ends it as unknown, and no other', async () => {
    const { list, say } = playing();
    const ends = [1, 2].map(async (each) => endOf(list.dispatch(each)));
    say(leads(1), accepted(1, at(2, 1)), accepted(2, at(3, 1)), restore(at(2, 1), [1]));
    expect(await ends[0]).toBeInstanceOf(OutcomeUnknown);
    say(apply(at(2, 1), entry(2)));
    expect(await ends[1]).toBe(2);
  });

  it('a stop ends what was said as unknown, and what was not as certainly not', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { list, action$, say, inputs } = playing({ scheduler });
    expect(await endOf(listMachine().dispatch(1))).toBeInstanceOf(NotApplied);
    const said = [1, 2].map(async (each) => endOf(list.dispatch(each)));
    const read = endOf(list.read());
    scheduler.flush();
    say(leads(1), accepted(1, at(2, 1)));
    const schedule = vi.spyOn(scheduler, 'schedule');
    const unsaid = [endOf(list.dispatch(3)), endOf(list.read())];
    action$.complete();
    expect(schedule.mock.results).toMatchObject([{ value: { closed: true } }]);
    scheduler.flush();
    for (const end of await Promise.all(said)) expect(end).toBeInstanceOf(OutcomeUnknown);
    expect(await read).toBeInstanceOf(NotApplied);
    for (const end of await Promise.all(unsaid)) expect(end).toBeInstanceOf(NotApplied);
    expect(await endOf(list.dispatch(4))).toBeInstanceOf(NotApplied);
    expect(await endOf(list.read())).toBeInstanceOf(NotApplied);
    expect(await endOf(list.createCluster(['a']))).toBeInstanceOf(NotApplied);
    expect(inputs).toHaveLength(2);
  });

  it('a stop from within a proposal ends what the same turn has not said yet', async () => {
    const unknown = new OutcomeUnknown('the node stopped before the log decided');
    const stopped = new NotApplied('the node has stopped');
    const zero = new NotApplied('the command can not be packed');
    const pack = (commands: List): List => {
      if (commands.includes(0)) throw new RangeError('zero');
      return commands;
    };
    // A block that is full is said while the next command is dispatched; and of one that can not be
    // packed, the commands are said one by one.
    for (const [blockCommands, commands, ends] of [
      [2, [1, 2, 3], [unknown, unknown, stopped]],
      [3, [1, 0, 3], [unknown, zero, stopped]],
    ] as const) {
      const scheduler = new VirtualTimeScheduler();
      const unpack = (block: List): List => block;
      const list = listMachine({ scheduler, pack, unpack, limits: { blockCommands } });
      const action$ = new Subject<ListAction>();
      list.adapter(action$).subscribe(() => action$.complete());
      const asked = commands.map((each) => endOf(list.dispatch(each)));
      scheduler.flush();
      expect(await Promise.all(asked)).toMatchObject(ends);
    }
  });

  it('a stop from within a proposal leaves no turn behind', async () => {
    const scheduler = new VirtualTimeScheduler();
    const list = listMachine({ scheduler, limits: { blockCommands: 1 } });
    const action$ = new Subject<ListAction>();
    list.adapter(action$).subscribe(() => action$.complete());
    const asked = [1, 2].map((each) => endOf(list.dispatch(each)));
    expect(scheduler.actions.filter((each) => !each.closed)).toEqual([]);
    expect(await asked[1]).toEqual(new NotApplied('the node has stopped'));
  });

  it("answers to numbers that were not asked here are somebody else's", () => {
    const { say, errors } = playing();
    say(accepted(9, at(2, 1)), { type: 'readReady', reads: [9], index: 0 });
    say({ type: 'rejected', proposal: 9, reason: 'overloaded', leaderId: null });
    say({ type: 'readRefused', reads: [9], reason: 'overloaded', leaderId: null });
    say(leads(1), apply(origin, marker(1), entry(1)), accepted(10, at(3, 1)), follows(2));
    expect(errors).toEqual([]);
  });
});

describe('changes of members', () => {
  it('a change is done when its configuration is committed (§6)', async () => {
    const { list, say, inputs } = playing();
    const change = list.changeConfig(clusterOf(['a', 'b']));
    expect(inputs).toStrictEqual([
      { type: 'configProposed', proposal: 1, config: clusterOf(['a', 'b']) },
    ]);
    say(leads(1), accepted(1, at(2, 1)), apply(origin, marker(1), config));
    expect(await change).toStrictEqual({ index: 2, term: 1 });
  });

  it('a refused change says why', async () => {
    const { list, say } = playing();
    const change = endOf(list.changeConfig(noCluster));
    say({ type: 'rejected', proposal: 1, reason: 'notReady', leaderId: 'a' });
    expect(await change).toEqual(new Refused('notReady'));
  });

  it('a new cluster waits through the elections of its first leader', async () => {
    const { list, say, inputs } = playing();
    const created = list.createCluster(['a']);
    expect(inputs).toStrictEqual([{ type: 'clusterProposed', proposal: 1, voters: ['a'] }]);
    say(follows(0), accepted(1, at(1, 0)), campaigns(1), campaigns(2), leads(2));
    say(apply(origin, config, marker(2)));
    expect(await created).toStrictEqual({ index: 1, term: 0 });
  });
});

describe('the log', () => {
  it('"exactly once per run in order; after a restart from the snapshot on" (J9)', () => {
    const first = playing({ snapshotEvery: { entries: 3 } });
    first.say(apply(origin, marker(1), entry(1)), apply(at(2, 1), entry(2), config, entry(3)));
    const [taken] = first.inputs;
    expect(taken).toStrictEqual({ type: 'snapshotTaken', index: 5, data: [1, 2, 3] });
    expect(first.list.appliedIndex).toBe(5);
    const second = playing();
    second.say(restore(at(5, 1), [1, 2, 3]), apply(at(5, 1), entry(4)));
    expect(second.list.state).toEqual([1, 2, 3, 4]);
    expect(second.list.appliedIndex).toBe(6);
  });

  it('a gap, a repetition, another history or an older snapshot ends the node (C1)', () => {
    const wrong = [
      apply(at(3, 1), entry(9)),
      apply(at(1, 1), entry(9)),
      apply(at(2, 2), entry(9)),
      restore(at(1, 1), [9]),
    ];
    for (const action of wrong) {
      const { list, say, errors } = playing();
      say(apply(origin, marker(1), entry(1)), action, apply(at(2, 1), entry(2)));
      expect(errors).toEqual([expect.any(InvariantError)]);
      expect(list.state).toEqual([1]);
    }
  });

  it('a poison command has a result of its own, the same on every replica (E17)', async () => {
    const reducer = (state: List, command: number): { state: List; result: number } => {
      if (command === 13) throw new RangeError('unlucky');
      return append(state, command);
    };
    const states = [];
    for (const replica of ['leader', 'follower'] as const) {
      const { list, say, errors } = playing({ reducer });
      const end = replica === 'leader' ? endOf(list.dispatch(13)) : null;
      say(leads(1), accepted(1, at(3, 1)));
      say(apply(origin, marker(1), entry(1), entry(13), entry(2)));
      states.push(list.state);
      expect(errors).toEqual([]);
      if (end === null) continue;
      expect(await end).toBeInstanceOf(CommandFailed);
      expect(await end).toMatchObject({ cause: new RangeError('unlucky'), outcome: 'failed' });
    }
    expect(states).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('a reducer that returns no state, as an async one, is a poison command', async () => {
    const reducer = (async (state: List) => ({ state, result: 0 })) as never;
    const { list, say } = playing({ reducer });
    const end = endOf(list.dispatch(1));
    say(leads(1), accepted(1, at(2, 1)), apply(origin, marker(1), entry(1)));
    expect(await end).toBeInstanceOf(CommandFailed);
    expect(list.state).toEqual([]);
  });

  it('a block that is unpacked to no list ends the node, and nobody waits for ever', async () => {
    const { list, say, errors } = playing({
      pack: (commands) => commands,
      unpack: () => undefined as unknown as List,
    });
    const end = endOf(list.dispatch(1));
    say(leads(1), accepted(1, at(2, 1)), apply(origin, marker(1), entry(1)));
    expect(errors).toHaveLength(1);
    expect(await end).toBeInstanceOf(OutcomeUnknown);
  });

  it('a block that can not be unpacked ends the node: others may have applied it', async () => {
    const unpack = (): never => {
      throw new RangeError('a later version');
    };
    const { list, say, errors } = playing({ pack: (commands) => commands, unpack });
    const end = endOf(list.dispatch(1));
    say(leads(1), accepted(1, at(2, 1)), apply(origin, marker(1), entry(1)));
    expect(errors).toEqual([new RangeError('a later version')]);
    expect(await end).toBeInstanceOf(OutcomeUnknown);
  });

  it('nobody waits for ever when a block gives fewer commands than it was given', async () => {
    const { list, say } = playing({ pack: (commands) => commands, unpack: () => [] });
    const end = endOf(list.dispatch(1));
    say(leads(1), accepted(1, at(2, 1)), apply(origin, marker(1), entry(1)));
    expect(await end).toBeInstanceOf(CommandFailed);
  });

  it('nor when those that it gives can not be measured any more', async () => {
    const scheduler = new VirtualTimeScheduler();
    const sizeOf = vi.fn(() => 1);
    const [pack, unpack] = [(commands: List): List => commands, (): List => [1]];
    const { list, say, errors } = playing({ scheduler, pack, unpack, sizeOf });
    const ends = [1, 2].map((each) => endOf(list.dispatch(each)));
    scheduler.flush();
    sizeOf.mockImplementation(() => {
      throw new RangeError('no size');
    });
    say(leads(1), accepted(1, at(2, 1)), apply(origin, marker(1), entry(1, 2)));
    expect(errors).toEqual([new RangeError('no size')]);
    expect(await ends[1]).toBeInstanceOf(CommandFailed);
  });

  it('the reducer runs for every command, the results are for those who wait', () => {
    const reducer = vi.fn(append);
    const { say } = playing({ reducer });
    say(apply(origin, marker(1), entry(1, 2), entry(3)));
    expect(reducer).toHaveBeenCalledTimes(3);
  });
});

describe('snapshots', () => {
  it('are taken on request where a node runs, and again: the core may have dropped one', () => {
    const { list, say, inputs } = playing();
    say(apply(origin, marker(1), entry(7)));
    expect([list.takeSnapshot(), list.takeSnapshot()]).toEqual([2, 2]);
    const taken = { type: 'snapshotTaken', index: 2, data: [7] };
    expect(inputs).toStrictEqual([taken, taken]);
    expect(listMachine().takeSnapshot()).toBe(0);
  });

  it(
    'one follows at the end of the apply that makes it due: of what is applied, no more (C6)',
    marbles((m) => {
      const list = listMachine({ snapshotEvery: { entries: 2 } });
      const action$ = m.hot('-a-b-c-|', {
        a: apply(origin, marker(1)),
        b: apply(at(1, 1), entry(1), entry(2), entry(3)),
        c: apply(at(4, 1), entry(4)),
      });
      m.expect(list.adapter(action$)).toBeObservable('---s---|', {
        s: { type: 'snapshotTaken', index: 4, data: [1, 2, 3] },
      });
    }),
  );

  it('there is none of a state that can not be saved as it is', () => {
    const list = listMachine({
      ...{ snapshotEvery: { entries: 2 }, load: (data: List) => data },
      save: (state: List) => (state.length < 3 ? undefined : state),
    });
    const action$ = new Subject<ListAction>();
    const inputs: ListInput[] = [];
    list.adapter(action$).subscribe((input) => inputs.push(input));
    action$.next(apply(origin, marker(1), entry(1)));
    expect([list.takeSnapshot(), inputs]).toEqual([2, []]);
    action$.next(apply(at(2, 1), entry(2), entry(3)));
    expect(inputs).toStrictEqual([{ type: 'snapshotTaken', index: 4, data: [1, 2, 3] }]);
  });

  it('one is due after so many bytes of blocks', () => {
    const list = machine({
      reducer: append,
      initialState: [],
      snapshotEvery: { bytes: 4 },
      sizeOf: () => 3,
      ...bytes,
    });
    const seen: unknown[] = [];
    const blocks = [[1, 2, 3], [4], [5]].map((each) => bytes.pack(each));
    const entries = blocks.map((command): LogEntry<Uint8Array> => ({ type: 'command', command }));
    const ranges = entries.map((each, i) => entriesOf(i === 0 ? origin : at(i, 0), [each]));
    const action$ = from(ranges.map((each) => ({ type: 'apply', entries: each }) as const));
    list.adapter(action$).subscribe((input) => seen.push(input));
    const data = Uint8Array.from([1, 2, 3, 4]);
    expect(seen).toStrictEqual([{ type: 'snapshotTaken', index: 2, data }]);
  });

  it('bytes of commands count by sizeOf where blocks are no bytes', () => {
    const { say, inputs } = playing({ snapshotEvery: { bytes: 10 }, sizeOf: (each) => each });
    say(apply(origin, marker(1), entry(4, 5)), apply(at(2, 1), entry(1)));
    expect(inputs).toStrictEqual([{ type: 'snapshotTaken', index: 3, data: [4, 5, 1] }]);
  });

  it('a restoration begins the count anew', () => {
    const { say, inputs } = playing({ snapshotEvery: { entries: 3 } });
    say(apply(origin, marker(1), entry(1)), restore(at(8, 1), []), apply(at(8, 1), entry(2)));
    expect(inputs).toEqual([]);
  });
});

describe('reads', () => {
  it('all reads of a number see the state that covers its index (E9)', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { list, say } = playing({ scheduler });
    const reads = [list.read(), list.read()];
    scheduler.flush();
    say(apply(origin, marker(1), entry(1)), { type: 'readReady', reads: [1], index: 2 });
    expect(await Promise.all(reads)).toEqual([[1], [1]]);
  });

  it('a read that is ready before its index is applied ends the node (E9)', async () => {
    const { list, say, errors } = playing();
    const read = endOf(list.read());
    say({ type: 'readReady', reads: [1], index: 1 });
    expect(errors).toEqual([expect.any(InvariantError)]);
    expect(await read).toBeInstanceOf(NotApplied);
  });

  it('every read ends: "index, or typed refusal" (E4)', async () => {
    const { list, say } = playing();
    const reads = [endOf(list.read()), endOf(list.read())];
    say({ type: 'readRefused', reads: [1], reason: 'notLeader', leaderId: 'b' });
    say({ type: 'readRefused', reads: [2], reason: 'overloaded', leaderId: null });
    expect(await reads[0]).toEqual(new NotLeader('b'));
    expect(await reads[1]).toBeInstanceOf(Overloaded);
  });
});

describe('state$', () => {
  it(
    'is the state now, and after each batch of commands; completes when the node stops',
    marbles((m) => {
      const list = listMachine();
      const action$ = m.hot('-r-a-t-|', {
        r: restore(at(1, 1), [0]),
        a: apply(at(1, 1), entry(1, 2), entry(3)),
        t: apply(at(3, 1), config),
      });
      m.expect(list.state$).toBeObservable('ir-a---|', { i: [], r: [0], a: [0, 1, 2, 3] });
      m.expect(list.adapter(action$)).toBeObservable('-------|');
    }),
  );

  it('shows an index with the state that has it', () => {
    const { list, say } = playing();
    const seen: unknown[] = [];
    list.state$.subscribe((state) => seen.push([list.appliedIndex, state]));
    say(apply(origin, marker(1), entry(1)));
    expect(seen).toEqual([
      [0, []],
      [2, [1]],
    ]);
  });

  it('is complete, and everyone told, before the machine completes (law 8)', () => {
    const list = listMachine();
    const action$ = new Subject<ListAction>();
    const order: string[] = [];
    list.state$.subscribe({ complete: () => order.push('state$') });
    list.adapter(action$).subscribe({ complete: () => order.push('machine') });
    action$.complete();
    expect(order).toEqual(['state$', 'machine']);
  });

  it('completes when the node crashes', () => {
    const { list, unsubscribe } = playing();
    const complete = vi.fn();
    list.state$.subscribe({ complete });
    unsubscribe();
    expect(complete).toHaveBeenCalledOnce();
  });
});

describe('what it is made from', () => {
  it('"two subscriptions = two nodes with one identity": the second is refused (I9)', () => {
    const list = listMachine();
    const errors: unknown[] = [];
    list.adapter(NEVER).subscribe();
    list.adapter(NEVER).subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([new Error('a machine is for one subscription: make another one')]);
  });

  const wrong: [string, Partial<Options>][] = [
    ['reducer', { reducer: {} as Options['reducer'] }],
    ['unpack', { pack: (commands) => commands }],
    ['load', { save: (state) => state }],
    ['waiters', { limits: { waiters: 0 } }],
    ['blockBytes', { limits: { blockBytes: NaN } }],
    ['snapshotEvery.entries', { snapshotEvery: { entries: 0 } }],
    ['snapshotEvery', { snapshotEvery: 100 as never }],
  ];
  it.each(wrong)('names the culprit: %s', (field, options) => {
    expect(() => listMachine(options)).toThrow(ConfigError);
    expect(() => listMachine(options)).toThrow(`${field}: `);
  });

  it('its types follow from the reducer', () => {
    const plain = machine({
      initialState: 0,
      reducer: (sum: number, add: number) => ({ state: sum + add, result: `${sum + add}` }),
    });
    expectTypeOf(plain).toEqualTypeOf<Machine<number, number, string, readonly number[], number>>();
    const packed = machine({ reducer: append, initialState: [], ...bytes });
    expectTypeOf(packed.adapter)
      .parameter(0)
      .toEqualTypeOf<Observable<MachineAction<Uint8Array, Uint8Array>>>();
    expectTypeOf(packed.dispatch).returns.toEqualTypeOf<Promise<number>>();
    expect(plain.state).toBe(0);
  });
});
