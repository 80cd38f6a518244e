/**
 * How much may be on its way to one peer. A channel has no end of its own: what is posted to a
 * page that is busy or frozen waits in the browser's memory, and nobody says how much that is. So
 * now and then an answer is asked for, and beyond the window messages are dropped.
 */
import type { SchedulerLike } from 'rxjs';

export interface WindowSettings {
  readonly maxBufferedBytes: number;
  readonly maxBufferedFrames: number;
  readonly probeMs: { readonly minimum: number; readonly maximum: number };
  readonly scheduler: SchedulerLike;
}

/** Frames of which the last one asked. `ask` is null while they go on. */
interface Stretch {
  frames: number;
  bytes: number;
  ask: number | null;
}

/** What is not answered yet, of one peer. */
export class PeerWindow {
  private stretches: Stretch[] = [];
  private frames = 0;
  private bytes = 0;
  private probeAt = 0;
  private pauseMs = 0;

  constructor(private readonly settings: WindowSettings) {}

  /**
   * Whether a frame of so many bytes may go: with an answer asked for or without, or not at all.
   */
  admits(bytes: number): 'go' | 'ask' | 'stop' {
    const { maxBufferedBytes, maxBufferedFrames } = this.settings;
    const isFull = this.frames >= maxBufferedFrames || this.bytes + bytes > maxBufferedBytes;
    if (isFull && this.frames > 0) return this.isProbeDue() ? 'ask' : 'stop';
    const open = this.stretches.at(-1);
    const since = open?.ask === null ? open : { frames: 0, bytes: 0 };
    const isLong =
      (since.frames + 1) * 4 >= maxBufferedFrames || (since.bytes + bytes) * 4 >= maxBufferedBytes;
    return isLong ? 'ask' : 'go';
  }

  /** A frame went, and asked with this number or did not. */
  sent(bytes: number, ask: number | null): void {
    const last = this.stretches.at(-1);
    this.frames += 1;
    this.bytes += bytes;
    if (last?.ask !== null) {
      this.stretches.push({ frames: 1, bytes, ask });
      return;
    }
    last.frames += 1;
    last.bytes += bytes;
    last.ask = ask;
  }

  /** All is read up to the frame that asked so. */
  answered(ask: number): void {
    const at = this.stretches.findIndex((each) => each.ask === ask);
    for (const { frames, bytes } of this.stretches.splice(0, at + 1)) {
      this.frames -= frames;
      this.bytes -= bytes;
    }
    if (at >= 0) this.pauseMs = 0;
  }

  /** The peer has begun anew: what was on its way is gone. */
  reset(): void {
    this.stretches = [];
    this.frames = this.bytes = this.pauseMs = 0;
  }

  /** Into a full window goes one message after a pause, and the pauses grow. */
  private isProbeDue(): boolean {
    const { probeMs, scheduler } = this.settings;
    const now = scheduler.now();
    if (this.pauseMs > 0 && now < this.probeAt) return false;
    const isFirst = this.pauseMs === 0;
    this.pauseMs = isFirst ? probeMs.minimum : Math.min(this.pauseMs * 2, probeMs.maximum);
    this.probeAt = now + this.pauseMs;
    return !isFirst;
  }
}
