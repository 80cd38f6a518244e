/** One node of the key-value cluster: a port, a folder, and what runs between them. */
import type { Observable } from 'rxjs';
import type { LogIndex, NodeId, Role, Term } from '../../lib/index.js';
import { byteCodec } from '../codec.js';
import type { PageFile } from '../live/files.js';
import { clusterFile, pageFile } from '../live/files.js';
import type { TraceFile } from '../trace-file.js';
import { traceFile } from '../trace-file.js';
import type { NetworkEvent } from '../ws-network.js';
import { parseAddress } from './addresses.js';
import { refuseForeignFolder, storeOf } from './data-folder.js';
import { httpDoor } from './http.js';
import { joinedCluster } from './join.js';
import { listening } from './listen.js';
import type { Serving } from './running.js';
import { running } from './running.js';

export interface NodeOptions {
  readonly id: NodeId;
  /** The same on all nodes of a cluster. Null: what the contacts say, or the folder. */
  readonly cluster: string | null;
  /** Of this node alone. */
  readonly folder: string;
  /** `host:port`. */
  readonly listen: string;
  /** Where others find the nodes of a new cluster, this one included, by their ids. */
  readonly members: Readonly<Record<NodeId, string>>;
  /**
   * Nodes of a cluster that this one is to be added to, as `host:port`: it founds none of its own.
   * Default: none.
   */
  readonly contacts?: readonly string[];
  /** Entries of the log after which a snapshot is taken. Default 10,000. */
  readonly snapshotEvery?: number;
  /** Where each event of the protocol is written to, and how much of it is kept. */
  readonly trace?: { readonly path: string; readonly limitBytes?: number };
  /** Of web pages that may look, read and write, beside those that the nodes serve. */
  readonly origins?: readonly string[];
}

/** What a node does that is worth a line. */
export type NodeEvent =
  | { readonly type: 'listening'; readonly address: string }
  /** None of its contacts has answered yet. It goes on asking. */
  | { readonly type: 'alone'; readonly contacts: readonly string[] }
  /** The cluster has decided that it is no member any more. It stops. */
  | { readonly type: 'removed' }
  | {
      readonly type: 'roleChanged';
      readonly role: Role;
      readonly currentTerm: Term;
      readonly leaderId: NodeId | null;
    }
  /** It was so far behind that the leader sent its snapshot instead of the entries. */
  | { readonly type: 'snapshotInstalled'; readonly index: LogIndex }
  /** The trace could not be written any further. The node goes on. */
  | { readonly type: 'traceEnded'; readonly path: string; readonly cause: string }
  | { readonly type: 'network'; readonly event: NetworkEvent };

/**
 * Runs a node until `stop$` emits, and resolves when all of it is over: sockets, writes, the lock
 * on its folder. Rejects with a ListenError before its folder is touched, with a StoreError or a
 * TraceFileError, and with whatever else ends a node: nothing that a peer or a client says. `stop$`
 * must replay.
 */
export async function runNode(
  options: NodeOptions,
  stop$: Observable<unknown>,
  report: (event: NodeEvent) => void,
): Promise<void> {
  const { id, folder, listen, contacts = [] } = options;
  const server = await listening(listen);
  const serving: Serving = { node: null };
  const names = [listen, ...Object.values(options.members)].map((each) => parseAddress(each).host);
  const files = (path: string): PageFile | null =>
    path === '/cluster.json'
      ? clusterFile(serving.node?.status().members ?? options.members)
      : pageFile(path);
  const door = httpDoor(server, { node: () => serving.node, names, files }).subscribe();
  try {
    await refuseForeignFolder(folder);
    const onSilence = (): void => report({ type: 'alone', contacts });
    const cluster =
      options.cluster ?? (await joinedCluster({ folder, contacts, stop$, onSilence }));
    if (cluster === null) return;
    const codecs = { commands: byteCodec, snapshots: byteCodec };
    const store = await storeOf({ folder, cluster, node: id, ...codecs });
    try {
      const trace = options.trace === undefined ? null : traceOf(options.trace, report);
      report({ type: 'listening', address: listen });
      const parts = { server, store, trace, serving };
      await running({ ...options, cluster }, parts, stop$, report).finally(() => trace?.close());
    } finally {
      await store.close();
    }
  } finally {
    door.unsubscribe();
    server.close();
    server.closeAllConnections();
  }
}

function traceOf(
  trace: NonNullable<NodeOptions['trace']>,
  report: (event: NodeEvent) => void,
): TraceFile {
  const { path } = trace;
  const onEnded = ({ message: cause }: Error): void => report({ type: 'traceEnded', path, cause });
  return traceFile({ ...trace, onEnded });
}
