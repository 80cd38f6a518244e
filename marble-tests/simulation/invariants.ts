/**
 * What must hold after every step of every run, whatever the network, the disks and the crashes do:
 * Figure 3 of the paper, and what an implementation adds. Each breach throws, with its number.
 *
 * This is a witness: it remembers everything that was ever elected, appended, committed, applied or
 * voted, by any node in any of its lives, and compares.
 */
import type { Action, ClusterConfig, LogEntry, Message, Node } from '../../lib/index.js';
import { isVoter, positionedEntries } from '../../lib/index.js';
import type { Disk } from './disk.js';

/** The machine of these runs: the texts it was given, in order. */
export type State = readonly string[];

export interface Member {
  readonly id: string;
  readonly disk: Disk<string, State>;
  /** Null while it is down. */
  node: Node<string, State> | null;
  /** What was applied in this run, and up to where. */
  applied: string[];
  appliedIndex: number;
}

export class Breach extends Error {
  override readonly name = 'Breach';
}

function hold(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new Breach(rule);
}

interface Seen {
  term: number;
  role: string;
  commitIndex: number;
  lastIndex: number;
}

export class Witness {
  /** Of each term, its leader. */
  private readonly leaders = new Map<number, string>();
  /** Of each entry ever appended, by index and term: what it is, and the term before it. */
  private readonly entries = new Map<string, string>();
  /** Of each index that was ever committed: the term there. */
  readonly committed = new Map<number, number>();
  private readonly applied = new Map<number, string>();
  /** Of each node and term, the vote on its disk; and the candidate that was granted it. */
  private readonly votes = new Map<string, string>();
  private readonly grants = new Map<string, string>();
  private readonly seen = new Map<string, Seen>();

  constructor(private readonly members: ReadonlyMap<string, Member>) {}

  /** A node is down, and with it what was promised of this run only. */
  forget(id: string): void {
    this.seen.delete(id);
  }

  /** Checks a node after it took something in. */
  check(member: Member): void {
    const { node, id } = member;
    if (node === null) return;
    const before = this.seen.get(id);
    const lastIndex = node.log.lastPosition.index;
    this.checkElectionSafety(node, before);
    this.checkLog(member, node);
    this.checkMonotony(member, node, before);
    if (node.role === 'leader' && before?.role === 'leader' && before.term === node.currentTerm) {
      hold(lastIndex >= before.lastIndex, '(9) a leader only appends');
    }
    if (node.commitIndex > (before?.commitIndex ?? node.log.snapshotPosition.index)) {
      this.checkCommitment(node, before?.commitIndex ?? 0);
    }
    const { currentTerm: term, role, commitIndex } = node;
    this.seen.set(id, { term, role, commitIndex, lastIndex });
  }

  /**
   * "At most one leader can be elected in a given term" (§5.2), and "if a log entry is committed
   * in a given term, then that entry will be present in the logs of the leaders for all
   * higher-numbered terms" (§5.4).
   */
  private checkElectionSafety(node: Node<string, State>, before: Seen | undefined): void {
    if (node.role !== 'leader') return;
    const { id, currentTerm } = node;
    const elected = this.leaders.get(currentTerm);
    hold(elected === undefined || elected === id, `(1) two leaders in term ${currentTerm}`);
    this.leaders.set(currentTerm, id);
    if (before?.role === 'leader' && before.term === currentTerm) return;
    for (const [index, term] of this.committed) {
      if (index <= node.log.snapshotPosition.index) continue;
      const found = node.log.positionAt(index)?.term;
      hold(found === term, `(3) leader ${id} of term ${currentTerm} lacks committed ${index}`);
    }
  }

  /** "If two logs contain an entry with the same index and term, then the logs are identical in all
   * entries up through the given index" (§5.3). */
  private checkLog(member: Member, node: Node<string, State>): void {
    const { snapshotPosition, lastPosition } = node.log;
    let config: ClusterConfig = node.log.configAt(snapshotPosition.index);
    let previous = snapshotPosition.term;
    for (const { position, entry } of positionedEntries(
      node.log.slice(snapshotPosition.index, lastPosition.index),
    )) {
      if (entry.type === 'config') config = entry.config;
      const key = `${position.index}/${position.term}`;
      const content = `${previous}<${textOf(entry)}`;
      const known = this.entries.get(key);
      if (known === undefined) this.entries.set(key, content);
      else hold(known === content, `(2) logs do not match at ${key} of ${member.id}`);
      previous = position.term;
      if (position.index > node.commitIndex) continue;
      const term = this.committed.get(position.index) ?? position.term;
      hold(term === position.term, `(3) ${member.id} has another committed entry ${key}`);
    }
    hold(node.config === config, `(10) the configuration of ${member.id} is not its log's`);
  }

