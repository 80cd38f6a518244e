/** The first words between peers, both ways. */
import type { Hello } from '../../../adapters/ws-handshake.js';
import { decodeHello, encodeHello, faultOfWelcome } from '../../../adapters/ws-handshake.js';
import type { Edge } from '../edge.js';
import { ofBytes, Violation } from '../edge.js';
import { mutateBytes, mutateValue } from '../mutate.js';

const hello: Hello = {
  ...{ cluster: 'ours', from: 'b', to: 'a', use: 'messages', token: 't', voters: '' },
};
const seeds: readonly unknown[] = [
  JSON.parse(encodeHello(hello)),
  ['rxraft', 1, 'ours', 'a'],
  ['refused', 'cluster'],
];

export const handshakeEdge: Edge<Uint8Array> = {
  ...ofBytes,
  name: 'handshakes',
  share: 8,
  generate(random) {
    const value = mutateValue(random, random.pick(seeds));
    const plain = (_: string, each: unknown): unknown => (typeof each === 'bigint' ? 1 : each);
    const text = Buffer.from(JSON.stringify(value, plain) ?? '');
    return random.chance(0.3) ? mutateBytes(random, text) : text;
  },
  feed(frame) {
    const fault = faultOfWelcome(hello, frame, false);
    if (fault === null) return 'taken';
    const words = decodeHello(frame, false);
    if (typeof words === 'string') return 'refused';
    const { from, to, use, cluster, token, voters } = words;
    const texts = [from, to, use, cluster, token, voters];
    if (texts.every((text) => typeof text === 'string' && text.length <= 256)) return 'taken';
    throw new Violation('words that are none');
  },
};
