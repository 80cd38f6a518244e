/**
 * A trace: what a node says and hears, and what it makes of it, as one line of JSON for each event
 * of the protocol. An observer around the core: it changes nothing, and delays nothing.
 *
 * # The format, version 1
 *
 * Each line is one JSON object. What every line has, as of after its event:
 *
 * | field    | what it is                                                                         |
 * |----------|------------------------------------------------------------------------------------|
 * | `node`   | the node's id                                                                      |
 * | `run`    | its generation: greater with every run                                             |
 * | `line`   | 1, 2, 3 … within the run                                                           |
 * | `event`  | see below                                                                          |
 * | `role`   | `follower`, `candidate` or `leader`                                                |
 * | `term`   | the current term                                                                   |
 * | `vote`   | whom it voted for in that term, or null                                            |
 * | `commit` | the commit index                                                                   |
 * | `last`   | `{ term, index }` of the last entry of its log: the log's length                   |
 * | `config` | `{ voters, newVoters, nonVoters }`: the configuration in force                     |
 *
 * The first line of a run is `start`, and begins with `version`, 1. Fields of the events:
 *
 * | event                                            | when, and which fields it has             |
 * |--------------------------------------------------|-------------------------------------------|
 * | `start`                                          | the node begins with `snapshot` (or null) |
 * |                                                  | and `entries`, which it found on its disk |
 * | `becomeFollower` `becomeCandidate` `becomeLeader`| a role, a term or a `leader` (or null) is |
 * |                                                  | new                                       |
 * | `send`                                           | `message` leaves for `to`, a list         |
 * | `receive`                                        | `message` has arrived                     |
 * | `sendSnapshot` `receiveSnapshot`                 | `to` or `from`, `leaderTerm`, `snapshot`  |
 * | `append`                                         | `entries` replace what stands behind      |
 * |                                                  | `entries.after` in the log                |
 * | `snapshot`                                       | `snapshot` stands for the log up to there |
 * | `persist`                                        | write `sequence` is asked for: `term` and |
 * |                                                  | `vote` if `hardState`, `entries` (or      |
 * |                                                  | null), `snapshot` (or null)               |
 * | `persisted`                                      | all writes up to `sequence` are durable   |
 * | `commit`                                         | the commit index is `commit` at the least |
 * | `apply`                                          | the machine is given `entries`            |
 * | `restore`                                        | the machine begins with `snapshot`        |
 * | `configuration`                                  | `config`, of `index`, is in force         |
 *
 * `snapshot` is `{ position: { term, index }, config }`. `entries` are `{ after: { term, index },
 * list: [[term, content], …] }` with the first entry at `after.index + 1`; the content is null for
 * the marker of a term, a configuration, or for a command its digest, a text. `message` is as in
 * `Message`, its entries like that.
 *
 * Within a run the lines are in the order of cause and effect, as far as the node shows it: a turn
 * takes in several inputs before it answers, so that `receive` and `persisted` may stand before
 * lines that don't know of them yet; and `configuration` may stand before the `append` that brings
 * it. A call to a node that was added in the same turn may stand behind the next call, or behind
 * the write of that turn. A later version of the format has another number; within a version fields
 * are added only.
 */
import type { OperatorFunction } from 'rxjs';
import { defer, tap } from 'rxjs';
import type { Action, Role, StorageAction } from '../lib/action.js';
import type { ClusterConfig } from '../lib/cluster-config.js';
import { noCluster } from '../lib/cluster-config.js';
import type { Recovered } from '../lib/config.js';
import type { LogEntries } from '../lib/entries.js';
import {
  contains,
  emptyEntries,
  lastIndex,
  lastPosition,
  positionedEntries,
} from '../lib/entries.js';
import type { Input } from '../lib/input.js';
import type { Message } from '../lib/message.js';
import type { LogIndex, NodeId, Term } from '../lib/position.js';
import { origin } from '../lib/position.js';
import type { Snapshot } from '../lib/snapshot.js';
import { History } from './history.js';

/** The node that is traced, as its configuration has it: `{ ...config, write }`. */
export interface TraceOptions<C = unknown, S = unknown> extends Partial<Recovered<C, S>> {
  /** The node's own, as its peers know it: it stands in every line. */
  readonly id: NodeId;
  /**
   * Takes a line, without a line end, before what the line tells of goes on its way (right after,
   * for a call to a node that was added in the same turn): with a write that is handed to the
   * system at once, a trace outlives its process. What it throws ends the node.
   */
  readonly write: (line: string) => void;
  /**
   * A text that differs when commands differ. Default: a hash of 32 bits, of bytes and texts as
   * they are, and of other values as JSON.
   */
  readonly digest?: (command: C) => string;
}

