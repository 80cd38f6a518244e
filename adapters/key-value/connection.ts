/** One connection to one node, as a client or as a node that forwards. */
import { Observable } from 'rxjs';
import type { Connection as AnyConnection, ConnectOptions } from '../gateway/connection.js';
import { connect as connectWith } from '../gateway/connection.js';
import type { Request, StoreAnswer } from './client-protocol.js';
import { keyValueProtocol } from './client-protocol.js';

export { ConnectionLost } from '../gateway/connection-lost.js';
export type { ConnectOptions } from '../gateway/connection.js';

export type Connection = AnyConnection<Request, StoreAnswer>;

/** Connects to the node at `host:port`. Rejects with ConnectionLost: nothing was sent. */
export function connect(address: string, options: ConnectOptions = {}): Promise<Connection> {
  return connectWith(address, keyValueProtocol, options);
}

/** The same as a stream that stays: unsubscribing closes the connection. */
export function connected(address: string): Observable<Connection> {
  return new Observable((subscriber) => {
    const dialled = connect(address);
    dialled.then(
      (connection) => subscriber.next(connection),
      (error: unknown) => subscriber.error(error),
    );
    return () => {
      dialled.then(
        (connection) => connection.close(),
        () => undefined,
      );
    };
  });
}
