/** One node of the key-value cluster while it runs: the circle, and what is around it. */
import type { Server } from 'node:http';
import type { Observable } from 'rxjs';
import {
  delay,
  filter,
  ignoreElements,
  lastValueFrom,
  merge,
  pipe,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import { uniqueNodes } from '../../lib/cluster-config.js';
import type { NodeId } from '../../lib/index.js';
import { loop, raft } from '../../lib/index.js';
import { clock } from '../clock.js';
import { readable } from '../codec.js';
import { clientDoor } from '../gateway/door.js';
import { lateNews } from '../late-news.js';
import { liveDoor } from '../live/door.js';
import { LiveFeed } from '../live/feed.js';
import { livePath } from '../live/protocol.js';
import type { Machine } from '../machine.js';
import { machine } from '../machine.js';
import type { Store } from '../storage.js';
import { traced } from '../trace.js';
import type { TraceFile } from '../trace-file.js';
import { turnScheduler } from '../turn-scheduler.js';
import type { NetworkEvent } from '../ws-network.js';
import { acceptPeers, initialVotersOf, wsNetwork } from '../ws-network.js';
import { askStatus } from './ask-status.js';
import { Changes } from './changes.js';
import type { NodeStatus } from './client-protocol.js';
import { keyValueProtocol } from './client-protocol.js';
import type { AnyCommand } from './commands.js';
import { packBlock, sizeOfCommand, unpackBlock } from './commands.js';
import { connect } from './connection.js';
import { Directory } from './directory.js';
import { Facts } from './facts.js';
import type { HttpNode } from './http.js';
import { membership } from './membership.js';
import { unreadinessOf } from './readiness.js';
import type { Result, State } from './reducer.js';
import { emptyState, load, lookUp, reducer, save } from './reducer.js';
import type { NodeEvent, NodeOptions } from './server.js';
import { service } from './service.js';
import { Snapshots } from './snapshots.js';
import { watching } from './watch.js';

/** What HTTP finds: a node, while it runs. */
export interface Serving {
  node: HttpNode | null;
}

/** What a run needs, and does not make itself. */
export interface Parts {
  readonly server: Server;
  readonly store: Store<Uint8Array, Uint8Array>;
  readonly trace: TraceFile | null;
  readonly serving: Serving;
}

/** A node that was removed stays for a moment: who asked for that is to hear that it is done. */
const farewellMs = 1000;

/** The circle, from its start to its end. */
export async function running(
  options: NodeOptions & { readonly cluster: string },
  { server, store, trace, serving }: Parts,
  stop$: Observable<unknown>,
  report: (event: NodeEvent) => void,
): Promise<void> {
  const { id, cluster, members, contacts = [] } = options;
  const changes = new Changes();
  const keyValue = keyValueMachine(changes, options.snapshotEvery);
  const { applied, state } = { applied: () => keyValue.appliedIndex, state: () => keyValue.state };
  keyValue.state$.subscribe(() => changes.announce());
  const facts = new Facts(id, store.recovered);
  const ask = async (address: string): Promise<NodeStatus | null> => {
    const status = await askStatus(address, 1500, cluster);
    return status instanceof Error ? null : status;
  };
  const directory = new Directory({
    ...{ id, cluster, members, contacts, ask, log: store.recovered.entries },
    applied: () => keyValue.state.addresses,
    appliedIndex: applied,
  });
  if (contacts.length > 0) void directory.inquire();
  const peers = (peer: NodeId): string | undefined => directory.addressOf(peer);
  const status = (): NodeStatus => statusOf(options, facts, keyValue, directory);
  const { leader$, members: known } = facts;
  const { inForce$, isRemoved$ } = known;
  const snapshots = new Snapshots({ machine: keyValue, store });
  const watched = { changes, state, applied, leader: () => leader$.value };
  const requests = service({
    ...{ id, machine: keyValue, leader$, status },
    connect: (leader) => connect(peers(leader) ?? '', { cluster, forwarded: true }),
    membership: membership({ id, machine: keyValue, inForce$, leader$, addressOf: peers, ask }),
    takeSnapshot: () => snapshots.take(),
  });
  const goodbye$ = isRemoved$.pipe(
    filter(Boolean),
    take(1),
    tap(() => report({ type: 'removed' })),
    delay(farewellMs),
  );
  const feed = new LiveFeed({ recovered: store.recovered, status });
  const door = clientDoor(server, {
    cluster,
    protocol: keyValueProtocol,
    otherPaths: [livePath],
    origins: options.origins ?? [],
    answer: (request, forwarded) => {
      const answer = requests.answer(request, forwarded);
      // What another node has passed on is counted there.
      return forwarded || request.type === 'status' ? answer : feed.timed(answer);
    },
    watch: (request, signal) =>
      request.type === 'watch' ? watching(request, watched, signal) : null,
  }).subscribe();
  door.add(
    liveDoor(server, {
      frame$: feed.frame$,
      answer: (request) => feed.timed(requests.answer(request, false)),
      addresses: () => [options.listen, ...Object.values(status().members)],
      origins: options.origins ?? [],
    }).subscribe(),
  );
  serving.node = {
    answer: (request) => feed.timed(requests.answer(request, false)),
    status,
    unreadiness: () =>
      unreadinessOf({
        ...{ id, leader: () => facts.leader$.value, known: () => facts.leaderCommitIndex },
        ...{ applied, read: keyValue.read },
      }),
  };
  const sizeOf = (block: Uint8Array): number => block.length;
  const founders = contacts.length > 0 ? {} : { initialVoters: Object.keys(members) };
  const config = { ...store.recovered, id, ...founders, sizeOf };
  const core = traced(
    lateNews(raft<Uint8Array, Uint8Array>(config, turnScheduler), turnScheduler),
    trace && { ...config, write: trace.write },
  );
  const node$ = loop(pipe(takeUntil(merge(stop$, goodbye$)), core), {
    clock: clock(),
    storage: snapshots.storage,
    network: pipe(
      wsNetwork<Uint8Array, Uint8Array>({
        ...{ cluster, id, peers, commands: readable(unpackBlock), snapshots: readable(load) },
        ...{ sockets: acceptPeers(server), initialVoters: initialVotersOf(config) },
        onEvent: (event) => {
          if (isUnknown(event)) void directory.inquire();
          report({ type: 'network', event });
        },
      }),
      tap((input) => {
        facts.hear(input);
        feed.onInput(input);
      }),
    ),
    machine: keyValue.adapter,
  });
  try {
    await lastValueFrom(
      node$.pipe(
        tap((action) => {
          facts.note(action, report);
          feed.onAction(action);
          if (action.type === 'restore') changes.reset(action.snapshot.position.index);
        }),
        ignoreElements(),
      ),
      { defaultValue: undefined },
    );
  } finally {
    serving.node = null;
    requests.close();
    // Whoever waited has been told how it ended: let the answers out before the sockets are cut.
    setImmediate(() => door.unsubscribe());
  }
}

/** Is it about a node whose address is not known here? */
function isUnknown(event: NetworkEvent): boolean {
  if (event.type === 'unsent') return event.reason === 'unknownPeer';
  return event.type === 'refused' && event.reason === 'sender';
}

type KeyValue = Machine<State, AnyCommand, Result, Uint8Array, Uint8Array>;

function keyValueMachine(changes: Changes, entries = 10_000): KeyValue {
  return machine<State, AnyCommand, Result, Uint8Array, Uint8Array>({
    reducer: (before, command, { index }) => {
      const outcome = reducer(before, command);
      if (command.type !== 'address' && outcome.result === 'done') {
        const key = new Uint8Array(command.key);
        changes.note(index, { key, value: lookUp(outcome.state, key) ?? null });
      }
      return outcome;
    },
    initialState: emptyState(),
    pack: packBlock,
    // A peer may send an entry that has no command: to everybody it is none.
    unpack: (block: Uint8Array | undefined) => (block === undefined ? [] : unpackBlock(block)),
    save,
    load,
    sizeOf: sizeOfCommand,
    snapshotEvery: { entries, bytes: 64 << 20 },
    scheduler: turnScheduler,
  });
}

function statusOf(
  { id, cluster, listen }: NodeOptions & { readonly cluster: string },
  facts: Facts,
  { appliedIndex: applied, state }: KeyValue,
  directory: Directory,
): NodeStatus {
  const { config } = facts.members.inForce$.value;
  const voters = uniqueNodes({ ...config, nonVoters: [] });
  const ids = voters.length > 0 ? uniqueNodes(config) : directory.known;
  const members = new Map([[id, directory.addressOf(id) ?? listen]]);
  for (const each of ids) {
    const address = directory.addressOf(each);
    if (address !== undefined) members.set(each, address);
  }
  return {
    ...{ id, cluster, pid: process.pid, address: members.get(id) ?? listen },
    ...{ role: facts.role, term: facts.term, leader: facts.leader$.value },
    ...{ commit: facts.commitIndex, applied, keys: state.values.size },
    ...{ voters, nonVoters: [...config.nonVoters], members: Object.fromEntries(members) },
  };
}
