/**
 * Changes of members (§6), made by the leader, one after the other.
 *
 * A new node comes in two steps: "we introduce an additional phase before the configuration change,
 * in which the new servers join the cluster as non-voting members", and it votes when it has caught
 * up. Where nodes live is in the log too, before the configuration that needs it: whoever has the
 * one knows the other.
 */
import type { ClusterConfig } from '../../lib/index.js';
import { isMember, isVoter, toJointConsensus, uniqueNodes } from '../../lib/cluster-config.js';
import type { NodeId } from '../../lib/position.js';
import { ChangeRefused, noMajority } from '../change-refused.js';
import type { ConfigChangesOptions } from '../config-changes.js';
import { ConfigChanges, notCaughtUp } from '../config-changes.js';
import type { Machine } from '../machine.js';
import type { Change, NodeStatus } from './client-protocol.js';
import type { AnyCommand } from './commands.js';
import type { Result, State } from './reducer.js';

export interface MembershipOptions extends ConfigChangesOptions {
  readonly machine: Pick<
    Machine<State, AnyCommand, Result, Uint8Array, Uint8Array>,
    'dispatch' | 'changeConfig' | 'state'
  >;
  readonly addressOf: (id: NodeId) => string | undefined;
  /** What the node at an address says of itself. Null: nothing, within a moment. */
  readonly ask: (address: string) => Promise<NodeStatus | null>;
}

export interface Membership {
  /**
   * Makes a change, as the leader. Rejects with a ChangeRefused, or as the machine does. A change
   * that was made already is done, and one that is being made is not made twice.
   */
  lead(change: Change): Promise<void>;
}

export function membership(options: MembershipOptions): Membership {
  return new Members(options);
}

class Members implements Membership {
  private readonly changes: ConfigChanges;

  constructor(private readonly options: MembershipOptions) {
    this.changes = new ConfigChanges(options);
  }

  lead(change: Change): Promise<void> {
    return change.type === 'add'
      ? this.changes.run(`add ${change.id} at ${change.address}`, () =>
          this.add(change.id, change.address),
        )
      : this.changes.run(`remove ${change.id}`, () => this.remove(change.id));
  }

  private async add(id: NodeId, address: string): Promise<void> {
    const { addressOf } = this.options;
    const { config } = await this.changes.before();
    if (isMember(config, id) && addressOf(id) !== address) {
      const text = `${id} is a member at ${addressOf(id)}: remove it first, or choose another id`;
      throw new ChangeRefused('idTaken', text);
    }
    if (isVoter(config, id)) return;
    const resident = uniqueNodes(config).find((each) => each !== id && addressOf(each) === address);
    if (resident !== undefined) {
      throw new ChangeRefused('addressTaken', `${resident} lives at ${address}`);
    }
    await this.recognize(id, address, config);
    await this.refuseLoss([...config.voters, id], id);
    await this.enter(config, [[id, address]]);
    const listening = (from: ClusterConfig): ClusterConfig => ({
      ...from,
      nonVoters: [...from.nonVoters, id],
    });
    if (!isMember(config, id)) await this.changes.propose(id, listening);
    await this.catchUp(id, address);
    await this.changes.propose(id, (from) => toJointConsensus(from, [id], []));
    await this.changes.completed();
  }

  private async remove(id: NodeId): Promise<void> {
    const { config } = await this.changes.before();
    if (!isMember(config, id)) {
      // Its address is kept until the next change: whoever asks again is told that it is done.
      if (this.options.machine.state.addresses.has(id)) return;
      const members = uniqueNodes(config).join(', ');
      throw new ChangeRefused('unknownNode', `${id} is no member: the members are ${members}`);
    }
    if (isVoter(config, id)) {
      const rest = config.voters.filter((each) => each !== id);
      if (rest.length === 0) {
        throw new ChangeRefused('lastVoter', `${id} is the last voter: nobody could decide`);
      }
      await this.refuseLoss(rest, null);
    }
    await this.enter(config, []);
    await this.changes.propose(id, (from) =>
      isVoter(from, id)
        ? toJointConsensus(from, [], [id])
        : { ...from, nonVoters: from.nonVoters.filter((each) => each !== id) },
    );
    await this.changes.completed();
  }

  /** The node that answers there must be the one that is meant, and have no other cluster. */
  private async recognize(id: NodeId, address: string, config: ClusterConfig): Promise<void> {
    const status = await this.options.ask(address);
    if (status === null) {
      const mend = `start it with: rxraft node --id ${id} --listen ${address} --join …`;
      throw new ChangeRefused('silent', `no node of this cluster answers at ${address}: ${mend}`);
    }
    if (status.id !== id) {
      throw new ChangeRefused('stranger', `the node at ${address} is ${status.id}, not ${id}`);
    }
    const { voters } = status;
    if (voters.length > 0 && !voters.some((each) => isMember(config, each) && each !== id)) {
      const mend = 'start it anew with --join, on an empty folder';
      throw new ChangeRefused('stranger', `${id} has founded a cluster of its own: ${mend}`);
    }
  }

  /** A majority of those who will vote must be there, or the change could never be completed. */
  private async refuseLoss(voters: readonly NodeId[], known: NodeId | null): Promise<void> {
    const { id, ask, addressOf } = this.options;
    const silent: NodeId[] = [];
    await Promise.all(
      voters.map(async (each) => {
        if (each === id || each === known) return;
        if ((await ask(addressOf(each) ?? '')) === null) silent.push(each);
      }),
    );
    if (silent.length >= voters.length / 2) throw noMajority(voters, silent);
  }

  /** Where all members live, and who comes; who has left is forgotten. */
  private async enter(
    config: ClusterConfig,
    coming: readonly (readonly [NodeId, string])[],
  ): Promise<void> {
    const { machine, addressOf } = this.options;
    const wanted = new Map<NodeId, string>(coming);
    for (const id of uniqueNodes(config)) {
      const address = wanted.get(id) ?? addressOf(id);
      if (address !== undefined) wanted.set(id, address);
    }
    const { addresses } = machine.state;
    const gone = [...addresses.keys()].filter((id) => !wanted.has(id));
    const changed = [...wanted].filter(([id, address]) => addresses.get(id) !== address);
    const entries = [...gone.map((id) => [id, null] as const), ...changed];
    await Promise.all(
      entries.map(([id, address]) => machine.dispatch({ type: 'address', id, address })),
    );
  }

  /** Until it has applied the entry that made it a member. */
  private async catchUp(id: NodeId, address: string): Promise<void> {
    const { index } = await this.changes.settled();
    for (;;) {
      const status = await this.options.ask(address);
      if (status !== null && status.id === id && status.applied >= index) return;
      await this.changes.pause(() => notCaughtUp(id));
    }
  }
}
