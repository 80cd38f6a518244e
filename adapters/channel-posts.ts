/** The ways of one node to the others: which channel leads to whom, and how much may be on it. */
import type { NodeId } from '../lib/position.js';
import { type Content, type Envelope, frameVersion } from './channel-frame.js';
import type { Channel, ChannelSettings, PeerChannel } from './channel-settings.js';
import { PeerWindow } from './channel-window.js';
import type { NetworkEvent, UnsentReason } from './network-event.js';

export class ChannelPosts {
  private everyone: Channel | null = null;
  private readonly channels = new Map<NodeId, Channel>();
  private readonly windows = new Map<NodeId, PeerWindow>();
  /** Random at first: the answers to a run before this one mean nothing. */
  private lastAsk: number;

  constructor(
    private readonly settings: ChannelSettings<unknown, unknown>,
    private readonly report: (event: NetworkEvent) => void,
  ) {
    this.lastAsk = Math.floor(settings.random() * 2 ** 40);
  }

  /** A new way. Whoever is there learns that all before it is gone. */
  add({ channel, peer }: PeerChannel): void {
    if (peer === null) this.everyone = channel;
    else this.channels.set(peer, channel);
    this.post(channel, [], { type: 'hello' });
  }

  nextAsk(): number {
    return (this.lastAsk += 1);
  }

  /** To each of them now or never. On a way to everyone it goes once. */
  send(to: readonly NodeId[], bytes: Uint8Array): void {
    const together: NodeId[] = [];
    let isAsking = false;
    for (const peer of to) {
      const admitted = this.admitted(peer, bytes);
      if (admitted === null) continue;
      if (this.channels.has(peer)) this.message([peer], bytes, admitted === 'ask');
      else together.push(peer);
      if (!this.channels.has(peer) && admitted === 'ask') isAsking = true;
    }
    if (together.length > 0) this.message(together, bytes, isAsking);
  }

  /** To one, whatever is on its way to it. Lost where there is no way. */
  ask(to: NodeId, content: Content): void {
    const channel = this.channelTo(to);
    if (channel !== null) this.post(channel, [to], content);
  }

  answered(from: NodeId, ask: number): void {
    this.windows.get(from)?.answered(ask);
  }

  /** The peer has begun anew. */
  forget(from: NodeId): void {
    this.windows.get(from)?.reset();
  }

  /** False when the channel is closed. */
  post(channel: Channel, to: readonly NodeId[], content: Content): boolean {
    const { cluster, id, voters } = this.settings;
    const known = voters === null ? {} : { voters };
    const envelope: Envelope = { rxraft: frameVersion, cluster, from: id, to, ...known };
    try {
      channel.postMessage({ ...envelope, ...content });
      return true;
    } catch {
      return false;
    }
  }

  private message(to: readonly NodeId[], bytes: Uint8Array, isAsking: boolean): void {
    const [first = ''] = to;
    const channel = this.channelTo(first);
    const ask = isAsking ? this.nextAsk() : null;
    if (channel === null || !this.post(channel, to, { type: 'message', bytes, ask })) {
      for (const each of to) this.unsent(each, 'disconnected');
      return;
    }
    for (const each of to) this.windowOf(each).sent(bytes.length, ask);
  }

  private admitted(to: NodeId, bytes: Uint8Array): 'go' | 'ask' | null {
    const { id, maxFrameBytes } = this.settings;
    if (to === id) return this.unsent(to, 'toSelf');
    if (this.channelTo(to) === null) return this.unsent(to, 'unknownPeer');
    if (bytes.length > maxFrameBytes) return this.unsent(to, 'tooLarge');
    const admitted = this.windowOf(to).admits(bytes.length);
    return admitted === 'stop' ? this.unsent(to, 'overloaded') : admitted;
  }

  private channelTo(to: NodeId): Channel | null {
    return this.channels.get(to) ?? this.everyone;
  }

  private windowOf(to: NodeId): PeerWindow {
    const known = this.windows.get(to);
    if (known !== undefined) return known;
    const made = new PeerWindow(this.settings);
    this.windows.set(to, made);
    return made;
  }

  private unsent(to: NodeId, reason: UnsentReason): null {
    this.report({ type: 'unsent', to, reason });
    return null;
  }
}
