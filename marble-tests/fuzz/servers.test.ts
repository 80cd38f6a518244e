/**
 * Clients of a server that says what it likes: each request ends, nothing else is thrown, nothing
 * is held, and as soon as an honest server is there they work.
 */
import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import {
  catchError,
  EMPTY,
  filter,
  firstValueFrom,
  from,
  Subscription,
  take,
  throwError,
  timeout,
} from 'rxjs';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { client } from '../../adapters/client.js';
import { DecodeError } from '../../adapters/codec.js';
import type { AnySocketClass } from '../../adapters/gateway/any-socket.js';
import { request } from '../../adapters/key-value/client.js';
import type { Request } from '../../adapters/key-value/client-protocol.js';
import { connected } from '../../adapters/key-value/connection.js';
import { follow } from '../../adapters/key-value/follow.js';
import { outcomeOf } from '../../adapters/key-value/outcome.js';
import { clusterReport, formatReport } from '../../adapters/key-value/status.js';
import { keyValueClient } from '../../adapters/key-value-client.js';
import { MachineError } from '../../adapters/machine-errors.js';
import { observe } from '../../adapters/observe.js';
import { Random } from '../../adapters/testing/simulation/random.js';
import { cleanUp, Run, until } from '../cluster/cluster.js';
import { get, put } from '../cluster/load.js';
import { memoryInUse } from '../memory.js';
import { honestState, HostileServer } from './hostile-server.js';

const total = Number(process.env['RXRAFT_FUZZ_INPUTS'] ?? 2_000_000);
const seed = Number(process.env['RXRAFT_SEED'] ?? Date.now() % 2 ** 31);
const rounds = Math.max(10, Math.ceil(total / 20_000));
const requestsEach = 8;

/** What may still be in use afterwards, in MiB. */
const growthAtMost = 16;

const timeoutMs = 100;
const reconnectMs = { minimum: 1, maximum: 10 };
const webSocket = WebSocket as unknown as AnySocketClass;
const patience = { webSocket, timeoutMs, reconnectMs, connectTimeoutMs: timeoutMs };
const following = { webSocket, reconnectMs, silenceMs: timeoutMs, setBackMs: 20 };
const reducer = (state: unknown): { state: unknown; result: null } => ({ state, result: null });

/** Of the test: on a busy machine a request times out many times before one is answered. */
const patienceMs = 120_000;

let server: HostileServer | null = null;
afterEach(async () => {
  await cleanUp();
  await server?.close();
});

/** The three clients of the package, over one server. */
function come(address: string) {
  const urls = [address, address];
  const store = keyValueClient(urls, patience);
  const replica = client<unknown, unknown>(urls, patience);
  const observed = observe<unknown, unknown, unknown>(urls, { ...following, reducer });
  const close = (): void => {
    store.close();
    replica.close();
  };
  return { store, replica, observed, close };
}
type Clients = ReturnType<typeof come>;

/** It has a result, or fails as it is promised to. */
async function ends(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof MachineError) && !(error instanceof DecodeError)) throw error;
  }
}

function ask({ store, replica }: Clients, number: number): Promise<void>[] {
  const key = `${number}`;
  return [
    ...[store.put(key, 'x'), store.get(key), store.delete(key), store.compareAndSet(key, 'x', 'y')],
    ...[replica.dispatch(key), replica.dispatch(key, { requestId: key })],
  ].map(ends);
}

/** All but the end of a line: what a stranger says must not speak to the terminal. */
const controls = /[^\P{Cc}\n]/u;

const requests: readonly Request[] = [
  ...[get('x'), put('x', 'y'), { type: 'status' } as const, { type: 'snapshot' } as const],
  { type: 'remove', id: 'a' },
];

/** What the command line does, but for the printing. */
async function command(address: string, number: number): Promise<void> {
  const asked = requests[number % requests.length] ?? get('x');
  const nodes = [address, address];
  const { exitCode, text } = outcomeOf(asked, await request(asked, { nodes, timeoutMs }));
  expect([0, 1, 3]).toContain(exitCode);
  expect(text ?? '').not.toMatch(controls);
  if (number % requests.length !== 0) return;
  expect(formatReport(await clusterReport([address], timeoutMs))).not.toMatch(controls);
}

