/**
 * All states that anybody has ever seen are of one chain: a version has one digest, on all nodes,
 * in all their runs, and at all observers.
 */
import { linesOfFile } from '../../trace/trace-lines.js';
import type { Seen } from './ask.js';

/** What was known before a call: whoever answers it must know as much. */
export interface Floor {
  /** The newest version that anybody was told of. */
  readonly newest: number;
  /** The newest one that each process has shown. */
  readonly shown: ReadonlyMap<string, number>;
}

export class Chain {
  private readonly digests = new Map<number, string>();
  private readonly authors = new Map<number, string>();
  private shown: ReadonlyMap<string, number> = new Map();
  private newest = 0;

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
  read(seen: Seen, run: string, floor: Floor): void {
    this.show(seen, run, floor);
    this.newest = Math.max(this.newest, seen.version);
    if (seen.version >= floor.newest) return;
    this.fault(`a read of ${run} shows ${seen.version}, and ${floor.newest} was known before`);
  }

  /** A command was acknowledged, by a version of its own, newer than all known before its call. */
  write(seen: Seen, id: string, floor: Floor): void {
    this.see(seen, id);
    this.newest = Math.max(this.newest, seen.version);
    const { version } = seen;
    const author = this.authors.get(version) ?? id;
    this.authors.set(version, author);
    if (author !== id) this.fault(`${author} and ${id} have both made version ${version}`);
    if (version > floor.newest) return;
    this.fault(`${id} has made version ${version}, and ${floor.newest} was known before its call`);
  }

  /**
   * What a program has written: `[version, digest]`, and `"start"` at the start of each run. Gives
   * the last version.
   */
  readFile(path: string): number {
    let last = 0;
    for (const line of linesOfFile(path)) {
      const entry = parsed(line);
      if (entry === 'start') last = 0;
      if (!Array.isArray(entry)) continue;
      const [version, digest] = entry as [number, string];
      if (version < last) this.fault(`${path} goes from version ${last} to ${version}`);
      last = version;
      this.see({ version, digest }, path);
    }
    return last;
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
