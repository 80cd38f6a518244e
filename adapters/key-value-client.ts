/** The key-value store from outside of its cluster: from a page, a script, another service. */
import type { Observable } from 'rxjs';
import { defer, map, Subject, takeUntil, throwError } from 'rxjs';
import { causeOf } from './cause.js';
import type { Codec } from './codec.js';
import { textCodec } from './codec.js';
import { anyConnection } from './gateway/any-socket.js';
import type { CallerOptions } from './gateway/caller.js';
import { caller } from './gateway/caller.js';
import { failureError } from './gateway/failure-error.js';
import type { Guide } from './gateway/leader-search.js';
import { isFailure } from './gateway/protocol.js';
import type {
  KeyValueClient,
  KeyValueCodecs,
  Pair,
  Watched,
  WatchEvent,
  WatchOptions,
} from './key-value/client-interface.js';
import type { KeyChange } from './key-value/changes.js';
import type { Request, StoreAnswer, WatchAnswer } from './key-value/client-protocol.js';
import { keyValueProtocol } from './key-value/client-protocol.js';
import type { Condition } from './key-value/commands.js';
import type { Lost } from './key-value/follow.js';
import { follow } from './key-value/follow.js';
import { NotApplied, OutcomeUnknown } from './machine-errors.js';
import { pauseMs } from './pause.js';

export {
  CommandFailed,
  MachineError,
  NotApplied,
  NotLeader,
  OutcomeUnknown,
  Overloaded,
} from './machine-errors.js';
export type { Outcome } from './machine-errors.js';
export type {
  GetOptions,
  KeyValueClient,
  KeyValueCodecs,
  Pair,
  Watched,
  WatchEvent,
  WatchOptions,
} from './key-value/client-interface.js';

/**
 * `urls`: the nodes, as `host:port` or URLs. The one that leads is asked, as soon as it is found
 * among them; until then, and where it can't be reached, any of them passes requests on. Keys and
 * values are text, or what the codecs make of them. Throws a TypeError for what is no address, or
 * when there is no WebSocket.
 *
 *     const store = keyValueClient(['127.0.0.1:7101', '127.0.0.1:7102']);
 *     await store.put('color', 'blue');
 *     await store.compareAndSet('color', 'blue', 'red'); // 'done'
 */
export function keyValueClient<Key, Value>(
  urls: readonly string[],
  options: CallerOptions & KeyValueCodecs<Key, Value>,
): KeyValueClient<Key, Value>;
export function keyValueClient(
  urls: readonly string[],
  options?: CallerOptions,
): KeyValueClient<string, string>;
export function keyValueClient(
  urls: readonly string[],
  options: CallerOptions & Partial<KeyValueCodecs<string, string>> = {},
): KeyValueClient<string, string> {
  const { keys = textCodec, values = textCodec } = options;
  return clientOf(urls, options, { keys, values });
}

/** Any node says who leads. */
const guide: Guide<Request, StoreAnswer> = {
  question: { type: 'status' },
  whereabouts: (answer) =>
    answer.type === 'status' ? { id: answer.status.id, leaderId: answer.status.leader } : null,
};

