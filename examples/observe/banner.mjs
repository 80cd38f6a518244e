/** What the page says about what it shows: may a reader trust it? */

/**
 * Each node adds one every second: after so long without news either nobody answers, or whoever
 * does has no majority. Both ways the tally is old.
 */
const staleMs = 4000;

/** `ageMs`: since the newest change, null: there was none yet. */
export function bannerOf({ phase, url, index, error }, ageMs) {
  const isLive = phase === 'live';
  if (ageMs === null) {
    return { tone: 'reconnecting', word: 'Connecting', text: error ?? `to ${url}` };
  }
  if (ageMs >= staleMs) {
    const why = isLive ? `${url} answers, but nothing is decided` : 'no node answers';
    const age = `this is ${Math.floor(ageMs / 1000)} seconds old`;
    return { tone: 'stale', word: 'Stale', text: `${age}: ${why}` };
  }
  if (isLive) return { tone: 'live', word: 'Live', text: `from ${url}, up to entry ${index}` };
  const next = phase === 'connecting' ? `trying ${url}` : `${url} is lost`;
  return { tone: 'reconnecting', word: 'Reconnecting', text: error ? `${next}: ${error}` : next };
}
