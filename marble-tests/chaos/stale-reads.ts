/** Reads that may be behind the times: what they find was written to that key, once. */
import type { Operation } from '../linearizability/history.js';

/** What was read before anybody can have written it, in words. */
export function faultsOfStale(
  stale: readonly Operation[],
  history: readonly Operation[],
): string[] {
  const written = new Map<string, number>();
  for (const { key, value, outcome, call } of history) {
    if (typeof value !== 'string' || outcome === 'fail') continue;
    const name = JSON.stringify([key, value]);
    written.set(name, Math.min(call, written.get(name) ?? Infinity));
  }
  return stale
    .filter(({ key, outcome, result, return: end }) => {
      if (outcome !== 'ok' || typeof result !== 'string') return false;
      return (written.get(JSON.stringify([key, result])) ?? Infinity) > (end ?? Infinity);
    })
    .map((read) => `a stale read from thin air: ${JSON.stringify(read)}`);
}
