/** What was found, as a table: to look at, and as the page docs/MUTANTS.md. */
import type { Catch } from './hunt.js';
import { blindness, type Mutant } from './mutant.js';

/** By the simulator, or by the test that the mutant names. */
export type Found = Catch | 'test';

export interface Page {
  /** For a terminal: of those that were found. The others are failed tests, or were not planted. */
  readonly table: string;
  /** In Markdown. */
  readonly text: string;
}

export function pageOf(mutants: readonly Mutant[], found: ReadonlyMap<string, Found>): Page {
  const planted = mutants.filter(({ name }) => found.has(name));
  const lines = planted.map((mutant) => {
    const { name, trap } = mutant;
    return [seedsOf(found.get(name)).padStart(6), trap.padEnd(16), name, whatOf(mutant, found)];
  });
  return {
    table: ['seeds  trap', ...lines.map((line) => line.join('  '))].join('\n'),
    text: [head(mutants, found), ...mutants.map((each) => rowOf(each, found)), ''].join('\n'),
  };
}

function head(mutants: readonly Mutant[], found: ReadonlyMap<string, Found>): string {
  const catches = [...found.values()].filter((each) => each !== 'test').map(({ seeds }) => seeds);
  const within = (seeds: number): number => catches.filter((each) => each <= seeds).length;
  return [
    '# Planted bugs',
    '',
    `${mutants.length} small changes of the core and its adapters, each of which takes a guard away,`,
    'and who notices. Written by `npm run simulate -- --mutants`, which plants one after the other in',
    'a copy of the sources, and fails when one survives.',
    '',
    `${catches.length} are found by the simulator: the number is that of the seeds it took, from seed`,
    `1 on, with 3, 5 and 7 nodes in turn. ${within(1)} need one seed, ${within(10)} at most ten,`,
    `${within(100)} at most a hundred. The other ${mutants.length - catches.length} are found by the`,
    'test that is named, and the row says why not by the simulator:',
    '',
    ...Object.values(blindness).map((text) => `- ${text}`),
    '',
    'The traps are those of [the list](TRAPS.md); S1 to S21 are the defects of the Rust crate that',
    'this project was measured against.',
    '',
    '| Planted bug | Trap | File | Seeds | Found by |',
    '| --- | --- | --- | --- | --- |',
  ].join('\n');
}

function rowOf(mutant: Mutant, found: ReadonlyMap<string, Found>): string {
  const { name, trap, file, test, because } = mutant;
  const link = `[${file}](../${file})`;
  const by =
    test === undefined
      ? whatOf(mutant, found)
      : `[${test.file}](../marble-tests/${test.file}) › \`${test.title}\`<br>` +
        (because === undefined ? '' : blindness[because]);
  const cells = [name, trap, link, seedsOf(found.get(name)), by];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function seedsOf(found: Found | undefined): string {
  return found === undefined || found === 'test' ? '–' : String(found.seeds);
}

function whatOf({ name, test }: Mutant, found: ReadonlyMap<string, Found>): string {
  const what = found.get(name);
  if (what === undefined) return '–';
  return what === 'test' ? `test: ${test?.title ?? ''}` : what.rule;
}
