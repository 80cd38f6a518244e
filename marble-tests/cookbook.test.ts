/**
 * The recipes of docs/COOKBOOK.md are test files, and run as they stand there: each is compiled as
 * a stranger would compile it, and its tests are tests of this file.
 */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Snippets } from './snippets.js';

const cookbook = new Snippets('docs/COOKBOOK.md', 'cookbook');

afterAll(() => cookbook.remove());

it('the recipes compile', { timeout: 120_000 }, () => {
  expect(cookbook.programs).toHaveLength(5);
  expect(cookbook.complaints()).toEqual([]);
});

describe.each(cookbook.programs.map((text, at) => ({ at, text })))(
  'recipe $at',
  async ({ at, text }) => {
    // Suites and diagrams throw where something is wrong; vitest wants to see an assertion.
    beforeEach(() => expect(text).not.toBe(''));
    await cookbook.start(text, `recipe-${at}`);
  },
);
