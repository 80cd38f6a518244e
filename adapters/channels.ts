/** Where the channels between tabs and workers come from. */
import { from, map, Observable } from 'rxjs';
import type { NodeId } from '../lib/position.js';
import type { Channel, PeerChannel } from './channel-settings.js';

/**
 * A BroadcastChannel of this name, on which all tabs and workers of the origin hear each other. It
 * is opened for each subscription, and closed with it.
 */
export function broadcastChannel(name: string): Observable<PeerChannel> {
  return new Observable((subscriber) => {
    const channel = new BroadcastChannel(name);
    subscriber.next({ channel, peer: null });
    return () => channel.close();
  });
}

/**
 * A MessagePort, or a Worker, for each peer. They stay open when the network ends, so that the node
 * can come back; what arrives meanwhile is lost.
 */
export function portsTo(ports: Readonly<Record<NodeId, Channel>>): Observable<PeerChannel> {
  return from(Object.entries(ports)).pipe(map(([peer, channel]) => ({ channel, peer })));
}
