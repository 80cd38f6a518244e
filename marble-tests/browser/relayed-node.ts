/** A node that reaches the others through a relay: in a page, where it is global, and on Node. */
import { channelNetwork } from '../../adapters/channel-network.js';
import { clock } from '../../adapters/clock.js';
import { valueCodec } from '../../adapters/codec.js';
import { machine } from '../../adapters/machine.js';
import { memoryStore } from '../../adapters/memory-store.js';
import { relayedChannel, type RelayedChannelOptions } from '../../adapters/relayed-channel.js';
import { turnScheduler } from '../../adapters/turn-scheduler.js';
import { loop, ofType, raft } from '../../lib/index.js';

export interface RelayedNode {
  readonly role: string;
  readonly sum: number;
  readonly lost: readonly string[];
  add(by: number): Promise<number>;
  stop(): void;
}

export function runNode(options: Omit<RelayedChannelOptions, 'cluster'>): RelayedNode {
  const [cluster, voters] = ['relayed', ['a', 'b', 'c']];
  const codecs = { commands: valueCodec<readonly number[]>(), snapshots: valueCodec<number>() };
  const counter = machine({
    reducer: (sum: number, add: number) => ({ state: sum + add, result: sum + add }),
    initialState: 0,
    scheduler: turnScheduler,
  });
  const { recovered, storage } = memoryStore<readonly number[], number>();
  const lost: string[] = [];
  const onLost = (cause: string): void => void lost.push(cause);
  const channels = relayedChannel({ cluster, onLost, ...options });
  const { id } = options;
  const network = channelNetwork({ cluster, id, channels, ...codecs });
  let role = '';
  const config = { id, initialVoters: voters, ...recovered };
  const adapters = { clock: clock(), storage, network, machine: counter.adapter };
  const run = loop(raft(config, turnScheduler), adapters)
    .pipe(ofType('roleChanged'))
    .subscribe((action) => (role = action.role));
  return {
    get role() {
      return role;
    },
    get sum() {
      return counter.state;
    },
    lost,
    add: counter.dispatch,
    stop: () => run.unsubscribe(),
  };
}

Object.assign(globalThis, { runNode });
