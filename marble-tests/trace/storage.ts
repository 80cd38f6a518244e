/** Disks: what is written, what is durable, and what a run begins with (Figure 2, §7). */
import { onHardState } from './elections.js';
import type { LineOf } from './line.js';
import { comparePlaces, sameConfig, samePlace } from './line.js';
import { entriesOf } from './model-log.js';
import type { Write } from './model-node.js';
import { ModelDisk, ModelNode } from './model-node.js';
import { hold } from './rules.js';
import type { World } from './world.js';

/** A run begins: with what was on the disk, after any number of the writes that were under way. */
export function onStart(world: World, line: LineOf<'start'>): ModelNode {
  const node = world.nodes.get(line.node) ?? new ModelNode(line.node);
  hold(line.line === 1, 'sequence', `a run of ${node.id} begins with line ${line.line}`);
  const found = diskOf(line);
  const isKnown = world.nodes.has(line.node);
  if (isKnown) {
    hold(line.run > node.run, 'recovery', `${node.id} is in run ${line.run} again`);
    const disks = recoverable(node);
    const isOne = disks.some((disk) => disk.text === found.text);
    hold(
      isOne,
      'recovery',
      `${node.id} begins with ${short(found)}, had ${disks.map(short).join()}`,
    );
  } else if (found.snapshot !== null) {
    const { term, index } = found.snapshot.position;
    world.onCommitted(index, term);
  }
  world.nodes.set(line.node, node);
  node.restart(line, found);
  let before = found.log.base.position;
  for (const entry of entriesOf(line.entries)) {
    const index = before.index + 1;
    const isAscending = entry.term >= before.term && entry.term <= node.term;
    hold(isAscending, 'logMatching', `${node.id} found entry ${index} of term ${entry.term}`);
    world.witness(index, before.term, entry);
    before = { term: entry.term, index };
  }
  return node;
}

function diskOf({ term, vote, snapshot, entries }: LineOf<'start'>): ModelDisk {
  const disk = new ModelDisk();
  Object.assign(disk, { term, vote, snapshot });
  if (snapshot !== null) disk.log.reset(snapshot);
  const follows = comparePlaces(entries.after, disk.log.last) === 0;
  hold(follows, 'recovery', 'the log does not begin where the snapshot ends');
  disk.log.replaceAfter(entries.after.index, entriesOf(entries));
  return disk;
}

function recoverable({ disk, writes }: ModelNode): ModelDisk[] {
  const disks = [disk];
  let newest = disk;
  for (const write of writes) {
    newest = newest.copy();
    newest.do(write);
    disks.push(newest);
  }
  return disks;
}

function short({ term, vote, log }: ModelDisk): string {
  return JSON.stringify({ term, vote, base: log.base.position, last: log.last });
}

/** A snapshot, the own machine's or a leader's, takes the place of the log up to there. */
export function onSnapshot(world: World, node: ModelNode, { snapshot }: LineOf<'snapshot'>): void {
  const { id, log } = node;
  const { position, config } = snapshot;
  const what = `${id} has a snapshot at ${position.index}`;
  hold(position.index > (node.disk.snapshot?.position.index ?? 0), 'snapshot', `${what} again`);
  hold(world.isCommitted(position), 'snapshot', `${what}, which is not committed`);
  const isOwn = log.termAt(position.index) === position.term;
  const wasSent = node.offeredSnapshots.some((each) => samePlace(each, snapshot));
  hold(isOwn || wasSent, 'snapshot', `${what}, which is neither its own nor a leader's`);
  if (isOwn) {
    const isRight = sameConfig(log.configAt(position.index), config);
    hold(isRight, 'snapshot', `${what} of another configuration`);
  } else {
    log.reset(snapshot);
    node.issued = position.index;
    node.onLogChanged();
  }
  node.snapshot = snapshot;
}

export function onPersist(node: ModelNode, line: LineOf<'persist'>): void {
  const { id, log, snapshot } = node;
  const { sequence, entries } = line;
  const what = `write ${sequence} of ${id}`;
  hold(sequence === node.sequence + 1, 'storage', `${what} follows ${node.sequence}`);
  if (line.hardState) onHardState(node, line);
  hold(JSON.stringify(line.snapshot) === JSON.stringify(snapshot), 'storage', `${what}: snapshot`);
  const from = entries?.after.index ?? node.issued;
  hold(from <= node.issued, 'storage', `${what} leaves a gap behind ${node.issued}`);
  const list = entries === null ? [] : entriesOf(entries);
  const isWhole = from + list.length === log.last.index;
  const isSame = list.every(
    (entry, at) => JSON.stringify(entry) === JSON.stringify(log.entryAt(from + at + 1)),
  );
  const follows = entries === null || log.has(entries.after);
  hold(isWhole && isSame && follows, 'storage', `${what} is not what its log has`);
  const hardState = line.hardState ? { term: line.term, vote: line.vote } : null;
  const write: Write = {
    sequence,
    hardState,
    snapshot: line.snapshot,
    entries: entries && { after: from, list },
  };
  node.writes.push(write);
  node.sequence = sequence;
  node.issued = log.last.index;
  node.snapshot = null;
}

/** Cumulative; a number already known changes nothing. */
export function onPersisted(node: ModelNode, { sequence }: LineOf<'persisted'>): void {
  hold(sequence <= node.sequence, 'storage', `write ${sequence} of ${node.id} was never asked for`);
  while ((node.writes[0]?.sequence ?? Infinity) <= sequence) {
    const write = node.writes.shift();
    if (write !== undefined) node.disk.do(write);
  }
}

export function onSnapshotSent(node: ModelNode, line: LineOf<'sendSnapshot'>): void {
  const { id, disk, role, term } = node;
  const what = `${id} sends a snapshot to ${line.to}`;
  const isLeader = role === 'leader' && line.leaderTerm === term && line.to !== id;
  hold(isLeader, 'sender', `${what} as a ${role} of term ${line.leaderTerm}`);
  const isDurable = disk.snapshot !== null && samePlace(disk.snapshot, line.snapshot);
  hold(isDurable, 'durability', `${what} that is not on its disk`);
}

export function onSnapshotReceived(node: ModelNode, line: LineOf<'receiveSnapshot'>): void {
  const { snapshot } = line;
  const isKnown = node.offeredSnapshots.some((each) => samePlace(each, snapshot));
  if (!isKnown && snapshot.position.index > node.applied) node.offeredSnapshots.push(snapshot);
}
