/** What peers say: through the codec into nodes of every role. */
import { byteCodec, DecodeError } from '../../../adapters/codec.js';
import { messageCodec } from '../../../adapters/message-codec.js';
import type { Message } from '../../../lib/message.js';
import { type Bytes, Cores } from '../core.js';
import type { Edge } from '../edge.js';
import { ofBytes, Violation } from '../edge.js';
import { mutateBytes } from '../mutate.js';
import { pack, packedMutant } from '../packed.js';
import { messages } from '../samples.js';
import { Unpackr } from 'msgpackr';

const codec = messageCodec(byteCodec);
const unpackr = new Unpackr({ useRecords: false });

/** Header and entries, as values that can be mutated one by one. */
const parts = messages.map((message) => {
  const frame = codec.encode(message);
  const length = ((frame[0] ?? 0) << 8) | (frame[1] ?? 0);
  const tail = frame.slice(2 + length);
  return {
    frame,
    header: unpackr.unpack(frame.slice(2, 2 + length)) as unknown,
    tail: tail.length === 0 ? null : (unpackr.unpack(tail) as unknown),
  };
});

/** Is every number in it an integer from 0 on? */
function countsIn(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true;
  return Object.values(value).every(countsIn);
}

const cores = new Cores();

export const messagesEdge: Edge<Uint8Array> = {
  ...ofBytes,
  name: 'messages of peers',
  share: 35,
  generate(random) {
    const part = random.pick(parts) ?? parts[0];
    if (part === undefined || random.chance(0.2)) {
      return mutateBytes(random, part?.frame ?? new Uint8Array(0));
    }
    const { header, tail } = part;
    const isHead = tail === null || random.chance(0.4);
    const head = isHead ? packedMutant(random, [header]) : pack(header);
    const body =
      tail === null ? new Uint8Array(0) : isHead ? pack(tail) : packedMutant(random, [tail]);
    const length = random.chance(0.03) ? random.below(600) : head.length;
    return Buffer.concat([Uint8Array.of(length >> 8, length & 0xff), head, body]);
  },
  feed(frame) {
    let message: Message<Bytes>;
    try {
      message = codec.decode(frame);
    } catch (error) {
      if (error instanceof DecodeError) return 'refused';
      throw error;
    }
    if (!countsIn(message)) throw new Violation('a number that counts nothing');
    return cores.message(message) ? 'taken' : 'refused';
  },
};
