/**
 * The rules of the house, each run on an example that breaks it: a rule that nobody has seen refuse
 * is no rule.
 *
 * Law 1 (no clock, no randomness, no I/O, no globals in lib) is kept by the compiler and by lint
 * together. Imports point one way: adapters to lib, and inside lib from the operator to the log.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

const eslint = new ESLint({ cwd: root });

/** The rules that refuse this text in the place of that file, which must exist. */
async function refusals(file: string, text: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(text, { filePath: join(root, file) });
  return result?.messages.map((message) => message.ruleId) ?? [];
}

/** Every source file of the given folders, with forward slashes, relative to the project. */
function sources(...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name).replaceAll('\\', '/')),
  );
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** What a file imports, relative to the project. `values` leaves out what is gone at run time. */
function imports(file: string, kind: 'all' | 'values' = 'all'): string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest);
  return source.statements
    .filter((each) => ts.isImportDeclaration(each) || ts.isExportDeclaration(each))
    .filter((each) => kind === 'all' || !isTypeOnly(each))
    .map((each) => each.moduleSpecifier)
    .filter((each) => each !== undefined && ts.isStringLiteral(each))
    .map((each) => each.text)
    .map((name) =>
      name.startsWith('.')
        ? relative(root, join(root, dirname(file), name))
            .replaceAll('\\', '/')
            .replace(/\.js$/, '.ts')
        : name,
    );
}

function isTypeOnly(each: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(each)) return each.isTypeOnly;
  return each.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

describe('lint refuses in lib', { timeout: 60_000 }, () => {
  it.each([
    ['the wall clock', 'export const now = (): number => Date.now();', 'no-restricted-globals'],
    ['a new Date', 'export const now = (): Date => new Date();', 'no-restricted-globals'],
    ['performance', 'export const now = performance.now();', 'no-restricted-globals'],
    ['chance', 'export const chance = Math.random();', 'no-restricted-properties'],
    ['chance, taken apart', 'export const { random } = Math;', 'no-restricted-properties'],
    ['crypto', 'export const id = crypto.randomUUID();', 'no-restricted-globals'],
    ['a timeout', 'setTimeout(() => undefined, 1);', 'no-restricted-globals'],
    ['an interval', 'setInterval(() => undefined, 1);', 'no-restricted-globals'],
    ['setImmediate', 'setImmediate(() => undefined);', 'no-restricted-globals'],
    ['a microtask', 'queueMicrotask(() => undefined);', 'no-restricted-globals'],
    ['the process', 'export const { pid } = process;', 'no-restricted-globals'],
    ['globalThis', 'export const all = globalThis;', 'no-restricted-globals'],
    ['the console', "console.log('hello');", 'no-restricted-globals'],
    ['promises', 'export const later = Promise.resolve(1);', 'no-restricted-globals'],
    ['async functions', 'export async function later(): Promise<void> {}', 'no-restricted-syntax'],
    ['a locale', "export const order = 'a'.localeCompare('b');", 'no-restricted-properties'],
    ['Node', "export { readFileSync } from 'node:fs';", 'no-restricted-imports'],
    ['Node, the old way', "export { readFileSync } from 'fs';", 'no-restricted-imports'],
    ['a package', "export { encode } from 'msgpackr';", 'no-restricted-imports'],
    ['an adapter', "export { clock } from '../adapters/clock.js';", 'no-restricted-imports'],
    ['rxjs in the core', "export { Subject } from 'rxjs';", 'no-restricted-imports'],
    ['an import at run time', "export const a = import('./log.js');", 'no-restricted-syntax'],
    ['a default export', 'export default 1;', 'no-restricted-syntax'],
    ['export *', "export * from './snapshot.js';", 'no-restricted-syntax'],
  ])('%s', async (_, text, rule) => {
    expect(await refusals('lib/position.ts', text)).toContain(rule);
  });

  it('rxjs outside its operator files, and there its timers', async () => {
    const subject = "export { Subject } from 'rxjs';";
    expect(await refusals('lib/loop.ts', subject)).toEqual([]);
    for (const name of ['timer', 'asyncScheduler', 'debounceTime']) {
      const text = `export { ${name} } from 'rxjs';`;
      expect(await refusals('lib/loop.ts', text), name).toContain('no-restricted-imports');
    }
    for (const name of ['rxjs/operators', 'node:fs', 'ws', '../adapters/clock.js']) {
      const text = `export { merge } from '${name}';`;
      expect(await refusals('lib/loop.ts', text), name).toContain('no-restricted-imports');
    }
  });

  it('nothing of an innocent text', async () => {
    const text = 'export const next = (index: number): number => Math.max(index, 0) + 1;\n';
    expect(await refusals('lib/position.ts', text)).toEqual([]);
  });
});

