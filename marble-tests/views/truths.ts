/** What there is one of, in the whole cluster, whoever tells of it. */
import type { LiveEvent, LogCell, StatusFrame } from '../../adapters/live/protocol.js';

export class Truths {
  private readonly values = new Map<string, string | number>();

  constructor(private readonly onFault: (text: string) => void) {}

  /** Whoever is first is believed; nobody may tell another thing. */
  is(what: string, value: string | number): void {
    const known = this.values.get(what);
    if (known === undefined) this.values.set(what, value);
    else if (known !== value) this.onFault(`${what} is ${known}, and ${value}`);
  }

  onStatus(status: StatusFrame): void {
    const { node, role, term, leader, applied, keys, commit, log } = status;
    if (role === 'leader') this.leads(node, term);
    if (leader !== null) this.leads(leader, term);
    this.is(`the number of keys at ${applied}`, keys);
    for (const cell of log.entries) this.onCell(cell, commit);
  }

  onEvent(node: string, event: LiveEvent): void {
    if (event.type === 'commit') return;
    const { term } = event;
    if (event.type === 'role') {
      if (event.role === 'leader') this.leads(node, term);
      if (event.leader !== null) this.leads(event.leader, term);
      return;
    }
    const [peer = ''] = event.peers;
    const [from, to] = event.type === 'sent' ? [node, peer] : [peer, node];
    switch (event.kind) {
      case 'append':
      case 'heartbeat':
      case 'snapshot':
        return this.leads(from, term);
      case 'voteCall':
        return this.votes(from, term, from);
      case 'voteGranted':
        return this.votes(from, term, to);
      default:
        return;
    }
  }

  /** "Election Safety: at most one leader can be elected in a given term" (Figure 3). */
  private leads(node: string, term: number): void {
    this.is(`the leader of term ${term}`, node);
  }

  /** "Each server will vote for at most one candidate in a given term" (§5.2). */
  private votes(node: string, term: number, candidate: string): void {
    this.is(`the vote of ${node} in term ${term}`, candidate);
  }

  /** Log Matching, and State Machine Safety of what is committed (Figure 3). */
  private onCell({ index, term, type, bytes }: LogCell, commit: number): void {
    this.is(`the entry ${index} of term ${term}`, `${type} of ${bytes} bytes`);
    if (index <= commit) this.is(`the term of the committed entry ${index}`, term);
  }
}
