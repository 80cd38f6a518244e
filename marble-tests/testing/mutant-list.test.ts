/**
 * The list of planted bugs holds together: each has its place in the source, once. That each is
 * found is seen by `npm run simulate -- --mutants`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { mutants } from '../mutants/mutants.js';
import { planted, root } from '../mutants/workshop.js';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('the planted bugs', () => {
  it('are many, and each has a name of its own', () => {
    expect(mutants.length).toBeGreaterThan(100);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  it.each(mutants)('$name: has its place, and is a program', (mutant) => {
    const text = planted(mutant);
    expect(text).not.toBe(read(mutant.file));
    const { diagnostics } = ts.transpileModule(text, { reportDiagnostics: true });
    expect(diagnostics).toEqual([]);
  });

  it('an error tells of a place that is not there, or there twice', () => {
    const mutant = { name: 'this', file: 'lib/quorum.ts', after: '' };
    expect(() => planted({ ...mutant, before: 'no such text' })).toThrow(
      'this: its place occurs 0',
    );
    expect(() => planted({ ...mutant, before: 'majorityValue' })).toThrow('times in lib/quorum.ts');
  });

  it('take away the guards of all defects of the reference', () => {
    const traps = mutants.flatMap(({ trap }) => trap.split(', '));
    const defects = Array.from({ length: 21 }, (_, at) => `S${at + 1}`);
    expect(defects.filter((defect) => !traps.includes(defect))).toEqual([]);
  });

  it('name tests that exist, and say why the simulator does not find them', () => {
    const suites = ['clock', 'machine', 'network', 'storage'].map((contract) =>
      read(`adapters/testing/${contract}-acceptance.ts`),
    );
    for (const { name, test, because } of mutants) {
      expect(because === undefined, name).toBe(test === undefined);
      if (test === undefined) continue;
      const texts = [read(join('marble-tests', test.file)), ...suites].join('');
      expect(texts.replaceAll('\\', ''), name).toContain(test.title.replace(/^keeps /, ''));
    }
  });
});
