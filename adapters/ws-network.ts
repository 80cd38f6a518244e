/**
 * The network over WebSockets, for Node. Every node dials every peer that it has something to say
 * to, and only listens on what peers dialled: two nodes that talk have two connections. Sending is
 * fire and forget: what can't leave now is dropped, because Raft repeats itself anyway. A snapshot
 * has a connection of its own while it lasts.
 */
import type { OperatorFunction } from 'rxjs';
import { mergeMap } from 'rxjs';
import type { NetworkAction } from '../lib/action.js';
import type { NetworkInput } from '../lib/input.js';
import type { NodeId } from '../lib/position.js';
import { networkOperator, type Ways } from './network-operator.js';
import { acceptor } from './ws-accept.js';
import { type PeerLink, peerLink } from './ws-peer.js';
import { type Settings, settingsOf, type WsNetworkOptions } from './ws-settings.js';
import { transferSnapshot } from './ws-snapshot.js';

export { initialVotersOf } from './initial-voters.js';
export { EntryTooLarge } from './message-frames.js';
export { type AcceptPeersOptions, acceptPeers } from './ws-upgrade.js';
export type { HandshakeFault } from './ws-handshake.js';
export type { NetworkEvent, UnsentReason } from './network-event.js';
export type { OpenedSocket, PeerSocket, WsNetworkOptions } from './ws-settings.js';

/**
 * The network adapter of one node. What peers do wrong, and what they lose, is reported to
 * `onEvent` and never errors the stream; an error of `sockets`, a command that can't be encoded,
 * an entry that no frame has room for (`EntryTooLarge`) and a throwing `onEvent` do. When its
 * actions complete, or when it is unsubscribed, all connections are cut. Throws a RangeError for
 * an option out of range.
 *
 *     actions          -m-----i------|      m: sendMessage, i: installSnapshot
 *     inputs           ---r-------s--|      r: received, s: snapshotSent
 */
export function wsNetwork<C, S>(
  options: WsNetworkOptions<C, S>,
): OperatorFunction<NetworkAction<C, S>, NetworkInput<C, S>> {
  const defaulted = settingsOf(options);
  const { commands, maxFrameBytes } = defaulted;
  return networkOperator({ commands, maxFrameBytes, onEvent: options.onEvent }, (report) => {
    const settings: Settings<C, S> = { ...defaulted, report };
    return {
      ...outgoing(settings),
      transfer: (install) => transferSnapshot(install, settings),
      heard$: settings.sockets.pipe(mergeMap(acceptor(settings))),
    };
  });
}

/** The ways to all peers that were ever spoken to, by where they listen now. */
function outgoing<C, S>(settings: Settings<C, S>): Required<Pick<Ways<C, S>, 'send' | 'close'>> {
  const links = new Map<NodeId, PeerLink>();
  const linkTo = (to: NodeId): PeerLink | 'unknownPeer' | 'toSelf' => {
    if (to === settings.id) return 'toSelf';
    const address = settings.peers(to);
    const known = links.get(to);
    if (known !== undefined && known.address === address) return known;
    known?.close();
    links.delete(to);
    if (address === undefined) return 'unknownPeer';
    const link = peerLink(to, address, settings);
    links.set(to, link);
    return link;
  };
  return {
    send: (to, bytes) => {
      for (const each of to) {
        const link = linkTo(each);
        if (typeof link === 'object') link.send(bytes);
        else settings.report({ type: 'unsent', to: each, reason: link });
      }
    },
    close: () => links.forEach((link) => link.close()),
  };
}
