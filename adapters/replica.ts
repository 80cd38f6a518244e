/**
 * A replicated reducer on Node, with all that it needs: a folder for its log, a server for the
 * other nodes and for clients, and connections to them.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Observable } from 'rxjs';
import { catchError, EMPTY, firstValueFrom, from, lastValueFrom, Subject, switchMap } from 'rxjs';
import { faultOfNodeId } from '../lib/cluster-config.js';
import { ConfigError } from '../lib/config.js';
import type { NodeId } from '../lib/position.js';
import { bareReplica } from './bare-replica.js';
import { byteCodec, readable } from './codec.js';
import { connect } from './gateway/connection.js';
import { clientDoor } from './gateway/door.js';
import { isLoopback, faultOfAddress, parseAddress } from './key-value/addresses.js';
import { refuseForeignFolder } from './key-value/data-folder.js';
import { listening } from './key-value/listen.js';
import { faultOfAllowedOrigin } from './live/origin.js';
import { initialVotersOf } from './initial-voters.js';
import { levelStore } from './level-store.js';
import { unpackBlock } from './replica/logged.js';
import { maxNameLength } from './network-settings.js';
import { replicaProtocol } from './replica/protocol.js';
import { codecsOf, load } from './replica/replicated.js';
import type { ReducerOptions, Replica } from './replica-options.js';
import type { NetworkEvent } from './ws-network.js';
import { acceptPeers, wsNetwork } from './ws-network.js';
import { defaultMaxFrameBytes } from './ws-settings.js';

export { ConfigError } from '../lib/config.js';
export { ChangeRefused } from './change-refused.js';
export type { ChangeFault } from './change-refused.js';
export {
  CommandFailed,
  MachineError,
  NotApplied,
  NotLeader,
  OutcomeUnknown,
  Overloaded,
} from './machine.js';
export { ListenError } from './key-value/listen.js';
export { StoreError } from './storage.js';
export type { StoreFault } from './storage.js';
export type { CommandPosition, Outcome, Reducer } from './machine.js';
export type { ReplicaStatus } from './replica/facts.js';
export type { DispatchOptions, ReadOptions, Replica } from './replica-options.js';

export interface ReplicaOptions<State, Command, Result> extends ReducerOptions<
  State,
  Command,
  Result
> {
  /** Where the nodes listen, this one too, as `host:port`. */
  readonly nodes: Readonly<Record<NodeId, string>>;
  /**
   * The voters of a new cluster, the same on each of them: nodes that began otherwise refuse each
   * other. None, `[]`, on a node that is to be added to a cluster that is there, by `changeVoters`.
   * Default: all `nodes`. A node that has a log knows its own. One that begins ends with a
   * ConfigError where a voter is not among `nodes`, and there is no `addressOf`.
   */
  readonly initialVoters?: readonly NodeId[];
  /**
   * Where a node listens that is not among `nodes`, such as one that was added later. Asked
   * whenever it is to be reached, also of ids that clients have made up; undefined, or an error:
   * not known yet, and nothing is taken from that node. Where the state has the addresses keep them
   * in a file as well: a node that starts is behind, and must hear the others to catch up.
   */
  readonly addressOf?: (id: NodeId) => string | undefined;
  /** Of this node alone: its log, and its snapshots. It is made when it is not there. */
  readonly folder: string;
  /**
   * The same on all nodes, and on no other cluster: it keeps strangers apart. Default `replica`.
   */
  readonly cluster?: string;
  /**
   * Web pages that may connect, by their origin, as in `https://shop.example`. Default: those that
   * this node serves itself, with `onRequest`.
   */
  readonly origins?: readonly string[];
  /** Answers plain HTTP requests to this node. Default: a hint in words. */
  readonly onRequest?: RequestListener;
  /**
   * Listen on an address that other machines reach, although whoever reaches it can read and
   * change everything. Default false.
   */
  readonly insecure?: boolean;
  /** Told what happens to the connections of the other nodes. */
  readonly onNetworkEvent?: (event: NetworkEvent) => void;
}

