/**
 * The alphabet of the tests in this folder: short words for inputs, messages and actions, so that a
 * test reads as a diagram or as a sentence.
 *
 * Nodes are a, b, c …; a node under test is a, unless the paper calls it otherwise. Logs are drawn
 * as in the paper, by the terms of their entries: `logOf(1, 1, 2)` has entries of terms 1, 1 and 2
 * at the indexes 1, 2 and 3. The entry at index 1 is the configuration {a, b, c}, the first entry
 * of every later term the marker of its leader, and every other one a command named after its
 * place: '1.2' is that of term 1 at index 2.
 *
 * In a diagram a group takes as many frames as it has characters: `(CP)` takes four, and the inputs
 * are padded accordingly. Without a scheduler each input is answered in its own frame.
 */
import type { MonoTypeOperatorFunction } from 'rxjs';
import type {
  Action,
  AppendEntriesCall,
  AppendEntriesReply,
  ClusterConfig,
  DropReason,
  Input,
  LogEntries,
  LogPosition,
  Message,
  RaftConfig,
  Refusal,
  RemovalNotice,
  RequestVoteCall,
  RequestVoteReply,
  Role,
  Snapshot,
} from '../../lib/index.js';
import { clusterOf, Node, ofType, origin } from '../../lib/index.js';

export type Told = Input<string, string>;
export type Wanted = Action<string, string>;

// Places and logs.

export const abc = clusterOf(['a', 'b', 'c']);

export function at(term: number, index: number): LogPosition {
  return { term, index };
}

/** The entries after a position, by their terms. See the head of this file. */
export function entriesAfter(
  prevPosition: LogPosition,
  terms: readonly number[],
  config: ClusterConfig = abc,
): LogEntries<string> {
  const places = terms.map((term, slot) => at(term, prevPosition.index + 1 + slot));
  const before = (slot: number): number => terms[slot - 1] ?? prevPosition.term;
  const begins = places.filter((place, slot) => place.term > before(slot));
  const commands = places.map((place) =>
    place.index === 1 || begins.includes(place) ? undefined : `${place.term}.${place.index}`,
  );
  return {
    prevPosition,
    length: terms.length,
    terms: begins.map(({ index, term }) => ({ index, term })),
    configs: places.filter((place) => place.index === 1).map(({ index }) => ({ index, config })),
    commands: commands.some((command) => command !== undefined) ? commands : null,
  };
}

export function logOf(...terms: readonly number[]): LogEntries<string> {
  return entriesAfter(origin, terms);
}

/** Entries after a position that are commands of its term. */
export function commandsAfter(prevPosition: LogPosition, commands: string[]): LogEntries<string> {
  return { prevPosition, length: commands.length, terms: [], configs: [], commands };
}

/** The marker of a leader's term, alone. */
export function markerAfter(prevPosition: LogPosition, term: number): LogEntries<string> {
  return entriesAfter(prevPosition, [term]);
}

export function snapshotAt(
  position: LogPosition,
  config: ClusterConfig = abc,
  data = 'state',
): Snapshot<string> {
  return { position, config, data };
}

/** A restarted node with this log, in the term of its last entry unless another is given. */
export function restarted(
  terms: readonly number[],
  config: Partial<RaftConfig<string, string>> = {},
): RaftConfig<string, string> {
  return { id: 'a', currentTerm: terms.at(-1) ?? 0, entries: logOf(...terms), ...config };
}

/** A pristine node of a new cluster. */
export function pristine(
  voters: readonly string[] = ['a', 'b', 'c'],
  config: Partial<RaftConfig<string, string>> = {},
): RaftConfig<string, string> {
  return { id: 'a', initialVoters: voters, ...config };
}

// Inputs.

export const timedOut = { type: 'timedOut' } as const;
export const minimumElapsed = { type: 'minimumElapsed' } as const;

export function persisted(sequence: number): Told {
  return { type: 'persisted', sequence };
}

export function received(message: Message<string>): Told {
  return { type: 'received', message };
}

export function proposed(proposal: number, ...commands: readonly string[]): Told {
  return { type: 'proposed', proposal, commands };
}

export function configProposed(proposal: number, config: ClusterConfig): Told {
  return { type: 'configProposed', proposal, config };
}

export function readRequested(reads: number): Told {
  return { type: 'readRequested', reads };
}

export function snapshotTaken(index: number, data = 'state'): Told {
  return { type: 'snapshotTaken', index, data };
}

export function snapshotReceived(from: string, term: number, snapshot: Snapshot<string>): Told {
  return { type: 'snapshotReceived', from, term, snapshot };
}

// Messages.

export function voteCall(from: string, term: number, lastPosition: LogPosition): RequestVoteCall {
  return { type: 'requestVoteCall', from, term, lastPosition };
}

export function vote(from: string, term: number, voteGranted = true): RequestVoteReply {
  return { type: 'requestVoteReply', from, term, voteGranted };
}

