/** What is made of what arrives on a channel. Nothing of it ever throws. */
import type { NetworkInput } from '../lib/input.js';
import type { NodeId } from '../lib/position.js';
import { causeOf } from './cause.js';
import { type Content, type Envelope, faultOfFrame, frameOf } from './channel-frame.js';
import type { ChannelSettings } from './channel-settings.js';
import { unpackSnapshot } from './codec.js';
import { messageCodec } from './message-codec.js';
import type { DropCause, NetworkEvent } from './network-event.js';

export interface Hearer<C, S> {
  readonly onHello: (from: NodeId) => void;
  readonly onAnswer: (from: NodeId, ask: number) => void;
  readonly onInput: (input: NetworkInput<C, S>) => void;
}

/** Who is to be answered, and with which number. */
export interface Asked {
  readonly from: NodeId;
  readonly ask: number;
}

type Cargo = Extract<Content, { readonly bytes: Uint8Array }>;

/** Why something was not taken. */
interface Drop {
  readonly reason: DropCause;
  readonly cause: string;
}

/** Reads what was posted by a peer, or by anyone when `peer` is null: who is to be answered now. */
export function channelReader<C, S>(
  settings: ChannelSettings<C, S>,
  report: (event: NetworkEvent) => void,
  { onHello, onAnswer, onInput }: Hearer<C, S>,
): (data: unknown, peer: NodeId | null) => Asked | null {
  const { commands, snapshots, maxFrameBytes, maxSnapshotBytes } = settings;
  const codec = messageCodec(commands);

  const inputOf = (frame: Envelope & Cargo): NetworkInput<C, S> | Drop => {
    const { from, bytes } = frame;
    const limit = frame.type === 'message' ? maxFrameBytes : maxSnapshotBytes;
    if (bytes.length > limit) return { reason: 'tooLarge', cause: `${bytes.length} bytes` };
    try {
      if (frame.type === 'snapshot') {
        const snapshot = unpackSnapshot(bytes, snapshots);
        return { type: 'snapshotReceived', from, term: frame.term, snapshot };
      }
      const message = codec.decode(bytes);
      if (message.from === from) return { type: 'received', message };
      return { reason: 'foreignSender', cause: `in the name of ${message.from}` };
    } catch (error) {
      return { reason: 'malformed', cause: causeOf(error) };
    }
  };

  /** Whether it was taken. */
  const take = (frame: Envelope & Cargo): boolean => {
    const input = inputOf(frame);
    if ('type' in input) onInput(input);
    else report({ type: 'dropped', from: frame.from, ...input });
    return 'type' in input;
  };

  const onFrame = (frame: Envelope & Content): Asked | null => {
    const { from, type } = frame;
    switch (type) {
      case 'hello':
        onHello(from);
        return null;
      case 'answer':
        onAnswer(from, frame.ask);
        return null;
      case 'ask':
        return { from, ask: frame.ask };
      case 'message':
        take(frame);
        return frame.ask === null ? null : { from, ask: frame.ask };
      case 'snapshot':
        return take(frame) ? { from, ask: frame.ask } : null;
    }
  };

  return (data, peer) => {
    const frame = frameOf(data);
    if (typeof frame === 'string') {
      report({ type: 'refused', from: peer, reason: frame });
      return null;
    }
    const fault = faultOfFrame(frame, settings, peer);
    if (fault === null) return onFrame(frame);
    if (fault !== 'elsewhere') report({ type: 'refused', from: frame.from, reason: fault });
    return null;
  };
}
