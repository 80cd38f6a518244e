/** The doors of the package: what their users need beside what they came for. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

const read = (file: string): string => readFileSync(`${root}/${file}`, 'utf8');

const { exports } = JSON.parse(read('package.json')) as {
  exports: Record<string, string | { readonly default: string }>;
};

/** The sources of the doors. */
const doors = Object.values(exports).flatMap((target) =>
  typeof target === 'string' ? [] : [target.default.replace('./dist/', '').replace(/js$/, 'ts')],
);

/** Every error of the sources, by name. */
const errors = ['lib', 'adapters'].flatMap((folder) =>
  (readdirSync(`${root}/${folder}`, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...read(`${folder}/${file}`).matchAll(/ class (\w+) extends \w*Error /g)])
    .map(([, name = '']) => name),
);

it.each(doors)('%s has the errors that it throws or names', async (door) => {
  expect(errors).toContain('ListenError');
  const named = errors.filter((name) => new RegExp(`\\b${name}\\b`).test(read(door)));
  const had = Object.keys((await import(`../${door}`)) as object);
  expect(named.filter((name) => !had.includes(name))).toEqual([]);
});
