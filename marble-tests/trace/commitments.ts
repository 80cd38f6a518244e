/** What is committed, and what the machine is given (§5.3, §5.4.2, §7). */
import type { LineOf } from './line.js';
import { samePlace } from './line.js';
import { entriesOf } from './model-log.js';
import type { ModelNode } from './model-node.js';
import { hold } from './rules.js';
import type { World } from './world.js';

export function onCommit(world: World, node: ModelNode, { commit }: LineOf<'commit'>): void {
  const { id, log, ledTerm } = node;
  const before = node.commit;
  const what = `${id} commits ${commit}`;
  hold(commit > before, 'monotone', `${what} after ${before}`);
  hold(commit <= log.last.index, 'commitment', `${what}, and its log ends at ${log.last.index}`);
  if (!isKnown(world, node, commit)) {
    // An `apply` may come in parts: then there is more that is committed than the line says.
    const isCounted = world.couldHaveCommitted(node, commit);
    hold(
      isCounted,
      'commitment',
      `${what}, and no quorum has that and an entry of term ${ledTerm}`,
    );
    // Each change on the way was committed by its own majorities (§6).
    for (const index of log.configsBetween(before, commit)) {
      const position = { term: log.termAt(index) ?? 0, index };
      const isDurable = world.isDurable(log.configAt(index), position);
      hold(isDurable, 'membership', `${what}, and no quorum of the change at ${index} has that`);
    }
    for (let index = before + 1; index <= commit; index += 1) {
      const term = log.termAt(index);
      if (term !== null) world.onCommitted(index, term);
    }
    world.onCommittedBy(ledTerm, { term: log.termAt(commit) ?? 0, index: commit });
  }
  node.commit = commit;
}

/** Is all of it committed by a leader already, so that this node may have heard of it? */
function isKnown(world: World, node: ModelNode, commit: number): boolean {
  const { log } = node;
  for (let index = commit; index > node.commit; index -= 1) {
    const term = log.termAt(index);
    // Below the snapshot there is nothing to compare: the snapshot is.
    if (term !== null && !world.isCommitted({ term, index })) return false;
  }
  return true;
}

export function onApply(node: ModelNode, { entries }: LineOf<'apply'>): void {
  const { id, log, disk } = node;
  const { after, list } = entries;
  const last = after.index + list.length;
  const what = `${id} applies ${after.index + 1} to ${last}`;
  hold(after.index === node.applied, 'application', `${what}, and applied ${node.applied}`);
  hold(last <= node.commit, 'application', `${what}, and has committed ${node.commit}`);
  hold(log.has(after), 'application', `${what} behind another entry than its log has`);
  let { index } = after;
  for (const entry of entriesOf(entries)) {
    index += 1;
    const isOwn = JSON.stringify(entry) === JSON.stringify(log.entryAt(index));
    hold(isOwn, 'application', `${what}: entry ${index} is not what its log has`);
    const isDurable = disk.log.has({ term: entry.term, index });
    hold(isDurable, 'durability', `${what}: entry ${index} is not on its disk`);
  }
  node.onApplied(last);
}

export function onRestore(node: ModelNode, { snapshot }: LineOf<'restore'>): void {
  const { id, disk } = node;
  const what = `${id} begins with a snapshot at ${snapshot.position.index}`;
  const isDurable = disk.snapshot !== null && samePlace(disk.snapshot, snapshot);
  hold(isDurable, 'durability', `${what} that is not on its disk`);
  hold(snapshot.position.index >= node.applied, 'monotone', `${what} after ${node.applied}`);
  hold(snapshot.position.index <= node.commit, 'application', `${what} that is not committed`);
  node.onApplied(snapshot.position.index);
}
