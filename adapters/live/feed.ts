/**
 * What a page is told of a node: its status at a steady rate, and what passes between the nodes.
 *
 *     actions, inputs     -m-m--mm--r-------m-
 *     frames              s----e----(se)-s----      s: status, e: events
 *
 * While nobody watches, all that it does is to look whether somebody does, and to remember the end
 * of the log.
 */
import { defer, finalize, interval, map, mergeMap, share, startWith } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Action } from '../../lib/action.js';
import { clusterOf, type ClusterConfig } from '../../lib/cluster-config.js';
import type { Recovered } from '../../lib/config.js';
import type { Input } from '../../lib/input.js';
import type { Message } from '../../lib/message.js';
import type { LogIndex, NodeId } from '../../lib/position.js';
import type { Answer, NodeStatus } from '../key-value/client-protocol.js';
import { LoadMeter, noLoad } from './load.js';
import { RecentLog } from './log.js';
import { MessageGroups, seenOf } from './messages.js';
import { Progress } from './progress.js';
import type { EventsFrame, LiveEvent, Load, StatusFrame } from './protocol.js';

export interface LiveFeedOptions {
  readonly recovered: Pick<Recovered<Uint8Array>, 'snapshot' | 'entries'>;
  readonly status: () => NodeStatus;
  /** Between two frames of events; every second one comes with a status. Default 150. */
  readonly periodMs?: number;
  /** Milliseconds that never go back. Default: of this process, since 1970 by its first word. */
  readonly now?: () => number;
}

/** More changes of roles between two frames are counted only. */
const maxRoles = 32;

export class LiveFeed {
  private watchers = 0;
  private readonly log: RecentLog;
  private config: ClusterConfig;
  private readonly load = new LoadMeter();
  private readonly messages = new MessageGroups();
  private roles: LiveEvent[] = [];
  private untoldRoles = 0;
  private commit: { readonly at: number; readonly index: LogIndex } | null = null;
  private readonly progress = new Progress();
  private readonly shared$: Observable<string>;
  private readonly now: () => number;

  constructor(private readonly options: LiveFeedOptions) {
    const { snapshot, entries } = options.recovered;
    this.log = new RecentLog(options.recovered);
    this.config =
      entries?.configs.at(-1)?.config ??
      snapshot?.config ??
      clusterOf(Object.keys(options.status().members));
    const { periodMs = 150, now = clockMs } = options;
    this.now = now;
    this.shared$ = interval(periodMs).pipe(
      mergeMap((at) => [
        ...this.events(),
        ...(at % 2 === 1 ? [this.statusFrame(this.load.take())] : []),
      ]),
      map((frame) => JSON.stringify(frame)),
      share(),
    );
  }

  /** Frames for one watcher, of which all see the same but the first. Never completes. */
  readonly frame$: Observable<string> = defer(() => {
    this.watchers += 1;
    if (this.watchers === 1) this.load.take();
    return this.shared$.pipe(
      startWith(JSON.stringify(this.statusFrame(noLoad))),
      finalize(() => {
        this.watchers -= 1;
        if (this.watchers === 0) this.forget();
      }),
    );
  });

  onAction(action: Action<Uint8Array, Uint8Array>): void {
    if (action.type === 'persist') this.log.onPersist(action);
    else if (action.type === 'configChanged') this.config = action.config;
    if (this.watchers === 0) return;
    switch (action.type) {
      case 'sendMessage':
        return this.onSend([action.to], action.message);
      case 'broadcastMessage':
        return this.onSend(action.to, action.message);
      case 'installSnapshot': {
        const { term, snapshot } = action;
        const { index } = snapshot.position;
        const seen = { kind: 'snapshot', term, round: 0, entries: 0, index } as const;
        return this.messages.add('sent', this.now(), [action.to], seen);
      }
      case 'roleChanged': {
        const { role, currentTerm: term, leaderId: leader } = action;
        if (role !== 'leader') this.progress.clear();
        if (this.roles.length === maxRoles) this.untoldRoles += 1;
        else this.roles.push({ type: 'role', at: this.now(), role, term, leader });
        return;
      }
      case 'committed':
        this.commit = { at: this.now(), index: action.commitIndex };
        return;
      default:
        return;
    }
  }

  onInput(input: Input<Uint8Array, Uint8Array>): void {
    if (this.watchers === 0) return;
    if (input.type === 'received') {
      const { message } = input;
      this.messages.add('received', this.now(), [message.from], seenOf(message));
      if (message.type === 'appendEntriesReply') this.progress.onReply(message);
    } else if (input.type === 'snapshotReceived') {
      const { from, term, snapshot } = input;
      const { index } = snapshot.position;
      const seen = { kind: 'snapshot', term, round: 0, entries: 0, index } as const;
      this.messages.add('received', this.now(), [from], seen);
    }
  }

  /** The answer, and what it took, if anybody wants to know. */
  timed(answer: Promise<Answer>): Promise<Answer> {
    if (this.watchers === 0) return answer;
    const begin = performance.now();
    return answer.then((given) => {
      const { type } = given;
      this.load.note(performance.now() - begin, type === 'refused' || type === 'unknown');
      return given;
    });
  }

  private onSend(to: readonly NodeId[], message: Message<Uint8Array>): void {
    this.messages.add('sent', this.now(), to, seenOf(message));
    if (message.type === 'appendEntriesCall') this.progress.onCall(to, message);
  }

  private statusFrame(load: Load): StatusFrame {
    const { id: node, cluster, pid, role, term, leader, ...rest } = this.options.status();
    const { commit, applied, keys, members } = rest;
    return {
      ...{ type: 'status', at: this.now(), node, cluster, pid, role, term, leader },
      ...{ commit, applied, keys, members, config: this.config, log: this.log.tail },
      ...{ peers: role === 'leader' ? this.progress.peers : [], load },
    };
  }

  private *events(): Iterable<EventsFrame> {
    const { events, untold } = this.messages.take();
    const { commit, roles, untoldRoles } = this;
    const commits: LiveEvent[] = commit === null ? [] : [{ type: 'commit', ...commit }];
    this.commit = null;
    this.roles = [];
    this.untoldRoles = 0;
    const all = [...roles, ...commits, ...events];
    if (all.length === 0) return;
    yield { type: 'events', at: this.now(), events: all, untold: untold + untoldRoles };
  }

  private forget(): void {
    this.messages.take();
    this.commit = null;
    this.roles = [];
    this.untoldRoles = 0;
    this.progress.clear();
  }
}

/** Of this process: it never goes back, but where it began is as good as the machine's clock. */
function clockMs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 10) / 10;
}
