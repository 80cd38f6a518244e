/**
 * "Any node may be asked; followers forward", one hop only; what is certainly not done is tried
 * again while there is patience, and what nobody knows is never tried again.
 */
import type { Observable } from 'rxjs';
import { BehaviorSubject, NEVER } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  Answer,
  Change,
  NodeStatus,
  Request,
} from '../../../adapters/key-value/client-protocol.js';
import type { AnyCommand } from '../../../adapters/key-value/commands.js';
import type { Connection } from '../../../adapters/key-value/connection.js';
import { ConnectionLost } from '../../../adapters/key-value/connection.js';
import type { Result, State } from '../../../adapters/key-value/reducer.js';
import { ChangeRefused } from '../../../adapters/change-refused.js';
import { emptyState, reducer } from '../../../adapters/key-value/reducer.js';
import type { Service } from '../../../adapters/key-value/service.js';
import { service } from '../../../adapters/key-value/service.js';
import {
  CommandFailed,
  NotApplied,
  NotLeader,
  CommandTooLarge,
  OutcomeUnknown,
  Overloaded,
  Refused,
} from '../../../adapters/machine.js';

const key = new Uint8Array(Buffer.from('color'));
const value = new Uint8Array(Buffer.from('blue'));
const put: Request = { type: 'command', command: { type: 'put', key, value, condition: null } };
const get: Request = { type: 'get', key, stale: false };
const stale: Request = { type: 'get', key, stale: true };
const done: Answer = { type: 'done' };

/** A machine that throws what it is told to, one after the other, and then works. */
class FakeMachine {
  state: State = emptyState();
  appliedIndex = 7;
  asked = 0;
  failures: Error[] = [];

  readonly dispatch = async (command: AnyCommand): Promise<Result> => {
    this.fail();
    return reducer(this.state, command).result;
  };

  readonly read = async (): Promise<State> => {
    this.fail();
    return this.state;
  };

  private fail(): void {
    this.asked += 1;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  }
}

/** Another node, which answers as it is told to: an Error is the loss of the connection. */
class FakePeer implements Connection {
  isOpen = true;
  readonly asked: Request[] = [];
  private readonly hanging = new Set<(error: Error) => void>();

  constructor(
    readonly address: string,
    private readonly says: (Answer | Error | 'hang')[],
  ) {}

  ask(request: Request): Promise<Answer> {
    this.asked.push(request);
    const answer = this.says.shift() ?? done;
    if (answer === 'hang') return new Promise((_, reject) => this.hanging.add(reject));
    if (answer instanceof Error) this.isOpen = false;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }

  answers(): Observable<never> {
    return NEVER;
  }

  close(cause = 'closed'): void {
    this.isOpen = false;
    for (const reject of this.hanging) reject(new ConnectionLost(this.address, cause));
    this.hanging.clear();
  }
}

const lost = new ConnectionLost('b', 'gone');
const notLeader: Answer = { type: 'refused', reason: 'notLeader', text: '' };

let machine: FakeMachine;
let leader$: BehaviorSubject<string | null>;
let peers: Record<string, (FakePeer | Error)[]>;
let dialled: string[];
let connecting: () => Promise<unknown>;
let node: Service;
let changes: (change: Change) => void;
let takeSnapshot: () => Promise<number>;

beforeEach(() => {
  vi.useFakeTimers();
  machine = new FakeMachine();
  leader$ = new BehaviorSubject<string | null>('a');
  peers = {};
  dialled = [];
  connecting = async () => undefined;
  changes = () => undefined;
  takeSnapshot = async () => 7;
  node = service({
    ...{ id: 'a', machine, leader$ },
    connect: async (id) => {
      dialled.push(id);
      await connecting();
      const peer = peers[id]?.shift() ?? new Error('nobody there');
      if (peer instanceof Error) throw peer;
      return peer;
    },
    status: () => ({ id: 'a' }) as NodeStatus,
    membership: { lead: async (change) => changes(change) },
    takeSnapshot: () => takeSnapshot(),
  });
});
afterEach(() => {
  node.close();
  expect(leader$.observed).toBe(false);
  vi.useRealTimers();
});

