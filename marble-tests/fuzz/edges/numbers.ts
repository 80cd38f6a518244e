/** Messages and snapshots that never saw a codec, with numbers that are none (H6, H8). */
import type { Random } from '../../../adapters/testing/simulation/random.js';
import type { Input } from '../../../lib/input.js';
import { type Bytes, Cores } from '../core.js';
import type { Edge } from '../edge.js';
import { ofValues } from '../edge.js';
import { mutateNumber } from '../mutate.js';
import { messages, snapshots } from '../samples.js';

const inputs: readonly Input<Bytes, Bytes>[] = [
  ...messages.map((message) => ({ type: 'received' as const, message })),
  ...snapshots.map((snapshot) => ({
    ...{ type: 'snapshotReceived' as const, from: 'b', term: 5, snapshot },
  })),
];

/** A copy with each number mutated by a small chance. */
function mutated(random: Random, value: unknown): unknown {
  if (typeof value === 'number') return random.chance(0.15) ? mutateNumber(random, value) : value;
  if (Array.isArray(value)) return value.map((each) => mutated(random, each));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      // How many commands there are is for the codec to check.
      key === 'length' ? each : mutated(random, each),
    ]),
  );
}

const cores = new Cores();

export const numbersEdge: Edge<Input<Bytes, Bytes>> = {
  ...ofValues,
  name: 'numbers in the core',
  share: 10,
  generate: (random) => mutated(random, random.pick(inputs)) as Input<Bytes, Bytes>,
  feed: (input) => (cores.hear(input) ? 'taken' : 'refused'),
};
