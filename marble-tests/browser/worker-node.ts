/** A node in a worker: told who it is and given a port to each peer, it says how it is doing. */
import { channelNetwork, portsTo } from '../../adapters/channel-network.js';
import { clock } from '../../adapters/clock.js';
import { valueCodec } from '../../adapters/codec.js';
import { indexedDbStore } from '../../adapters/idb-store.js';
import { machine } from '../../adapters/machine.js';
import { turnScheduler } from '../../adapters/turn-scheduler.js';
import { loop, ofType, raft } from '../../lib/index.js';

/** What the page says first; later it says how much to add. */
export interface Start {
  readonly id: string;
  readonly database: string;
  readonly ports: Readonly<Record<string, MessagePort>>;
}

export type Said =
  | { readonly role: string }
  | { readonly sum: number }
  | { readonly added: number }
  | { readonly failed: string };

const say = (said: Said): void => globalThis.postMessage(said);

async function start({ id, database, ports }: Start): Promise<(by: number) => Promise<number>> {
  const codecs = { commands: valueCodec<readonly number[]>(), snapshots: valueCodec<number>() };
  const store = await indexedDbStore({ database, cluster: 'workers', node: id, ...codecs });
  const counter = machine({
    reducer: (sum: number, add: number) => ({ state: sum + add, result: sum + add }),
    initialState: 0,
    scheduler: turnScheduler,
  });
  const channels = portsTo(ports);
  const adapters = {
    clock: clock(),
    storage: store.storage,
    network: channelNetwork({ cluster: 'workers', id, channels, ...codecs }),
    machine: counter.adapter,
  };
  const initialVoters = [id, ...Object.keys(ports)];
  loop(raft({ id, initialVoters, ...store.recovered }, turnScheduler), adapters)
    .pipe(ofType('roleChanged'))
    .subscribe(({ role }) => say({ role }));
  counter.state$.subscribe((sum) => say({ sum }));
  return counter.dispatch;
}

const fail = (error: unknown): void => say({ failed: String(error) });
let dispatch: Promise<(by: number) => Promise<number>> | null = null;
globalThis.onmessage = ({ data }: MessageEvent<Start | number>) => {
  if (typeof data === 'object') {
    dispatch = start(data);
    dispatch.catch(fail);
  } else {
    dispatch?.then((add) => add(data)).then((added) => say({ added }), fail);
  }
};
