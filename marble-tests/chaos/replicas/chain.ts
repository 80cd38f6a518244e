/**
 * All states that anybody has ever seen are of one chain: a version has one digest, on all nodes,
 * in all their runs, and at all observers.
 */
import { linesOfFile } from '../../trace/trace-lines.js';
import type { Age, Grown, Seen } from './ask.js';
import { isForgotten } from './forgetting.mjs';

/** What was known before a call: whoever answers it must know as much. */
export interface Floor {
  /** The newest version that anybody was told of. */
  readonly newest: Age;
  /** The newest one that each process has shown. */
  readonly shown: ReadonlyMap<string, number>;
}

export class Chain {
  /** How often ids of which some were forgotten came out of a snapshot, of its own or another's. */
  readonly full = { disk: 0, leader: 0 };
  private readonly digests = new Map<number, string>();
  private readonly authors = new Map<number, string>();
  private shown: ReadonlyMap<string, number> = new Map();
  private newest: Age = { version: 0, bytes: 0 };

  constructor(private readonly fault: (text: string) => void) {}

  /** How many versions somebody has seen. */
  get size(): number {
    return this.digests.size;
  }

  get floor(): Floor {
    return { newest: this.newest, shown: this.shown };
  }

  see({ version, digest }: Seen, who: string): void {
    const known = this.digests.get(version) ?? digest;
    this.digests.set(version, known);
    if (known === digest) return;
    this.fault(`version ${version} has the digest ${known}, and ${digest} at ${who}`);
  }

  /** A process has shown what it has applied. */
  show(seen: Seen, run: string, floor: Floor): void {
    this.see(seen, run);
    const least = floor.shown.get(run) ?? 0;
    if (seen.version < least) this.fault(`${run} was at ${least}, and then at ${seen.version}`);
    const most = Math.max(seen.version, this.shown.get(run) ?? 0);
    this.shown = new Map([...this.shown, [run, most]]);
  }

  /** A linearizable read: it knows all that anybody was told of before its call. */
  read(seen: Grown, run: string, { newest, ...floor }: Floor): void {
    this.show(seen, run, { newest, ...floor });
    this.learn(seen);
    if (seen.version >= newest.version) return;
    this.fault(`a read of ${run} shows ${seen.version}, and ${newest.version} was known before`);
  }

  /** A command was acknowledged, by a version of its own, newer than all known before its call. */
  write(seen: Grown, id: string, { newest }: Floor): void {
    this.see(seen, id);
    this.learn(seen);
    const { version } = seen;
    const author = this.authors.get(version) ?? id;
    this.authors.set(version, author);
    if (author !== id) this.fault(`${author} and ${id} have both made version ${version}`);
    if (version > newest.version) return;
    this.fault(
      `${id} has made version ${version}, and ${newest.version} was known before its call`,
    );
  }

  private learn({ version, bytes }: Age): void {
    if (version > this.newest.version) this.newest = { version, bytes };
  }

  /** What a program has written: see `program.mjs`. */
  readFile(path: string): void {
    let last = 0;
    let from: 'disk' | 'leader' = 'disk';
    let isRestored = false;
    for (const line of linesOfFile(path)) {
      const entry = parsed(line);
      if (entry === 'start') {
        last = 0;
        from = 'disk';
      }
      if (entry === 'received') from = 'leader';
      if (entry === 'restored') isRestored = true;
      if (!Array.isArray(entry)) continue;
      const [version, digest, bytes] = entry as [number, string, number];
      if (isRestored && isForgotten({ version: 0, bytes: 0 }, { version, bytes })) {
        this.full[from] += 1;
      }
      isRestored = false;
      if (version < last) this.fault(`${path} goes from version ${last} to ${version}`);
      last = version;
      this.see({ version, digest }, path);
    }
  }
}

/** Null for a line that was torn. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
