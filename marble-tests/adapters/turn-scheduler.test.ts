/**
 * "The turn is an optional scheduler: setImmediate on Node, a MessageChannel in a page" (law 5).
 */
import type { SchedulerLike } from 'rxjs';
import { observeOn, of } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';

/** The scheduler as it is in a page: without setImmediate. Its channel would keep Node alive. */
async function inPage(): Promise<SchedulerLike> {
  const channels: InstanceType<typeof MessageChannel>[] = [];
  class Channel extends MessageChannel {
    constructor() {
      super();
      channels.push(this);
    }
  }
  vi.stubGlobal('setImmediate', undefined);
  vi.stubGlobal('MessageChannel', Channel);
  closeChannels = () => channels.forEach(({ port1 }) => port1.close());
  vi.resetModules();
  return (await import('../../adapters/turn-scheduler.js')).turnScheduler;
}

async function onNode(): Promise<SchedulerLike> {
  vi.resetModules();
  return (await import('../../adapters/turn-scheduler.js')).turnScheduler;
}

let closeChannels = (): void => undefined;

afterEach(() => {
  closeChannels();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const pause = async (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe.each([
  { where: 'Node', load: onNode },
  { where: 'a page', load: inPage },
])('turnScheduler on $where', ({ load }) => {
  it('runs work in a later turn, after the microtasks, in the order of asking', async () => {
    const scheduler = await load();
    const order: string[] = [];
    await new Promise<void>((done) => {
      scheduler.schedule((each) => void order.push(each), 0, 'first');
      scheduler.schedule(() => {
        order.push('second');
        done();
      });
      queueMicrotask(() => order.push('microtask'));
      order.push('now');
    });
    expect(order).toEqual(['now', 'microtask', 'first', 'second']);
  });

  it('does not run what is unsubscribed', async () => {
    const scheduler = await load();
    const ran: string[] = [];
    scheduler.schedule(() => ran.push('turn')).unsubscribe();
    scheduler.schedule(() => ran.push('timer'), 1).unsubscribe();
    await new Promise<void>((done) => void scheduler.schedule(() => done(), 5));
    expect(ran).toEqual([]);
  });

  it('lets work schedule itself again, until it does not', async () => {
    const scheduler = await load();
    const seen: number[] = [];
    const action = await new Promise((done) => {
      scheduler.schedule<number>(
        function (state) {
          seen.push(state);
          if (state < 3) this.schedule(state + 1, state % 2);
          else done(this);
        },
        0,
        0,
      );
    });
    expect(seen).toEqual([0, 1, 2, 3]);
    await pause(1);
    expect(action).toMatchObject({ closed: true });
  });

  it('gathers: everything of one turn is seen by the next', async () => {
    const scheduler = await load();
    const seen: number[] = [];
    let gathered = -1;
    await new Promise<void>((done) => {
      scheduler.schedule(() => {
        gathered = seen.length;
        done();
      });
      of(1, 2, 3).subscribe((each) => seen.push(each));
    });
    expect(gathered).toBe(3);
    const complete = new Promise<void>((done) => {
      of(4).pipe(observeOn(scheduler)).subscribe({ complete: done });
    });
    await expect(complete).resolves.toBeUndefined();
  });
});

describe('turnScheduler', () => {
  it('has monotonic time: the wall clock may jump (I5)', async () => {
    const scheduler = await onNode();
    vi.useFakeTimers({ toFake: ['Date'] });
    const before = scheduler.now();
    vi.setSystemTime(Date.now() + 3_600_000);
    const after = scheduler.now();
    vi.setSystemTime(Date.now() - 7_200_000);
    expect(after - before).toBeLessThan(60_000);
    expect(scheduler.now()).toBeGreaterThanOrEqual(after);
  });

  it('refuses a delay with which a timer would fire at once (I3)', async () => {
    const scheduler = await onNode();
    expect(() => scheduler.schedule(() => undefined, 2 ** 31)).toThrow(RangeError);
    scheduler.schedule(() => undefined, 2 ** 31 - 1).unsubscribe();
  });
});
