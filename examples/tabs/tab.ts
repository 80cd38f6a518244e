/**
 * Three tabs of one browser agree on a number: each is a node, with its log in IndexedDB and a
 * BroadcastChannel to the others.
 */
import { fromEvent, mergeMap } from 'rxjs';
import { loop, ofType, raft } from 'rxraft';
import { broadcastChannel, channelNetwork } from 'rxraft/adapters/channel-network';
import { clock } from 'rxraft/adapters/clock';
import { valueCodec } from 'rxraft/adapters/codec';
import { pageHidden, withoutCandidacy } from 'rxraft/adapters/hidden-tab';
import { indexedDbStore } from 'rxraft/adapters/idb-store';
import { machine } from 'rxraft/adapters/machine';
import { StoreError } from 'rxraft/adapters/storage';
import { turnScheduler } from 'rxraft/adapters/turn-scheduler';
import { forwarding } from './forwarding.js';

const cluster = 'tabs';
const nodes = ['a', 'b', 'c'];
const codecs = { commands: valueCodec<readonly number[]>(), snapshots: valueCodec<number>() };

const show = (id: string, text: string): void => {
  const element = document.getElementById(id);
  if (element !== null) element.textContent = text;
};

/** The first of the three that no other tab is. After a reload the same as before. */
async function takeSeat() {
  const before = sessionStorage.getItem('node');
  const seats = [...nodes].sort((one, other) => Number(other === before) - Number(one === before));
  for (const node of seats) {
    const waitMs = node === before ? 2000 : 0;
    try {
      const store = await indexedDbStore({
        database: `tab ${node}`,
        cluster,
        node,
        waitMs,
        ...codecs,
      });
      sessionStorage.setItem('node', node);
      return { node, store };
    } catch (error) {
      if (!(error instanceof StoreError && error.reason === 'locked')) throw error;
    }
  }
  throw new Error('three tabs are open already: this is one too many');
}

async function start(): Promise<void> {
  const { node, store } = await takeSeat();
  const counter = machine({
    reducer: (sum: number, add: number) => ({ state: sum + add, result: sum + add }),
    initialState: 0,
    scheduler: turnScheduler,
    snapshotEvery: { entries: 1000 },
  });
  const adapters = {
    clock: withoutCandidacy(pageHidden(), clock()),
    storage: store.storage,
    network: channelNetwork({ cluster, id: node, channels: broadcastChannel(cluster), ...codecs }),
    machine: counter.adapter,
  };
  const askLeader = forwarding(node, counter.dispatch);
  let leader: string | null = null;
  show('node', node);
  counter.state$.subscribe((sum) => show('sum', String(sum)));
  loop(raft({ id: node, initialVoters: nodes, ...store.recovered }, turnScheduler), adapters)
    .pipe(ofType('roleChanged'))
    .subscribe({
      next: ({ role, leaderId }) => {
        leader = leaderId;
        show('role', role);
        show('leader', leaderId ?? 'none');
      },
      error: (error: unknown) => show('said', `this node has ended: ${String(error)}`),
    });
  fromEvent(document.querySelectorAll('#add'), 'click')
    .pipe(mergeMap(() => askLeader(leader, 1).then((sum) => `it is ${sum}`, String)))
    .subscribe((said) => show('said', said));
  document.getElementById('add')?.removeAttribute('disabled');
}

start().catch((error: unknown) => show('said', String(error)));
