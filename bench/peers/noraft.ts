/**
 * The reference: the crate noraft, built by cargo where that is installed.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LineProcess } from '../line-process.js';
import { lineProcess } from '../line-process.js';
import type { Context } from '../part.js';

/** The sources, seen from `dist/bench/peers`. */
const folder = fileURLToPath(new URL('../../../bench/peers/noraft/', import.meta.url));

/** Builds it and starts it. Null, and a note of what to install, where there is no cargo. */
export function noraft({ progress, note }: Context): LineProcess | null {
  if (spawnSync('cargo', ['--version']).status !== 0) {
    note('noraft is left out: install Rust (https://rustup.rs), which brings cargo.');
    return null;
  }
  progress('building noraft');
  const built = spawnSync('cargo', ['build', '--release', '--locked', '--quiet'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (built.status !== 0) {
    note('noraft is left out: cargo could not build it, and said why above.');
    return null;
  }
  return lineProcess(`${folder}target/release/noraft-rounds`, []);
}
