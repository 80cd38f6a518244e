/** What tabs and workers post to each other. */
import { frameOf } from '../../../adapters/channel-frame.js';
import type { Edge } from '../edge.js';
import { ofValues } from '../edge.js';
import { mutateValue } from '../mutate.js';

const envelope = { rxraft: 1, cluster: 'ours', from: 'b', to: ['a', 'c'] };
const seeds: readonly unknown[] = [
  { ...envelope, type: 'hello' },
  { ...envelope, type: 'message', bytes: Uint8Array.of(1, 2), ask: 7 },
  { ...envelope, type: 'snapshot', term: 2, bytes: Uint8Array.of(1), ask: 8 },
  { ...envelope, type: 'answer', ask: 9 },
];

export const channelEdge: Edge<unknown> = {
  ...ofValues,
  name: 'frames on channels',
  share: 6,
  generate: (random) => mutateValue(random, random.pick(seeds)),
  feed: (data) => (typeof frameOf(data) === 'string' ? 'refused' : 'taken'),
};
