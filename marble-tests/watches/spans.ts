/** Stretches of the log. */

/** The indices behind `after`, and up to `upTo`. */
export interface Span {
  readonly after: number;
  readonly upTo: number;
}

/** Apart from each other, and ascending. */
export class Spans {
  private readonly list: readonly Span[];

  constructor(spans: readonly Span[]) {
    const list: Span[] = [];
    for (const span of [...spans].sort((a, b) => a.after - b.after)) {
      const last = list.at(-1);
      if (last === undefined || span.after > last.upTo) list.push(span);
      else list.push({ ...(list.pop() ?? span), upTo: Math.max(last.upTo, span.upTo) });
    }
    this.list = list;
  }

  has(index: number): boolean {
    return this.hasAll({ after: index - 1, upTo: index });
  }

  hasAll({ after, upTo }: Span): boolean {
    if (upTo <= after) return true;
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.list[middle]?.upTo ?? Infinity) > after) high = middle;
      else low = middle + 1;
    }
    const span = this.list[low];
    return span !== undefined && span.after <= after && upTo <= span.upTo;
  }
}
