/**
 * The turn of the event loop as an rxjs scheduler, on monotonic time.
 */
import type { SchedulerAction, SchedulerLike } from 'rxjs';
import { Subscription } from 'rxjs';

/**
 * Work without a delay runs in the next turn of the event loop, after what input is waiting has
 * been read: `setImmediate` on Node, a `MessageChannel` in a page, whose timers are throttled. Work
 * with a delay runs after at least so many milliseconds; a delay of 2^31 or more throws a
 * RangeError, because a timer would fire at once. `now()` is `performance.now()`: the wall clock
 * may jump.
 *
 * A microtask would be too early to gather anything: it sees one input where every client has its
 * own socket. What is scheduled keeps a Node process alive until it has run or is unsubscribed.
 */
export const turnScheduler: SchedulerLike = {
  now: () => performance.now(),
  schedule: <T>(work: Work<T>, delay?: number, state?: T): Subscription =>
    new TurnAction(work).schedule(state, delay),
};

type Work<T> = (this: SchedulerAction<T>, state?: T) => void;
type Cancel = () => void;

const longestDelayMs = 2 ** 31 - 1;

/** As rxjs has it: an action that does not schedule itself again is over when it has run. */
class TurnAction<T> extends Subscription implements SchedulerAction<T> {
  private cancel: Cancel | null = null;

  constructor(private readonly work: Work<T>) {
    super();
    this.add(() => this.cancel?.());
  }

  schedule(state?: T, delay = 0): Subscription {
    if (this.closed) return this;
    this.cancel?.();
    this.cancel = later(() => this.run(state), delay);
    return this;
  }

  private run(state?: T): void {
    this.cancel = null;
    try {
      this.work(state);
    } finally {
      if (this.cancel === null) this.unsubscribe();
    }
  }
}

function later(task: () => void, delay: number): Cancel {
  if (!(delay > 0)) return nextTurn(task);
  if (delay > longestDelayMs)
    throw new RangeError(`a delay of ${delay} ms is too long for a timer`);
  const timer = setTimeout(task, delay);
  return () => clearTimeout(timer);
}

const nextTurn: (task: () => void) => Cancel =
  typeof setImmediate === 'function' ? immediateTurn : messageTurns();

function immediateTurn(task: () => void): Cancel {
  const immediate = setImmediate(task);
  return () => clearImmediate(immediate);
}

/** What is used of a page's MessageChannel: neither its types nor Node's hold on both sides. */
interface Channel {
  readonly port1: { onmessage: ((event: { readonly data: unknown }) => void) | null };
  readonly port2: { postMessage(data: unknown): void };
}

/** Each message is a turn of its own, in the order of asking. */
function messageTurns(): (task: () => void) => Cancel {
  const page = globalThis as unknown as { readonly MessageChannel: new () => Channel };
  const { port1, port2 } = new page.MessageChannel();
  const tasks = new Map<unknown, () => void>();
  let last = 0;
  port1.onmessage = ({ data }) => {
    const task = tasks.get(data);
    tasks.delete(data);
    task?.();
  };
  return (task) => {
    const turn = (last += 1);
    tasks.set(turn, task);
    port2.postMessage(turn);
    return () => tasks.delete(turn);
  };
}
