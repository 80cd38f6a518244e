/** Everything that one process has told, to whomever: nothing goes back, nothing is left out. */
import type { EventsFrame, StatusFrame } from '../../adapters/live/protocol.js';

type Fact = readonly [at: number, value: number];

export class ToldByProcess {
  private readonly facts: Readonly<Record<'term' | 'commit' | 'applied', Fact[]>> = {
    ...{ term: [], commit: [], applied: [] },
  };
  /** The places of the frames that are for all who watch. */
  private readonly places = new Set<number>();
  private readonly runs = new Map<string, readonly number[]>();
  private readonly keys = new Set<string>();

  constructor(readonly name: string) {}

  /** Has no frame of this name been heard before? */
  isNew(key: string): boolean {
    const isNew = !this.keys.has(key);
    this.keys.add(key);
    return isNew;
  }

  /** A frame that was not heard before. */
  note(frame: StatusFrame | EventsFrame): void {
    const { term, commit, applied } = this.facts;
    if (frame.type === 'status') {
      term.push([frame.at, frame.term]);
      commit.push([frame.at, frame.commit]);
      applied.push([frame.at, frame.applied]);
      return;
    }
    for (const event of frame.events) {
      if (event.type === 'role') term.push([event.at, event.term]);
      if (event.type === 'commit') commit.push([event.at, event.index]);
    }
  }

  /** Somebody was told these, one after the other, and nothing in between. */
  onRun(viewer: string, places: readonly number[]): void {
    for (const place of places) this.places.add(place);
    this.runs.set(viewer, places);
  }

  check(): string[] {
    const faults = Object.entries(this.facts).flatMap(([what, list]) =>
      fallsOf(list).map(([from, to]) => `${this.name}: ${what} ${to} after ${from}`),
    );
    const all = [...this.places].sort((a, b) => a - b);
    const rank = new Map(all.map((place, at) => [place, at]));
    for (const [viewer, run] of this.runs) {
      const first = rank.get(run[0] ?? 0) ?? 0;
      const gap = run.findIndex((place, at) => place !== all[first + at]);
      if (gap !== -1) faults.push(`${viewer} was not told what ${this.name} told others`);
    }
    return faults;
  }
}

/** Where it stands in what a process tells: of one turn the events come first. */
export function placeOf({ at, type }: StatusFrame | EventsFrame): number {
  return Math.round(at * 10) * 2 + (type === 'status' ? 1 : 0);
}

/** What became less, by the clock of the process; what is of one moment is in no order. */
function fallsOf(facts: readonly Fact[]): readonly (readonly [from: number, to: number])[] {
  const falls: (readonly [number, number])[] = [];
  let [before, now, moment] = [0, 0, 0];
  for (const [at, value] of [...facts].sort(([a], [b]) => a - b)) {
    if (at > moment) [before, moment] = [now, at];
    if (value < before) falls.push([before, value]);
    now = Math.max(now, value);
  }
  return falls;
}
