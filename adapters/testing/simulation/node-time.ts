/**
 * The event loop and the clock of one node: its own rate, and at times it stands still. Whatever
 * reaches the node while it is paused waits, and happens in that order when it goes on.
 */
import type { SchedulerAction, SchedulerLike } from 'rxjs';
import { Subscription } from 'rxjs';
import type { Job, VirtualTime } from './virtual-time.js';

type Task = Pick<Job, 'work'>;

type Work<T> = (this: SchedulerAction<T>, state?: T) => void;

export class NodeTime implements SchedulerLike {
  /** Timers that wait. None may be left of a node that has ended. */
  waiting = 0;
  private rate = 1;
  private paused = false;
  private backlog: Task[] = [];
  private origin = 0;
  private since = 0;

  constructor(private readonly time: VirtualTime) {}

  /** By the node's own clock. */
  now(): number {
    return this.origin + (this.time.now - this.since) * this.rate;
  }

  /** From now on the clock runs so many times as fast as time. */
  setRate(rate: number): void {
    this.origin = this.now();
    this.since = this.time.now;
    this.rate = rate;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    const { backlog } = this;
    this.backlog = [];
    for (const late of backlog) this.time.after(0, () => this.run(late));
  }

  /** The node has ended: what waited for it is void. */
  end(): void {
    this.backlog = [];
    this.paused = false;
  }

  /** Something reaches the node from outside, now or when it goes on. */
  enter(work: () => void): void {
    if (this.paused) this.backlog.push({ work });
    else work();
  }

  schedule<T>(work: Work<T>, delayMs = 0, state?: T): Subscription {
    return new NodeAction(this, work).schedule(state, delayMs);
  }

  /** Work after a delay by the node's own clock. The job is called off by taking its work away. */
  after(delayMs: number, work: () => void): Task {
    const task: Task = this.time.after(delayMs / this.rate, () => {
      if (this.paused) this.wait(task, work);
      else work();
    });
    return task;
  }

  private wait(task: Task, work: () => void): void {
    task.work = work;
    this.backlog.push(task);
  }

  private run(task: Task): void {
    if (task.work === null) return;
    const { work } = task;
    task.work = null;
    if (this.paused) this.wait(task, work);
    else work();
  }
}

/** As rxjs has it: an action that does not schedule itself again is over when it has run. */
class NodeAction<T> extends Subscription implements SchedulerAction<T> {
  private task: Task | null = null;

  constructor(
    private readonly time: NodeTime,
    private readonly work: Work<T>,
  ) {
    super();
  }

  override unsubscribe(): void {
    this.cancel();
    super.unsubscribe();
  }

  schedule(state?: T, delayMs = 0): Subscription {
    if (this.closed) return this;
    this.cancel();
    this.time.waiting += 1;
    this.task = this.time.after(delayMs, () => this.run(state));
    return this;
  }

  private cancel(): void {
    if (this.task === null) return;
    this.task.work = null;
    this.task = null;
    this.time.waiting -= 1;
  }

  private run(state?: T): void {
    this.task = null;
    this.time.waiting -= 1;
    this.work(state);
    if (this.task === null) this.unsubscribe();
  }
}
