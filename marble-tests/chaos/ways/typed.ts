/**
 * The typed client, as it is built beside the program; it finds the leader itself. What its errors
 * claim is taken at its word.
 */
import { pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';
import type { keyValueClient, KeyValueClient } from '../../../adapters/key-value-client.js';
import type { MachineError } from '../../../adapters/machine.js';
import type { Asked, Door, DoorOptions, Outcome, Way } from './way.js';
import { patienceMs } from './way.js';

export const typed: Way = {
  ...{ name: 'typed', rows: 2, atOnce: 1, pauseMs: 60 },
  open: (options) => new TypedDoor(options),
};

type Store = KeyValueClient<string, string>;

/** What a user of the package imports. */
interface Built {
  readonly keyValueClient: typeof keyValueClient;
  readonly MachineError: typeof MachineError;
}

async function builtBeside(program: string): Promise<Built> {
  const url = (name: string): string => new URL(`../${name}.js`, pathToFileURL(program)).href;
  const [client, machine] = await Promise.all(
    ['key-value-client', 'machine'].map((name) => import(url(name)) as Promise<Built>),
  );
  if (client === undefined || machine === undefined) throw new Error('nothing is built');
  return { keyValueClient: client.keyValueClient, MachineError: machine.MachineError };
}

class TypedDoor implements Door {
  private store: Store | null = null;
  private urls: readonly string[] = [];

  private readonly built: Promise<Built>;

  constructor(private readonly options: DoorOptions) {
    this.built = builtBeside(options.program);
  }

  async ask(asked: Asked): Promise<Outcome> {
    const built = await this.built;
    try {
      return await outcomeOf(this.opened(built), asked);
    } catch (error) {
      if (!(error instanceof built.MachineError)) throw error;
      return { outcome: error.outcome === 'unknown' ? 'unknown' : 'fail' };
    }
  }

  leave(): void {
    this.store?.close();
    this.store = null;
  }

  /** The same one, until all nodes that it knows are gone. */
  private opened(built: Built): Store {
    const nodes = this.options.nodes();
    if (!this.urls.some((url) => nodes.includes(url))) this.leave();
    if (this.store !== null) return this.store;
    this.urls = nodes;
    this.store = built.keyValueClient(nodes, { webSocket: WebSocket, timeoutMs: patienceMs });
    return this.store;
  }
}

async function outcomeOf(store: Store, { op, key, ...asked }: Asked): Promise<Outcome> {
  const { expected, isStale } = asked;
  const value = asked.value ?? '';
  switch (op) {
    case 'get': {
      const consistency = isStale === true ? 'stale' : 'linearizable';
      return { outcome: 'ok', result: (await store.get(key, { consistency })) ?? null };
    }
    case 'put':
      await store.put(key, value);
      return { outcome: 'ok' };
    case 'delete':
      if (expected !== undefined) return set(store, key, expected, undefined);
      return (await store.delete(key)) === 'done'
        ? { outcome: 'ok' }
        : { outcome: 'ok', result: null };
    case 'cas':
      return set(store, key, expected, value);
  }
}

async function set(
  store: Store,
  key: string,
  expected: Asked['expected'],
  next: string | undefined,
): Promise<Outcome> {
  const result = await store.compareAndSet(key, expected ?? undefined, next);
  return { outcome: result === 'done' ? 'ok' : 'fail' };
}