/**
 * Starts a node; once a majority of the nodes has been started, one of them leads.
 *
 *     const nodes = { a: '127.0.0.1:7001', b: '127.0.0.1:7002', c: '127.0.0.1:7003' };
 *     const add = (sum: number, by: number) => ({ state: sum + by, result: sum + by });
 *     const { state$, dispatch } = replica({
 *       id: 'a', nodes, folder: './data/a', reducer: add, initialState: 0,
 *     });
 *     state$.subscribe((sum) => console.log(sum));
 *     await dispatch(2);
 *
 * Throws a ConfigError for options that can't be. `stop()` and the streams end with a ListenError
 * when its address is taken, and with a StoreError when its folder is not its own or damaged; who
 * dispatches or reads is told why, too.
 */
export function replica<State, Command, Result>(
  options: ReplicaOptions<State, Command, Result>,
): Replica<State, Command, Result> {
  const { id, nodes, folder, cluster = 'replica', origins = [] } = options;
  const address = addressOf(options);
  refuseNoFolder(folder);
  refuseStrangeOrigins(origins);
  refuseLongName(cluster);
  refuseLongBlocks(options.limits);
  const codecs = codecsOf(options.codecs);
  const protocol = replicaProtocol(codecs.results);
  // Own ones only: ids come from strangers too, and `constructor` is no node.
  const peers = (peer: NodeId): string | undefined => {
    if (Object.hasOwn(nodes, peer)) return nodes[peer];
    try {
      return options.addressOf?.(peer);
    } catch {
      // It would end whoever leads, one after the other: a member stays in their logs.
      return undefined;
    }
  };
  const made$ = new Subject<void>();
  const server = firstValueFrom(made$).then(() => listening(address));
  const stored = { commands: byteCodec, snapshots: byteCodec };
  const received = {
    commands: readable(unpackBlock),
    snapshots: readable((data) => load(data, codecs.states)),
  };
  const { initialVoters = Object.keys(nodes) } = options;
  const lost = options.addressOf
    ? undefined
    : initialVoters.find((voter) => !Object.hasOwn(nodes, voter));
  /** Nodes that began with other ones have another first entry: they must never meet. */
  let began: readonly NodeId[] | undefined;
  const store = server.then(async () => {
    await refuseForeignFolder(folder);
    const opened = await levelStore({ folder, cluster, node: id, ...stored });
    began = initialVotersOf({ ...opened.recovered, initialVoters });
    // Only of a node that begins they are the same list: one with a log has its voters there.
    if (began !== initialVoters || lost === undefined) return opened;
    await opened.close();
    const text = `${JSON.stringify(lost)} is not among the nodes, and nothing else has its address`;
    throw new ConfigError('initialVoters', text);
  });
  const bare = bareReplica({
    ...{ ...options, initialVoters, store },
    // Made when the store is open: only then is known how its cluster began.
    network: (action$) =>
      wsNetwork<Bytes, Bytes>({
        ...{ cluster, id, peers, ...received, initialVoters: began },
        sockets: from(server).pipe(switchMap((each) => acceptPeers(each))),
        ...(options.onNetworkEvent && { onEvent: options.onNetworkEvent }),
      })(action$),
    connect: (leader) => connect(peers(leader) ?? '', protocol, { cluster, forwarded: true }),
  });
  // Options that can't be are said by now, and whoever is told so has nothing to close.
  made$.next();
  const { requests, ...rest } = bare;
  const closed = serving(server, bare.status$, (each) => {
    each.on('request', options.onRequest ?? hint);
    return clientDoor(each, { cluster, protocol, origins, ...requests });
  });
  return {
    ...rest,
    get state() {
      return bare.state;
    },
    stop: () => bare.stop().finally(() => closed),
  };
}

