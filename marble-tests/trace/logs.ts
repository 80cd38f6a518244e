/** Entries: where they come from, where they may go, and what is said of them (§5.3). */
import type { MessageOf } from './elections.js';
import { onBriefLeader } from './elections.js';
import type { Config, Entries, LineOf } from './line.js';
import { sameConfig } from './line.js';
import type { Entry } from './model-log.js';
import { entriesOf } from './model-log.js';
import type { ModelNode } from './model-node.js';
import { hold } from './rules.js';
import type { World } from './world.js';

export function onAppend(world: World, node: ModelNode, { entries }: LineOf<'append'>): void {
  const { id, log } = node;
  const { after, list } = entries;
  hold(log.termAt(after.index) === after.term, 'logMatching', `${id} appends behind a gap`);
  hold(list.length > 0, 'truncation', `${id} cuts its log and appends nothing`);
  if (after.index < log.last.index) cut(node, entries);
  for (const entry of entriesOf(entries)) {
    const before = log.last;
    const isOwn = checkOrigin(world, node, entry);
    world.witness(before.index + 1, before.term, entry);
    if (isOwn) checkChange(world, node, entry);
    log.push(entry);
  }
  node.onLogChanged();
}

function cut(node: ModelNode, { after, list }: Entries): void {
  const { id, log, commit, role } = node;
  const what = `${id} cuts its log behind index ${after.index}`;
  hold(role !== 'leader', 'leaderAppendOnly', what);
  hold(after.index >= commit, 'truncation', `${what}, and has committed ${commit}`);
  const index = after.index + 1;
  const term = log.termAt(index);
  const terms = [list[0]?.[0], ...(node.offered.get(index) ?? [])];
  hold(
    terms.some((each) => each !== term),
    'truncation',
    `${what} without a conflict`,
  );
  log.cutAfter(after.index);
}

/** Is it an entry of this very node, as a leader? Else it was sent by one. */
function checkOrigin(world: World, node: ModelNode, { term, content }: Entry): boolean {
  const { id, log, role } = node;
  const index = log.last.index + 1;
  const what = `${id} appends entry ${index} of term ${term}`;
  hold(term >= log.last.term && term <= node.term, 'logMatching', `${what} in ${node.term}`);
  // "The first configuration" stands on its own: it is given to all voters of a new cluster.
  if (index === 1 && term === 0) return false;
  if (!world.leaders.has(term) && content === null) onBriefLeader(world, node, term);
  const isLeaders = world.leaders.get(term) === id;
  hold(role !== 'leader' || term === node.term, 'leaderAppendOnly', `${what} as a leader`);
  if (isLeaders && !world.knows({ term, index })) return true;
  hold(world.knows({ term, index }), 'origin', `${what}, which no leader wrote`);
  const wasOffered = node.offered.get(index)?.has(term) ?? false;
  hold(wasOffered, 'origin', `${what}, which it was not sent`);
  return false;
}

/** A leader changes the members: the change before is committed, and an entry of its term. */
function checkChange(world: World, node: ModelNode, { content }: Entry): void {
  if (content === null || typeof content === 'string') return;
  const { id, log } = node;
  const what = `${id} changes the members to ${JSON.stringify(content)}`;
  const before = log.latestConfigIndex;
  const isOver = world.couldHaveCommitted(node, before);
  hold(isOver, 'membership', `${what} before the change at ${before} is committed`);
  const hasOwn =
    log.termAt(node.commit) === node.ledTerm || world.couldHaveCommitted(node, node.commit + 1);
  hold(hasOwn, 'membership', `${what} before an entry of its term is committed`);
  const from = log.latestConfig;
  hold(isStep(from, content), 'membership', `${what} from ${JSON.stringify(from)} in one step`);
}

function isStep(from: Config, to: Config): boolean {
  if (from.newVoters.length > 0) {
    return sameConfig(to, { ...from, voters: from.newVoters, newVoters: [] });
  }
  return (
    to.voters.length > 0 && sameConfig({ ...to, newVoters: [], nonVoters: from.nonVoters }, from)
  );
}

