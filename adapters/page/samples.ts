/** How many requests all nodes together have done, and how fast, over the last minute. */
import type { Load } from '../live/protocol.js';

export interface Sample {
  /** Requests a second that were done; those refused, or with an unknown end, do not count. */
  readonly rate: number;
  /** Of the node that answered most; null where nothing was answered. */
  readonly medianMs: number | null;
  readonly p99Ms: number | null;
}

export const sampleMs = 1000;

/** A minute. */
export const maxSamples = 60;

export class Samples {
  list: readonly Sample[] = [];
  private loads: Load[] = [];

  onLoad(load: Load): void {
    if (load.elapsedMs > 0) this.loads.push(load);
  }

  /** Once every `sampleMs`. */
  take(): void {
    const done = this.loads.reduce((sum, each) => sum + each.answered - each.failed, 0);
    const [busiest] = [...this.loads].sort((a, b) => b.answered - a.answered);
    const sample: Sample = {
      rate: (done * 1000) / sampleMs,
      medianMs: busiest?.medianMs ?? null,
      p99Ms: busiest?.p99Ms ?? null,
    };
    this.list = [...this.list, sample].slice(-maxSamples);
    this.loads = [];
  }

  /** The newest ones together: a single one jumps. */
  get newest(): Sample {
    const last = this.list.slice(-2);
    const rate = last.reduce((sum, each) => sum + each.rate, 0) / Math.max(1, last.length);
    const timed = last.reverse().find((each) => each.medianMs !== null);
    return { rate, medianMs: timed?.medianMs ?? null, p99Ms: timed?.p99Ms ?? null };
  }
}
