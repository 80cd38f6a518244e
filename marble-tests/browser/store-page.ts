/** What a page does with the store: its script, which makes itself known to whoever drives it. */
import { keyValueClient } from '../../adapters/key-value-client.js';
import { MachineError } from '../../adapters/machine-errors.js';

export interface StorePage {
  /** The values of `color`, as they are watched. */
  readonly seen: (string | undefined)[];
  put(value: string): Promise<string>;
  compareAndSet(expected: string, next: string): Promise<string>;
  get(): Promise<string | undefined>;
}

/** With an outcome in words, since errors do not leave a page. */
async function told(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return error instanceof MachineError ? error.outcome : String(error);
  }
}

export function openStore(nodes: readonly string[]): StorePage {
  const store = keyValueClient(nodes);
  const seen: (string | undefined)[] = [];
  store.watch$({ key: 'color' }).subscribe((event) => {
    if (event.type !== 'lost' && 'changes' in event) {
      seen.push(...event.changes.map(({ value }) => value));
    }
  });
  return {
    seen,
    put: (value) => told(async () => store.put('color', value).then(() => 'done')),
    compareAndSet: (expected, next) => told(() => store.compareAndSet('color', expected, next)),
    get: () => store.get('color'),
  };
}

(globalThis as unknown as { openStore: typeof openStore }).openStore = openStore;
