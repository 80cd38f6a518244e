import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parts } from '../../bench/command.js';
import { withFigures } from '../../bench/figures.js';

const text = readFileSync(fileURLToPath(new URL('../../docs/BENCH.md', import.meta.url)), 'utf8');

describe('the document of the benchmarks', () => {
  it.each(parts.map((part) => part.name))('has a place for the figures of %s', (name) => {
    expect(() => withFigures(text, name, [], 'a machine')).not.toThrow();
  });
});
