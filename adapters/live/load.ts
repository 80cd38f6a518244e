/** How many requests a node answers, and how fast: sampled, of a fixed size. */
import type { Load } from './protocol.js';

/** Of so many requests between two reports the time is kept. */
const maxSamples = 512;

export const noLoad: Load = Object.freeze({
  ...{ elapsedMs: 0, answered: 0, failed: 0 },
  ...{ medianMs: null, p99Ms: null },
});

export class LoadMeter {
  private answered = 0;
  private failed = 0;
  private readonly samples = new Float64Array(maxSamples);
  private since = performance.now();

  note(elapsedMs: number, isFailed: boolean): void {
    // Beyond the first ones each overwrites another, by chance: later ones count as much.
    const at = this.answered < maxSamples ? this.answered : this.chance(this.answered);
    if (at < maxSamples) this.samples[at] = elapsedMs;
    this.answered += 1;
    if (isFailed) this.failed += 1;
  }

  /** What was noted since it was last taken. */
  take(): Load {
    const { answered, failed } = this;
    const now = performance.now();
    const elapsedMs = now - this.since;
    const sorted = this.samples.slice(0, Math.min(answered, maxSamples)).sort();
    const at = (part: number): number | null => {
      const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
      return value === undefined ? null : rounded(value);
    };
    this.answered = this.failed = 0;
    this.since = now;
    return { elapsedMs: rounded(elapsedMs), answered, failed, medianMs: at(0.5), p99Ms: at(0.99) };
  }

  private chance(below: number): number {
    return Math.floor(Math.random() * (below + 1));
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
