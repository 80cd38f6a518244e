#!/usr/bin/env node
/** The program: a cluster, or a node of one, to run; and a client of it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { fromEvent, merge, ReplaySubject, take } from 'rxjs';
import { addSimulateCommand } from '../testing/simulation/command.js';
import { causeOf } from '../cause.js';
import type { ClientFlags } from './client-command.js';
import { ask, client, defaultPorts, nodeList } from './client-command.js';
import { addClusterCommands } from './cluster-commands.js';
import type { Condition } from './commands.js';
import { keyOf, UsageError, valueOf } from './input.js';
import { leave } from './leave.js';
import { clusterName, nodeOptions, originsOf, startMembers } from './members.js';
import { nodeProcess } from './node-process.js';
import { exitCodes } from './outcome.js';
import { start } from './start.js';
import { harmless, paintFor } from './terminal.js';

interface KeyFlags extends ClientFlags {
  readonly hex?: true;
}

interface ChangeFlags extends KeyFlags {
  readonly if?: string;
  readonly ifAbsent?: true;
  readonly file?: string;
}

interface StartFlags extends NodeFlags {
  readonly data: string;
  readonly ports: string;
  readonly page?: number;
}

interface NodeFlags {
  readonly cluster?: string;
  readonly snapshotEvery?: number;
  readonly allowOrigin?: string;
}

function entries(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('a whole number of entries, from 1 on');
}

function portNumber(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError('a port, from 0 (any that is free) to 65535');
}

function runner(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--cluster <name>', 'keeps clusters apart (default: the ids of its nodes)')
    .option('--snapshot-every <entries>', 'entries of the log per snapshot (10,000)', entries)
    .option('--allow-origin <origin,…>', 'web pages that may read and write, beside its own');
}

function conditionOf(flags: ChangeFlags): Condition {
  if (flags.if !== undefined && flags.ifAbsent) {
    throw new UsageError('--if and --if-absent exclude each other: give one of them');
  }
  if (flags.ifAbsent) return 'absent';
  return flags.if === undefined ? null : Buffer.from(flags.if);
}

function addClients(program: Command): void {
  client(program, 'put', 'Give a key a value.')
    .argument('<key>', 'text of at most 64 KiB')
    .argument('[value]', 'text of at most 1 MiB; - reads bytes from the standard input')
    .option('--file <path>', 'read the value from a file')
    .option('--if <value>', 'only if this is the value now (compare and set)')
    .option('--if-absent', 'only if there is no value now')
    .option('--hex', 'the key is given in hexadecimal')
    .action(async (name: string, text: string | undefined, flags: ChangeFlags) => {
      const key = keyOf(name, flags.hex === true);
      const condition = conditionOf(flags);
      const value = await valueOf({ text, file: flags.file, stdin: process.stdin });
      await ask({ type: 'command', command: { type: 'put', key, value, condition } }, flags);
    });
  client(program, 'get', 'Write the value of a key, byte for byte.')
    .argument('<key>')
    .option('--stale', 'what the asked node has, without asking a majority')
    .option('--hex', 'the key is given in hexadecimal')
    .action(async (name: string, flags: KeyFlags & { readonly stale?: true }) => {
      const key = keyOf(name, flags.hex === true);
      await ask({ type: 'get', key, stale: flags.stale === true }, flags);
    });
  client(program, 'delete', 'Delete a key and its value.')
    .argument('<key>')
    .option('--if <value>', 'only if this is the value now')
    .option('--hex', 'the key is given in hexadecimal')
    .action(async (name: string, flags: ChangeFlags) => {
      const key = keyOf(name, flags.hex === true);
      const condition = conditionOf(flags);
      await ask({ type: 'command', command: { type: 'delete', key, condition } }, flags);
    });
}

function addRunners(program: Command): void {
  runner(program, 'start', 'Run a cluster on this machine, a process for each node.')
    .option('--data <folder>', 'where it is kept; a folder for each node', './data')
    .option('--ports <port,…>', 'a node for each', defaultPorts)
    .option('--page <port>', 'of the live page (7100, or any where that is in use)', portNumber)
    .action(async (flags: StartFlags) => {
      const members = startMembers(flags.ports);
      const stop$ = new ReplaySubject<unknown>(1);
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
      // Never let go: a second Ctrl-C must not cut the stop short.
      const signal$ = merge(...signals.map((name) => fromEvent(process, name)));
      signal$.subscribe(() => undefined);
      signal$.pipe(take(1)).subscribe(stop$);
      const { cluster = clusterName(members), snapshotEvery } = flags;
      const origins = originsOf(flags.allowOrigin);
      const areDefault = flags.ports === defaultPorts;
      const nodeArgs = ['--cluster', cluster];
      if (snapshotEvery !== undefined) nodeArgs.push('--snapshot-every', String(snapshotEvery));
      process.exitCode = await start({
        program: fileURLToPath(import.meta.url),
        data: resolve(flags.data),
        ...{ members, nodeArgs, origins, stop$, areDefault },
        pagePort: flags.page ?? (areDefault ? 7100 : 0),
        say: (text) => process.stdout.write(text),
        complain: (text) => process.stderr.write(text),
        paint: paintFor(process.stdout),
      });
      process.exit();
    });
  runner(program, 'node', 'Run one node of a cluster that spans machines.')
    .requiredOption('--id <id>', 'its name, for ever')
    .requiredOption('--data <folder>', 'where it keeps its log; its own')
    .requiredOption('--listen <host:port>', 'for clients and for the other nodes')
    .option('--peers <id=host:port,…>', 'the other nodes of the new cluster, and where they are')
    .option('--join <host:port,…>', 'instead: nodes of the cluster that it is added to', nodeList)
    .option('--alone', 'there are no other nodes: a cluster of one')
    .option('--trace <file>', 'write each event of the protocol to a file, a line of JSON each')
    .option('--trace-limit <MiB>', 'of which the newest so many are kept (256)', entries)
    .option('--insecure', 'listen beyond this machine: whoever reaches it may do everything')
    .action(async (flags: Parameters<typeof nodeOptions>[0]) => {
      await nodeProcess(nodeOptions(flags));
      process.exit();
    });
}

const examples = `
Examples:
  $ rxraft start                        three nodes on this machine
  $ rxraft put color blue
  $ rxraft get color
  $ rxraft put color red --if blue      compare and set
  $ rxraft put picture --file cat.png
  $ rxraft status
  $ rxraft add n4 127.0.0.1:7104        a fourth node: start it with --join
  $ rxraft remove n2
  $ rxraft watch --prefix user/         what changes, until Ctrl-C
  $ rxraft simulate                     clusters in virtual time, under faults

Exit codes: 0 done, 1 refused or not found, 2 wrong usage,
3 nobody knows whether it was done.
`;

function version(): string {
  const path = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}

/** Without `help` in front of what is no command: that would show the help of all, and no error. */
function wordsOf(program: Command): string[] {
  const { argv } = process;
  const [help, name] = argv.slice(2);
  if (help !== 'help' || name === undefined || name.startsWith('-')) return argv;
  const isCommand = program.commands.some((command) => command.name() === name);
  return isCommand ? argv : [...argv.slice(0, 2), ...argv.slice(3)];
}

async function main(): Promise<void> {
  // Nobody reads any more: that is no fault.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  // Set to nothing is not set.
  if (process.env['RXRAFT_NODES'] === '') delete process.env['RXRAFT_NODES'];
  const program = new Command('rxraft')
    .description('A replicated key-value store: durable, linearizable, through a kill -9.')
    .version(version())
    .showHelpAfterError('Try --help behind the command.')
    .addHelpText('after', examples)
    .exitOverride();
  addRunners(program);
  addClients(program);
  addClusterCommands(program);
  addSimulateCommand(program);
  try {
    await program.parseAsync(wordsOf(program));
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
      return;
    }
    process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.refused;
    // A node that has failed ends now, whatever socket is left: it is started again when it has.
    // A stranger may have chosen its words.
    const cause = causeOf(error).split('\n').map(harmless).join('\n');
    const text = `rxraft: ${paintFor(process.stderr).red(cause)}\n`;
    process.stderr.write(text, leave);
  }
}

await main();
