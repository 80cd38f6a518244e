/**
 * What all nodes together have done: the witness against each of them. It remembers enough of the
 * past for whatever a node may be behind, and forgets what is older, so that a trace may be as long
 * as it likes.
 */
import type { Config, Position } from './line.js';
import type { Entry } from './model-log.js';
import type { ModelNode } from './model-node.js';
import { Parcels } from './parcels.js';
import { hold } from './rules.js';

/** A node that is farther behind than so many entries is believed what it says of them. */
const windowEntries = 100_000;

/** Of so many newest terms it is known who led, and what was committed. */
const windowTerms = 1000;

export class World {
  readonly nodes = new Map<string, ModelNode>();
  /** Of each term, its leader. */
  readonly leaders = new Map<number, string>();
  private readonly sent = new Parcels();
  /** Of each entry, by index and term: what it is, and the term before it. */
  private readonly entries = new Map<number, Map<number, string>>();
  /** Of each index that was ever committed, the term there. */
  private readonly committed = new Map<number, number>();
  /** How far leaders have committed, by their term. */
  private readonly frontiers = new Map<number, Position>();
  /** Of what stands below it nothing is known any more. */
  private floor = 0;

  constructor(private readonly window = windowEntries) {}

  onSent(parcels: readonly string[]): void {
    for (const parcel of parcels) this.sent.add(parcel);
  }

  wasSent(parcel: string): boolean {
    return this.sent.has(parcel);
  }

  onElected(term: number, id: string): void {
    this.leaders.set(term, id);
    forgetOldest(this.leaders, windowTerms);
  }

  knows({ term, index }: Position): boolean {
    return index < this.floor || (this.entries.get(index)?.has(term) ?? false);
  }

  /** Log Matching: one entry, and one history before it, for an index and a term. */
  witness(index: number, before: number, { term, content }: Entry): void {
    if (index < this.floor) return;
    const text = `${before}<${JSON.stringify(content)}`;
    const terms = this.entries.get(index) ?? new Map<number, string>();
    const known = terms.get(term);
    if (known === undefined) this.entries.set(index, terms.set(term, text));
    hold(
      known === undefined || known === text,
      'logMatching',
      `entry ${index} of term ${term} is ${text} here and was ${known ?? ''} elsewhere`,
    );
  }

  get remembered(): number {
    return this.entries.size;
  }

  /** Has anybody committed it there? */
  isCommitted({ term, index }: Position): boolean {
    return index < this.floor || this.committed.get(index) === term;
  }

  /** "No other server will ever apply a different log entry for the same index" (Figure 3). */
  onCommitted(index: number, term: number): void {
    if (index < this.floor) return;
    const known = this.committed.get(index);
    hold(
      known === undefined || known === term,
      'commitment',
      `index ${index} is committed in term ${term}, and was in ${known ?? 0}`,
    );
    this.committed.set(index, term);
    for (; this.floor <= index - this.window; this.floor += 1) {
      this.committed.delete(this.floor);
      this.entries.delete(this.floor);
    }
  }

  onCommittedBy(leaderTerm: number, position: Position): void {
    const known = this.frontiers.get(leaderTerm);
    if (known === undefined || known.index < position.index) {
      this.frontiers.set(leaderTerm, position);
      forgetOldest(this.frontiers, windowTerms);
    }
  }

  checkCompleteness(leader: ModelNode): void {
    for (const [term, position] of this.frontiers) {
      if (term >= leader.term) continue;
      const lacks = `leader ${leader.id} of term ${leader.term} lacks index ${position.index}`;
      hold(
        leader.log.has(position),
        'leaderCompleteness',
        `${lacks}, which was committed in term ${term}`,
      );
    }
  }

  /** Is the place on the disks of a quorum of the configuration? */
  isDurable(config: Config, position: Position): boolean {
    return isQuorum(config, (id) => this.nodes.get(id)?.disk.log.has(position) ?? false);
  }

  /**
   * May the node commit this place of its log by counting? Of the term in which it leads or led
   * last, on a quorum of the configuration in force, or of the one before for what stands before
   * the newest.
   */
  mayCount(node: ModelNode, index: number): boolean {
    const { log, ledTerm } = node;
    const term = log.termAt(index);
    if (term === null || term !== ledTerm) return false;
    const position = { term, index };
    // A change is told of before the entry that makes it: it counts, and the entry has to come.
    const isAhead = node.config !== null && node.configIndex > log.last.index;
    const [latest, previous, latestIndex] = isAhead
      ? [node.config ?? log.latestConfig, log.latestConfig, node.configIndex]
      : [log.latestConfig, log.previousConfig, log.latestConfigIndex];
    if (this.isDurable(latest, position)) return true;
    return latestIndex > index && this.isDurable(previous, position);
  }

  /** Has it committed so far, or could it have, by what is on the disks? */
  couldHaveCommitted(node: ModelNode, index: number): boolean {
    if (node.commit >= index) return true;
    for (let at = node.log.last.index; at >= index; at -= 1) {
      if (this.mayCount(node, at)) return true;
    }
    return false;
  }
}

/** Those that came first go. */
function forgetOldest(map: Map<number, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}

export function isQuorum(config: Config, has: (id: string) => boolean): boolean {
  const isMajority = (ids: readonly string[]): boolean => 2 * ids.filter(has).length > ids.length;
  const { voters, newVoters } = config;
  return isMajority(voters) && (newVoters.length === 0 || isMajority(newVoters));
}

export function isVoter(config: Config, id: string): boolean {
  return config.voters.includes(id) || config.newVoters.includes(id);
}
