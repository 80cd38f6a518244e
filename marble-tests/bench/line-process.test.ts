import { describe, expect, it } from 'vitest';
import { lineProcess } from '../../bench/line-process.js';

const script = (text: string) => lineProcess(process.execPath, ['-e', text]);

describe('a process that is told what to do by lines', () => {
  it('answers in the order of the questions', async () => {
    const text = "require('node:readline').createInterface(process.stdin).on('line', console.log)";
    const echo = script(text);
    expect(await Promise.all([echo.ask('1'), echo.ask('2.5 4'), echo.ask('3')])).toEqual([
      [1],
      [2.5, 4],
      [3],
    ]);
    await expect(echo.ask('many')).rejects.toThrow('answered "many"');
    echo.stop();
  });

  it('that ends leaves no question open', async () => {
    const dying = script('process.stdin.once("data", () => process.exit(3))');
    await expect(dying.ask('1')).rejects.toThrow('ended with 3');
    await expect(dying.ask('2')).rejects.toThrow('ended with 3');
  });

  it('that is not there is said', async () => {
    await expect(lineProcess('/no/such/program', []).ask('1')).rejects.toThrow('ENOENT');
  });
});
