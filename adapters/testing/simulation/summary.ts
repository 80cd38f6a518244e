/** What a campaign has seen, in words. */
import type { Totals } from './campaign.js';
import { digestOf } from './campaign.js';
import type { SimulationOptions } from './simulate.js';
import { faultKinds } from './faults.js';
import type { Violation } from './violation.js';

export function summaryOf(totals: Totals, seconds: number): string {
  const { seeds, virtualMs, faults, violation } = totals;
  const timesAsFast = Math.round(virtualMs / 1000 / seconds);
  const rows: (readonly [string, string])[] = [
    ['seeds', grouped(seeds)],
    ['virtual hours', (virtualMs / 3_600_000).toFixed(3)],
    ['seconds', `${seconds.toFixed(1)}, ${grouped(timesAsFast)} times as fast as life`],
    ['elections', grouped(totals.elections)],
    ['commits', `${grouped(totals.commits)} entries, ${grouped(totals.commands)} commands`],
    ['reads', grouped(totals.reads)],
    ['messages', grouped(totals.messages)],
    ...faultKinds.map((kind) => [kind, grouped(faults[kind])] as const),
    ['digest', digestOf(totals)],
    ['violations', violation === null ? '0' : `1, seed ${violation}`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(16)}${value}\n`).join('');
}

/** Groups of three, the same on every machine. */
function grouped(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function violationText(violation: Violation, run: SimulationOptions): string {
  const { rule, again, history, decisions } = violation;
  const { seed, nodes = 3, steps, faults = faultKinds } = run;
  const command = [`rxraft simulate --seed ${seed} --nodes ${nodes}`];
  if (steps !== undefined) command.push(`--steps ${steps}`);
  if (faults.length === 0) command.push('--faults none');
  else if (faults.length < faultKinds.length) command.push(`--faults ${faults.join()}`);
  return [
    `VIOLATION, seed ${seed}: ${rule}`,
    `again: ${command.join(' ')}`,
    `the shortest history that shows it has ${again.steps} steps under faults, ` +
      `${decisions.length} decisions and ${history.length} events; it ends so:`,
    '',
    violation.diagram,
    '',
    '',
  ].join('\n');
}
