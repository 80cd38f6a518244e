/**
 * Three replicas in one process, on fake timers: their network and their disks are memory, and what
 * they pass on to the leader crosses the wire as bytes.
 */
import type { Subscription } from 'rxjs';
import { BehaviorSubject, filter, NEVER } from 'rxjs';
import { vi } from 'vitest';
import type { BareReplica, BareReplicaOptions } from '../../adapters/bare-replica.js';
import { bareReplica } from '../../adapters/bare-replica.js';
import { clock } from '../../adapters/clock.js';
import { valueCodec } from '../../adapters/codec.js';
import type { Connection } from '../../adapters/gateway/connection.js';
import { ConnectionLost } from '../../adapters/gateway/connection-lost.js';
import type { Failure } from '../../adapters/gateway/protocol.js';
import {
  decodeAnswer,
  decodeRequests,
  encodeAnswer,
  encodeRequest,
} from '../../adapters/gateway/protocol.js';
import { memoryNetwork, partition } from '../../adapters/memory-network.js';
import { MemoryDisk, memoryStore } from '../../adapters/memory-store.js';
import type { ReplicaAnswer, ReplicaRequest } from '../../adapters/replica/protocol.js';
import { replicaProtocol } from '../../adapters/replica/protocol.js';

type Options<State, Command, Result> = Pick<
  BareReplicaOptions<State, Command, Result>,
  'reducer' | 'initialState'
> &
  Partial<BareReplicaOptions<State, Command, Result>>;

export class ReplicaCluster<State, Command, Result> {
  readonly ids = ['a', 'b', 'c'];
  readonly disks = new Map<string, MemoryDisk<Uint8Array, Uint8Array>>();
  readonly nodes = new Map<string, BareReplica<State, Command, Result>>();
  /** Nodes that nobody reaches, and that reach nobody. */
  readonly cut$ = new BehaviorSubject<readonly string[]>([]);
  /** Called with every request that arrives at a node from another. */
  onForwarded: (request: ReplicaRequest) => void = () => undefined;
  private readonly network;

  constructor(private readonly options: Options<State, Command, Result>) {
    this.network = memoryNetwork<Uint8Array, Uint8Array>({
      link: (from, to) => partition(this.isCut$(from, to)),
    });
    for (const id of this.ids) this.start(id);
  }

  /** A founder, or one that waits to be added. */
  start(id: string): BareReplica<State, Command, Result> {
    const disk = this.disks.get(id) ?? new MemoryDisk<Uint8Array, Uint8Array>();
    this.disks.set(id, disk);
    const place = 'abcdef'.indexOf(id) / 6;
    const node = bareReplica<State, Command, Result>({
      id,
      initialVoters: this.ids.includes(id) ? this.ids : [],
      store: memoryStore(disk),
      network: this.network.node(id),
      clock: clock({ random: () => place }),
      connect: async (to) => this.connection(id, to),
      ...this.options,
    });
    this.nodes.set(id, node);
    return node;
  }

  node(id: string): BareReplica<State, Command, Result> {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  get all(): BareReplica<State, Command, Result>[] {
    return [...this.nodes.values()];
  }

  /** Waits until these agree on a leader among them. */
  async leader(...among: string[]): Promise<BareReplica<State, Command, Result>> {
    const ids = among.length === 0 ? this.ids : among;
    for (let ms = 0; ms < 20_000; ms += 10) {
      const said = new Set(await Promise.all(ids.map((id) => this.leaderOf(id))));
      const [leader] = said;
      if (said.size === 1 && ids.includes(leader ?? '')) return this.node(leader ?? '');
      await vi.advanceTimersByTimeAsync(10);
    }
    throw new Error('no leader');
  }

  /** Two that follow. */
  async followers(): Promise<
    [BareReplica<State, Command, Result>, BareReplica<State, Command, Result>]
  > {
    const leader = await this.leader();
    const [first, second] = this.all.filter((node) => node !== leader);
    if (first === undefined || second === undefined) throw new Error('too few nodes');
    return [first, second];
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((node) => settled(node.stop())));
  }

  private async leaderOf(id: string): Promise<string | null> {
    let leader: string | null = null;
    this.node(id)
      .leader$.subscribe((each) => (leader = each))
      .unsubscribe();
    return leader;
  }

  private isCut$(from: string, to: string): BehaviorSubject<boolean> {
    const isCut = (cut: readonly string[]): boolean => cut.includes(from) !== cut.includes(to);
    const isCut$ = new BehaviorSubject(isCut(this.cut$.value));
    this.cut$.subscribe((cut) => isCut$.next(isCut(cut)));
    return isCut$;
  }

  private connection(from: string, to: string): Connection<ReplicaRequest, ReplicaAnswer<Result>> {
    const protocol = replicaProtocol<Result>(valueCodec());
    const isCut$ = this.isCut$(from, to);
    const lost = new ConnectionLost(to, 'cut');
    if (isCut$.value) throw lost;
    const ends = new Set<(error: Error) => void>();
    let isOpen = true;
    let watch: Subscription | null = null;
    const close = (cause = 'closed'): void => {
      isOpen = false;
      watch?.unsubscribe();
      for (const end of ends) end(new ConnectionLost(to, cause));
    };
    watch = isCut$.pipe(filter(Boolean)).subscribe(() => close('cut'));
    const ask = async (request: ReplicaRequest): Promise<ReplicaAnswer<Result> | Failure> => {
      if (!isOpen) throw lost;
      const frame = encodeRequest(protocol, { id: 1, forwarded: true, request });
      const [received] = decodeRequests(protocol, frame);
      if (received === undefined) throw lost;
      const { asked } = received;
      this.onForwarded(asked.request);
      const answer = await new Promise<ReplicaAnswer<Result> | Failure>((resolve, reject) => {
        ends.add(reject);
        void this.node(to).requests.answer(asked.request, asked.forwarded).then(resolve);
      });
      return decodeAnswer(protocol, encodeAnswer(protocol, 1, answer)).answer;
    };
    return {
      address: to,
      get isOpen() {
        return isOpen;
      },
      ask,
      answers: () => NEVER,
      close,
    };
  }
}

/** How a promise ends, while time goes on: its value, or its error. */
export async function settled<T>(promise: Promise<T>): Promise<T | Error> {
  const outcomes: (T | Error)[] = [];
  promise.then(
    (value) => outcomes.push(value),
    (error: unknown) => outcomes.push(error as Error),
  );
  for (let ms = 0; ms < 30_000; ms += 5) {
    await vi.advanceTimersByTimeAsync(5);
    if (outcomes.length > 0) return outcomes[0] as T | Error;
  }
  throw new Error('it never ends');
}
