/** A copy of what is built, with a fault in it, for a campaign that has to find it. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

export interface Planted {
  readonly fault: string;
  /** Below the root of the package. */
  readonly file: string;
  readonly text: string;
  readonly instead: string;
  /** What it is found by, at the least. */
  readonly found: RegExp;
}

/** Runs a round on the package that is in a folder, and gives what was found. */
type Round = (
  folder: string,
  seed: number,
  say: (text: string) => void,
) => Promise<readonly string[]>;

/** Of a round. */
export const seconds = 20;
const mostRounds = 10;

export const patienceMs = mostRounds * (seconds + 200) * 1000;

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Below the packages, so that it finds them. */
const cache = join(root, 'node_modules/.cache');

/** Runs rounds until one finds something: it has to be this. */
export async function isFound(planted: Planted, round: Round): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'rxraft-planted-'));
  try {
    plant(folder, planted);
    const begin = performance.now();
    let faults: readonly string[] = [];
    for (let seed = 1; faults.length === 0 && seed <= mostRounds; seed += 1) {
      faults = await round(folder, seed, () => undefined);
    }
    const took = Math.round((performance.now() - begin) / 1000);
    console.log(`${planted.fault}: found in ${took} s\n${faults.join('\n').slice(0, 600)}`);
    expect(faults.some((each) => planted.found.test(each))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  }
}

function plant(folder: string, { file, text, instead }: Planted): void {
  for (const part of ['dist', 'marble-tests/chaos/replicas', 'package.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  expect(source.split(text)).toHaveLength(2);
  writeFileSync(path, source.replace(text, instead));
}
