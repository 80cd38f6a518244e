/**
 * What clients ask of the machine, gathered for a turn: many commands into one block, which is one
 * entry of the log, and many reads into one number.
 */
import type { Subscription } from 'rxjs';
import type { Refusal } from '../lib/action.js';
import type { ClusterConfig } from '../lib/cluster-config.js';
import type { MachineInput } from '../lib/input.js';
import type { LogPosition, NodeId } from '../lib/position.js';
import { CommandTooLarge, MachineError, NotApplied, refusalError } from './machine-errors.js';
import type { MachineSettings } from './machine-options.js';
import { byteLength } from './machine-options.js';
import type { Proposal, Waiter } from './waiters.js';
import { Proposals, Room } from './waiters.js';

export class Requests<State, Command, Result, Block, Data> {
  readonly proposals = new Proposals<Result>();
  private readonly reads = new Map<number, readonly Waiter<State>[]>();
  private readonly room: Room;
  private say: ((input: MachineInput<Block, Data>) => void) | null = null;
  private idleBecause = 'the node has not started';
  private number = 0;

  // What gathers until the turn is over.
  private commands: Command[] = [];
  private waiters: Waiter<Result>[] = [];
  private bytes = 0;
  private readers: Waiter<State>[] = [];
  private turn: Subscription | null = null;

  constructor(private readonly settings: MachineSettings<State, Command, Result, Block, Data>) {
    this.room = new Room(settings.limits);
  }

  start(say: (input: MachineInput<Block, Data>) => void): void {
    this.say = say;
  }

  dispatch(command: Command): Promise<Result> {
    if (this.say === null) return Promise.reject(new NotApplied(this.idleBecause));
    const bytes = this.measured(command);
    if (bytes instanceof MachineError) return Promise.reject(bytes);
    return this.room.wait<Result>(bytes, (waiter) => {
      const { blockBytes, blockCommands } = this.settings.limits;
      if (this.bytes + bytes > blockBytes || this.commands.length >= blockCommands) this.propose();
      this.commands.push(command);
      this.waiters.push(waiter);
      this.bytes += bytes;
      this.endTurn();
    });
  }

  read(): Promise<State> {
    if (this.say === null) return Promise.reject(new NotApplied(this.idleBecause));
    return this.room.wait<State>(0, (waiter) => {
      this.readers.push(waiter);
      this.endTurn();
    });
  }

  changeConfig(config: ClusterConfig): Promise<LogPosition> {
    return this.askConfig((proposal) => ({ type: 'configProposed', proposal, config }));
  }

  createCluster(voters: readonly NodeId[]): Promise<LogPosition> {
    return this.askConfig((proposal) => ({ type: 'clusterProposed', proposal, voters }));
  }

  onReadReady(numbers: readonly number[], state: State): void {
    for (const waiter of this.takeReads(numbers)) waiter.resolve(state);
  }

  onReadRefused(numbers: readonly number[], reason: Refusal, leaderId: NodeId | null): void {
    for (const waiter of this.takeReads(numbers)) waiter.reject(refusalError(reason, leaderId));
  }

  /** Everybody who waits is told; whoever comes later is refused. */
  end(): void {
    if (this.say === null) return;
    this.say = null;
    this.idleBecause = 'the node has stopped';
    this.turn?.unsubscribe();
    const stopped = new NotApplied(this.idleBecause);
    for (const waiter of [...this.waiters, ...this.readers]) waiter.reject(stopped);
    for (const waiter of this.takeReads([...this.reads.keys()])) waiter.reject(stopped);
    this.waiters = [];
    this.readers = [];
    this.commands = [];
    this.proposals.end();
  }

  private askConfig(input: (proposal: number) => MachineInput<Block, Data>): Promise<LogPosition> {
    if (this.say === null) return Promise.reject(new NotApplied(this.idleBecause));
    return this.room.wait<LogPosition>(0, (waiter) => {
      this.ask({ type: 'config', waiters: [waiter] }, input);
    });
  }

  private endTurn(): void {
    const { scheduler } = this.settings;
    // A node that was stopped from within has no further turn.
    if (scheduler === null || this.say === null) this.flush();
    else if (this.turn?.closed !== false) this.turn = scheduler.schedule(() => this.flush());
  }

  private flush(): void {
    this.turn = null;
    this.propose();
    if (this.readers.length === 0) return;
    const readers = this.readers;
    this.readers = [];
    const reads = (this.number += 1);
    this.reads.set(reads, readers);
    this.say?.({ type: 'readRequested', reads });
  }

  private propose(): void {
    const { commands, waiters } = this;
    if (commands.length === 0) return;
    this.commands = [];
    this.waiters = [];
    this.bytes = 0;
    this.proposeBlock(commands, waiters);
  }

  private measured(command: Command): number | MachineError {
    const { sizeOf, limits } = this.settings;
    try {
      const bytes = sizeOf(command);
      return bytes > limits.commandBytes ? new CommandTooLarge(bytes, limits.commandBytes) : bytes;
    } catch (cause) {
      return new NotApplied('the command can not be measured', { cause });
    }
  }

  /** A command that can't be packed must not cost its neighbours anything. */
  private proposeBlock(commands: readonly Command[], waiters: readonly Waiter<Result>[]): void {
    const block = this.packed(commands);
    if (!(block instanceof MachineError)) {
      this.ask({ type: 'block', waiters }, (proposal) => ({
        type: 'proposed',
        proposal,
        commands: [block],
      }));
    } else if (waiters.length === 1) {
      waiters[0]?.reject(block);
    } else {
      waiters.forEach((waiter, i) => this.proposeBlock(commands.slice(i, i + 1), [waiter]));
    }
  }

  private packed(commands: readonly Command[]): Block | MachineError {
    const { pack, limits } = this.settings;
    let block: Block;
    try {
      block = pack(commands);
    } catch (cause) {
      return new NotApplied('the command can not be packed', { cause });
    }
    const bytes = byteLength(block);
    const limit = Math.max(limits.commandBytes, limits.blockBytes);
    return bytes > limit ? new CommandTooLarge(bytes, limit) : block;
  }

  /**
   * Entered in the table before it is said: the answer may come from within. So may the end of the
   * node, which leaves what the same turn has not said yet.
   */
  private ask(
    proposal: Proposal<Result>,
    input: (proposal: number) => MachineInput<Block, Data>,
  ): void {
    if (this.say === null) {
      const stopped = new NotApplied(this.idleBecause);
      for (const waiter of proposal.waiters) waiter.reject(stopped);
      return;
    }
    const number = (this.number += 1);
    this.proposals.ask(number, proposal);
    this.say(input(number));
  }

  private takeReads(numbers: readonly number[]): Waiter<State>[] {
    return numbers.flatMap((number) => {
      const waiters = this.reads.get(number) ?? [];
      this.reads.delete(number);
      return waiters;
    });
  }
}
