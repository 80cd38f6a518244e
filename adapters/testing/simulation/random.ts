/** One seeded source of chance: the same seed gives the same run, on any machine. */
export class Random {
  constructor(private seed: number) {}

  /**
   * A source for one thing that has a name in numbers: what is drawn for it does not depend on what
   * was drawn for anything else before.
   */
  static of(seed: number, ...name: readonly number[]): Random {
    let mixed = seed | 0;
    for (const part of name) {
      mixed = Math.imul(mixed ^ part, 0x9e3779b1);
      mixed ^= mixed >>> 15;
    }
    return new Random(mixed);
  }

  /** From 0 to 1, without 1 (Mulberry32). */
  next(): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from 0 to `end`, without `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }

  /** One of a list that is known to have some. */
  oneOf<T>(first: T, ...others: readonly T[]): T {
    return this.pick([first, ...others]) ?? first;
  }
}