/**
 * The core, traced: the same actions for the same inputs, in the same order and at the same time.
 * `null` is the core itself. Needs the configuration that the core has.
 *
 *     loop(traced(raft(config), { ...config, write }), adapters)
 *
 *     input$              -p----------r---
 *     action$             -(wm)-------(am)-
 *     lines               s(pwm)------(ram)    s: start, which is there on subscription
 */
export function traced<C, S>(
  core: OperatorFunction<Input<C, S>, Action<C, S>>,
  options: TraceOptions<C, S> | null,
): OperatorFunction<Input<C, S>, Action<C, S>> {
  if (options === null) return core;
  return (input$) =>
    defer(() => {
      const trace = new Trace(options);
      trace.start();
      return input$.pipe(
        tap((input) => trace.onInput(input)),
        core,
        tap((action) => trace.onAction(action)),
      );
    });
}

interface TracedEntries {
  readonly after: { readonly term: Term; readonly index: LogIndex };
  readonly list: readonly (readonly [Term, string | ClusterConfig | null])[];
}

/** What the lines have in common, kept up from what passes by. */
class Trace<C, S> {
  private readonly digest: (command: C) => string;
  private lines = 0;
  private role: Role = 'follower';
  private term: Term;
  private vote: NodeId | null;
  private commit: LogIndex;
  private config: ClusterConfig;
  /** Where the terms of the log begin. */
  private readonly log = new History<C>('none');
  /** The part of the log that was handed to the disk. */
  private issuedIndex: LogIndex;
  /** Calls of this turn that begin behind what was shown of the log so far. */
  private early: (readonly [readonly NodeId[], Message<C>])[] = [];
  /** Entries are shared by the messages, the write and the apply of a turn. */
  private newest: readonly [LogEntries<C>, TracedEntries] | null = null;

  constructor(private readonly options: TraceOptions<C, S>) {
    const { currentTerm = 0, votedFor = null, snapshot = null, entries = null } = options;
    this.digest = options.digest ?? fingerprint;
    this.term = currentTerm;
    this.vote = votedFor;
    if (snapshot !== null) this.log.giveWay(snapshot.position);
    if (entries !== null) this.log.replaceAfter(entries);
    this.commit = snapshot?.position.index ?? 0;
    this.config = entries?.configs.at(-1)?.config ?? snapshot?.config ?? noCluster;
    this.issuedIndex = lastIndex(this.log);
  }

  start(): void {
    const { snapshot = null, entries = null } = this.options;
    const found = entries ?? emptyEntries(snapshot?.position ?? origin);
    this.write('start', { snapshot: placeOf(snapshot), entries: this.traced(found) });
  }

  onInput(input: Input<C, S>): void {
    if (input.type === 'received') {
      this.write('receive', { message: this.message(input.message) });
    } else if (input.type === 'snapshotReceived') {
      const { from, term: leaderTerm, snapshot } = input;
      this.write('receiveSnapshot', { from, leaderTerm, snapshot: placeOf(snapshot) });
    } else if (input.type === 'persisted') {
      this.write('persisted', { sequence: input.sequence });
    }
  }

  onAction(action: Action<C, S>): void {
    switch (action.type) {
      case 'roleChanged':
        this.onRoleChanged(action.role, action.currentTerm, action.leaderId);
        return;
      case 'configChanged':
        this.config = action.config;
        this.write('configuration', { index: action.index });
        return;
      case 'sendMessage':
        this.onSend([action.to], action.message);
        return;
      case 'broadcastMessage':
        this.onSend(action.to, action.message);
        return;
      case 'installSnapshot':
        this.write('sendSnapshot', {
          to: action.to,
          leaderTerm: action.term,
          snapshot: placeOf(action.snapshot),
        });
        return;
      case 'persist':
        this.onPersist(action);
        return;
      case 'apply':
        this.onCommit(lastIndex(action.entries));
        this.write('apply', { entries: this.traced(action.entries) });
        return;
      case 'restore':
        this.write('restore', { snapshot: placeOf(action.snapshot) });
        return;
      case 'committed':
        this.onCommit(action.commitIndex);
        return;
      default:
        return;
    }
  }

  private onRoleChanged(role: Role, term: Term, leader: NodeId | null): void {
    // The vote of a new term follows with the write; a candidate's is its own (§5.2).
    if (term > this.term) this.vote = role === 'candidate' ? this.options.id : null;
    this.role = role;
    this.term = term;
    const event = { follower: 'becomeFollower', candidate: 'becomeCandidate' } as const;
    this.write(role === 'leader' ? 'becomeLeader' : event[role], { leader });
  }

