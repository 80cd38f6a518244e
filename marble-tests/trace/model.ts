/**
 * A small model of Raft, written from the paper, that replays the traces of all nodes of a cluster
 * and refuses what Raft does not permit. It knows the format of `adapters/trace.ts` and nothing
 * else of the product.
 *
 * The lines of each node come in their order, and what is received after it was sent: as one
 * process wrote them, or as `replayNodes` puts them. The trace begins with the cluster, and has all
 * of its nodes.
 */
import { onApply, onCommit, onRestore } from './commitments.js';
import { onRole, onVoteCallSent, onVoteReceived, onVoteReplySent } from './elections.js';
import type { Line, LineOf } from './line.js';
import { comparePlaces, parseLine, receivedBy, sameConfig, sentBy } from './line.js';
import {
  checkContents,
  onAppend,
  onCallReceived,
  onCallSent,
  onNoticeSent,
  onReplySent,
} from './logs.js';
import type { ModelNode } from './model-node.js';
import { hold, Violation } from './rules.js';
import {
  onPersist,
  onPersisted,
  onSnapshot,
  onSnapshotReceived,
  onSnapshotSent,
  onStart,
} from './storage.js';
import { World } from './world.js';

/** What a trace has shown, so that nobody takes an empty one for a proof. */
export interface Summary {
  readonly lines: number;
  readonly events: ReadonlyMap<Line['event'], number>;
}

export class Model {
  private readonly world: World;
  private readonly events = new Map<Line['event'], number>();
  private lines = 0;

  /** `windowEntries`: how far back it remembers what was in the log, and what was committed. */
  constructor(windowEntries?: number) {
    this.world = new World(windowEntries);
  }

  /** Takes the next line. Throws a Violation that names the rule and the line. */
  take(text: string): void {
    this.replayed(text, () => parsed(text));
  }

  /** The same, of a line that was read already. */
  takeLine(line: Line, text: string): void {
    this.replayed(text, () => line);
  }

  /** Has this been sent, as `receivedBy` puts it, not too long ago? */
  wasSent(parcel: string): boolean {
    return this.world.wasSent(parcel);
  }

  /** Of how many entries of all logs it remembers something: it does not grow with the trace. */
  get remembered(): number {
    return this.world.remembered;
  }

  get summary(): Summary {
    return { lines: this.lines, events: this.events };
  }

  private replayed(text: string, read: () => Line): void {
    this.lines += 1;
    try {
      const line = read();
      this.events.set(line.event, (this.events.get(line.event) ?? 0) + 1);
      this.replay(line);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const { rule, detail } = error;
      const where = `line ${this.lines}, ${text.slice(0, 400)}`;
      throw new Violation(rule, `${detail} (${where})`, { cause: error });
    }
  }

  private replay(line: Line): void {
    const { world } = this;
    if (line.event === 'start') {
      checkState(onStart(world, line), line);
      return;
    }
    const node = world.nodes.get(line.node);
    const isNext = node?.run === line.run && node.line + 1 === line.line;
    hold(isNext, 'sequence', `line ${line.line} of run ${line.run} of ${line.node}`);
    apply(world, node, line);
    checkState(node, line);
  }
}

/** Replays a whole trace. */
export function replay(lines: Iterable<string>): Summary {
  const model = new Model();
  for (const line of lines) model.take(line);
  return model.summary;
}

function parsed(text: string): Line {
  try {
    return parseLine(text);
  } catch (error) {
    throw new Violation('format', (error as Error).message, { cause: error });
  }
}

