/** What all commands of a client have in common. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { faultOfAddress } from './addresses.js';
import { request } from './client.js';
import type { Request } from './client-protocol.js';
import { outcomeOf } from './outcome.js';

export const defaultPorts = '7101,7102,7103';
const defaultNodes = defaultPorts.split(',').map((port) => `127.0.0.1:${port}`);

export interface ClientFlags {
  readonly nodes: readonly string[];
  readonly timeout: number;
}

/** For commander: throws what it shows. */
export function nodeList(text: string): readonly string[] {
  const nodes = text.split(',').map((each) => each.trim());
  const fault = nodes.map(faultOfAddress).find((each) => each !== null);
  if (fault !== undefined) throw new InvalidArgumentError(fault);
  return nodes;
}

function numberFrom(least: number, unit: string): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && number >= least && number < 2 ** 31 / 1000) return number;
    throw new InvalidArgumentError(`a number of ${unit}, from ${least} on`);
  };
}

export function client(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .addOption(
      new Option('--nodes <host:port,…>', 'nodes to ask, one after the other; any will do')
        .env('RXRAFT_NODES')
        .default(defaultNodes, defaultNodes.join(','))
        .argParser(nodeList),
    )
    .option('--timeout <seconds>', 'give up after so long', numberFrom(0.1, 'seconds'), 10);
}

export async function ask(asked: Request, flags: ClientFlags): Promise<void> {
  const options = { nodes: flags.nodes, timeoutMs: flags.timeout * 1000 };
  const { exitCode, value, text } = outcomeOf(asked, await request(asked, options));
  if (value !== null) process.stdout.write(value);
  if (value !== null && process.stdout.isTTY) process.stdout.write('\n');
  if (text !== null) process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}
