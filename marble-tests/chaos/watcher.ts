/** Somebody who watches through a campaign: sitting after sitting, and all that was told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../simulation/random.js';
import type { Pair, Recording, Scope, Told } from '../watches/recording.js';
import { shortened } from './heavy-writer.js';
import type { Manner } from './visit.js';
import { visit } from './visit.js';
import type { Sit } from './watch-session.js';

export interface WatcherOptions extends Scope, Manner {
  readonly name: string;
  readonly from: number | null;
  /** Each sitting begins where the first one did. Else where the last one has ended. */
  readonly beginsAnew: boolean;
  readonly sit: Sit;
  readonly nodes: () => readonly string[];
  readonly random: Random;
  readonly onFault: (text: string) => void;
}

/** Nobody dials again at once. */
const pauseMs = 100;

export class Watcher {
  private told: Told[] = [];
  private readonly former: Recording[] = [];
  /** Of entries, and of contents. */
  events = 0;
  contents = 0;
  reconnects = 0;
  private next: number | null;
  /** It does not leave by itself any more. */
  private isCalm = false;
  private isOver = false;

  constructor(private readonly options: WatcherOptions) {
    this.next = options.from;
  }

  get name(): string {
    return this.options.name;
  }

  /** The newest. */
  get recording(): Recording {
    const { name, key, isPrefix, from } = this.options;
    return { name, key, isPrefix, from, hasLeft: false, told: this.told };
  }

  get recordings(): readonly Recording[] {
    return [...this.former, this.recording];
  }

  async work(): Promise<void> {
    while (!this.isOver) {
      await this.sit();
      this.reconnects += 1;
      this.told.push({ type: 'lost' });
      if (this.isOver) return;
      if (this.options.beginsAnew) this.beginAnew();
      await sleep(pauseMs);
    }
  }

  calm(): void {
    this.isCalm = true;
  }

  stop(): void {
    this.isOver = true;
  }

  private async sit(): Promise<void> {
    const { key, isPrefix, sit, random, onFault, leavesMs, restsMs } = this.options;
    const all = this.options.nodes();
    const first = random.below(all.length);
    const nodes = [...all.slice(first), ...all.slice(0, first)];
    const hear = (told: Told): void => this.hear(told);
    const sitting = sit({ key, isPrefix, nodes, from: this.next, hear, onFault });
    const isElsewhere = (): boolean => String(this.options.nodes()) !== String(all);
    await visit(sitting, {
      ...{ random, leavesMs, restsMs },
      isCalm: () => this.isCalm,
      mustLeave: () => this.isOver || isElsewhere(),
    });
  }

  private beginAnew(): void {
    const { name } = this.options;
    const former = { ...this.recording, name: `${name} ${this.former.length + 1}` };
    this.former.push({ ...former, hasLeft: true });
    this.told = [];
    this.next = this.options.from;
  }

  private hear(heard: Told): void {
    const told = 'pairs' in heard ? { ...heard, pairs: heard.pairs.map(shortPair) } : heard;
    this.told.push(told);
    if (told.type === 'lost') {
      this.reconnects += 1;
      return;
    }
    if (told.type === 'changes') this.events += 1;
    if (told.type === 'current' && !told.isLast) return;
    if (told.type === 'current') this.contents += 1;
    this.next = told.index + 1;
  }
}

function shortPair([key, value]: Pair): Pair {
  return [key, value === null ? null : shortened(value)];
}
