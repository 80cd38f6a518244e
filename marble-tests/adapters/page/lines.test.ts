/** Whom the page speaks to, while nodes come, go and move. */
import type { Subscription } from 'rxjs';
import { BehaviorSubject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../../lib/action.js';
import { noCluster } from '../../../lib/cluster-config.js';
import { origin } from '../../../lib/position.js';
import { noLoad } from '../../../adapters/live/load.js';
import type { LiveFrame, StatusFrame } from '../../../adapters/live/protocol.js';
import type { Members } from '../../../adapters/page/lines.js';
import { lines } from '../../../adapters/page/lines.js';
import type { LinkEvent } from '../../../adapters/page/link.js';
import { Model } from '../../../adapters/page/model.js';
import type { Outcome } from '../../../adapters/page/requests.js';
import { Requests } from '../../../adapters/page/requests.js';

let sockets: FakeSocket[];
let events: LinkEvent[];
let model: Model;
let members$: BehaviorSubject<Members>;
let requests: Requests;
let running: Subscription;

/** As much of a WebSocket as a line needs. */
class FakeSocket {
  readyState = 0;
  sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;

  constructor(readonly url: string) {
    sockets.push(this);
  }

  get node(): string {
    return /\/\/(\w+):/.exec(this.url)?.[1] ?? '';
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  tell(frame: LiveFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }
}

const status = (node: string, role: Role, members: Members): StatusFrame => ({
  ...{ type: 'status', at: 1, node, cluster: 'c', pid: 7, role, term: 2, leader: 'a' },
  ...{ commit: 0, applied: 0, keys: 0, members, config: noCluster, peers: [], load: noLoad },
  log: { last: origin, snapshot: 0, entries: [] },
});

const two = { a: 'a:1', b: 'b:1' };

function socketOf(node: string): FakeSocket {
  const socket = sockets.filter((each) => each.node === node && each.readyState < 3).at(-1);
  if (socket === undefined) throw new Error(`no line to ${node}`);
  return socket;
}

beforeEach(() => {
  sockets = [];
  events = [];
  model = new Model();
  members$ = new BehaviorSubject<Members>(two);
  const WebSocketCtor = FakeSocket as unknown as typeof WebSocket;
  const event$ = lines(model, members$, { isSecure: false, WebSocketCtor });
  requests = new Requests(model, event$);
  running = event$.subscribe((event) => events.push(event));
  for (const socket of sockets) socket.open();
  socketOf('a').tell(status('a', 'leader', two));
  socketOf('b').tell(status('b', 'follower', two));
});

afterEach(() => running.unsubscribe());

describe('the lines', () => {
  it('stay, whoever else comes or goes by the word of the leader', () => {
    const before = [...sockets];
    socketOf('a').tell(status('a', 'leader', { ...two, c: 'c:1' }));
    expect(sockets.map(({ node }) => node)).toEqual(['a', 'b', 'c']);
    socketOf('a').tell(status('a', 'leader', { a: 'a:1', c: 'c:1' }));
    expect(before.map(({ readyState }) => readyState)).toEqual([1, 3]);
    expect([...model.nodes.keys()]).toEqual(['a', 'c']);
    expect(events.filter(({ type }) => type === 'down')).toEqual([{ type: 'down', id: 'b' }]);
  });

  it('do not follow the word of a node that does not lead', () => {
    socketOf('b').tell(status('b', 'follower', { b: 'b:1' }));
    expect([...model.nodes.keys()]).toEqual(['a', 'b']);
  });

  it('find a leader whom the page does not know by the word of one that it knows', () => {
    const now = { b: 'b:1', d: 'd:1', e: 'e:1' };
    const told = { ...status('b', 'follower', now), term: 3, leader: 'd' } as const;
    members$.next({ b: 'b:1', c: 'c:1' });
    expect(model.leader).toBeNull();
    socketOf('b').tell(told);
    expect([...model.nodes.keys()]).toEqual(['b', 'd', 'e']);
    expect(sockets.map(({ url }) => url).slice(-2)).toEqual(['ws://d:1/live', 'ws://e:1/live']);
  });

  it('find it also where another one, of the same term, hears nobody', () => {
    socketOf('a').tell({ ...status('a', 'follower', two), leader: null });
    socketOf('b').tell({ ...status('b', 'follower', { ...two, d: 'd:1' }), leader: 'd' });
    expect([...model.nodes.keys()]).toEqual(['a', 'b', 'd']);
    expect(model.witness).toEqual({ id: 'b', leader: 'd' });
  });

  it('find it also where one that hears nobody stands again and again, in later terms', () => {
    socketOf('a').tell({ ...status('a', 'candidate', two), term: 9, leader: null });
    socketOf('b').tell({ ...status('b', 'follower', { ...two, d: 'd:1' }), leader: 'd' });
    expect([...model.nodes.keys()]).toEqual(['a', 'b', 'd']);
    expect(model.witness).toEqual({ id: 'b', leader: 'd' });
  });

  it('go to whomever a node names, while nobody leads and too few are heard to elect', () => {
    members$.next({ b: 'b:1' });
    const told = { ...status('b', 'follower', { b: 'b:2', d: 'd:1', e: 'e:1' }), leader: null };
    const config = { voters: ['b', 'd', 'e'], newVoters: [], nonVoters: [] };
    socketOf('b').tell({ ...told, config });
    expect([...model.nodes.keys()].sort()).toEqual(['b', 'd', 'e']);
    expect(model.nodes.get('b')?.address).toBe('b:1');
    // From then on by the word of the leader, who knows better.
    socketOf('d').open();
    socketOf('d').tell({ ...status('d', 'leader', { d: 'd:1', f: 'f:1' }), leader: 'd' });
    expect([...model.nodes.keys()].sort()).toEqual(['d', 'f']);
  });

  it('stay while nobody leads and enough are heard: whom one of them names may be gone', () => {
    const config = { voters: ['a', 'b'], newVoters: [], nonVoters: [] };
    for (const id of ['a', 'b']) {
      socketOf(id).tell({ ...status(id, 'follower', two), leader: null, config });
    }
    const more = status('b', 'follower', { ...two, d: 'd:1' });
    socketOf('b').tell({ ...more, leader: null, config });
    expect([...model.nodes.keys()]).toEqual(['a', 'b']);
  });

  it('of a node that has moved is another one, and the old one says that it is down', () => {
    members$.next({ ...two, b: 'b:2' });
    expect(sockets.map(({ url }) => url).at(-1)).toBe('ws://b:2/live');
    expect(events.at(-1)).toEqual({ type: 'down', id: 'b' });
    expect(model.nodes.get('b')).toMatchObject({ address: 'b:2', send: null, status: null });
  });

  it('of a node that comes again, as another process, have a clock that begins again', () => {
    const line = model.timeline.line('b');
    socketOf('b').tell({ ...status('b', 'follower', two), at: 9000 });
    const before = line.offsetMs;
    socketOf('a').tell(status('a', 'leader', { a: 'a:1' }));
    socketOf('a').tell(status('a', 'leader', two));
    socketOf('b').open();
    socketOf('b').tell({ ...status('b', 'follower', two), at: 10 });
    expect(line.offsetMs - before).toBeGreaterThan(8000);
    expect(line.stretches.map(({ role }) => role)).toEqual(['follower', 'away', 'follower']);
  });
});

describe('whoever waits for an answer', () => {
  it('on a line that is given up is told so at once', () => {
    const outcomes: Outcome[] = [];
    requests.ask({ type: 'put', key: 'k', value: 'v' }).subscribe((each) => outcomes.push(each));
    expect(socketOf('a').sent).toHaveLength(1);
    members$.next({ ...two, a: 'a:2' });
    expect(outcomes).toMatchObject([{ outcome: 'unknown', text: 'a was lost before it answered' }]);
  });

  it('has it, though another node goes meanwhile', () => {
    const outcomes: Outcome[] = [];
    requests.ask({ type: 'put', key: 'k', value: 'v' }).subscribe((each) => outcomes.push(each));
    socketOf('a').tell(status('a', 'leader', { a: 'a:1' }));
    socketOf('a').tell({ type: 'answer', id: 1, outcome: 'done', text: '' });
    expect(outcomes).toMatchObject([{ outcome: 'done', node: 'a' }]);
  });
});
