/**
 * Where bugs are planted: copies of the sources in a folder of their own, never the sources
 * themselves. For the simulator the copy is JavaScript, for the tests it is the project as it is.
 */
import type { ChildProcess } from 'node:child_process';
import { execFile, fork } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Catch } from './hunt.js';
import type { Mutant, NamedTest } from './mutant.js';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a hunting process says. */
export type Word =
  | { readonly type: 'ready' }
  | { readonly type: 'seed'; readonly seed: number }
  | { readonly type: 'end'; readonly caught: Catch | null };

/** A seed that takes longer than this does not end. */
const longestSeedMs = 90_000;

/** The changed text of a file. Throws when the place is not there, or there more than once. */
export function planted(mutant: Pick<Mutant, 'name' | 'file' | 'before' | 'after'>): string {
  const { name, file, before, after } = mutant;
  const text = readFileSync(join(root, file), 'utf8');
  const parts = text.split(before);
  if (parts.length !== 2) {
    throw new Error(`${name}: its place occurs ${parts.length - 1} times in ${file}, not once`);
  }
  return parts.join(after);
}

export class Workshop {
  private readonly folder = mkdtempSync(join(tmpdir(), 'rxraft-mutants-'));
  private readonly base = join(this.folder, 'base');
  private copies = 0;

  constructor() {
    for (const folder of ['lib', 'adapters', join('marble-tests', 'mutants')]) {
      for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
        if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
        const file = join(folder, name);
        writeScript(this.base, file, readFileSync(join(root, file), 'utf8'));
      }
    }
    cpSync(join(root, 'package.json'), join(this.base, 'package.json'));
  }

  /** Runs the simulator with a planted bug. Null: it has not found it in so many seeds. */
  async hunt(mutant: Mutant, seeds: number): Promise<Catch | null> {
    const copy = this.copy();
    cpSync(this.base, copy, { recursive: true });
    writeScript(copy, mutant.file, planted(mutant));
    try {
      const script = join(copy, 'marble-tests', 'mutants', 'hunt-process.js');
      return await listen(fork(script, [String(seeds)], { stdio: 'ignore', execArgv: [] }));
    } finally {
      rmSync(copy, { recursive: true });
    }
  }

  /** Does the test fail with a planted bug? Throws when there is no such test. */
  async fails(mutant: Mutant, test: NamedTest): Promise<boolean> {
    const copy = this.copy();
    for (const name of ['lib', 'adapters', 'marble-tests', 'package.json', 'tsconfig.json']) {
      cpSync(join(root, name), join(copy, name), { recursive: true });
    }
    writeFileSync(join(copy, 'vitest.config.mjs'), config);
    writeFileSync(join(copy, mutant.file), planted(mutant));
    try {
      const { failed, passed } = await runTest(copy, test);
      if (failed + passed === 0) throw new Error(`${mutant.name}: no test "${test.title}" ran`);
      return failed > 0;
    } finally {
      rmSync(copy, { recursive: true });
    }
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  private copy(): string {
    const folder = join(this.folder, `copy-${(this.copies += 1)}`);
    mkdirSync(folder);
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    return folder;
  }
}

/** What one test needs, and no more: it starts sooner. */
const config = `export default {
  test: { include: ['marble-tests/**/*.test.ts'], watch: false, testTimeout: 60_000 },
};`;

function writeScript(folder: string, file: string, text: string): void {
  const script = join(folder, file.replace(/\.ts$/, '.js'));
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  mkdirSync(dirname(script), { recursive: true });
  writeFileSync(script, outputText);
}

/** What a hunting process finds, or that it has died or never comes to an end of a seed. */
function listen(child: ChildProcess): Promise<Catch | null> {
  return new Promise((resolve, reject) => {
    let seed = 0;
    let isReady = false;
    let watch: NodeJS.Timeout | undefined;
    const end = (caught: Catch | null): void => {
      clearTimeout(watch);
      child.kill('SIGKILL');
      resolve(caught);
    };
    const onSeed = (next: number): void => {
      seed = next;
      clearTimeout(watch);
      watch = setTimeout(() => end({ seeds: seed, rule: 'the run never ends' }), longestSeedMs);
    };
    child.on('message', (word: Word) => {
      if (word.type === 'end') end(word.caught);
      else if (word.type === 'seed') onSeed(word.seed);
      else isReady = true;
    });
    child.once('exit', () => {
      if (isReady) end({ seeds: seed, rule: 'the process dies' });
      else reject(new Error('the changed source does not load'));
    });
    child.once('error', reject);
  });
}

/** One test, in a folder like this one. */
function runTest(
  folder: string,
  { file, title }: NamedTest,
): Promise<{ readonly failed: number; readonly passed: number }> {
  const report = join(folder, 'report.json');
  const pattern = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/%[a-z]/g, '.*');
  const args = ['run', join('marble-tests', file), '--testNamePattern', pattern];
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const own = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS)/.test(name));
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [vitest, ...args, '--reporter=json', `--outputFile=${report}`],
      { cwd: folder, env: Object.fromEntries(own) },
      (_, __, words) => {
        try {
          const { numFailedTests: failed, numPassedTests: passed } = JSON.parse(
            readFileSync(report, 'utf8'),
          ) as { numFailedTests: number; numPassedTests: number };
          resolve({ failed, passed });
        } catch {
          reject(new Error(`${file} does not run: ${words}`));
        }
      },
    );
  });
}
