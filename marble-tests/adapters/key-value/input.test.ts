/** "Keys and values byte-exact", and no more of a source is read than a value may have. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxValueBytes } from '../../../adapters/key-value/commands.js';
import { InputError, keyOf, UsageError, valueOf } from '../../../adapters/key-value/input.js';

describe('a key', () => {
  it('is the UTF-8 of its text, or the bytes of its digits', () => {
    expect([...keyOf('ключ', false)]).toEqual([...Buffer.from('ключ')]);
    expect([...keyOf('', false)]).toEqual([]);
    expect([...keyOf('00fFa0', true)]).toEqual([0, 255, 160]);
    expect([...keyOf('', true)]).toEqual([]);
  });

  it.each(['0', '0g', '0x00', ' 00'])('is not hexadecimal: %j', (text) => {
    expect(() => keyOf(text, true)).toThrow(UsageError);
  });
});

describe('a value', () => {
  let folder: string;
  const stdin = (): Readable => Readable.from([Buffer.from([0, 1]), Buffer.from([255])]);

  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'rxraft-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is a text, the standard input, or a file', async () => {
    const file = join(folder, 'value');
    writeFileSync(file, Buffer.from([7, 0, 200]));
    expect([...(await valueOf({ text: 'é', stdin: stdin() }))]).toEqual([0xc3, 0xa9]);
    expect([...(await valueOf({ text: '', stdin: stdin() }))]).toEqual([]);
    expect([...(await valueOf({ text: '-', stdin: stdin() }))]).toEqual([0, 1, 255]);
    expect([...(await valueOf({ file, stdin: stdin() }))]).toEqual([7, 0, 200]);
    expect([...(await valueOf({ text: '-', stdin: Readable.from([]) }))]).toEqual([]);
  });

  it('is exactly one of them', async () => {
    await expect(valueOf({ stdin: stdin() })).rejects.toThrow(UsageError);
    await expect(valueOf({ text: 'x', file: 'y', stdin: stdin() })).rejects.toThrow(UsageError);
  });

  it('that can not be read names the file', async () => {
    const file = join(folder, 'nowhere');
    await expect(valueOf({ file, stdin: stdin() })).rejects.toThrow(InputError);
    await expect(valueOf({ file, stdin: stdin() })).rejects.toThrow(`${file} can't be read`);
    await expect(valueOf({ file: folder, stdin: stdin() })).rejects.toThrow(InputError);
  });

  it('may reach the limit, and beyond it the source is let go', async () => {
    let read = 0;
    const endless = Readable.from(
      (function* () {
        for (; read < 1000; read += 1) yield Buffer.alloc(1 << 18);
      })(),
    );
    await expect(valueOf({ text: '-', stdin: endless })).rejects.toThrow(
      `the standard input has too many bytes: the limit of a value is ${maxValueBytes}`,
    );
    expect(read).toBeLessThan(50);
    const exact = Readable.from([Buffer.alloc(maxValueBytes)]);
    expect((await valueOf({ text: '-', stdin: exact })).length).toBe(maxValueBytes);
  });
});