type Bytes = Uint8Array;

/** Lets clients in while a node runs, and resolves when its server is closed behind it. */
async function serving(
  listens: Promise<Server>,
  node$: Observable<unknown>,
  open: (server: Server) => Observable<never>,
): Promise<void> {
  let server: Server;
  try {
    server = await listens;
  } catch {
    // The node has no store without its server, and says so.
    return;
  }
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const door = open(server).subscribe();
  await lastValueFrom(node$.pipe(catchError(() => EMPTY)), { defaultValue: null });
  // Whoever waited has been told how it ended: let the answers out before the sockets are cut.
  await new Promise(setImmediate);
  door.unsubscribe();
  const closed = new Promise((resolve) => server.close(resolve));
  const late = setTimeout(() => sockets.forEach((socket) => socket.destroy()), goodbyeMs);
  await closed;
  clearTimeout(late);
}

/** So long the other side of a connection may take to say goodbye. */
const goodbyeMs = 300;

function hint(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { 'content-type': 'text/plain', connection: 'close' });
  response.end('This is a node of an rxraft cluster: connect with rxraft/adapters/observe\n');
}

/** Nothing would be the folder in which the program was started. Throws a ConfigError. */
function refuseNoFolder(folder: unknown): void {
  if (typeof folder === 'string' && folder !== '') return;
  throw new ConfigError('folder', 'name a folder for this node alone, as in ./data/a');
}

/** What no browser says would let nobody in. Throws a ConfigError. */
function refuseStrangeOrigins(origins: readonly string[]): void {
  for (const origin of origins) {
    const fault = faultOfAllowedOrigin(origin);
    if (fault !== null) throw new ConfigError('origins', fault);
  }
}

/** Throws a ConfigError. */
function refuseLongName(cluster: string): void {
  if (cluster.length <= maxNameLength) return;
  throw new ConfigError('cluster', `at most ${maxNameLength} characters`);
}

/** An entry must fit into a frame, with what is around it: else the log would wait behind it. */
const maxBlockBytes = defaultMaxFrameBytes - 4096;

/** Throws a ConfigError. */
function refuseLongBlocks(limits: ReplicaLimits = {}): void {
  for (const name of ['commandBytes', 'blockBytes'] as const) {
    if ((limits[name] ?? 0) <= maxBlockBytes) continue;
    const room = `${maxBlockBytes}, which a frame between nodes has room for`;
    const text = `${limits[name]} is over ${room}`;
    throw new ConfigError(`limits.${name}`, text);
  }
}

type ReplicaLimits = NonNullable<ReducerOptions<never, never, never>['limits']>;

/** Throws a ConfigError. */
function addressOf(
  options: Pick<ReplicaOptions<never, never, never>, 'id' | 'nodes' | 'insecure'>,
) {
  const { id, nodes, insecure = false } = options;
  if (Object(nodes) !== nodes) {
    throw new ConfigError('nodes', "say where each node listens, as in { a: '127.0.0.1:7001' }");
  }
  for (const [each, address] of Object.entries(nodes)) {
    const fault = faultOfNodeId(each) ?? faultOfAddress(address);
    if (fault !== null) throw new ConfigError('nodes', fault);
  }
  if (new Set(Object.values(nodes)).size !== Object.keys(nodes).length) {
    throw new ConfigError('nodes', 'two of them have one address');
  }
  const own = Object.hasOwn(nodes, id) ? nodes[id] : undefined;
  if (own === undefined)
    throw new ConfigError('id', `${JSON.stringify(id)} is not among the nodes`);
  if (!insecure && !isLoopback(parseAddress(own))) {
    throw new ConfigError(
      'nodes',
      `${own} can be reached from other machines, and there is no authentication: whoever ` +
        'reaches it can read and change everything. If only machines that you trust can, say ' +
        'insecure: true; else listen on 127.0.0.1',
    );
  }
  return own;
}