/** The answer, and after how many milliseconds. */
async function answered(request: Request, forwarded = false): Promise<readonly [Answer, number]> {
  const begin = performance.now();
  const results: (readonly [Answer, number])[] = [];
  void node.answer(request, forwarded).then((answer) => {
    results.push([answer, Math.round(performance.now() - begin)]);
  });
  for (let ms = 0; results.length === 0 && ms < 10_000; ms += 1) {
    await vi.advanceTimersByTimeAsync(1);
  }
  return results[0] ?? [{ type: 'unknown', text: 'no answer at all' }, Infinity];
}

describe('the leader', () => {
  it('asks its own machine, for its clients and for other nodes', async () => {
    expect((await answered(put))[0]).toEqual(done);
    expect((await answered(get, true))[0]).toEqual({ type: 'value', value });
    expect(dialled).toEqual([]);
  });

  it.each([
    ['notApplied', new NotApplied('the entry of another leader')],
    ['notReady', new Refused('notReady')],
    ['notLeader', new NotLeader(null)],
  ])('tries again what is certainly not done: %s', async (_, failure) => {
    machine.failures = [failure, failure];
    expect((await answered(put))[0]).toEqual(done);
    expect(machine.asked).toBe(3);
  });

  it.each<[Error, Answer['type'], string]>([
    [new OutcomeUnknown('lost'), 'unknown', 'lost'],
    [new Overloaded('of it'), 'refused', 'of it'],
    [new CommandTooLarge(9, 8), 'refused', 'commandBytes'],
    [new CommandFailed(new Error('broken')), 'refused', 'broken'],
    [new Error('a fault of ours'), 'unknown', 'a fault of ours'],
  ])('passes on what must not be tried again: %s', async (failure, type, text) => {
    machine.failures = [failure];
    const [answer] = await answered(put);
    expect(answer).toMatchObject({ type, text: expect.stringContaining(text) as string });
    expect(machine.asked).toBe(1);
  });

  it('gives up in the end, and says that a majority is missing', async () => {
    machine.failures = Array.from({ length: 1000 }, () => new Refused('notReady'));
    const [answer, elapsedMs] = await answered(get);
    expect(answer).toMatchObject({ type: 'refused', reason: 'noLeader' });
    expect(elapsedMs).toBeGreaterThanOrEqual(3000);
    expect(elapsedMs).toBeLessThan(3100);
  });
});

