/**
 * A message as frames that fit. Where it brings more entries than one frame has room for it becomes
 * several calls of the same round, each of which begins where the one before ends: to the follower
 * they are calls like others, and it answers each.
 */
import type { LogEntries } from '../lib/entries.js';
import { lastIndex, termAt, truncate } from '../lib/entries.js';
import type { Message } from '../lib/message.js';
import type { LogIndex, Term } from '../lib/position.js';
import type { Codec } from './codec.js';

/**
 * An entry that no frame has room for, and that is not committed: the log would wait behind it for
 * ever. The node ends, and another one leads without the entry.
 */
export class EntryTooLarge extends Error {
  override readonly name = 'EntryTooLarge';

  constructor(
    readonly index: LogIndex,
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(
      `the entry at index ${index} needs a frame of ${bytes} bytes, maxFrameBytes is ${limit}: ` +
        'lower commandBytes of the machine, mend its sizeOf, or raise maxFrameBytes on all nodes',
    );
  }
}

/**
 * The frames of a message, in order. One that can't be made shorter is left to the connections,
 * which report it; if its entry is not committed, an EntryTooLarge is thrown.
 */
export function framesOf<C>(
  message: Message<C>,
  codec: Codec<Message<C>>,
  maxFrameBytes: number,
): readonly Uint8Array[] {
  const bytes = codec.encode(message);
  if (bytes.length <= maxFrameBytes || message.type !== 'appendEntriesCall') return [bytes];
  const { entries, commitIndex } = message;
  if (entries.length > 1) {
    const parts = Math.min(entries.length, Math.ceil((bytes.length / maxFrameBytes) * 1.25));
    return splitAfter(entries, Math.ceil(entries.length / parts)).flatMap((part) =>
      framesOf({ ...message, entries: part }, codec, maxFrameBytes),
    );
  }
  const index = lastIndex(entries);
  if (index > commitIndex) throw new EntryTooLarge(index, bytes.length, maxFrameBytes);
  return [bytes];
}

/** The entries in parts of so many. */
function splitAfter<C>(entries: LogEntries<C>, count: number): LogEntries<C>[] {
  const parts: LogEntries<C>[] = [];
  let rest = entries;
  while (rest.length > count) {
    parts.push(truncate(rest, count));
    rest = behind(rest, count);
  }
  return [...parts, rest];
}

/** The entries behind the first `count`. */
function behind<C>(entries: LogEntries<C>, count: number): LogEntries<C> {
  const index = entries.prevPosition.index + count;
  const commands = entries.commands?.slice(count) ?? null;
  return {
    prevPosition: { term: termAt(entries, index) as Term, index },
    length: entries.length - count,
    terms: entries.terms.filter((run) => run.index > index),
    configs: entries.configs.filter((each) => each.index > index),
    commands: commands?.some((command) => command !== undefined) ? commands : null,
  };
}
