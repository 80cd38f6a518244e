/** How numbers are written for people. */

/** Three digits that count: 1,234 · 123 · 12.3 · 1.23 · 0.123. */
export function written(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return Math.round(value).toLocaleString('en-US');
  if (magnitude >= 10) return value.toFixed(1);
  return value.toFixed(magnitude >= 1 || magnitude === 0 ? 2 : 3);
}
