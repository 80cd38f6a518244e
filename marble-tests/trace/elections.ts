/** Terms, votes and roles (§5.1, §5.2, §5.4.1). */
import type { LineOf, Message } from './line.js';
import { comparePlaces } from './line.js';
import type { ModelNode } from './model-node.js';
import { hold } from './rules.js';
import type { World } from './world.js';
import { isQuorum, isVoter } from './world.js';

type Become = LineOf<'becomeFollower' | 'becomeCandidate' | 'becomeLeader'>;

export function onRole(world: World, node: ModelNode, line: Become): void {
  const { role, term } = line;
  const was = node.role;
  hold(term >= node.term, 'term', `${node.id} goes from term ${node.term} to ${term}`);
  const isNew = term > node.term;
  if (isNew) node.vote = line.event === 'becomeCandidate' ? node.id : null;
  node.role = role;
  node.term = term;
  if (isNew) node.onNewTerm();
  if (line.event === 'becomeCandidate') {
    hold(role === 'candidate' && isNew, 'candidacy', `${node.id} in term ${term} again`);
    const names = `${node.id} stands for term ${term}, and names ${line.leader ?? ''}`;
    hold(line.leader === null, 'candidacy', names);
  } else if (line.event === 'becomeLeader') {
    hold(role === 'leader' && line.leader === node.id, 'state', `the role of ${node.id}`);
    onLeader(world, node, was === 'candidate' && !isNew);
  } else {
    hold(role === 'follower', 'state', `the role of ${node.id}`);
    const known = world.leaders.get(term) ?? 'nobody';
    const names = `${node.id} follows ${line.leader ?? ''} in term ${term}, which ${known} leads`;
    hold(line.leader === null || line.leader === known, 'oneLeader', names);
  }
}

function onLeader(world: World, node: ModelNode, wasCandidate: boolean): void {
  const { id, term } = node;
  const other = world.leaders.get(term);
  hold(other === undefined, 'oneLeader', `${other ?? ''} and ${id} lead in term ${term}`);
  hold(wasCandidate, 'candidacy', `${id} leads in term ${term} without having asked for votes`);
  hold(isDurable(node, id), 'durability', `${id} counts its own vote before it is on its disk`);
  const votes = new Set(node.grantsTerm === term ? node.grants : []).add(id);
  const { latestConfig } = node.log;
  hold(
    isQuorum(latestConfig, (each) => votes.has(each)),
    'voteQuorum',
    `${id} leads in term ${term} by ${[...votes].join()} of ${JSON.stringify(latestConfig)}`,
  );
  world.onElected(term, id);
  node.ledTerm = term;
  world.checkCompleteness(node);
}

/**
 * It has won and lost within a turn, and has said neither: the votes that it has heard show it, and
 * the entry with which it began its term.
 */
export function onBriefLeader(world: World, node: ModelNode, term: number): void {
  const { id, disk, log } = node;
  const votes = new Set(node.grantsTerm === term ? node.grants : []).add(id);
  const isCandidate = disk.term === term && disk.vote === id;
  if (!isCandidate || !isQuorum(log.latestConfig, (each) => votes.has(each))) return;
  world.onElected(term, id);
  node.ledTerm = term;
  world.checkCompleteness(node);
}

function isDurable({ disk, term }: ModelNode, vote: string): boolean {
  return disk.term === term && disk.vote === vote;
}

export function onVoteCallSent(node: ModelNode, call: MessageOf<'requestVoteCall'>): void {
  const { id, log, commit } = node;
  const { term, lastPosition } = call;
  hold(node.role === 'candidate', 'sender', `${id} asks for votes as a ${node.role}`);
  hold(isDurable(node, id), 'durability', `${id} asks for votes before its own is on its disk`);
  hold(
    comparePlaces(log.last, lastPosition) === 0 && node.disk.log.has(lastPosition),
    'upToDate',
    `${id} in term ${term} shows another log than its own`,
  );
  // "It might still be needed until the C_new entry is committed" (thesis §4.2.2).
  const isLeaving = log.latestConfigIndex > commit && isVoter(log.previousConfig, id);
  hold(isVoter(log.latestConfig, id) || isLeaving, 'candidacy', `${id} is no voter`);
}

export function onVoteReplySent(
  node: ModelNode,
  to: readonly string[],
  reply: MessageOf<'requestVoteReply'>,
): void {
  if (!reply.voteGranted) return;
  const { id, vote, term } = node;
  const [candidate, ...others] = to;
  const said = `${id} votes for ${to.join()} in term ${term}`;
  hold(vote === candidate && others.length === 0, 'oneVote', `${said}, and for ${vote ?? ''}`);
  hold(isDurable(node, vote), 'durability', `${said} before that is on its disk`);
}

export function onVoteReceived(
  node: ModelNode,
  message: MessageOf<'requestVoteCall' | 'requestVoteReply'>,
): void {
  const { from, term } = message;
  if (message.type === 'requestVoteCall') {
    const { lastPosition: last } = message;
    const key = `${from}/${term}`;
    const isOld = term < node.term || node.asked.has(key);
    if (!isOld) node.asked.set(key, { term, last, least: node.log.last });
    return;
  }
  if (!message.voteGranted || term < node.grantsTerm) return;
  if (term > node.grantsTerm) node.grants = new Set();
  node.grantsTerm = term;
  node.grants.add(from);
}

/** A term and a vote are on their way to the disk. */
export function onHardState(node: ModelNode, { term, vote }: LineOf<'persist'>): void {
  const { id } = node;
  hold(term === node.term, 'term', `${id} writes term ${term} in term ${node.term}`);
  const isFree = node.vote === null || node.vote === vote;
  hold(isFree, 'oneVote', `${id} writes ${vote ?? 'no vote'} over ${node.vote ?? ''} in ${term}`);
  const isNew = vote !== null && vote !== id && node.vote === null;
  node.vote = vote;
  if (!isNew) return;
  const asked = node.asked.get(`${vote}/${term}`);
  hold(asked !== undefined, 'delivery', `${id} votes for ${vote}, who did not ask in term ${term}`);
  hold(
    comparePlaces(asked.last, asked.least) >= 0,
    'upToDate',
    `${id} votes for ${vote} of log ${JSON.stringify(asked.last)}, and has more`,
  );
}

export type MessageOf<T extends Message['type']> = Extract<Message, { type: T }>;