export function call(
  from: string,
  term: number,
  {
    round = 1,
    prev = origin,
    terms = [] as readonly number[],
    entries = entriesAfter(prev, terms),
    commit = 0,
  } = {},
): AppendEntriesCall<string> {
  return { type: 'appendEntriesCall', from, term, round, commitIndex: commit, entries };
}

export function reply(
  from: string,
  term: number,
  { round = 1, last = origin, refused = false, generation = 0 } = {},
): AppendEntriesReply {
  const lastPosition = last;
  return { type: 'appendEntriesReply', from, term, round, generation, refused, lastPosition };
}

export function removalNotice(from: string, term: number, position: LogPosition): RemovalNotice {
  return { type: 'removalNotice', from, term, position };
}

// Actions.

export function timer(role: Role): Wanted {
  return { type: 'setElectionTimeout', role };
}

/** `vote` is [currentTerm, votedFor]. */
export function persist(
  sequence: number,
  what: {
    vote?: readonly [number, string | null];
    entries?: LogEntries<string>;
    snapshot?: Snapshot<string>;
  },
): Wanted {
  const { vote: saved, entries = null, snapshot = null } = what;
  const hardState = saved === undefined ? null : { currentTerm: saved[0], votedFor: saved[1] };
  return { type: 'persist', sequence, hardState, entries, snapshot };
}

export function send(to: string, message: Message<string>): Wanted {
  return { type: 'sendMessage', to, message };
}

export function broadcast(to: readonly string[], message: Message<string>): Wanted {
  return { type: 'broadcastMessage', to, message };
}

export function apply(entries: LogEntries<string>): Wanted {
  return { type: 'apply', entries };
}

export function roleChanged(role: Role, currentTerm: number, leaderId: string | null): Wanted {
  return { type: 'roleChanged', role, currentTerm, leaderId };
}

export function configChanged(config: ClusterConfig, index: number): Wanted {
  return { type: 'configChanged', config, index };
}

export function committed(commitIndex: number): Wanted {
  return { type: 'committed', commitIndex };
}

export function accepted(proposal: number, firstPosition: LogPosition): Wanted {
  return { type: 'accepted', proposal, firstPosition };
}

export function rejected(
  proposal: number,
  reason: Refusal,
  leaderId: string | null = null,
): Wanted {
  return { type: 'rejected', proposal, reason, leaderId };
}

export function readReady(reads: readonly number[], index: number): Wanted {
  return { type: 'readReady', reads, index };
}

export function readRefused(
  reads: readonly number[],
  reason: Refusal,
  leaderId: string | null = null,
): Wanted {
  return { type: 'readRefused', reads, reason, leaderId };
}

export function dropped(from: string | null, reason: DropReason): Wanted {
  return { type: 'dropped', from, reason };
}

/** The actions of these types: what a diagram draws, when it doesn't draw all. */
export function drawing(...types: Wanted['type'][]): MonoTypeOperatorFunction<Wanted> {
  return ofType<Wanted, Wanted['type']>(...types);
}

// A node by hand.

export type ByHand = Node<string, string>;

/** Tells the node these facts in one turn, and takes what it wants done. */
export function tell(node: ByHand, ...inputs: readonly Told[]): Wanted[] {
  for (const input of inputs) node.handle(input);
  return node.take();
}

/** As `tell`, with a disk that answers at once, until the node wants nothing more. */
export function settle(node: ByHand, ...inputs: readonly Told[]): Wanted[] {
  const all: Wanted[] = [];
  let actions = tell(node, ...inputs);
  for (;;) {
    all.push(...actions);
    const writes = only(actions, 'persist');
    if (writes.length === 0 && !node.isMoreDue) return all;
    actions = tell(node, ...writes.map((write) => persisted(write.sequence)));
  }
}

/** The node, awake, with everything on disk that it wanted there. */
export function awake(config: RaftConfig<string, string>): ByHand {
  const node: ByHand = new Node(config);
  settle(node);
  return node;
}

/** The node as the leader of its next term, by the votes of the others. */
export function leading(config: RaftConfig<string, string>, ...voters: readonly string[]): ByHand {
  const node = awake(config);
  settle(node, timedOut);
  settle(node, ...voters.map((id) => received(vote(id, node.currentTerm))));
  return node;
}

export function only<T extends Wanted['type']>(
  actions: readonly Wanted[],
  type: T,
): Extract<Wanted, { readonly type: T }>[] {
  return actions.filter(
    (action): action is Extract<Wanted, { readonly type: T }> => action.type === type,
  );
}

/** What a node says, as [addressee, message]. */
export function sent(actions: readonly Wanted[]): [string, Message<string>][] {
  return actions
    .filter((action) => action.type === 'sendMessage' || action.type === 'broadcastMessage')
    .flatMap((action) => [action.to].flat().map((to) => [to, action.message] as const))
    .map(([to, message]) => [to, message]);
}

/** What a node says to one other. */
export function sentTo(actions: readonly Wanted[], id: string): Message<string>[] {
  return sent(actions)
    .filter(([to]) => to === id)
    .map(([, message]) => message);
}
