/** Where the code is entered from: the doors of the package, its programs, and the tests. */
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const targets = Object.values(manifest.exports).map((door) => door.default ?? door);
const sourceOf = (target) => target.replace('./dist/', '').replace(/\.js$/, '.ts');

export default {
  // Of the system: see docs/picture.mjs.
  ignoreBinaries: ['ffmpeg'],
  // Run as programs, by marble-tests/package.
  ignoreDependencies: ['@arethetypeswrong/cli', 'publint'],
  entry: [
    ...[...targets, ...Object.values(manifest.bin)].map(sourceOf).filter((f) => f.endsWith('.ts')),
    'marble-tests/**/*.test.ts',
    'marble-tests/mutants/hunt-process.ts',
  ],
  project: ['lib/**/*.ts', 'adapters/**/*.ts', 'marble-tests/**/*.ts'],
  ignoreExportsUsedInFile: true,
};
