/**
 * The package as its users get it: packed, resolved by their compiler, without a part that nobody
 * uses, and with an interface whose changes a reviewer can see. `npm run test:package -- -u` writes
 * the interface down anew.
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { interfacesOf } from './interface.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const reports = join(root, 'docs/api');

interface Manifest {
  readonly exports: Record<string, string | { readonly types: string }>;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
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
  try {
    return execFileSync(path, words, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    // The compiler complains on the standard output.
    throw new Error((error as { readonly stdout: string }).stdout, { cause: error });
  }
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

describe('the declarations', () => {
  it('compile where libraries are checked, without types that the package does not bring', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rxraft-declarations-'));
    const { dependencies, peerDependencies, exports } = manifest;
    const modules = Object.keys({ ...dependencies, ...peerDependencies });
    mkdirSync(join(folder, 'node_modules/rxraft'), { recursive: true });
    for (const name of [...modules, 'abstract-level']) {
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    }
    for (const name of ['dist', 'package.json']) {
      symlinkSync(join(root, name), join(folder, 'node_modules/rxraft', name));
    }
    const names = Object.keys(exports).filter((door) => !door.endsWith('.json'));
    const lines = names.map((door, at) => `export * as d${at} from 'rxraft${door.slice(1)}';`);
    const program = join(folder, 'program.mts');
    writeFileSync(program, lines.join('\n'));
    const options = '--ignoreConfig --strict --noEmit --preserveSymlinks --types node';
    run('tsc', ...options.split(' '), '--module', 'nodenext', '--target', 'es2022', program);
    rmSync(folder, { recursive: true });
  });

  it('name bytes as compilers before 5.7 do', () => {
    const files = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' });
    const declarations = files.filter((file) => file.endsWith('.d.ts'));
    expect(declarations).toContain('lib/index.d.ts');
    const texts = declarations.map((file) => readFileSync(join(root, 'dist', file), 'utf8'));
    expect(texts.flatMap((text) => text.match(/.*Uint8Array<.*/g) ?? [])).toEqual([]);
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