describe('a follower', () => {
  beforeEach(() => leader$.next('b'));

  it('forwards over one connection, and never what was forwarded to it', async () => {
    const peer = new FakePeer('b', []);
    peers['b'] = [peer];
    expect((await answered(put))[0]).toEqual(done);
    expect((await answered(get))[0]).toEqual(done);
    expect([dialled, peer.asked]).toEqual([['b'], [put, get]]);
    expect((await answered(put, true))[0]).toMatchObject({ reason: 'notLeader' });
    expect(peer.asked).toHaveLength(2);
    expect(machine.asked).toBe(0);
  });

  it('answers a stale read and its status by itself', async () => {
    expect((await answered(stale))[0]).toEqual({ type: 'missing' });
    expect((await answered({ type: 'status' }))[0]).toEqual({
      ...{ type: 'status', status: { id: 'a' } },
    });
    expect(dialled).toEqual([]);
  });

  it('tries again where it was not received, or nobody led', async () => {
    peers['b'] = [new Error('refused'), new FakePeer('b', [notLeader, done])];
    expect((await answered(put))[0]).toEqual(done);
    expect(dialled).toEqual(['b', 'b']);
  });

  it('does not send a write again that may have been done, but a read', async () => {
    const second = new FakePeer('b', []);
    peers['b'] = [new FakePeer('b', [lost]), second];
    expect((await answered(put))[0]).toMatchObject({ type: 'unknown' });
    expect((await answered(put))[0]).toEqual(done);
    expect(second.asked).toEqual([put]);
    peers['b'] = [new FakePeer('b', [])];
    second.close();
    expect((await answered(get))[0]).toEqual(done);
  });

  it('lets go of a leader that hangs when there is another', async () => {
    const hangs = new FakePeer('b', ['hang', 'hang']);
    const next = new FakePeer('c', []);
    peers = { b: [hangs], c: [next] };
    const write = node.answer(put, false);
    const read = node.answer(get, false);
    await vi.advanceTimersByTimeAsync(5);
    leader$.next(null);
    await vi.advanceTimersByTimeAsync(5);
    expect(hangs.isOpen).toBe(true);
    leader$.next('c');
    await vi.advanceTimersByTimeAsync(50);
    expect(hangs.isOpen).toBe(false);
    expect(await write).toMatchObject({ type: 'unknown' });
    expect(await read).toEqual(done);
    expect(next.asked).toEqual([get]);
  });

  it('sends a write again that was certainly not sent', async () => {
    const second = new FakePeer('b', []);
    peers['b'] = [new FakePeer('b', [new ConnectionLost('b', 'gone', false)]), second];
    expect((await answered(put))[0]).toEqual(done);
    expect(second.asked).toEqual([put]);
  });

  it('does not wait for a leader to answer the call when there is another', async () => {
    const late = new FakePeer('b', []);
    const next = new FakePeer('c', []);
    peers = { b: [late], c: [next] };
    connecting = () => new Promise((resolve) => setTimeout(resolve, 1400));
    const answer = answered(put);
    await vi.advanceTimersByTimeAsync(5);
    connecting = async () => undefined;
    leader$.next('c');
    expect((await answer)[1]).toBeLessThan(100);
    expect((await answer)[0]).toEqual(done);
    await vi.advanceTimersByTimeAsync(1400);
    expect([late.isOpen, late.asked, next.asked]).toEqual([false, [], [put]]);
  });

  it('waits for a leader, and asks it at once', async () => {
    leader$.next(null);
    const peer = new FakePeer('c', []);
    peers['c'] = [peer];
    const answer = answered(put);
    setTimeout(() => leader$.next('c'), 700);
    expect(await answer).toEqual([done, 700]);
  });

  it('becomes the leader, and asks itself', async () => {
    leader$.next(null);
    const answer = answered(put);
    setTimeout(() => leader$.next('a'), 700);
    expect(await answer).toEqual([done, 700]);
  });

  it('refuses after about 3 s without a leader', async () => {
    leader$.next(null);
    const [answer, elapsedMs] = await answered(put);
    expect(answer).toMatchObject({ type: 'refused', reason: 'noLeader' });
    expect(elapsedMs).toBe(3000);
  });

  it('that stops refuses what waits, and leaves no connection behind', async () => {
    const peer = new FakePeer('b', ['hang']);
    peers['b'] = [peer];
    const hanging = node.answer(put, false);
    await vi.advanceTimersByTimeAsync(5);
    leader$.next(null);
    const waiting = node.answer(put, false);
    node.close();
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.isOpen).toBe(false);
    expect(await hanging).toMatchObject({ type: 'unknown' });
    expect(await waiting).toMatchObject({ reason: 'noLeader' });
  });
});

describe('a change of members', () => {
  const add: Request = { type: 'add', id: 'd', address: '127.0.0.1:7104' };

  it('is made by the leader', async () => {
    const made: Change[] = [];
    changes = (change) => made.push(change);
    expect(await answered(add)).toEqual([done, expect.any(Number)]);
    expect(made).toEqual([add]);
  });

  it('that is refused says why', async () => {
    changes = () => {
      throw new ChangeRefused('idTaken', 'd is a member');
    };
    expect((await answered(add))[0]).toEqual({
      ...{ type: 'changeRefused', reason: 'idTaken', text: 'd is a member' },
    });
  });

  it('that was lost with its leader may have been made', async () => {
    leader$.next('b');
    peers['b'] = [new FakePeer('b', [lost])];
    expect((await answered({ type: 'remove', id: 'd' }))[0].type).toBe('unknown');
  });
});

describe('any node', () => {
  it('takes a snapshot of its own store, whoever leads', async () => {
    leader$.next('b');
    expect((await answered({ type: 'snapshot' }))[0]).toEqual({ type: 'snapshot', index: 7 });
    takeSnapshot = () => Promise.reject(new OutcomeUnknown('the disk is lost'));
    const answer = (await answered({ type: 'snapshot' }))[0];
    expect(answer).toEqual({ type: 'unknown', text: 'the disk is lost' });
    expect(dialled).toEqual([]);
  });
});
