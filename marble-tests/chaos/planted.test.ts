/**
 * Faults that are planted in a copy of the program: a campaign finds each of them, or it would
 * prove nothing of the program itself.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { campaign } from './campaign.js';

interface Planted {
  readonly fault: string;
  readonly file: string;
  readonly text: string;
  readonly instead: string;
  /** What it is found by. */
  readonly found: RegExp;
}

const planted: readonly Planted[] = [
  {
    fault: 'a write is acknowledged before it is on the disk',
    file: 'adapters/medium-store.js',
    text: 'await medium.batch(ledger.batchOf(actions), ledger.head.batch);',
    instead:
      'medium.batch(ledger.batchOf(actions), ledger.head.batch).catch(() => process.exit(1));',
    // The store itself finds when it is opened that something is missing, and refuses.
    found: /^the traces are not Raft: recovery: |has ended by itself, with exit code 1$/,
  },
  {
    fault: 'an entry of an older term is committed by counting',
    file: 'lib/commitment.js',
    text: ' || index < state.termStart',
    instead: '',
    found: /^the traces are not Raft: commitment: /,
  },
  {
    fault: 'a node that starts again has forgotten its vote',
    file: 'adapters/store-recovery.js',
    text: 'const recovered = { generation, currentTerm, votedFor,',
    instead: 'const recovered = { generation, currentTerm, votedFor: null,',
    found: /^the traces are not Raft: recovery: /,
  },
];

const seconds = 20;
const mostRounds = 10;

/** Below the packages, so that it finds them. */
const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
const dist = fileURLToPath(new URL('../../dist', import.meta.url));

let folder: string;

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function plant({ file, text, instead }: Planted): string {
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'rxraft-planted-'));
  cpSync(dist, join(folder, 'dist'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "version": "0.0.0" }');
  const path = join(folder, 'dist', file);
  const source = readFileSync(path, 'utf8');
  expect(source.split(text)).toHaveLength(2);
  writeFileSync(path, source.replace(text, instead));
  return join(folder, 'dist/adapters/key-value/command-line.js');
}

it.each(planted)(
  '$fault: it is found',
  { timeout: mostRounds * (seconds + 200) * 1000 },
  async (fault) => {
    const program = plant(fault);
    const begin = performance.now();
    const said: string[] = [];
    const say = (text: string): number => said.push(text);
    let faults: readonly string[] = [];
    for (let seed = 1; faults.length === 0 && seed <= mostRounds; seed += 1) {
      faults = await campaign({ nodes: 3, seconds, seed, changes: false, say, program });
    }
    const took = Math.round((performance.now() - begin) / 1000);
    console.log(`${fault.fault}: found in ${took} s\n${faults.join('\n').slice(0, 600)}`);
    expect(faults.some((each) => fault.found.test(each))).toBe(true);
  },
);
