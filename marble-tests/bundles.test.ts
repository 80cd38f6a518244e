/**
 * What a page loads: every door of the package but those of Node, bundled for browsers, without a
 * module of Node, and how much that is. `npm run size` shows it.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { BuildFailure } from 'esbuild';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

const { exports } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
  exports: Record<string, string | { readonly default: string }>;
};

/** The sources of the doors. */
const doors = new Map(
  Object.entries(exports).flatMap(([door, target]) =>
    typeof target === 'string'
      ? []
      : [[door, target.default.replace('./dist/', './').replace(/\.js$/, '.ts')] as const],
  ),
);

/** They have to do with files, processes, or sockets that listen. */
const ofNode = [
  './adapters/level-store',
  './adapters/relay',
  './adapters/replica',
  './adapters/trace-file',
  './adapters/ws-network',
];

/** Minified, gzipped, without rxjs: the bytes of a module of this text. */
async function bytesOf(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    ...{ bundle: true, minify: true, write: false, logLevel: 'silent' },
    ...{ format: 'esm', platform: 'browser', target: 'es2022', external: ['rxjs'] },
  });
  const sizes = outputFiles.map((each) => gzipSync(each.contents, { level: 9 }).length);
  return sizes.reduce((sum, each) => sum + each, 0);
}

const table: string[] = [];
const show = (what: string, bytes: number): void =>
  void table.push(`${what.padEnd(30)} ${String(bytes).padStart(6)} bytes`);
afterAll(() => console.log(table.join('\n')));

describe('for a page', () => {
  it('core and operator are less than 10 kB, minified and gzipped, without rxjs', async () => {
    const bytes = await bytesOf("export { raft } from './lib/index.ts';");
    show('raft', bytes);
    show('raft, loop', await bytesOf("export { raft, loop } from './lib/index.ts';"));
    expect(bytes).toBeGreaterThan(1000);
    expect(bytes).toBeLessThan(10_000);
  });

  it.each([...doors].filter(([door]) => !ofNode.includes(door)))(
    '%s needs nothing of Node',
    async (door, source) => {
      const bytes = await bytesOf(`export * from '${source}';`);
      show(door, bytes);
      expect(bytes).toBeGreaterThan(0);
    },
  );

  it.each(ofNode)('%s is of Node alone: it would be noticed', async (door) => {
    const failure = await bytesOf(`export * from '${doors.get(door) ?? ''}';`).then(
      () => [],
      (error: unknown) => (error as BuildFailure).errors.map(({ text }) => text),
    );
    expect(failure.join()).toContain('Could not resolve "node:');
  });
});
