/** What replicas remember of request ids: see `DispatchOptions`. */
export const remembered = { commands: 10_000, bytes: 16 << 20 };

/** For what is not counted here: all of a result but its filling, and commands that threw. */
const kept = { commands: 9000, bytes: 13 << 20 };

function isPast(limits, before, now) {
  return now.version - before.version >= limits.commands || now.bytes - before.bytes > limits.bytes;
}

/** Can one be forgotten that was applied at `before`, or later? If not, it is remembered. */
export function mayBeForgotten(before, now) {
  return isPast(kept, before, now);
}

/** Must one be forgotten that was applied at `before`? */
export function isForgotten(before, now) {
  return isPast(remembered, before, now);
}