/** Or fails, and says what has not come. */
function inTime<T>(what: string): MonoTypeOperatorFunction<T> {
  return timeout({ first: patienceMs, with: () => throwError(() => new Error(`no ${what}`)) });
}

function quietly(told$: Observable<unknown>): Subscription {
  return told$.pipe(catchError(() => EMPTY)).subscribe();
}

async function round(hostile: HostileServer, lasting: Clients): Promise<void> {
  const fresh = come(hostile.address);
  const nodes = [hostile.address];
  const watch = { key: Buffer.from(''), isPrefix: true, from: null };
  const how = { timeoutMs, pauseMs: () => 5, silenceMs: timeoutMs, connect: connected };
  const told = new Subscription();
  told.add(quietly(fresh.observed.state$));
  told.add(quietly(fresh.store.watch$({ prefix: '' })));
  told.add(quietly(follow({ nodes, ...watch, ...how })));
  for (let number = 0; number < requestsEach; number += 1) {
    const each = [fresh, lasting].flatMap((clients) => ask(clients, number));
    await Promise.all([...each, command(hostile.address, number)]);
  }
  told.unsubscribe();
  fresh.close();
}

/** As soon as the server is an honest one, everything works. */
async function works({ store, replica, observed }: Clients): Promise<void> {
  const last = async (asked: () => Promise<unknown>): Promise<unknown> => {
    let answer: unknown;
    const hasCome = async (): Promise<boolean> => {
      answer = await asked().catch(() => null);
      return answer !== null;
    };
    await until('an answer', hasCome, patienceMs);
    return answer;
  };
  expect(await last(() => store.get('x'))).toBe('honest');
  expect(await last(() => store.delete('x'))).toBe('done');
  expect(await last(() => replica.dispatch('x'))).toBe('honest');
  const isHonest = filter((state) => state === honestState);
  await firstValueFrom(observed.state$.pipe(isHonest, inTime('an honest state')));
  await firstValueFrom(store.watch$({ prefix: '' }).pipe(take(1), inTime('an honest watch')));
}

it(`hostile servers, RXRAFT_SEED=${seed}: each request ends, and honest ones are served`, async () => {
  const hostile = (server = await new HostileServer(Random.of(seed, 0)).open());
  const lasting = come(hostile.address);
  const watching = quietly(lasting.observed.state$);
  let before = 0;
  for (let number = 0; number < rounds; number += 1) {
    if (number === Math.ceil(rounds / 10)) before = await memoryInUse();
    hostile.isHonest = false;
    // What never ends shows here.
    await firstValueFrom(from(round(hostile, lasting)).pipe(inTime('the end of a round')));
    hostile.isHonest = true;
    hostile.cut();
    await works(lasting);
    hostile.cut();
  }
  watching.unsubscribe();
  lasting.close();
  await until('nobody holds a connection', async () => hostile.connections === 0);
  expect((await memoryInUse()) - before).toBeLessThan(growthAtMost);
  console.log(`${hostile.said.toLocaleString('en')} inputs in ${rounds} rounds`);
}, 3_600_000);

it(`hostile servers, RXRAFT_SEED=${seed}: each command ends, in words`, async () => {
  const hostile = (server = await new HostileServer(Random.of(seed, 1)).open());
  const commands = [['get', 'x'], ['put', 'x', 'y'], ['status'], ['snapshot'], ['remove', 'a']];
  const flags = ['--nodes', hostile.address, '--timeout', '0.5'];
  for (let number = 0; number < rounds / 10; number += 1) {
    const watch = new Run(['watch', ...flags]);
    const runs = commands.map(([name = '', ...rest]) => new Run([name, ...flags, ...rest]));
    for (const run of runs) {
      const { code, stderr } = await run.ended;
      expect([0, 1, 3]).toContain(code);
      expect(stderr).not.toMatch(controls);
      expect(stderr).not.toMatch(/^ {4}at /m);
    }
    watch.kill('SIGINT');
    const { stderr } = await watch.ended;
    expect(stderr).not.toMatch(controls);
    expect(stderr).not.toMatch(/^ {4}at /m);
  }
  console.log(`${hostile.said.toLocaleString('en')} inputs to commands`);
}, 3_600_000);
