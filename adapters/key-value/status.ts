/** What all nodes say of themselves, side by side. */
import type { NodeId } from '../../lib/position.js';
import { askStatus } from './ask-status.js';
import type { NodeStatus } from './client-protocol.js';
import { harmless, table } from './terminal.js';

/** What a node is to the cluster, by the word of the leader, or of whoever has heard most. */
export type Membership = 'voter' | 'nonVoter' | 'none';

type Told = Omit<NodeStatus, 'leader' | 'members' | 'cluster' | 'voters' | 'nonVoters'>;

export type NodeReport =
  | (Told & { readonly reachable: true; readonly membership: Membership })
  | {
      readonly reachable: false;
      readonly membership: Membership;
      /** If another node knows who lives there. */
      readonly id: NodeId | null;
      readonly address: string;
      readonly error: string;
    };

export interface ClusterReport {
  /** Who leads, by its own word: of several, the one of the latest term (§5.1). */
  readonly leader: NodeId | null;
  readonly nodes: readonly NodeReport[];
}

/** Of those that one node names, as many are asked: it may be confused, or hostile. */
const maxMembers = 64;

/** Asks these nodes, and those that they know of, all at once. Never rejects. */
export async function clusterReport(
  addresses: readonly string[],
  timeoutMs = 1500,
): Promise<ClusterReport> {
  const asked = new Map<string, NodeStatus | Error>();
  const ask = async (some: readonly string[]): Promise<void> => {
    await Promise.all(
      some.map(async (address) => asked.set(address, await askStatus(address, timeoutMs))),
    );
  };
  await ask([...new Set(addresses)]);
  const ids = new Map<string, NodeId>();
  for (const status of asked.values()) {
    if (status instanceof Error) continue;
    const members = Object.entries(status.members).slice(0, maxMembers);
    for (const [id, address] of members) ids.set(address, id);
  }
  await ask([...ids.keys()].filter((address) => !asked.has(address)));

  const membershipOf = membershipIn([...asked.values()]);
  const nodes = [...asked].map(([address, status]): NodeReport => {
    if (status instanceof Error) {
      const id = ids.get(address) ?? null;
      const { message: error } = status;
      return { reachable: false, membership: membershipOf(id), id, address, error };
    }
    const { id, pid, role, term, commit, applied, keys } = status;
    const membership = membershipOf(id);
    return { id, pid, role, term, commit, applied, keys, address, membership, reachable: true };
  });
  return { leader: leaderOf(nodes), nodes: nodes.sort(byId) };
}

export function formatReport({ leader, nodes }: ClusterReport): string {
  const head = ['node', 'address', 'process', 'role', 'term', 'commit', 'applied', 'keys'];
  const rows = nodes.map((node) =>
    node.reachable
      ? [
          ...[node.id, node.address, String(node.pid), roleOf(node)],
          ...[node.term, node.commit, node.applied, node.keys].map(String),
        ]
      : [node.id ?? '?', node.address, '-', 'not reachable'],
  );
  const summary = leader === null ? 'no leader' : `${leader} leads`;
  const cells = rows.map((row) => row.map(harmless));
  return `${table([head, ...cells])}\n\n${harmless(summary)}\n`;
}

/** In one word: who has no vote follows, and nothing else. */
function roleOf({ membership, role }: { membership: Membership; role: string }): string {
  return membership === 'voter' ? role : membership === 'nonVoter' ? 'non-voter' : 'no member';
}

function membershipIn(answers: readonly (NodeStatus | Error)[]): (id: NodeId | null) => Membership {
  let newest: NodeStatus | null = null;
  for (const each of answers) {
    if (each instanceof Error || each.voters.length === 0) continue;
    if (newest === null || knowsBetter(each, newest)) newest = each;
  }
  return (id) => {
    if (id === null || newest === null) return 'none';
    if (newest.voters.includes(id)) return 'voter';
    return newest.nonVoters.includes(id) ? 'nonVoter' : 'none';
  };
}

/** Terms alone say little: who is left alone stands for election in ever newer ones. */
function knowsBetter(a: NodeStatus, b: NodeStatus): boolean {
  const [ofA, ofB] = [a, b].map(({ role }) => role === 'leader');
  if (ofA !== ofB) return ofA === true;
  if (ofA === true) return a.term > b.term;
  return a.commit === b.commit ? a.term > b.term : a.commit > b.commit;
}

function leaderOf(nodes: readonly NodeReport[]): NodeId | null {
  let newest: { readonly id: NodeId; readonly term: number } | null = null;
  for (const node of nodes) {
    if (!node.reachable || node.role !== 'leader') continue;
    if (newest === null || node.term > newest.term) newest = node;
  }
  return newest?.id ?? null;
}

function byId(a: NodeReport, b: NodeReport): number {
  const [left, right] = [a, b].map((node) => node.id ?? `\uffff${node.address}`) as [
    string,
    string,
  ];
  return left < right ? -1 : left > right ? 1 : 0;
}