describe('lint refuses everywhere', { timeout: 60_000 }, () => {
  const streams = [
    "import { map, mergeMap, Subject, takeUntil } from 'rxjs';",
    'const a$ = new Subject<number>();',
    'const b$ = new Subject<number>();\n',
  ].join('\n');
  it.each([
    ['a default export', 'export default 1;', 'no-restricted-syntax'],
    ['export *', "export * from 'rxjs';", 'no-restricted-syntax'],
    ['an enum', "export enum Role { Leader = 'leader' }", 'no-restricted-syntax'],
    [
      'a non-null assertion',
      'export const first = (list: number[]): number => list[0]!;',
      '@typescript-eslint/no-non-null-assertion',
    ],
    [
      'a floating promise',
      'export function start(): void { Promise.resolve(1); }',
      '@typescript-eslint/no-floating-promises',
    ],
    [
      'a subscription inside another',
      `${streams}a$.subscribe(() => b$.subscribe());`,
      'rxjs-x/no-nested-subscribe',
    ],
    [
      'an async subscriber',
      `${streams}a$.subscribe(async () => { await Promise.resolve(b$); });`,
      'rxjs-x/no-async-subscribe',
    ],
    [
      'takeUntil before what it should end',
      `${streams}a$.pipe(takeUntil(b$), mergeMap(() => b$)).subscribe();`,
      'rxjs-x/no-unsafe-takeuntil',
    ],
    [
      'a stream that nobody listens to',
      `${streams}a$.pipe(map(() => b$));`,
      'rxjs-x/no-floating-observables',
    ],
  ])('%s', async (_, text, rule) => {
    expect(await refusals('marble-tests/marbles.ts', text)).toContain(rule);
  });
});

describe('the compiler', { timeout: 60_000 }, () => {
  /** What the compiler says to a file of this text beside this configuration. */
  function complaints(config: string, text: string): string[] {
    const path = join(root, config);
    const { config: json } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as {
      config: unknown;
    };
    const { options } = ts.parseJsonConfigFileContent(json, ts.sys, dirname(path));
    const probe = join(dirname(path), 'house-probe.ts');
    const host = ts.createCompilerHost(options);
    const real = ts.createCompilerHost(options);
    host.getSourceFile = (name, ...rest) =>
      name === probe
        ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022)
        : real.getSourceFile(name, ...rest);
    const program = ts.createProgram([probe], options, host);
    return ts
      .getPreEmitDiagnostics(program)
      .map((each) => ts.flattenDiagnosticMessageText(each.messageText, ' '));
  }

  const world = [
    ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'process', 'Buffer'],
    ...['performance', 'crypto', 'console', 'fetch', 'window', 'document', 'WebSocket'],
  ];

  it('knows nothing of the world in lib, not even by way of rxjs', () => {
    const list = ['Subject', ...world].join(', ');
    const text = `import { Subject } from 'rxjs';\nexport const all = [${list}];`;
    const found = complaints('lib/tsconfig.json', text).map((each) => /'(\w+)'/.exec(each)?.[1]);
    expect(found.sort()).toEqual([...world].sort());
  });

  it('knows Node outside lib', () => {
    expect(complaints('tsconfig.json', 'export const all = [setTimeout, process];')).toEqual([]);
  });

  it('is strict about indexes and optional properties', () => {
    const text = [
      'export const first = (list: number[]): number => list[0];',
      'export const some: { a?: number } = { a: undefined };',
    ];
    expect(complaints('lib/tsconfig.json', text.join('\n'))).toHaveLength(2);
  });
});

