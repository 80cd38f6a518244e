/**
 * The state of a node: Figure 2's, what this implementation adds, and the marks of what is due.
 *
 * What is due is a mark, not a queue. The sections remember "append from here, acknowledge, answer
 * this vote, apply up to there"; `take.ts` renders actions from the state when they are taken.
 * So nothing issued is merged or edited later, and a hundred proposals cost one message.
 */
import type { DropReason, Refusal, Role } from './action.js';
import type { ClusterConfig } from './cluster-config.js';
import { isVoter, uniqueNodes } from './cluster-config.js';
import type { Limits, RaftConfig } from './config.js';
import { initialConfigOf, limitsOf, recoveredOf } from './config.js';
import { Log } from './log.js';
import { Peer } from './peer.js';
import type { LogIndex, LogPosition, NodeGeneration, NodeId, Term } from './position.js';
import { comparePositions } from './position.js';
import type { Snapshot } from './snapshot.js';

/** A write that is issued and not yet known to be durable. */
export interface Write<S> {
  readonly sequence: number;
  /** The last entry that it makes durable: lowered when a truncation overtakes it. */
  lastIndex: LogIndex;
  readonly snapshot: DueSnapshot<S> | null;
}

/** A snapshot on its way to the disk: the machine's own, or one that a leader sent. */
export interface DueSnapshot<S> {
  readonly snapshot: Snapshot<S>;
  readonly installed: boolean;
}

/** An answer that is the asker's own, in the order of the questions. */
export type Answer =
  | { readonly type: 'accepted'; readonly proposal: number; readonly firstPosition: LogPosition }
  | {
      readonly type: 'rejected';
      readonly proposal: number;
      readonly reason: Refusal;
      readonly leaderId: NodeId | null;
    }
  | {
      readonly type: 'readRefused';
      readonly reads: readonly number[];
      readonly reason: Refusal;
      readonly leaderId: NodeId | null;
    };

/** A read that waits for a round of the leader (§8) and then for its index to be applied. */
export interface WaitingRead {
  readonly reads: number;
  readonly index: LogIndex;
  readonly round: number;
}

export class State<C, S> {
  readonly id: NodeId;
  readonly limits: Limits;
  readonly generation: NodeGeneration;
  readonly announceCommits: boolean;

  // Persistent state on all servers (Figure 2).
  currentTerm: Term;
  votedFor: NodeId | null;
  readonly log: Log<C>;

  // Volatile state on all servers.
  role: Role = 'follower';
  /** Kept apart from the vote: a node may have voted for another than who won. */
  leaderId: NodeId | null = null;
  commitIndex: LogIndex;
  /** Up to here entries were handed to the machine. */
  appliedIndex: LogIndex = 0;
  /** The newest durable snapshot: the log begins behind it. */
  snapshot: Snapshot<S> | null;
  /** Heard from a leader less than the minimum election timeout ago (thesis §4.2.3). */
  leaderAlive = false;
  /** Where a leader says that a committed configuration leaves this node out. */
  removedAt: LogPosition | null = null;

  // A candidate's.
  readonly votes = new Set<NodeId>();

  // A leader's.
  peers: Peer[] = [];
  /** The configuration that `peers` was made for. */
  members: ClusterConfig;
  /** The number of its newest calls. Grows for the node's lifetime. */
  round = 0;
  /** Where its own term begins. Nothing before it is committed by counting (§5.4.2). */
  termStart: LogIndex = 0;
  readonly reads: WaitingRead[] = [];
  /** Heartbeats in a row without an answer of a quorum, or of the own disk. */
  heartbeatsAlone = 0;
  quorumRoundSeen = 0;
  persistedSeen = 0;
  /** The final configuration whose commitment was acted on. */
  toldConfigIndex: LogIndex = 0;
  /** Its removal is committed: it steps down when the others have been told. */
  resigning = false;

  // A follower's, of its leader's calls in this term.
  /** Up to here the log is known to be the leader's. */
  matchedIndex: LogIndex = 0;
  acknowledgedIndex: LogIndex = 0;
  heardRound = 0;

  // Durability.
  /** Up to here the own entries are on disk. */
  durableIndex: LogIndex;
  /** Up to here they are handed to the disk. */
  issuedIndex: LogIndex;
  sequence = 0;
  persistedSequence = 0;
  readonly writes: Write<S>[] = [];
  /** The write that carries the newest term and vote. */
  hardStateSequence = 0;

