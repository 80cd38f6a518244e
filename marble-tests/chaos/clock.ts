/** The one clock of a campaign: of its history, of its log, and of what its nodes say. */

const origin = process.hrtime.bigint();

/** Nanoseconds since this process began to count, of the system's monotonic clock. */
export function now(): number {
  return Number(process.hrtime.bigint() - origin);
}

/** The same in seconds, for readers. */
export function stamp(): string {
  return (now() / 1e9).toFixed(6);
}
