/** The command `watch`. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { finalize, fromEvent, lastValueFrom, merge, takeUntil, tap } from 'rxjs';
import type { LogIndex } from '../../lib/position.js';
import type { ClientFlags } from './client-command.js';
import { client } from './client-command.js';
import type { WatchAnswer } from './client-protocol.js';
import { connected } from './connection.js';
import type { Lost } from './follow.js';
import { follow } from './follow.js';
import { InputError, keyOf, UsageError } from './input.js';
import { leave } from './leave.js';
import { harmless } from './terminal.js';
import { linesOf } from './watch-lines.js';

interface WatchFlags extends ClientFlags {
  readonly prefix?: string;
  readonly from?: LogIndex;
  readonly hex?: true;
  readonly json?: true;
}

/** Whoever reads the output must keep up with it. */
const unreadAtMost = 16 << 20;

function indexOf(text: string): LogIndex {
  const index = Number(text);
  if (/^\d+$/.test(text) && index >= 1 && Number.isSafeInteger(index)) return index;
  throw new InvalidArgumentError('an index of the log: a whole number, from 1 on');
}

export function addWatchCommand(program: Command): void {
  client(program, 'watch', 'Print what changes, as it is committed; Ctrl-C ends it.')
    .argument('[key]', 'of this key alone (default: of all keys)')
    .option('--prefix <text>', 'of all keys that begin so')
    .option('--from <index>', 'from this index of the log on (default: from now on)', indexOf)
    .option('--hex', 'the key, or the prefix, is given in hexadecimal')
    .option('--json', 'for programs: a line of JSON for each change')
    .action(async (key: string | undefined, flags: WatchFlags) => {
      if (key !== undefined && flags.prefix !== undefined) {
        throw new UsageError('a KEY and --prefix exclude each other: give one of them');
      }
      await watch(keyOf(key ?? flags.prefix ?? '', flags.hex === true), key === undefined, flags);
    });
}

async function watch(key: Uint8Array, isPrefix: boolean, flags: WatchFlags): Promise<void> {
  const { nodes, timeout, from = null, json } = flags;
  const stop$ = merge(
    ...['SIGINT', 'SIGTERM'].map((signal) => fromEvent(process, signal)),
    fromEvent(process.stdout, 'error'),
  );
  let isFirst = true;
  /** Since a node last answered: each is said once, however often it is tried. */
  const causes = new Set<string>();
  const print = (answer: WatchAnswer | Lost): void => {
    if (answer.type === 'lost') {
      isFirst = true;
      if (causes.has(answer.cause)) return;
      if (causes.size >= 64) causes.clear();
      causes.add(answer.cause);
      process.stderr.write(`${harmless(answer.cause)}: going on with the next node\n`);
      return;
    }
    causes.clear();
    const lines = linesOf(answer, json === true, isFirst);
    isFirst = answer.type !== 'current' || answer.isLast;
    if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
    if (process.stdout.writableLength > unreadAtMost) {
      throw new InputError('nobody reads the output as fast as the store changes');
    }
  };
  const timeoutMs = timeout * 1000;
  const followed$ = follow({ nodes, key, isPrefix, from, timeoutMs, connect: connected });
  await lastValueFrom(
    followed$.pipe(
      tap(print),
      takeUntil(stop$),
      finalize(() => setImmediate(leave)),
    ),
    { defaultValue: undefined },
  );
}
