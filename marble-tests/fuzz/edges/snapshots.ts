/** Snapshots of a leader: frame by frame, as a whole, and what the store makes of them. */
import { createHash } from 'node:crypto';
import type { Codec } from '../../../adapters/codec.js';
import { byteCodec, DecodeError, packSnapshot, unpackSnapshot } from '../../../adapters/codec.js';
import { load, save } from '../../../adapters/key-value/reducer.js';
import { snapshotAssembler } from '../../../adapters/ws-snapshot.js';
import { Unpackr } from 'msgpackr';
import { type Bytes, Cores } from '../core.js';
import type { Edge } from '../edge.js';
import { fateOf, ofBytes } from '../edge.js';
import { mutateBytes, mutateValue } from '../mutate.js';
import { packedMutant } from '../packed.js';
import { snapshots } from '../samples.js';

/** As the key-value store has it: read once before it is believed. */
const codec: Codec<Bytes> = {
  encode: (data) => data,
  decode: (bytes) => {
    load(bytes);
    return byteCodec.decode(bytes);
  },
};
const wholes = snapshots.map((each) => packSnapshot(each, byteCodec));
const values = wholes.map((each) => new Unpackr({ useRecords: false }).unpack(each) as unknown);
const states = [0, 1, 40].map((keys) =>
  save({
    values: new Map(Array.from({ length: keys }, (_, i) => [`key ${i}`, new Uint8Array(i)])),
    addresses: new Map([['a', 'h:1']].slice(0, keys) as [string, string][]),
  }),
);
const cores = new Cores();

export const snapshotsEdge: Edge<Uint8Array> = {
  ...ofBytes,
  name: 'snapshots of peers',
  share: 8,
  generate: (random) =>
    random.chance(0.8)
      ? packedMutant(random, values)
      : mutateBytes(random, random.pick(wholes) ?? new Uint8Array(0)),
  feed(bytes) {
    let taken = false;
    const fate = fateOf(() => {
      const snapshot = unpackSnapshot(bytes, codec);
      taken = cores.hear({ type: 'snapshotReceived', from: 'b', term: 5, snapshot });
    }, DecodeError);
    return taken ? fate : 'refused';
  },
};

export const statesEdge: Edge<Uint8Array> = {
  ...ofBytes,
  name: 'states in snapshots',
  share: 5,
  generate: (random) => mutateBytes(random, random.pick(states) ?? new Uint8Array(0)),
  feed: (bytes) => fateOf(() => load(bytes), DecodeError),
};

type Frames = readonly (readonly [Uint8Array, boolean])[];

export const transfersEdge: Edge<Frames> = {
  name: 'transfers of snapshots',
  share: 6,
  generate(random) {
    const [bytes = new Uint8Array(0)] = wholes;
    const digest = createHash('sha256').update(bytes).digest('hex');
    const words: unknown = ['snapshot', 4, bytes.length, digest];
    const header = random.chance(0.6) ? mutateValue(random, words) : words;
    const plain = (_: string, each: unknown): unknown => (typeof each === 'bigint' ? 1 : each);
    const cut = random.below(bytes.length);
    const frames: [Uint8Array, boolean][] = [
      [Buffer.from(JSON.stringify(header, plain) ?? ''), false],
      [bytes.slice(0, cut), true],
      [random.chance(0.5) ? bytes.slice(cut) : mutateBytes(random, bytes.slice(cut)), true],
    ];
    if (random.chance(0.2)) frames.splice(random.below(3), 1);
    if (random.chance(0.2)) frames.reverse();
    return frames;
  },
  feed(frames) {
    const assemble = snapshotAssembler(1 << 20);
    return fateOf(
      () => frames.forEach(([frame, isBinary]) => assemble(frame, isBinary)),
      DecodeError,
    );
  },
  smaller: () => [],
  show: (frames) => frames.map(([frame]) => ofBytes.show(frame)).join('\n'),
};
