/**
 * The package as its users get it: packed, resolved by their compiler, without a part that nobody
 * uses, and with an interface whose changes a reviewer can see. `npm run test:package -- -u` writes
 * the interface down anew.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { interfacesOf } from './interface.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const reports = join(root, 'docs/api');

interface Manifest {
  readonly exports: Record<string, string | { readonly types: string }>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

/** The doors that have an interface, each with the name of its report. */
const doors = Object.entries(manifest.exports).flatMap(([door, target]) => {
  if (typeof target === 'string') return [];
  const name = door === '.' ? 'rxraft' : door.replace(/^\.\//, '').replaceAll('/', '-');
  return [{ types: join(root, target.types), report: `${name}.api.md` }];
});

/** What a program of the package's tools says, and that it was content. */
function run(program: string, ...words: string[]): string {
  const path = join(root, 'node_modules/.bin', program);
  return execFileSync(path, words, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
}

describe('the package', () => {
  it('is packed as registries want it', () => {
    expect(run('publint', '--strict')).toContain('All good!');
  });

  it('is found by every compiler that knows ES modules', () => {
    expect(run('attw', '--quiet', '--pack', '.', '--profile', 'esm-only')).toBe('');
  });

  it('has no file, name or dependency that nobody uses', () => {
    expect(run('knip', '--no-progress')).toBe('');
  });

  it('brings the sources that its maps point to, the licence, and no test', () => {
    const [pack] = JSON.parse(
      execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
        cwd: root,
        encoding: 'utf8',
      }),
    ) as [{ readonly files: readonly { readonly path: string }[] }];
    const paths = pack.files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'lib/raft.ts']));
    expect(paths.filter((path) => /marble-tests|coverage|\.test\./.test(path))).toEqual([]);
  });
});

describe('the interface', () => {
  it('of every door is as it was reviewed', async () => {
    const texts = interfacesOf(
      root,
      doors.map(({ types }) => types),
    );
    for (const [at, { report }] of doors.entries()) {
      await expect(texts[at]).toMatchFileSnapshot(join(reports, report));
    }
    expect(readdirSync(reports).sort()).toEqual(doors.map(({ report }) => report).sort());
  });

  it('has a reference, without a link that leads nowhere', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rxraft-reference-'));
    run('typedoc', '--treatWarningsAsErrors', '--logLevel', 'Warn', '--out', folder);
    expect(readFileSync(join(folder, 'functions/lib.raft.html'), 'utf8')).toContain('input$:');
    rmSync(folder, { recursive: true, force: true });
  });
});
