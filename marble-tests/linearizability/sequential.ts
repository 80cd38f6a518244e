/**
 * Histories of a store that is right by construction: one register for each key, one operation
 * after the other, and around each a call before and a return behind. Clients are as in life: each
 * has one operation under way, and who never learns what became of one goes on with the next.
 */
import { Random } from '../simulation/random.js';
import type { Operation } from './history.js';

export interface HistoryOptions {
  readonly seed: number;
  readonly operations: number;
  readonly clients: number;
  readonly keys: number;
  /** How many values there are; Infinity: each is written once. */
  readonly values: number;
  /** The probability that an outcome is never learnt. */
  readonly unknown: number;
}

interface Client {
  readonly id: number;
  /** When it may call again. */
  free: number;
}

/** Time goes by one for each operation: the n-th takes effect at n. */
export function sequentialHistory(options: HistoryOptions): Operation[] {
  const random = new Random(options.seed);
  const clients = Array.from({ length: options.clients }, (_, id): Client => ({ id, free: -50 }));
  const store = new Map<string, string | null>();
  const history: Operation[] = [];
  for (let now = 1; now <= options.operations; now += 1) {
    // One is free: the spread of returns is less than a client has on the average.
    const idle = clients.filter((each) => each.free < now);
    const client = random.pick(idle);
    if (client === undefined) continue;
    const key = `key ${random.below(options.keys)}`;
    const value = store.get(key) ?? null;
    const call = Math.max(client.free, now - random.next() * options.clients);
    const end = now + random.next() * options.clients;
    client.free = end + 0.001;
    const asked = ask(random, options, now, value);
    const base = { client: client.id, key, call, ...asked };
    if (random.chance(options.unknown)) {
      const happens = random.chance(0.5);
      if (happens) store.set(key, done(base, value));
      history.push({ ...base, return: null, outcome: 'unknown' });
      continue;
    }
    const isRefused = random.chance(options.unknown);
    if (!isRefused) store.set(key, done(base, value));
    history.push({ ...base, return: end, ...outcome(base, value, isRefused) });
  }
  return history;
}

type Asked = Pick<Operation, 'op' | 'value' | 'expected'>;

function ask(random: Random, { values }: HistoryOptions, now: number, there: string | null): Asked {
  const value = `value ${values === Infinity ? now : random.below(values)}`;
  const op = random.pick(['put', 'get', 'get', 'cas', 'delete'] as const) ?? 'get';
  if (op === 'get' || op === 'delete') return { op };
  if (op === 'put') return { op, value };
  return { op, value, expected: random.chance(0.7) ? there : `value ${random.below(now)}` };
}

function done({ op, value, expected }: Asked, there: string | null): string | null {
  if (op === 'get' || (op === 'cas' && expected !== there)) return there;
  return op === 'delete' ? null : (value ?? null);
}

function outcome(
  { op, expected }: Asked,
  there: string | null,
  isRefused: boolean,
): Pick<Operation, 'outcome' | 'result'> {
  if (isRefused) return { outcome: 'fail' };
  if (op === 'get') return { outcome: 'ok', result: there };
  if (op === 'cas' && expected !== there) return { outcome: 'fail', result: there };
  return { outcome: 'ok' };
}
