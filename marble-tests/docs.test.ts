/**
 * What the documents say is there is there: every trap has its row, and every test, file and
 * function that a row names exists.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), 'utf8');

/** The numbers of the list of traps, by section. */
const numbers = {
  A: [1, 2, 3, 4, 5, 7, 8, 10, 11, 12, 14],
  B: [1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 15, 16, 17, 20, 22, 23],
  C: [1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 15, 16],
  D: [1, 2, 3, 4, 6, 7, 8, 11, 12, 13, 14, 16, 18, 19, 20],
  E: [1, 2, 3, 4, 6, 7, 9, 10, 11, 12, 13, 15, 17],
  F: [1, 2, 3, 4, 6, 7, 8, 10, 11, 12],
  G: [1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
  H: [1, 2, 3, 4, 6, 8, 9, 10, 12, 13, 14, 15, 16, 17, 19, 20],
  I: [1, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15],
  J: [1, 2, 3, 4, 5, 6, 7, 8, 9],
};

/** The cells of the rows that begin with a number such as `A1` or `7`. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => /^\| [A-J]?\d+ \|/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

interface Reference {
  readonly file: string;
  readonly name: string;
}

/** What a cell names: "[text](../file) › `title`", or "[text](../file) `function`". */
function referencesOf(cell: string): Reference[] {
  return [...cell.matchAll(/\]\(\.\.\/([^)]+)\)(?: ›)? `([^`]+)`/g)].map(([, file, name]) => ({
    file: file ?? '',
    name: name ?? '',
  }));
}

interface Names {
  readonly texts: ReadonlySet<string>;
  readonly declared: ReadonlySet<string>;
}

const known = new Map<string, Names>();

/** The texts in a source file, and the names of what it declares. */
function namesOf(file: string): Names {
  const before = known.get(file);
  if (before !== undefined) return before;
  const texts = new Set<string>();
  const declared = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.add(node.text);
    if (ts.isTemplateExpression(node)) texts.add(node.getText().slice(1, -1));
    if (ts.isConstructorDeclaration(node)) declared.add('constructor');
    const isNamed =
      ts.isFunctionDeclaration(node) ||
      ts.isMethodDeclaration(node) ||
      ts.isGetAccessor(node) ||
      ts.isPropertyDeclaration(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isClassDeclaration(node);
    if (isNamed && node.name !== undefined) declared.add(node.name.getText());
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true));
  const names = { texts, declared };
  known.set(file, names);
  return names;
}

/** The references of which the file has no such text or name. */
function strangers(found: readonly Reference[], kind: keyof Names): string[] {
  return found
    .filter(({ file, name }) => !name.split(' › ').every((part) => namesOf(file)[kind].has(part)))
    .map(({ file, name }) => `${file}: ${name}`);
}

const pages = { 'docs/TRAPS.md': 5, 'docs/TRACK-RECORD.md': 5 };

describe.each(Object.entries(pages))('%s', (page, columns) => {
  const rows = rowsOf(read(page));

  it('has rows of as many cells as its head', () => {
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter((cells) => cells.length !== columns)).toEqual([]);
  });

  it('names tests that exist', () => {
    const tests = rows.flatMap((cells) => referencesOf(cells[3] ?? ''));
    expect(strangers(tests, 'texts')).toEqual([]);
    expect(tests.length).toBeGreaterThanOrEqual(rows.length - 20);
  });

  it('names files and functions that exist', () => {
    const guards = rows.flatMap((cells) => referencesOf(cells[4] ?? ''));
    expect(strangers(guards, 'declared')).toEqual([]);
    expect(guards.length).toBeGreaterThanOrEqual(rows.length - 20);
  });

  it('leaves no row without a test and a guard, or the reason why it is open', () => {
    const empty = rows.filter(
      ([, , , tests = '', guards = '']) =>
        !tests.startsWith('open: ') &&
        (referencesOf(tests).length === 0 || referencesOf(guards).length === 0),
    );
    expect(empty).toEqual([]);
  });
});

describe('docs/TRAPS.md', () => {
  it('has every trap of the list once, in order', () => {
    const wanted = Object.entries(numbers).flatMap(([section, list]) =>
      list.map((number) => `${section}${number}`),
    );
    expect(wanted).toHaveLength(130);
    expect(rowsOf(read('docs/TRAPS.md')).map(([number]) => number)).toEqual(wanted);
  });

  it('says how many there are, and how many are open', () => {
    const text = read('docs/TRAPS.md');
    const open = rowsOf(text).filter(([, , , tests]) => tests?.startsWith('open: '));
    expect(text).toContain(`: 130 traps`);
    expect(text).toMatch(new RegExp(`\\b${open.length} are open\\b`));
  });
});
