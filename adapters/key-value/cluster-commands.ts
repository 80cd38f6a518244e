/** The commands for whoever looks after a cluster: who is in it, and how it is. */
import type { Command } from 'commander';
import { faultOfNodeId } from '../../lib/cluster-config.js';
import { faultOfAddress } from './addresses.js';
import type { ClientFlags } from './client-command.js';
import { ask, client } from './client-command.js';
import { request } from './client.js';
import type { Request } from './client-protocol.js';
import { UsageError } from './input.js';
import { exitCodes, outcomeOf } from './outcome.js';
import { clusterReport, formatReport } from './status.js';
import { harmless, table } from './terminal.js';
import { addWatchCommand } from './watch-command.js';

export function addClusterCommands(program: Command): void {
  client(program, 'status', 'Who leads, and how far each node is.')
    .option('--json', 'for programs')
    .action(async (flags: ClientFlags & { readonly json?: true }) => {
      const report = await clusterReport(flags.nodes, Math.min(flags.timeout * 1000, 1500));
      process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : formatReport(report));
      process.exitCode = report.leader === null ? exitCodes.refused : exitCodes.done;
    });
  client(program, 'add', 'Make a node a member: start it first, with --join.')
    .argument('<id>', 'the id that it was started with')
    .argument('<host:port>', 'where the other nodes reach it')
    .action(async (id: string, address: string, flags: ClientFlags) => {
      refuse(faultOfNodeId(id) ?? faultOfAddress(address));
      await ask({ type: 'add', id, address }, flags);
    });
  client(program, 'remove', 'Make a node no member any more; it may be the leader. It stops.')
    .argument('<id>')
    .action(async (id: string, flags: ClientFlags) => {
      refuse(faultOfNodeId(id));
      await ask({ type: 'remove', id }, flags);
    });
  client(program, 'snapshot', 'Ask all nodes to take a snapshot of the store now.').action(
    async (flags: ClientFlags) => {
      const { nodes } = await clusterReport(flags.nodes, Math.min(flags.timeout * 1000, 1500));
      const timeoutMs = flags.timeout * 1000;
      const lines = await Promise.all(
        nodes.map(async ({ id, address }) => {
          const asked: Request = { type: 'snapshot' };
          const outcome = outcomeOf(asked, await request(asked, { nodes: [address], timeoutMs }));
          if (outcome.exitCode !== 0) process.exitCode = outcome.exitCode;
          return [id ?? '?', address, outcome.text ?? ''].map(harmless);
        }),
      );
      process.stdout.write(`${table(lines)}\n`);
    },
  );
  addWatchCommand(program);
}

function refuse(fault: string | null): void {
  if (fault !== null) throw new UsageError(fault);
}
