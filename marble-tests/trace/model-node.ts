/** What the lines so far have made of one node, and of its disk. */
import type { Config, Line, LineOf, Place, Position } from './line.js';
import { comparePlaces } from './line.js';
import type { Entry } from './model-log.js';
import { ModelLog } from './model-log.js';

export interface HardState {
  readonly term: number;
  readonly vote: string | null;
}

/** A write that was asked for. */
export interface Write {
  readonly sequence: number;
  readonly hardState: HardState | null;
  readonly snapshot: Place | null;
  readonly entries: { readonly after: number; readonly list: readonly Entry[] } | null;
}

export class ModelDisk implements HardState {
  term = 0;
  vote: string | null = null;
  snapshot: Place | null = null;
  log = new ModelLog();

  do({ hardState, snapshot, entries }: Write): void {
    if (hardState !== null) ({ term: this.term, vote: this.vote } = hardState);
    if (snapshot !== null) {
      this.snapshot = snapshot;
      this.log.beginWith(snapshot);
    }
    if (entries !== null) this.log.replaceAfter(entries.after, entries.list);
  }

  get text(): string {
    return JSON.stringify([this.term, this.vote, this.snapshot, this.log.text]);
  }

  copy(): ModelDisk {
    const copy = new ModelDisk();
    ({ term: copy.term, vote: copy.vote, snapshot: copy.snapshot } = this);
    copy.log = this.log.copy();
    return copy;
  }
}

/** A candidate that asked for a vote, and the least log that the node had since. */
interface Asked {
  readonly term: number;
  readonly last: Position;
  least: Position;
}

export class ModelNode {
  run = -1;
  line = 0;
  role: Line['role'] = 'follower';
  term = 0;
  vote: string | null = null;
  commit = 0;
  applied = 0;
  log = new ModelLog();
  disk = new ModelDisk();
  /** What the node says is in force; null before it has said so in this run. */
  config: Config | null = null;
  configIndex = 0;

  // Of this run.
  sequence = 0;
  issued = 0;
  writes: Write[] = [];
  /** The newest term in which it led. */
  ledTerm = 0;
  /** Who granted it a vote in `grantsTerm`. */
  grantsTerm = 0;
  grants = new Set<string>();
  /** By candidate and term. */
  asked = new Map<string, Asked>();
  /** The terms of the entries that it was sent, by index. */
  offered = new Map<number, Set<number>>();
  offeredSnapshots: Place[] = [];
  snapshot: Place | null = null;
  /** The newest call of each leader. */
  rounds = new Map<string, number>();

  constructor(readonly id: string) {}

  /** A run begins with what is on the disk, and nothing else. */
  restart(line: LineOf<'start'>, disk: ModelDisk): void {
    const next = new ModelNode(this.id);
    Object.assign(this, next, { run: line.run, disk, log: disk.log.copy() });
    this.term = disk.term;
    this.vote = disk.vote;
    this.commit = disk.log.base.position.index;
    this.issued = disk.log.last.index;
  }

  /** Whoever asked in an older term is not voted for any more. */
  onNewTerm(): void {
    for (const [key, { term }] of this.asked) if (term < this.term) this.asked.delete(key);
  }

  /** What is applied is not appended any more. */
  onApplied(index: number): void {
    this.applied = index;
    for (const offered of this.offered.keys()) if (offered <= index) this.offered.delete(offered);
    this.offeredSnapshots = this.offeredSnapshots.filter(({ position }) => position.index > index);
  }

  /** Its log is another one now. */
  onLogChanged(): void {
    for (const asked of this.asked.values()) {
      if (comparePlaces(this.log.last, asked.least) < 0) asked.least = this.log.last;
    }
  }
}