  // What is due.
  /** The role, its term or the leader is not what was reported last. */
  roleDue = true;
  timerDue = true;
  hardStateDue = false;
  /** The log on disk must be cut even when nothing follows. */
  cutDue = false;
  snapshotDue: DueSnapshot<S> | null = null;
  restoreDue: Snapshot<S> | null;
  /** What the actions being rendered bring the machine: entries up to here. */
  applyTo: LogIndex = 0;
  campaignDue = false;
  /** Entries, or news, for peers. */
  callsDue = false;
  acknowledgeDue = false;
  /** The refusal of the newest call that did not fit, at its `prevPosition`. */
  refusalDue: { readonly round: number; readonly prevPosition: LogPosition } | null = null;
  /** Who is owed the answer to a vote request, or the news of a newer term, or of its removal. */
  readonly votesDue = new Map<NodeId, Term>();
  readonly newsDue = new Set<NodeId>();
  readonly noticesDue = new Map<NodeId, LogPosition>();
  answersDue: Answer[] = [];
  dropsDue: { readonly from: NodeId | null; readonly reason: DropReason }[] = [];

  // What was reported last.
  reportedRole: Role | null = null;
  reportedTerm: Term = -1;
  reportedLeaderId: NodeId | null = null;
  reportedCommitIndex: LogIndex;
  reportedConfig: ClusterConfig | null = null;

  constructor(config: RaftConfig<C, S>) {
    const recovered = recoveredOf(config);
    const initial = initialConfigOf(config);
    this.id = config.id;
    this.limits = limitsOf(config.limits);
    this.announceCommits = config.announceCommits ?? true;
    this.generation = recovered.generation;
    this.currentTerm = recovered.currentTerm;
    this.votedFor = recovered.votedFor;
    this.log = new Log<C>(config.sizeOf ?? null);
    this.snapshot = this.restoreDue = recovered.snapshot;
    if (this.snapshot !== null) this.log.reset(this.snapshot.position, this.snapshot.config);
    if (recovered.entries !== null) this.log.appendEntries(recovered.entries, 0);
    this.commitIndex = this.reportedCommitIndex = this.log.base.index;
    this.durableIndex = this.issuedIndex = this.log.lastIndex;
    if (this.isPristine && initial.voters.length > 0) this.log.appendConfig(initial);
    this.members = this.log.latestConfig;
    this.refreshPeers();
  }

  /** Without a log, a term or a vote. */
  get isPristine(): boolean {
    return this.log.lastIndex === 0 && this.currentTerm === 0 && this.votedFor === null;
  }

  /** The newest term and vote are durable: what depends on them may leave (Figure 2). */
  get hardStateDurable(): boolean {
    return !this.hardStateDue && this.persistedSequence >= this.hardStateSequence;
  }

  /** To walk or to clear these tables costs more than to ask. */
  get isAnswerDue(): boolean {
    return this.votesDue.size + this.newsDue.size + this.noticesDue.size > 0;
  }

  /** A snapshot of a leader is on its way to the disk. */
  get installing(): boolean {
    if (this.snapshotDue?.installed === true) return true;
    return this.writes.some((write) => write.snapshot?.installed === true);
  }

  get isVoter(): boolean {
    return isVoter(this.log.latestConfig, this.id);
  }

  peer(id: NodeId): Peer | undefined {
    for (const peer of this.peers) if (peer.id === id) return peer;
    return undefined;
  }

  /** The peers follow the configuration in force, at once, forth and back (§6). */
  refreshPeers(): void {
    this.members = this.log.latestConfig;
    const others = uniqueNodes(this.members).filter((id) => id !== this.id);
    const next = this.log.lastIndex + 1;
    this.peers = others.map((id) => this.peer(id) ?? new Peer(id, next, this.round));
    const { log, removedAt } = this;
    if (removedAt === null) return;
    const position = log.positionAt(log.latestConfigIndex);
    if (comparePositions(position, removedAt) > 0) this.removedAt = null;
  }

  drop(from: NodeId | null, reason: DropReason): void {
    this.dropsDue.push({ from, reason });
  }

  /** How a proposal begins, or ends at once. */
  answer(proposal: number, outcome: LogPosition | Refusal): void {
    this.answersDue.push(
      typeof outcome === 'string'
        ? { type: 'rejected', proposal, reason: outcome, leaderId: this.leaderId }
        : { type: 'accepted', proposal, firstPosition: outcome },
    );
  }
}
