/**
 * Where the nodes of the cluster live, as far as one node knows: what its log says comes first,
 * then what it was told on the command line, then what others have told it.
 */
import type { LogEntries } from '../../lib/index.js';
import { faultOfNodeId } from '../../lib/cluster-config.js';
import { lastIndex, positionedEntries } from '../../lib/entries.js';
import type { LogIndex, NodeId } from '../../lib/position.js';
import { partsOfAddress } from './address-form.js';
import type { NodeStatus } from './client-protocol.js';
import { hasAddress, unpackBlock } from './commands.js';

/** More is not learnt from others. */
const learntAtMost = 1000;

export interface DirectoryOptions {
  readonly id: NodeId;
  readonly cluster: string;
  /** From the command line. */
  readonly members: Readonly<Record<NodeId, string>>;
  /** Addresses of nodes that know others. */
  readonly contacts: readonly string[];
  /** The log as it was found at the start. */
  readonly log: LogEntries<Uint8Array> | null;
  /** What the machine has, and up to which index of the log. */
  readonly applied: () => ReadonlyMap<NodeId, string>;
  readonly appliedIndex: () => LogIndex;
  readonly ask: (address: string) => Promise<NodeStatus | null>;
  /** At the least between two rounds of questions. Default 1,000. */
  readonly pauseMs?: number;
}

export class Directory {
  /**
   * Of the log that was found: after a restart nobody knows how much of it is committed, and whom
   * to ask about that is just what it says.
   */
  private readonly found: ReadonlyMap<NodeId, string | null>;
  private readonly foundIndex: LogIndex;
  private readonly given: ReadonlyMap<NodeId, string>;
  private readonly learnt = new Map<NodeId, string>();
  private askedAt = -Infinity;

  constructor(private readonly options: DirectoryOptions) {
    this.found = addressesIn(options.log);
    this.foundIndex = options.log === null ? 0 : lastIndex(options.log);
    // A map: ids come from strangers too, and `constructor` is no member.
    this.given = new Map(Object.entries(options.members));
  }

  addressOf(id: NodeId): string | undefined {
    const { applied, appliedIndex } = this.options;
    const found = appliedIndex() < this.foundIndex ? this.found.get(id) : undefined;
    return found ?? applied().get(id) ?? this.given.get(id) ?? this.learnt.get(id);
  }

  /** Everybody whose address is known. */
  get known(): NodeId[] {
    const { applied } = this.options;
    const maps = [applied(), this.found, this.given, this.learnt];
    return [...new Set(maps.flatMap((map) => [...map.keys()]))];
  }

  /** Somebody unknown is about: the others may know where it lives. Not at every message. */
  async inquire(): Promise<void> {
    const { id, cluster, contacts, ask, pauseMs = 1000 } = this.options;
    const now = performance.now();
    if (now - this.askedAt < pauseMs) return;
    this.askedAt = now;
    const addresses = new Set(contacts);
    for (const each of this.known) {
      const address = this.addressOf(each);
      if (each !== id && address !== undefined) addresses.add(address);
    }
    await Promise.all(
      [...addresses].map(async (address) => {
        const status = await ask(address);
        if (status !== null && status.cluster === cluster) this.learn(status.members);
      }),
    );
  }

  /** Hearsay: what is no address is not dialled. */
  private learn(members: NodeStatus['members']): void {
    for (const [id, address] of Object.entries(members)) {
      if (faultOfNodeId(id) !== null || partsOfAddress(address) === null) continue;
      if (this.learnt.size < learntAtMost || this.learnt.has(id)) this.learnt.set(id, address);
    }
  }
}

function addressesIn(log: LogEntries<Uint8Array> | null): Map<NodeId, string | null> {
  const addresses = new Map<NodeId, string | null>();
  if (log === null) return addresses;
  for (const { entry } of positionedEntries(log)) {
    if (entry.type !== 'command' || !hasAddress(entry.command)) continue;
    for (const command of unpackBlock(entry.command)) {
      if (command.type === 'address') addresses.set(command.id, command.address);
    }
  }
  return addresses;
}
