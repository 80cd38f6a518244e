/**
 * `npm run simulate`: the command of the program, built anew; or with `--mutants` the hunt for
 * planted bugs, which needs the sources and is no part of the package.
 */
import { spawnSync } from 'node:child_process';

const args = process.argv.slice(2);
const isHunt = args.includes('--mutants');

/** A program and its arguments. Ends this one when it fails. */
function run(program, ...rest) {
  const { status } = spawnSync(program, rest, { stdio: 'inherit', shell: program === 'npm' });
  if (status !== 0) process.exit(status ?? 1);
}

if (isHunt) {
  const rest = args.filter((each) => each !== '--mutants');
  const vitest = 'node_modules/vitest/vitest.mjs';
  run(process.execPath, vitest, 'run', '--mode', 'mutants', '--reporter=verbose', ...rest);
} else {
  run('npm', 'run', '--silent', 'build');
  run(process.execPath, 'dist/adapters/key-value/command-line.js', 'simulate', ...args);
}
