/**
 * Commands by the client of the package, over the endpoint that every replica has. It finds a node
 * by itself, and sends again under the id; what its errors claim is taken at its word.
 */
import { WebSocket } from 'ws';
import type { Client } from '../../../adapters/client.js';
import { client } from '../../../adapters/client.js';
import { MachineError } from '../../../adapters/machine.js';
import type { SliceCommand } from '../../../adapters/recipes/slices.js';
import type { ReplicaAnswer, ReplicaCommand } from './ask.js';
import { patienceMs } from './ask.js';
import type { Result } from './reducer.mjs';

type Identified = ReplicaCommand & { readonly id: string };

export class Outside {
  private client: Client<SliceCommand, Result> | null = null;
  private urls: readonly string[] = [];

  /** `urls`: where the nodes are now. */
  async send(urls: readonly string[], command: Identified): Promise<ReplicaAnswer> {
    const { dispatch } = this.opened(urls);
    try {
      const result = await dispatch({ slice: 'keys', command }, { requestId: command.id });
      return { ...result, outcome: 'done', run: '' };
    } catch (error) {
      if (!(error instanceof MachineError)) throw error;
      const { name, outcome, message: text } = error;
      return { name, outcome, text };
    }
  }

  close(): void {
    this.client?.close();
    this.client = null;
  }

  /** The same one, until other nodes are there. */
  private opened(urls: readonly string[]): Client<SliceCommand, Result> {
    if (this.client !== null && urls.join() === this.urls.join()) return this.client;
    this.close();
    this.urls = urls;
    this.client = client(urls, {
      ...{ cluster: 'replica', timeoutMs: patienceMs, connectTimeoutMs: 500 },
      webSocket: WebSocket,
    });
    return this.client;
  }
}
