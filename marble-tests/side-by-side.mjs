/**
 * `node side-by-side.mjs lint types test:unit`: scripts of the package that have nothing to do with
 * each other, at once. The last one is watched; what the others say is shown when they are done.
 * Fails when one of them does.
 */
import { spawn } from 'node:child_process';

const scripts = process.argv.slice(2);

function run(script) {
  const isWatched = script === scripts.at(-1);
  const stdio = isWatched ? 'inherit' : ['ignore', 'pipe', 'pipe'];
  const child = spawn('npm', ['run', '--silent', script], { shell: true, stdio });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => said.push(part));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(said));
      resolve({ script, code });
    });
  });
}

const ends = await Promise.all(scripts.map(run));
for (const { script, code } of ends) {
  console.log(`${script}: ${code === 0 ? 'passed' : `failed, exit code ${code}`}`);
}
process.exitCode = ends.every(({ code }) => code === 0) ? 0 : 1;
