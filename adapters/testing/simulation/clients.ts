/** Clients: they ask whom they take for the leader, go where they are sent, and try again. */
import type { ClusterConfig, LogPosition } from '../../../lib/index.js';
import { MachineError, NotLeader } from '../../machine.js';
import type { CountedMachine } from './application.js';
import type { Counted, Ledger, Operation, Tagged } from './ledger.js';
import type { Member } from './member.js';
import { Random } from './random.js';
import { chances, type World } from './world.js';

export type SimulatedMember<State, Command> = Member<Counted<State>, Tagged<Command>, unknown>;

export class Clients<State, Command> {
  private commands = 0;
  private readonly changes: { readonly operation: Operation; readonly config: ClusterConfig }[] =
    [];

  constructor(
    private readonly world: World,
    private readonly members: ReadonlyMap<string, SimulatedMember<State, Command>>,
    private readonly ledger: Ledger,
    private readonly command: (random: Random, number: number) => Command,
  ) {}

  start(): void {
    for (let client = 0; client < this.world.profile.clients; client += 1) this.goOn(client, 1);
  }

  private goOn(client: number, number: number): void {
    const { time, seed, profile, decisions } = this.world;
    const random = Random.of(seed, chances.client, client, number);
    time.after(random.next() * 2 * profile.clientGapMs, () => {
      if (decisions.healed) return;
      if (decisions.permits('call', `client ${client}`, number)) this.ask(random, 4);
      this.goOn(client, number + 1);
    });
  }

  /** Asks one that takes itself for the leader; at times somebody else. */
  private ask(random: Random, attempts: number): void {
    const isRead = random.chance(this.world.profile.reads);
    const node = this.target(isRead, random);
    if (node === null) return;
    this.attempt(node, isRead ? null : this.nextCommand(random), random, attempts);
  }

  /** Of two leaders, who reads often asks the deposed one, and who writes the other. */
  private target(isRead: boolean, random: Random): string | null {
    if (random.chance(0.1)) return random.pick([...this.members.keys()]) ?? null;
    const leaders = this.world.witness.leaders.map(({ id }) => id);
    if (random.chance(0.3)) return random.pick(leaders) ?? null;
    return (isRead ? leaders[0] : leaders.at(-1)) ?? null;
  }

  /** While there are two leaders: one is told something, the other is asked. */
  straddle(random: Random): void {
    const [old, ...newer] = this.world.witness.leaders;
    const leader = newer.at(-1);
    if (old === undefined || leader === undefined || this.world.decisions.healed) return;
    this.attempt(leader.id, this.nextCommand(random), random, 1);
    this.attempt(old.id, null, random, 1);
  }

  /** Many at once, to one node, each tried again until it is answered. */
  burst(node: string, size: number, random: Random): void {
    for (let count = 0; count < size; count += 1) {
      this.attempt(node, random.chance(0.2) ? null : this.nextCommand(random), random, 3);
    }
  }

  private nextCommand(random: Random): Command {
    return this.command(random, (this.commands += 1));
  }

  /** A write, or (null) a read. A new attempt is a new operation: the first may have been done. */
  private attempt(node: string, command: Command | null, random: Random, attempts: number): void {
    const { time, decisions, profile } = this.world;
    const again = (error: unknown): void => {
      if (error === null || attempts <= 1 || decisions.healed) return;
      time.after(random.next() * 2 * profile.heartbeatMs, () => {
        const next = decisions.healed ? null : this.target(command === null, random);
        if (next !== null) this.attempt(next, command, random, attempts - 1);
      });
    };
    const member = this.members.get(node);
    // A node that stands still answers nobody, and later it asks nobody how long ago that was.
    member?.time.enter(() => {
      const machine = member.running?.machine;
      if (machine === undefined) again(new NotLeader(null));
      else if (command === null) this.read(node, machine, again);
      else this.write(node, machine, command, again);
    });
  }

  /** `onEnd` hears null when it was done. */
  write(
    node: string,
    machine: CountedMachine<State, Command>,
    command: Command,
    onEnd: (error: unknown) => void,
  ): void {
    const operation = this.ledger.begin('write', node);
    this.note(operation, 'p', 'is asked to write');
    machine.dispatch({ id: operation.id, command }).then(
      (result) => {
        this.ledger.onWritten(operation, result);
        this.note(operation, 'd', 'has done write');
        onEnd(null);
      },
      (error: unknown) => this.onError(operation, error, onEnd),
    );
  }

  private read(
    node: string,
    machine: CountedMachine<State, Command>,
    onEnd: (error: unknown) => void,
  ): void {
    const operation = this.ledger.begin('read', node);
    this.note(operation, 'r', 'is asked to read');
    machine.read().then(
      (state) => {
        this.ledger.onRead(operation, state);
        this.note(operation, 'd', 'has answered read');
        onEnd(null);
      },
      (error: unknown) => this.onError(operation, error, onEnd),
    );
  }

  /** A change of members, or with `create` the first ones. */
  change(node: string, config: ClusterConfig, create = false): void {
    const member = this.members.get(node);
    member?.time.enter(() => {
      // A world that heals counts on its members.
      if (create || !this.world.decisions.healed) this.changeNow(node, config, create);
    });
  }

  /** Configurations that were asked for, and may be in force at any moment. */
  get openChanges(): ClusterConfig[] {
    return this.changes
      .filter(({ operation }) => operation.ending === null)
      .map(({ config }) => config);
  }

  private changeNow(node: string, config: ClusterConfig, create: boolean): void {
    const machine = this.members.get(node)?.running?.machine;
    if (machine === undefined) return;
    const operation = this.ledger.begin(create ? 'create' : 'change', node);
    this.changes.push({ operation, config });
    this.note(operation, 'm', 'is asked for change');
    const done = create ? machine.createCluster(config.voters) : machine.changeConfig(config);
    done.then(
      (position: LogPosition) => {
        const isCommitted = this.world.witness.commits.has(position);
        this.ledger.onChanged(operation, position, isCommitted);
        this.note(operation, 'd', 'has done change');
      },
      (error: unknown) => this.onError(operation, error, () => undefined),
    );
  }

  private onError(operation: Operation, error: unknown, onEnd: (error: unknown) => void): void {
    if (error instanceof MachineError) {
      this.ledger.end(operation, error.outcome);
      this.note(operation, error.outcome === 'unknown' ? 'u' : 'x', `says "${error.message}" to`);
      onEnd(error);
    } else {
      this.world.fail(`(E4) operation ${operation.id} ends with ${String(error)}`);
    }
  }

  private note({ id, node }: Operation, mark: string, text: string): void {
    this.world.history.digest.add(id);
    this.world.history.add(node, mark, () => `${text} ${id}`);
  }
}
