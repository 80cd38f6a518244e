/** `rxraft simulate`: what it writes, and how it exits. */
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { SimulateSettings } from '../../adapters/testing/simulation/command.js';
import { addSimulateCommand } from '../../adapters/testing/simulation/command.js';
import { raft } from '../../lib/index.js';
import { filter } from 'rxjs';

interface Ran {
  readonly text: string;
  readonly code: number | null;
}

async function run(args: string, settings: SimulateSettings = {}, isTTY = false): Promise<Ran> {
  let text = '';
  let code: number | null = null;
  const out = { isTTY, write: (more: string) => (text += more) };
  const program = new Command('rxraft').exitOverride().configureOutput({ writeErr: () => 0 });
  addSimulateCommand(program, { out, exit: (given) => (code = given), ...settings });
  await program.parseAsync(['simulate', ...args.split(' ')], { from: 'user' });
  return { text, code };
}

/** The rows of a summary by their names. */
function rowsOf(text: string): Record<string, string> {
  const rows = [...text.matchAll(/^([a-z -]+?) {2,}(.+)$/gm)];
  return Object.fromEntries(rows.map(([, name = '', value = '']) => [name, value]));
}

describe('rxraft simulate', { timeout: 60_000 }, () => {
  it('ends with a summary, and 0', async () => {
    const { text, code } = await run('--seeds 20');
    expect(code).toBe(0);
    const rows = rowsOf(text);
    expect(rows).toMatchObject({ seeds: '20', violations: '0' });
    for (const name of ['elections', 'reads', 'messages', 'drop', 'crash', 'membership']) {
      expect(rows[name], name).toMatch(/^[1-9][\d,]*$/);
    }
    expect(rows['virtual hours']).toMatch(/^0\.0[1-9]\d$/);
    expect(rows['seconds']).toMatch(/^[\d.]+, [\d,]+ times as fast as life$/);
    expect(rows['commits']).toMatch(/^\d+ entries, \d+ commands$/);
    expect(rows['digest']).toMatch(/^[0-9a-f]{16}$/);
  });

  it('repeats one seed exactly', async () => {
    const [one, other] = [await run('--seed 7'), await run('--seed 7')];
    expect(rowsOf(one.text)).toMatchObject({ seeds: '1' });
    expect(rowsOf(one.text)['digest']).toBe(rowsOf(other.text)['digest']);
    const next = await run('--seed 8');
    expect(rowsOf(next.text)['digest']).not.toBe(rowsOf(one.text)['digest']);
  });

  it('takes sizes, steps and faults', async () => {
    const { text } = await run('--seed 1 --seeds 5 --steps 100 --nodes 1,2 --faults drop,crash');
    expect(rowsOf(text)).toMatchObject({ seeds: '5', pause: '0', membership: '0' });
    const calm = rowsOf((await run('--seeds 5 --faults none')).text);
    expect(calm).toMatchObject({ drop: '0', reorder: '0', crash: '0' });
    const short = rowsOf((await run('--seeds 5 --steps 0')).text);
    expect(Number(short['messages'])).toBeLessThan(Number(calm['messages']?.replace(',', '')));
  });

  it('shows progress where somebody looks, and only there', async () => {
    const { text } = await run('--seeds 3', {}, true);
    expect(text).toContain('\r\u001b[K33 %  1 of 3 seeds');
    expect((await run('--seeds 3')).text).not.toContain('\r');
  });

  it('shows a violation with its seed and its diagram, and exits with 1', async () => {
    const deaf = {
      core: ((config, turn) => (input$) =>
        input$.pipe(
          filter((input) => input.type !== 'timedOut'),
          raft(config, turn),
        )) satisfies NonNullable<SimulateSettings['planted']>['core'],
    };
    const { text, code } = await run('--seed 5 --seeds 9 --nodes 3 --steps 50', { planted: deaf });
    expect(code).toBe(1);
    expect(text).toContain('VIOLATION, seed 5: (L) no leader, though the world is healed');
    expect(text).toContain('again: rxraft simulate --seed 5 --nodes 3 --steps 50\n');
    expect(text).toMatch(/the shortest history that shows it has 0 steps under faults/);
    expect(text).toMatch(/^n1 {4}[a-zA-Z+!-]+$/m);
    expect(rowsOf(text)).toMatchObject({ seeds: '1', violations: '1, seed 5' });
  });

  it.each([
    '--seed one',
    '--seeds 0',
    '--seeds -1',
    '--steps 1.5',
    '--nodes 3,8',
    '--nodes 0',
    '--faults crash,magic',
  ])('refuses %s', async (args) => {
    await expect(run(args)).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  });
});
