/** Time that passes only from one event to the next: what is due at one moment happens in order. */

/** Work at a moment. Null once it is done or called off. */
export interface Job {
  readonly at: number;
  readonly order: number;
  work: (() => void) | null;
}

export class VirtualTime {
  /** Milliseconds, in whole microseconds: sums of them are the same everywhere. */
  now = 0;
  private order = 0;
  /** A heap: the earliest first, and of one moment the one that was asked for first. */
  private readonly jobs: Job[] = [];

  after(delayMs: number, work: () => void): Job {
    const at = Math.round((this.now + Math.max(0, delayMs)) * 1000) / 1000;
    const job: Job = { at, order: (this.order += 1), work };
    const { jobs } = this;
    let place = jobs.length;
    jobs.push(job);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = jobs[parent] as Job;
      if (!isBefore(job, above)) break;
      jobs[place] = above;
      place = parent;
    }
    jobs[place] = job;
    return job;
  }

  /** The next event happens. False when nothing is due any more. */
  step(): boolean {
    for (let job = this.take(); job !== undefined; job = this.take()) {
      const { work } = job;
      if (work === null) continue;
      job.work = null;
      this.now = job.at;
      work();
      return true;
    }
    return false;
  }

  private take(): Job | undefined {
    const { jobs } = this;
    const first = jobs[0];
    const last = jobs.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= jobs.length) break;
      const right = child + 1;
      if (right < jobs.length && isBefore(jobs[right] as Job, jobs[child] as Job)) child = right;
      const below = jobs[child] as Job;
      if (!isBefore(below, last)) break;
      jobs[place] = below;
      place = child;
    }
    jobs[place] = last;
    return first;
  }
}

function isBefore(a: Job, b: Job): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