function apply(world: World, node: ModelNode, line: Exclude<Line, LineOf<'start'>>): void {
  switch (line.event) {
    case 'becomeFollower':
    case 'becomeCandidate':
    case 'becomeLeader':
      checkConfig(node);
      onRole(world, node, line);
      return;
    case 'send':
      onSend(world, node, line);
      return;
    case 'receive':
      onReceive(world, node, line);
      return;
    case 'sendSnapshot':
      onSnapshotSent(node, line);
      world.onSent(sentBy(line));
      return;
    case 'receiveSnapshot':
      hold(world.wasSent(receivedBy(line) ?? ''), 'delivery', `a snapshot for ${node.id}`);
      onSnapshotReceived(node, line);
      return;
    case 'append':
      onAppend(world, node, line);
      return;
    case 'snapshot':
      onSnapshot(world, node, line);
      return;
    case 'persist':
      onPersist(node, line);
      checkConfig(node);
      return;
    case 'persisted':
      onPersisted(node, line);
      return;
    case 'commit':
      onCommit(world, node, line);
      return;
    case 'apply':
      checkConfig(node);
      checkContents(world, line.entries);
      onApply(node, line);
      return;
    case 'restore':
      onRestore(node, line);
      return;
    case 'configuration':
      node.config = line.config;
      node.configIndex = line.index;
      return;
  }
}

function onSend(world: World, node: ModelNode, line: LineOf<'send'>): void {
  const { id, term, disk } = node;
  const { message, to } = line;
  const isOwn = message.from === id && !to.includes(id) && to.length > 0;
  hold(isOwn, 'sender', `${id} sends as ${message.from} to ${to.join()}`);
  hold(message.term >= term, 'term', `${id} speaks of term ${message.term} in term ${term}`);
  const isDurable = message.term === term && disk.term === term;
  hold(isDurable, 'durability', `${id} speaks of term ${message.term}, its disk has ${disk.term}`);
  switch (message.type) {
    case 'requestVoteCall':
      onVoteCallSent(node, message);
      break;
    case 'requestVoteReply':
      onVoteReplySent(node, to, message);
      break;
    case 'appendEntriesCall':
      onCallSent(world, node, message);
      break;
    case 'appendEntriesReply':
      onReplySent(world, node, to, message);
      break;
    case 'removalNotice':
      onNoticeSent(world, node, to, message);
      break;
  }
  world.onSent(sentBy(line));
}

function onReceive(world: World, node: ModelNode, line: LineOf<'receive'>): void {
  const { message } = line;
  const wasSent = world.wasSent(receivedBy(line) ?? '');
  hold(wasSent, 'delivery', `${node.id} receives what ${message.from} did not send`);
  if (message.type === 'appendEntriesCall') onCallReceived(node, message);
  if (message.type === 'requestVoteCall' || message.type === 'requestVoteReply') {
    onVoteReceived(node, message);
  }
}

/** The configuration that the node goes by is the newest of its log, or of its snapshot. */
function checkConfig({ id, config, configIndex, log, disk }: ModelNode): void {
  if (config === null) return;
  const { latestConfig, latestConfigIndex } = log;
  // What is compacted is said to stand where the snapshot does.
  const isThere = configIndex === latestConfigIndex || configIndex <= disk.log.base.position.index;
  const goesBy = `${id} goes by ${JSON.stringify(config)} of index ${configIndex}`;
  const what = `${goesBy}, not by ${JSON.stringify(latestConfig)} of ${latestConfigIndex}`;
  hold(isThere && sameConfig(config, latestConfig), 'configuration', what);
}

function checkState(node: ModelNode, line: Line): void {
  const { id, role, term, vote, commit, log } = node;
  node.line = line.line;
  const said = { role: line.role, term: line.term, vote: line.vote, commit: line.commit };
  const known = { role, term, vote, commit };
  const what = `${id} is said to be ${JSON.stringify(said)}, and is ${JSON.stringify(known)}`;
  hold(JSON.stringify(said) === JSON.stringify(known), 'state', what);
  const [saidLast, knownLast] = [line.last, log.last].map((place) => JSON.stringify(place));
  const last = `${id} is said to end at ${saidLast}, not ${knownLast}`;
  hold(comparePlaces(line.last, log.last) === 0, 'state', last);
  const config = node.config ?? log.latestConfig;
  hold(sameConfig(line.config, config), 'state', `the configuration of ${id}`);
}