describe('imports point one way', () => {
  it('lib imports itself, and in its operator files rxjs', () => {
    const foreign = sources('lib').flatMap((file) =>
      imports(file)
        .filter((name) => !name.startsWith('lib/'))
        .map((name) => `${file} → ${name}`),
    );
    const allowed = ['raft', 'loop', 'selectors'].map((name) => `lib/${name}.ts → rxjs`);
    expect(foreign.filter((each) => !allowed.includes(each))).toEqual([]);
  });

  it('adapters import neither tests nor measurements', () => {
    const wrong = sources('adapters').flatMap((file) =>
      imports(file).filter((name) => /^(marble-tests|bench|examples)\//.test(name)),
    );
    expect(wrong).toEqual([]);
  });

  /** From the door down. What is not listed is the ground: the log, quorums, values. */
  const layers = [
    ['index'],
    ['raft', 'loop', 'selectors'],
    ['node'],
    ['take'],
    [
      ...['election', 'replication', 'commitment', 'membership', 'compaction', 'reads'],
      ...['durability'],
    ],
  ].map((names) => names.map((name) => `lib/${name}.ts`));
  const sections = layers.at(-1) ?? [];

  it('from the door down: index, raft and loop, node, sections of the paper, log', () => {
    const depth = (file: string): number => {
      const found = layers.findIndex((layer) => layer.includes(file));
      return found === -1 ? layers.length : found;
    };
    const upward = sources('lib').flatMap((file) => {
      const among = sections.includes(file) || depth(file) === layers.length;
      return imports(file)
        .filter((name) => name.startsWith('lib/') && name !== file)
        .filter((name) => (among ? depth(name) < depth(file) : depth(name) <= depth(file)))
        .map((name) => `${file} → ${name}`);
    });
    expect(upward).toEqual([]);
    expect(sources('lib')).toEqual(expect.arrayContaining(sections));
  });

  it.each(['lib', 'adapters'])('%s: never in a circle', (folder) => {
    const files = sources(folder);
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const name of imports(file, 'values')) {
        if (files.includes(name)) visit(name, [...path, file]);
      }
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });
});

describe('the package', () => {
  const manifest = JSON.parse(read('package.json')) as {
    exports: Record<string, string | { types: string; default: string }>;
    bin: Record<string, string>;
  };

  it('names doors that exist, without wildcards', () => {
    for (const [door, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue;
      const source = target.default.replace('./dist/', '').replace(/\.js$/, '.ts');
      expect(door).not.toContain('*');
      expect(target.types).toBe(target.default.replace(/\.js$/, '.d.ts'));
      expect(sources('lib', 'adapters'), door).toContain(source);
    }
    for (const target of Object.values(manifest.bin)) {
      const source = target.replace('./dist/', '').replace(/\.js$/, '.ts');
      expect(read(source)).toMatch(/^#!\/usr\/bin\/env node\n/);
    }
  });
});

describe('every file', () => {
  // Put together here, so that this file does not find itself.
  const unfinished = new RegExp(
    [
      'TO' + 'DO',
      'FIX' + 'ME',
      'XX' + 'X',
      '@ts-' + '(ignore|nocheck)',
      'eslint-' + 'disable',
    ].join('|'),
  );
  const asleep = new RegExp(['\\.(skip|only|todo)' + '(\\(|If)', 'marbles\\(' + 'async'].join('|'));

  // What a formatter can't break: the title of a test.
  const title = /^\s*((it|test|describe)(\.each)?\(|['"`].*['"`],$)/;
  const isLong = (line: string): boolean => line.length > 100 && !title.test(line);

  it('is finished, awake, and within 100 columns', () => {
    const found = sources('lib', 'adapters', 'marble-tests', 'bench').flatMap((file) =>
      read(file)
        .split('\n')
        .map((line, index) => ({ line, where: `${file}:${index + 1}` }))
        .filter(({ line }) => unfinished.test(line) || asleep.test(line) || isLong(line))
        .map(({ line, where }) => `${where} ${line}`),
    );
    expect(found).toEqual([]);
  });
});
