/** "Exit codes 0 done, 1 refused or not found, 2 usage, 3 outcome unknown." */
import { describe, expect, it } from 'vitest';
import type { Answer, Request } from '../../../adapters/key-value/client-protocol.js';
import type { Condition } from '../../../adapters/key-value/commands.js';
import { outcomeOf } from '../../../adapters/key-value/outcome.js';
import { paintFor, printable, table } from '../../../adapters/key-value/terminal.js';

const key = Buffer.from('color');
const value = new Uint8Array([0, 255]);
const put = (condition: Condition = null): Request => ({
  ...{ type: 'command', command: { type: 'put', key, value, condition } },
});

describe('an answer', () => {
  it.each<[Answer, number, string | null]>([
    [{ type: 'done' }, 0, null],
    [{ type: 'value', value }, 0, null],
    [{ type: 'missing' }, 1, 'color: not found'],
    [{ type: 'conflict' }, 1, 'color: it has another value, or none: nothing was changed'],
    [{ type: 'refused', reason: 'noLeader', text: 'nobody' }, 1, 'color: refused: nobody'],
    [
      { type: 'unknown', text: 'lost' },
      3,
      'color: nobody knows whether it was done: lost. Read the key to find out',
    ],
  ])('%j has its exit code and its words', (answer, exitCode, text) => {
    expect(outcomeOf(put(value), answer)).toEqual({
      ...{ exitCode, text, value: answer.type === 'value' ? value : null },
    });
  });

  it.each<Answer>([
    { type: 'refused', reason: 'noLeader', text: 'no\u001b[2J' },
    { type: 'unknown', text: 'no\u001b[2J' },
    { type: 'changeRefused', reason: 'silent', text: 'no\u001b[2J' },
  ])('of a stranger does not speak to the terminal: %j', (answer) => {
    expect(outcomeOf(put(value), answer).text).toContain('no\ufffd[2J');
  });

  it('says that there is a value where there should be none', () => {
    expect(outcomeOf(put('absent'), { type: 'conflict' }).text).toContain('a value already');
  });
});

describe('on a terminal', () => {
  it('colours are for terminals, and for nobody who asked for none', () => {
    expect(paintFor({ isTTY: true }, {}).bold('x')).toBe('\u001b[1mx\u001b[22m');
    expect(paintFor({ isTTY: true }, { NO_COLOR: '' }).red('x')).toBe('\u001b[31mx\u001b[39m');
    expect(paintFor({ isTTY: true }, { NO_COLOR: '1' }).bold('x')).toBe('x');
    expect(paintFor({ isTTY: false }, {}).bold('x')).toBe('x');
    expect(paintFor({}, {}).dim('x')).toBe('x');
  });

  it('a key can not speak to it, nor flood it', () => {
    expect(printable(Buffer.from('a\u001b[2Jb\nc\u202e'))).toBe('a\ufffd[2Jb\ufffdc\ufffd');
    expect(printable(Buffer.alloc(5000, 'x'))).toBe(`${'x'.repeat(80)}…`);
    expect(printable(Buffer.alloc(0))).toBe('(the empty key)');
  });

  it('columns stand under each other', () => {
    const rows = [
      ['a', 'bb', 'c'],
      ['aaa', 'b', 'ccc'],
    ];
    expect(table(rows)).toBe('a    bb  c\naaa  b   ccc');
  });
});