  /** A call shows first what a leader has committed and appended: its reports come later. */
  private onSend(to: readonly NodeId[], message: Message<C>): void {
    if (message.type === 'appendEntriesCall') {
      const { entries, commitIndex } = message;
      const end = lastIndex(this.log);
      if (entries.prevPosition.index > end) {
        // To a node that has just been added. The next call, or the write, shows what is before.
        this.early.push([to, message]);
        return;
      }
      this.onCommit(commitIndex);
      if (lastIndex(entries) > end) this.onAppend(after(entries, end));
    }
    this.write('send', { to, message: this.message(message) });
  }

  private onCommit(index: LogIndex): void {
    if (index <= this.commit) return;
    this.commit = index;
    this.write('commit', {});
  }

  private onAppend(entries: LogEntries<C>): void {
    this.log.replaceAfter(entries);
    this.write('append', { entries: this.traced(entries) });
    const { early } = this;
    this.early = [];
    for (const [to, message] of early) this.onSend(to, message);
  }

  private onPersist({ sequence, hardState, entries, snapshot }: StorageAction<C, S>): void {
    if (snapshot !== null) {
      if (!contains(this.log, snapshot.position)) this.issuedIndex = snapshot.position.index;
      this.log.giveWay(snapshot.position);
      this.write('snapshot', { snapshot: placeOf(snapshot) });
    }
    if (entries !== null) {
      // What calls have shown of it already is not appended once more.
      const shown = entries.prevPosition.index === this.issuedIndex ? lastIndex(this.log) : 0;
      const rest = shown > entries.prevPosition.index ? after(entries, shown) : entries;
      if (rest.length > 0) this.onAppend(rest);
    }
    if (hardState !== null) {
      this.term = hardState.currentTerm;
      this.vote = hardState.votedFor;
    }
    this.write('persist', {
      sequence,
      hardState: hardState !== null,
      entries: entries && this.traced(entries),
      snapshot: placeOf(snapshot),
    });
    this.issuedIndex = lastIndex(this.log);
  }

  private message(message: Message<C>): unknown {
    if (message.type !== 'appendEntriesCall') return message;
    return { ...message, entries: this.traced(message.entries) };
  }

  private traced(entries: LogEntries<C>): TracedEntries {
    if (this.newest?.[0] === entries) return this.newest[1];
    const list: TracedEntries['list'][number][] = [];
    for (const { position, entry } of positionedEntries(entries)) {
      if (entry.type === 'command') list.push([position.term, this.digest(entry.command)]);
      else list.push([position.term, entry.type === 'config' ? entry.config : null]);
    }
    const traced = { after: entries.prevPosition, list };
    this.newest = [entries, traced];
    return traced;
  }

  private write(event: string, fields: object): void {
    const { role, term, vote, commit, config } = this;
    const { id: node, generation: run = 0, write } = this.options;
    const version = this.lines === 0 ? { version: 1 } : {};
    const line = (this.lines += 1);
    const last = lastPosition(this.log);
    const state = { role, term, vote, commit, last, config };
    write(JSON.stringify({ ...version, node, run, line, event, ...state, ...fields }));
  }
}

function placeOf<S>(snapshot: Snapshot<S> | null): Omit<Snapshot<S>, 'data'> | null {
  return snapshot && { position: snapshot.position, config: snapshot.config };
}

/** Those of the entries that stand behind an index, at or behind `prevPosition`. */
function after<C>(entries: LogEntries<C>, index: LogIndex): LogEntries<C> {
  const skip = index - entries.prevPosition.index;
  if (skip === 0) return entries;
  const before = entries.terms.filter((run) => run.index <= index);
  return {
    prevPosition: { term: before.at(-1)?.term ?? entries.prevPosition.term, index },
    length: entries.length - skip,
    terms: entries.terms.slice(before.length),
    configs: entries.configs.filter((each) => each.index > index),
    commands: entries.commands?.slice(skip) ?? null,
  };
}

/** FNV-1a, 32 bits, as 8 hexadecimal digits. */
function fingerprint(command: unknown): string {
  const data = command instanceof Uint8Array ? command : codesOf(command);
  let hash = 0x811c9dc5;
  for (const part of data) hash = Math.imul(hash ^ part, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function codesOf(command: unknown): Uint8Array {
  const text = typeof command === 'string' ? command : (JSON.stringify(command) ?? '');
  return new TextEncoder().encode(text);
}
