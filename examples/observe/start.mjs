/**
 * Three nodes with a tally, and a page that follows them: `npm run example:observe`. A node that
 * was killed is started again after a while, so that you see both on the page.
 */
import { fork } from 'node:child_process';
import { context } from 'esbuild';
import { place } from '../nodes.mjs';

const folder = import.meta.dirname;
const restartMs = 10_000;

const bundle = await context({
  entryPoints: [`${folder}/page.mjs`],
  bundle: true,
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  write: false,
  define: { NODES: JSON.stringify(Object.values(place.nodes)) },
});
const at = { host: '127.0.0.1', port: Number(process.env.PAGE ?? 8080) };
const { port } = await bundle.serve({ servedir: folder, ...at });
const origins = ['127.0.0.1', 'localhost'].map((host) => `http://${host}:${port}`);

const pids = new Map();

function start(id) {
  const env = { ...process.env, ORIGINS: origins.join() };
  const node = fork(`${folder}/tally.mjs`, [id], { env });
  pids.set(id, node.pid);
  node.once('exit', () => {
    pids.delete(id);
    console.log(`${id} has ended, and starts again in ${restartMs / 1000} s`);
    setTimeout(() => {
      start(id);
      console.log(`${id} is back as process ${pids.get(id)}`);
    }, restartMs);
  });
}

Object.keys(place.nodes).forEach(start);
console.log(`Open ${origins[0]}/
One node less, and the page follows another:  kill -9 ${pids.get('a')}
None at all, and it says that it is stale:    kill -9 ${[...pids.values()].join(' ')}
Ctrl-C stops it.`);