export function onCallSent(
  world: World,
  node: ModelNode,
  call: MessageOf<'appendEntriesCall'>,
): void {
  const { id, log } = node;
  const { term, entries, commitIndex } = call;
  const isLeader = node.role === 'leader' && world.leaders.get(term) === id;
  hold(isLeader, 'sender', `${id} calls as a ${node.role} of term ${term}`);
  hold(commitIndex <= node.commit, 'commitment', `${id} says ${commitIndex} is committed`);
  checkContents(world, entries);
  let { index } = entries.after;
  hold(log.has(entries.after), 'logMatching', `${id} sends what follows a place it has not`);
  for (const entry of entriesOf(entries)) {
    index += 1;
    const has = log.has({ term: entry.term, index });
    hold(has, 'logMatching', `${id} sends entry ${index}, which it has not`);
  }
}

/** The entries are those that were appended anywhere under their index and term. */
export function checkContents(world: World, { after, list }: Entries): void {
  let { index, term } = after;
  for (const [next, content] of list) {
    index += 1;
    world.witness(index, term, { term: next, content });
    term = next;
  }
}

export function onCallReceived(node: ModelNode, call: MessageOf<'appendEntriesCall'>): void {
  const { from, round, entries } = call;
  node.rounds.set(from, Math.max(node.rounds.get(from) ?? 0, round));
  let { index } = entries.after;
  for (const [term] of entries.list) {
    index += 1;
    if (index <= node.applied) continue;
    const terms = node.offered.get(index);
    if (terms === undefined) node.offered.set(index, new Set([term]));
    else terms.add(term);
  }
}

/** "Success" is said of what is durable here, and the leader's. */
export function onReplySent(
  world: World,
  node: ModelNode,
  to: readonly string[],
  reply: MessageOf<'appendEntriesReply'>,
): void {
  const { id, log, disk } = node;
  const { term, lastPosition, refused, round, generation } = reply;
  hold(generation === node.run, 'sender', `${id} answers as run ${generation} in ${node.run}`);
  for (const leaderId of to) {
    const known = node.rounds.get(leaderId) ?? 0;
    hold(round <= known, 'delivery', `${id} answers call ${round}, which it did not receive`);
    if (refused || lastPosition.index === 0) continue;
    const what = `${id} acknowledges ${JSON.stringify(lastPosition)}`;
    const isDurable = disk.log.has(lastPosition) && lastPosition.index <= disk.log.last.index;
    hold(isDurable, 'durability', `${what} before it is on its disk`);
    hold(log.has(lastPosition), 'acknowledgement', `${what}, which is not in its log`);
    const isLeader = world.leaders.get(term) === leaderId;
    hold(isLeader, 'acknowledgement', `${what} to ${leaderId}, who does not lead in ${term}`);
    const leader = world.nodes.get(leaderId);
    if (leader?.role !== 'leader' || leader.term !== term) continue;
    const isLeaders = leader.log.has(lastPosition);
    hold(isLeaders, 'acknowledgement', `${what}, which ${leaderId} has not`);
  }
}

/** A removed node is told of a committed configuration that leaves it out. */
export function onNoticeSent(
  world: World,
  node: ModelNode,
  to: readonly string[],
  { position }: MessageOf<'removalNotice'>,
): void {
  const { id, log, role } = node;
  const what = `${id} tells ${to.join()} of a removal`;
  hold(role === 'leader', 'sender', `${what} as a ${role}`);
  hold(log.has(position), 'membership', `${what} at a place it has not`);
  const isCommitted = world.couldHaveCommitted(node, position.index);
  hold(isCommitted, 'membership', `${what} that is not committed`);
  if (position.index < log.base.position.index) return;
  const { voters, newVoters, nonVoters } = log.configAt(position.index);
  const members = [...voters, ...newVoters, ...nonVoters];
  hold(!to.some((each) => members.includes(each)), 'membership', `${what}, and it is a member`);
}
