/**
 * What is said of a number of rounds: a median, because rounds on a busy machine have outliers, and
 * a ratio of what was measured in the same round, because machines have good and bad minutes.
 */

/** The middle one, or the mean of the two in the middle. Throws a RangeError when there is none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that a share of all does not exceed, between two of them by proportion. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('nothing was measured');
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (place - below);
}

/** The median of the ratios, round by round. */
export function medianRatio(above: readonly number[], below: readonly number[]): number {
  if (above.length !== below.length) throw new RangeError('the rounds differ in number');
  return median(above.map((value, round) => value / (below[round] as number)));
}