function clientOf<Key, Value>(
  urls: readonly string[],
  options: CallerOptions,
  codecs: KeyValueCodecs<Key, Value>,
): KeyValueClient<Key, Value> {
  const calls = caller(urls, keyValueProtocol, options, guide);
  const closed$ = new Subject<void>();
  const key = (of: Key): Uint8Array => encoded(codecs.keys, of, 'key');
  const value = (of: Value): Uint8Array => encoded(codecs.values, of, 'value');
  const ask = async (request: Request): Promise<StoreAnswer> => {
    const answer = await calls.ask(request);
    if (isFailure(answer)) throw failureError(answer, null);
    return answer;
  };
  const change = (of: Key, next: Value | undefined, condition: Condition): Promise<StoreAnswer> => {
    const command =
      next === undefined
        ? ({ type: 'delete', key: key(of), condition } as const)
        : ({ type: 'put', key: key(of), value: value(next), condition } as const);
    return ask({ type: 'command', command });
  };
  const put: KeyValueClient<Key, Value>['put'] = async (of, next) => {
    const { type } = await change(of, next, null);
    if (type !== 'done') throw strange();
  };
  const get: KeyValueClient<Key, Value>['get'] = async (of, { consistency } = {}) => {
    const answer = await ask({ type: 'get', key: key(of), stale: consistency === 'stale' });
    if (answer.type === 'value') return codecs.values.decode(answer.value);
    if (answer.type !== 'missing') throw strange();
    return undefined;
  };
  const remove: KeyValueClient<Key, Value>['delete'] = async (of) => {
    const { type } = await change(of, undefined, null);
    if (type === 'done' || type === 'missing') return type;
    throw strange();
  };
  const compareAndSet: KeyValueClient<Key, Value>['compareAndSet'] = async (of, expected, next) => {
    const { type } = await change(of, next, expected === undefined ? 'absent' : value(expected));
    if (type === 'conflict') return type;
    // Nothing was to become nothing.
    if (type === 'done' || type === 'missing') return 'done';
    throw strange();
  };
  const watch$: KeyValueClient<Key, Value>['watch$'] = (watched, how = {}) =>
    watchOf(urls, options, codecs, watched, how).pipe(takeUntil(closed$));
  return {
    ...{ put, get, delete: remove, compareAndSet, watch$ },
    put$: (of, next) => defer(() => put(of, next)),
    get$: (of, how) => defer(() => get(of, how)),
    delete$: (of) => defer(() => remove(of)),
    compareAndSet$: (of, expected, next) => defer(() => compareAndSet(of, expected, next)),
    close: () => {
      calls.close();
      closed$.next();
      closed$.complete();
    },
  };
}

function watchOf<Key, Value>(
  urls: readonly string[],
  options: CallerOptions,
  codecs: KeyValueCodecs<Key, Value>,
  watched: Watched<Key>,
  { from = null }: { readonly from?: WatchOptions['from'] | null },
): Observable<WatchEvent<Key, Value>> {
  const { reconnectMs = { minimum: 50, maximum: 1000 }, random = Math.random } = options;
  return defer(() => {
    const isPrefix = 'prefix' in watched;
    const key = encoded(codecs.keys, isPrefix ? watched.prefix : watched.key, 'key');
    const fault = keyValueProtocol.faultOf({ type: 'watch', key, isPrefix, from });
    if (fault !== null) return throwError(() => new NotApplied(fault));
    return follow({
      ...{ nodes: urls, key, isPrefix, from, timeoutMs: Infinity },
      connect: (url) => anyConnection(url, keyValueProtocol, options),
      pauseMs: (failures) => pauseMs(failures, { reconnectMs, random }),
    });
  }).pipe(map((answer) => eventOf(answer, codecs)));
}

function eventOf<Key, Value>(
  answer: WatchAnswer | Lost,
  { keys, values }: KeyValueCodecs<Key, Value>,
): WatchEvent<Key, Value> {
  const pairs = (list: readonly KeyChange[]): Pair<Key, Value>[] =>
    list.map(({ key, value }) => ({
      key: keys.decode(key),
      value: value === null ? undefined : values.decode(value),
    }));
  if (answer.type === 'changes') return { ...answer, changes: pairs(answer.changes) };
  return answer.type === 'current' ? { ...answer, values: pairs(answer.values) } : answer;
}

function encoded<T>(codec: Codec<T>, value: T, name: string): Uint8Array {
  try {
    return codec.encode(value);
  } catch (cause) {
    throw new NotApplied(`the ${name} can't be encoded: ${causeOf(cause)}`, { cause });
  }
}

function strange(): OutcomeUnknown {
  return new OutcomeUnknown('a strange answer');
}