  private checkMonotony(member: Member, node: Node<string, State>, before: Seen | undefined): void {
    const { id, currentTerm, commitIndex, log } = node;
    hold(before === undefined || currentTerm >= before.term, `(6) the term of ${id} went back`);
    hold(
      before === undefined || commitIndex >= before.commitIndex,
      `(5) the commit index of ${id} went back`,
    );
    hold(commitIndex <= log.lastPosition.index, `(5) ${id} committed what it has not`);
    hold(member.appliedIndex <= commitIndex, `(5) ${id} applied what is not committed`);
  }

  /** Committed entries of a leader are on the disks of a quorum (§5.3); for others' sake too. */
  private checkCommitment(node: Node<string, State>, from: number): void {
    const { log, commitIndex } = node;
    for (let index = from + 1; index <= commitIndex; index += 1) {
      const term = log.positionAt(index)?.term;
      if (term === undefined) continue;
      const known = this.committed.get(index);
      hold(known === undefined || known === term, `(3) two entries committed at ${index}`);
      this.committed.set(index, term);
    }
    const position = log.positionAt(commitIndex);
    if (node.role !== 'leader' || position === null) return;
    const { latestConfig } = log;
    // What stands before a configuration also counts for the quorum of the one before it.
    const before = this.configBefore(node, commitIndex);
    const has = (id: string): boolean => this.members.get(id)?.disk.has(position) ?? false;
    const durable = isQuorum(latestConfig, has) || (before !== null && isQuorum(before, has));
    hold(durable, `(7) ${commitIndex} is committed by ${node.id} and not durable on a quorum`);
  }

  private configBefore(node: Node<string, State>, index: number): ClusterConfig | null {
    const config = node.log.configAt(index);
    return config === node.log.latestConfig ? null : config;
  }

  /** A write has reached the disk: "the vote of a term is given once" (§5.2). */
  onWritten(member: Member): void {
    const { id, disk } = member;
    if (disk.votedFor === null) return;
    const key = `${id}/${disk.currentTerm}`;
    const known = this.votes.get(key);
    hold(known === undefined || known === disk.votedFor, `(6) ${id} voted twice: ${key}`);
    this.votes.set(key, disk.votedFor);
  }

  /** "Persistent state, updated on stable storage before responding to RPCs" (Figure 2). */
  onSent(member: Member, to: string, message: Message<string>): void {
    const { id, disk } = member;
    hold(to !== id, `${id} sent a message to itself`);
    hold(message.from === id, `${id} sent a message in the name of ${message.from}`);
    hold(message.term === disk.currentTerm, `(8) ${id} spoke of a term that is not durable`);
    switch (message.type) {
      case 'requestVoteCall':
        hold(disk.votedFor === id, `(8) ${id} asks for votes before its own is durable`);
        return;
      case 'requestVoteReply':
        if (message.voteGranted) this.onGranted(member, to, message.term);
        return;
      case 'appendEntriesReply':
        if (message.refused) return;
        hold(disk.has(message.lastPosition), `(8) ${id} acknowledged what is not durable`);
        return;
      default:
        return;
    }
  }

  private onGranted(member: Member, to: string, term: number): void {
    const { id, disk } = member;
    hold(disk.votedFor === to, `(8) ${id} granted a vote that is not durable`);
    const key = `${id}/${term}`;
    const known = this.grants.get(key);
    hold(known === undefined || known === to, `(6) ${id} granted two votes: ${key}`);
    this.grants.set(key, to);
  }

  /** "If a server has applied a log entry at a given index to its state machine, no other server
   * will ever apply a different log entry for the same index" (§5.4.3). */
  onApplied(member: Member, action: Extract<Action<string, State>, { type: 'apply' }>): void {
    const { prevPosition } = action.entries;
    hold(prevPosition.index === member.appliedIndex, `(5) ${member.id} applies out of order`);
    for (const { position, entry } of positionedEntries(action.entries)) {
      const content = `${position.term} ${textOf(entry)}`;
      const known = this.applied.get(position.index);
      hold(
        known === undefined || known === content,
        `(4) ${member.id} applied another entry at ${position.index}`,
      );
      this.applied.set(position.index, content);
      hold(member.disk.has(position), `${member.id} applied what is not durable there`);
    }
  }
}

function textOf(entry: LogEntry<string>): string {
  if (entry.type === 'command') return entry.command;
  return entry.type === 'term' ? '(term)' : JSON.stringify(entry.config);
}

/** Counted here in the plainest way: it must not share code with what it judges. */
function isQuorum(config: ClusterConfig, has: (id: string) => boolean): boolean {
  const isMajority = (ids: readonly string[]): boolean =>
    2 * ids.filter((id) => isVoter(config, id) && has(id)).length > ids.length;
  return (
    isMajority(config.voters) && (config.newVoters.length === 0 || isMajority(config.newVoters))
  );
}
