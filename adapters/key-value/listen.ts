/** A server of HTTP on an address, and in words why there is none. */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { parseAddress } from './addresses.js';

/** The address is taken, or is none of this machine. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(address: string, cause: unknown) {
    const { code } = cause as { readonly code?: unknown };
    const mends: Record<string, string> = {
      EADDRINUSE: 'is in use: is this node running already? Stop it, or choose another port',
      EADDRNOTAVAIL: 'is no address of this machine: choose one that is',
      EACCES: 'is not allowed to this user: choose a port above 1023',
      ENOTFOUND: 'has a host that is not known: choose one that is, or an IP address',
    };
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${address} ${mends[String(code)] ?? `can't be listened on: ${why}`}`, { cause });
  }
}

/** Listens; whoever wants to answer adds a listener. Rejects with a ListenError. */
export function listening(address: string): Promise<Server> {
  const server = createServer({
    headersTimeout: 5000,
    // Of a whole request, its body too.
    requestTimeout: 30_000,
    connectionsCheckingInterval: 1000,
  });
  return new Promise((resolve, reject) => {
    const target = parseAddress(address);
    server.once('error', (error) => reject(new ListenError(address, error)));
    server.listen(target.port, target.host, () => {
      server.removeAllListeners('error');
      // Out of file descriptors, say: those who are connected are still served.
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}
