/** All who watched the same keys have been told the same, and nothing has been left out. */
import type { Pair } from './recording.js';
import { Spans } from './spans.js';
import type { Content, Walk } from './walk.js';

/** What the log has changed, by the word of all. */
export interface Agreed {
  readonly entries: ReadonlyMap<number, readonly Pair[]>;
  /** Of these somebody was told everything. */
  readonly covered: Spans;
  /** Contents that could be compared with what had been changed until then, and the others. */
  readonly compared: number;
  readonly uncompared: number;
  readonly faults: readonly string[];
}

interface Entry {
  readonly by: string;
  readonly pairs: readonly Pair[];
}

/** Of walks that are all about the same keys, of a store that was empty at first. */
export function agreed(walks: readonly Walk[]): Agreed {
  const entries = new Map<number, Entry>();
  const faults: string[] = [];
  for (const { name, events } of walks) {
    for (const [index, pairs] of events) {
      const known = entries.get(index);
      if (known === undefined) entries.set(index, { by: name, pairs });
      else if (!isSame(known.pairs, pairs)) {
        faults.push(
          `${index} is ${written(known.pairs)} to ${known.by}, and ${written(pairs)} to ${name}`,
        );
      }
    }
  }
  for (const walk of walks) faults.push(...leftOut(walk, entries));
  const covered = new Spans(walks.flatMap(({ spans }) => spans));
  const pairsOf = new Map(
    [...entries].sort(([a], [b]) => a - b).map(([index, { pairs }]) => [index, pairs]),
  );
  const compared = new Comparison(pairsOf, covered, walks);
  return {
    ...{ entries: pairsOf, covered, compared: compared.compared },
    ...{ uncompared: compared.uncompared, faults: [...faults, ...compared.faults] },
  };
}

function leftOut({ name, spans, events }: Walk, entries: ReadonlyMap<number, Entry>): string[] {
  const told = new Spans(spans);
  return [...entries]
    .filter(([index]) => !events.has(index) && told.has(index))
    .map(([index, { by, pairs }]) => `${name} was not told ${index}, ${written(pairs)}: ${by} was`);
}

/** Contents beside what had been changed until then. */
class Comparison {
  compared = 0;
  uncompared = 0;
  readonly faults: string[] = [];

  constructor(
    entries: ReadonlyMap<number, readonly Pair[]>,
    covered: Spans,
    walks: readonly Walk[],
  ) {
    const contents = walks
      .flatMap((walk) => walk.contents.map((content) => ({ ...content, name: walk.name })))
      .sort((a, b) => a.index - b.index);
    const rest = [...entries];
    let at = 0;
    let known: Content = { index: 0, values: new Map() };
    for (const { name, index, values } of contents) {
      const isKnown = covered.hasAll({ after: known.index, upTo: index });
      const there = new Map(known.values);
      for (; at < rest.length && (rest[at]?.[0] ?? 0) <= index; at += 1) {
        for (const [key, value] of rest[at]?.[1] ?? []) {
          if (value === null) there.delete(key);
          else there.set(key, value);
        }
      }
      if (isKnown) this.compared += 1;
      else this.uncompared += 1;
      const other = isKnown ? difference(there, values) : null;
      if (other !== null) this.faults.push(`${name}: the content of ${index}: ${other}`);
      known = { index, values: isKnown ? there : values };
    }
  }
}

function difference(
  changed: ReadonlyMap<string, string>,
  told: ReadonlyMap<string, string>,
): string | null {
  for (const key of new Set([...changed.keys(), ...told.keys()])) {
    const [before, now] = [changed.get(key), told.get(key)];
    if (before !== now) {
      return `${key} is ${now ?? null}, and was made ${before ?? null} by what was changed`;
    }
  }
  return null;
}

function isSame(some: readonly Pair[], others: readonly Pair[]): boolean {
  return written(some) === written(others);
}

function written(pairs: readonly Pair[]): string {
  return JSON.stringify(pairs);
}
